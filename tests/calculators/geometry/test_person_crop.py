"""The crop of a person and the exact way back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graphflow.calculators.geometry.person_crop import (
    PersonCrop,
    crop_matrix,
    inverse_matrix,
    points_back,
    transformed,
)
from graphflow.calculators.geometry.projection import LandmarkProjection
from graphflow.calculators.payloads import Detection, NormalizedLandmarkList, NormalizedRect

from graphflow.testing import run_calculator

POINTS = np.random.default_rng(0).uniform(-50, 400, (40, 2))


@pytest.mark.parametrize("placed", ["uniform", "free", "corners"])
@pytest.mark.parametrize("rotation_deg", [0.0, 33.0, -120.0])
def test_points_come_back_exactly(placed: Any, rotation_deg: float) -> None:
    given = ([150.0, 90.0], [120.0, 160.0], (192, 256))
    inside = transformed(POINTS, crop_matrix(*given, rotation_deg, placed))
    np.testing.assert_allclose(points_back(inside, *given, rotation_deg, placed), POINTS, atol=1e-9)


@pytest.mark.parametrize(
    ("placed", "corner", "expected"),
    [("uniform", (90, 10), (0, 0)), ("uniform", (210, 170), (192, 256)), ("corners", (210, 170), (191, 255))],
)
def test_the_corners_of_the_box_are_those_of_the_crop(
    placed: Any, corner: tuple[float, float], expected: tuple[float, float]
) -> None:
    matrix = crop_matrix([150.0, 90.0], [120.0, 160.0], (192, 256), placed=placed)
    np.testing.assert_allclose(transformed(corner, matrix), expected, atol=1e-9)


def test_mmposes_way_back_is_off_for_crops_of_udp() -> None:
    given = ([150.0, 90.0], [120.0, 160.0], (192, 256))
    inside = transformed(POINTS, crop_matrix(*given, placed="corners"))
    apart = points_back(inside, *given, reference="mmpose") - POINTS
    assert 0.05 < np.abs(apart).max() < 5
    np.testing.assert_allclose(points_back(inside, *given, placed="corners"), POINTS, atol=1e-9)


@pytest.mark.parametrize("reference", ["mmpose", "alphapose"])
def test_three_points_in_float32_give_nearly_the_same(reference: Any) -> None:
    given = ([150.25, 90.5], [120.0, 160.0], (192, 256), 20.0)
    np.testing.assert_allclose(crop_matrix(*given, reference=reference), crop_matrix(*given), atol=1e-3)


def test_a_crop_without_a_side_is_refused() -> None:
    with pytest.raises(ValueError, match="positive width and height"):
        crop_matrix([1, 1], [0, 5], (4, 4))
    with pytest.raises(np.linalg.LinAlgError):
        inverse_matrix(np.zeros((2, 3)))


@pytest.mark.parametrize("placed", ["uniform", "corners"])
@pytest.mark.parametrize("rotated", [False, True])
def test_landmarks_of_a_crop_go_back_to_the_image(placed: str, rotated: bool) -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    image[100:103, 200:203] = 255
    person: dict[str, Any] = {"DETECTION": [(0, Detection(np.float32([0.5, 0.2, 0.25, 0.5])))]}
    if rotated:
        person = {"NORM_RECT": [(0, NormalizedRect(0.6, 0.4, 0.25, 0.5, 0.4))]}
    emitted = run_calculator(PersonCrop, {"IMAGE": [(0, image)], **person}, {"placed": placed})
    crop, matrix = emitted["IMAGE"][0][1], emitted["MATRIX"][0][1]
    assert crop.shape == (256, 192, 3)
    rows, columns = np.nonzero(crop[..., 0] > 127)
    seen = np.array([[(columns.mean()) / 192, (rows.mean()) / 256, 0]], np.float32)
    (back,) = run_calculator(
        LandmarkProjection,
        {"NORM_LANDMARKS": [(0, NormalizedLandmarkList(seen))], "PROJECTION_MATRIX": [(0, matrix)]},
    )["NORM_LANDMARKS"]
    np.testing.assert_allclose(back[1].xyz[0, :2] * (320, 240), (201, 101), atol=0.5)


def test_nobody_and_an_empty_box_give_no_crop() -> None:
    image = np.zeros((24, 32, 3), np.uint8)
    empty = Detection(np.zeros(4, np.float32))
    emitted = run_calculator(PersonCrop, {"IMAGE": [(0, image), (1, image)], "DETECTION": [(1, empty)]})
    assert emitted == {"IMAGE": [], "MATRIX": []}
