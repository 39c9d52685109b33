"""LandmarksToMatrix, against numbers recorded from MediaPipe 0.10.21."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graphflow.calculators.payloads import LandmarkList, NormalizedLandmarkList, NormalizedRect

from graphflow import OptionError, registry
from graphflow.testing import run_calculator

POINT = np.zeros((1, 3), np.float32)
MATRIX = registry.find("LandmarksToMatrixCalculator")
RECT = NormalizedRect(0.5, 0.5, 1.0, 1.0, float(np.float32(np.pi / 2)))


def matrix(points: Any, options: dict[str, Any], rect: NormalizedRect | None = None, world: bool = False) -> Any:
    xyz = np.array(points, np.float32)
    tag, landmarks = ("WORLD_LANDMARKS", LandmarkList(xyz)) if world else ("LANDMARKS", NormalizedLandmarkList(xyz))
    inputs: dict[str, Any] = {tag: [(1, landmarks)], "IMAGE_SIZE": [(1, (8, 6))]}
    if rect is not None:
        inputs["NORM_RECT"] = [(1, rect)]
    return run_calculator(MATRIX, inputs, options)["LANDMARKS_MATRIX"][0][1]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ((0.25, 0.5, 0.3), [[0, 0], [0, 0], [0, 20000.002]]),
        ((0.2501, 0.5, 0.3), [[0, 0.90907997], [0, 0], [0, 1818.4003]]),
    ],
)
def test_nearly_one_point(second: Any, expected: Any) -> None:
    seen = matrix([(0.25, 0.5, 0.1), second], {"object_normalization": True})
    np.testing.assert_allclose(seen, expected, rtol=1e-6)


def test_the_longer_side_of_the_image_keeps_its_scale() -> None:
    seen = matrix([(0.25, 0.1, 0.3)], {"object_normalization": False})
    np.testing.assert_allclose(seen, [[0.25], [0.2], [0.3]], rtol=1e-6)


@pytest.mark.parametrize("world", [False, True])
def test_the_rotation_is_taken_back(world: bool) -> None:
    seen = matrix([(0.75, 0.5, 0.3)], {"object_normalization": False}, RECT, world)
    np.testing.assert_allclose(seen, [[0.5], [0.25], [0.3]], atol=1e-6)


def test_any_landmark_can_be_the_origin() -> None:
    points = [(0.0, 0.0, 1.0), (2.0, 1.0, 5.0)]
    seen = matrix(points, {"object_normalization": True, "object_normalization_origin_offset": 1}, world=True)
    np.testing.assert_allclose(seen, [[-1, 0], [-0.5, 0], [-2, 0]], atol=1e-4)
    with pytest.raises(ValueError, match="is 2, but there are 2 landmarks"):
        matrix(points, {"object_normalization": True, "object_normalization_origin_offset": 2}, world=True)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"IMAGE_SIZE": []}, "connect one of"),
        ({"LANDMARKS": []}, "needs IMAGE_SIZE"),
        (
            {"LANDMARKS": [(1, NormalizedLandmarkList(np.zeros((1, 3), np.float32)))], "IMAGE_SIZE": []},
            "IMAGE_SIZE has no",
        ),
        ({"WORLD_LANDMARKS": [(1, LandmarkList(np.zeros((1, 3), np.float32)))], "NORM_RECT": []}, "NORM_RECT has no"),
    ],
)
def test_what_is_missing(inputs: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_calculator(MATRIX, inputs, {"object_normalization": False})


def test_the_normalization_must_be_chosen() -> None:
    with pytest.raises(OptionError, match="object_normalization"):
        MATRIX({})
