"""IrisToDepth: similar triangles, smoothed."""

import math
from typing import Any

import numpy as np
import pytest
from graphflow.calculators.geometry.iris_depth import IrisToDepth
from graphflow.calculators.image.image_file_properties import ExifProperties
from graphflow.calculators.payloads import NormalizedLandmarkList

from graphflow.testing import run_calculator

SIZE = (1000, 800)


def eyes(diameter_px: float, center: tuple[float, float] = (500.0, 400.0)) -> NormalizedLandmarkList:
    """Two equal irises at one place."""
    x, y, radius = *center, diameter_px / 2
    one = [(x, y), (x + radius, y), (x, y - radius), (x - radius, y), (x, y + radius)]
    xyz = np.zeros((10, 3), np.float32)
    xyz[:, :2] = np.array([*one, *one]) / SIZE
    return NormalizedLandmarkList(xyz)


def depths(*found: NormalizedLandmarkList, side_inputs: dict[str, Any]) -> dict[str, list[float]]:
    inputs = {"IRIS": list(enumerate(found)), "IMAGE_SIZE": [(time, SIZE) for time in range(len(found))]}
    outputs = run_calculator(IrisToDepth, inputs, side_inputs=side_inputs)
    return {tag: [value for _, value in packets] for tag, packets in outputs.items()}


def test_distance_in_the_middle() -> None:
    found = depths(eyes(20.0), side_inputs={"FOCAL_LENGTH": 900.0})
    assert found["LEFT_IRIS_DEPTH_MM"] == pytest.approx([11.8 * 900 / 20], rel=1e-4)
    assert found["RIGHT_IRIS_DEPTH_MM"] == pytest.approx([11.8 * 900 / 20], rel=1e-4)


def test_distance_aside_is_along_the_ray() -> None:
    found = depths(eyes(20.0, (800.0, 0.0)), side_inputs={"FOCAL_LENGTH": 1200.0})
    assert found["LEFT_IRIS_DEPTH_MM"] == pytest.approx([11.8 * 1300 / 20], rel=1e-4)


def test_new_distances_count_a_tenth() -> None:
    properties = ExifProperties(1000, 800, 4.0, 26.0, 900.0)
    found = depths(eyes(20.0), eyes(10.0), side_inputs={"IMAGE_FILE_PROPERTIES": properties})
    first = 11.8 * 900 / 20
    assert found["LEFT_IRIS_DEPTH_MM"] == pytest.approx([first, 0.9 * first + 0.1 * 2 * first], rel=1e-4)


def test_an_endless_distance_is_forgotten() -> None:
    found = depths(eyes(0.0), eyes(20.0), side_inputs={"FOCAL_LENGTH": 900.0})["LEFT_IRIS_DEPTH_MM"]
    assert math.isinf(found[0])
    assert found[1] == pytest.approx(11.8 * 900 / 20, rel=1e-4)


@pytest.mark.parametrize("side_inputs", [{}, {"FOCAL_LENGTH": 0.0}])
def test_nothing_without_a_focal_length(side_inputs: dict[str, Any]) -> None:
    assert depths(eyes(20.0), side_inputs=side_inputs) == {"LEFT_IRIS_DEPTH_MM": [], "RIGHT_IRIS_DEPTH_MM": []}


def test_ten_landmarks() -> None:
    five = NormalizedLandmarkList(np.zeros((5, 3), np.float32))
    with pytest.raises(ValueError, match="10 landmarks"):
        depths(five, side_inputs={"FOCAL_LENGTH": 900.0})
