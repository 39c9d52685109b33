"""Where MoveNet looks next."""

from __future__ import annotations

import numpy as np
import pytest
from graphflow.calculators.geometry.movenet_crop import (
    CropBox,
    CropSmoother,
    MoveNetCrop,
    central_square,
    next_crop,
    padded_square,
)
from graphflow.calculators.payloads import NormalizedLandmarkList

from graphflow.testing import run_calculator


def _person(score: float = 0.9) -> NormalizedLandmarkList:
    xyz = np.full((17, 3), 0.5, np.float32)
    xyz[[5, 6], 1] = 0.4
    xyz[15:, 1] = 0.7
    return NormalizedLandmarkList(xyz, visibility=np.full(17, score, np.float32))


def _points(person: NormalizedLandmarkList) -> np.ndarray:
    assert person.visibility is not None
    return np.column_stack([person.xyz[:, 1], person.xyz[:, 0], person.visibility])


def test_the_crop_is_a_square_of_pixels_around_the_hips() -> None:
    crop = next_crop(_points(_person()), 640, 480)
    assert crop is not None
    assert (crop.y_max - crop.y_min) * 480 == pytest.approx((crop.x_max - crop.x_min) * 640)
    assert (crop.y_min + crop.y_max) / 2 == pytest.approx(0.5)
    assert (crop.y_max - crop.y_min) / 2 == pytest.approx(0.2 * 1.2)  # the ankles with the body's margin


@pytest.mark.parametrize("lost", [[5, 6], [11, 12], range(17)])
def test_without_a_torso_there_is_no_crop(lost: list[int]) -> None:
    points = _points(_person())
    points[list(lost), 2] = 0.2
    assert next_crop(points, 640, 480) is None


def test_one_shoulder_and_one_hip_are_enough() -> None:
    points = _points(_person())
    points[[5, 12], 2] = 0.0
    assert next_crop(points, 640, 480) is not None


def test_a_person_as_large_as_the_image_has_no_crop() -> None:
    points = _points(_person())
    points[:, :2] = 0.5, 0.2
    points[0, :2] = -5.0
    assert next_crop(points, 640, 480) is None
    assert next_crop(np.full((17, 3), np.nan), 640, 480) is None
    with pytest.raises(ValueError, match=r"\[17, 3\]"):
        next_crop(points[:5], 640, 480)


def test_the_example_of_tflite_looks_at_the_right_hip_only() -> None:
    usual = next_crop(_points(_person()), 640, 480)
    faulty = next_crop(_points(_person()), 640, 480, "tflite_example")
    assert usual is not None
    assert faulty is not None
    assert faulty.y_max - faulty.y_min == pytest.approx(2 * 0.1 * 1.9)
    assert faulty.y_max < usual.y_max


def test_crops_are_smoothed_side_by_side() -> None:
    smoother = CropSmoother(0.75)
    assert smoother.apply(CropBox(0, 0, 1, 1)) == (0, 0, 1, 1)
    assert smoother.apply(CropBox(0.4, 0, 0.2, 1)) == pytest.approx((0.3, 0, 0.4, 1))
    smoother.reset()
    assert smoother.apply(CropBox(0, 0, 0, 0)) == (0, 0, 0, 0)


@pytest.mark.parametrize(("first", "square"), [("padded_square", padded_square), ("central_square", central_square)])
def test_the_calculator_follows_and_begins_anew(first: str, square: object) -> None:
    person, lost = _person(), _person(0.1)
    emitted = run_calculator(
        MoveNetCrop,
        {"IMAGE_SIZE": [(t, (640, 480)) for t in range(4)], "LANDMARKS": [(1, person), (2, lost)]},
        {"first_region": first},
    )["NORM_RECT"]
    rects = [rect for _, rect in emitted]
    assert callable(square)
    crop = next_crop(_points(person), 640, 480)
    assert crop is not None
    expected = [square(640, 480), crop, padded_square(640, 480), square(640, 480)]
    for rect, box in zip(rects, expected, strict=True):
        assert tuple(rect) == pytest.approx(tuple(box.as_rect()), abs=1e-6)
