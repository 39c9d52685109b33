"""The custom operators of the attention mesh against their definition, and the whole model against MediaPipe."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from graphflow.errors import ModelError
from graphflow.inference import open_session

FloatArray = npt.NDArray[np.float32]
RunOperator = Callable[..., FloatArray]
rng = np.random.default_rng(17)

# What MediaPipe 0.10.21's InferenceCalculator answers for a 192 x 192 image of default_rng(0).integers(0, 256).
GOLDEN = Path(__file__).parent / "face_attention_golden.npz"


def test_model_gives_what_mediapipe_gives() -> None:
    expected = np.load(GOLDEN)
    noise = np.random.default_rng(0).integers(0, 256, (192, 192, 3), dtype=np.uint8)
    outputs = open_session("face_landmark_with_attention").run([noise[np.newaxis].astype(np.float32) / np.float32(255)])
    assert len(outputs) == len(expected.files) == 7
    for position, output in enumerate(outputs):
        np.testing.assert_allclose(output.reshape(-1), expected[f"output{position}"], rtol=0, atol=1e-3)


def matrix_by_definition(points: FloatArray, options: dict[str, Any]) -> npt.NDArray[np.float64]:
    left, right = (points[0, options[f"{side}_rotation_idx"], :2].astype(float) for side in ("left", "right"))
    angle = options["target_rotation_radians"] - np.arctan2(right[1] - left[1], right[0] - left[0])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = points[0, options["subset_idxs"], :2] @ turn.T
    low, high = turned.min(0), turned.max(0)
    size = np.array([options["output_width"], options["output_height"]])
    matrix = np.eye(4)
    matrix[:2, :2] = turn.T @ np.diag([options["scale_x"], options["scale_y"]] * (high - low) / size)
    matrix[:2, 3] = turn.T @ ((low + high) / 2) - matrix[:2, :2] @ (size / 2)
    return matrix


@pytest.mark.parametrize("target", [0.0, 0.7, -2.0])
@pytest.mark.parametrize("line", ["random", "backwards", "one point"])
def test_landmarks_to_transform_matrix(target: float, line: str, run_operator: RunOperator) -> None:
    points = rng.normal(0, 20, (1, 9, 3)).astype(np.float32)
    if line == "backwards":
        points[0, 3] = points[0, 1] - np.array([5, 0, 0], dtype=np.float32)
    options = {
        "left_rotation_idx": 1,
        "right_rotation_idx": 1 if line == "one point" else 3,
        "subset_idxs": [0, 2, 4, 5, 8, 2],
        "scale_x": 1.5,
        "scale_y": 1.25,
        "output_width": 16,
        "output_height": 8,
        "target_rotation_radians": target,
    }
    result = run_operator("Landmarks2TransformMatrix", [points], [], (1, 4, 4), options)
    np.testing.assert_allclose(result[0], matrix_by_definition(points, options), rtol=1e-4, atol=1e-4)


def test_missing_options_are_an_error(run_operator: RunOperator) -> None:
    with pytest.raises(ModelError, match=r"Landmarks2TransformMatrix\): .*left_rotation_idx"):
        run_operator("Landmarks2TransformMatrix", [np.zeros((1, 9, 3), np.float32)], [], (1, 4, 4), {})


def affine(a: float, b: float, c: float, d: float, x: float, y: float) -> FloatArray:
    return np.array([[[a, b, 0, x], [c, d, 0, y], [0, 0, 1, 0], [0, 0, 0, 1]]], dtype=np.float32)


def sampled_by_definition(image: FloatArray, matrix: FloatArray, rows: int, columns: int) -> npt.NDArray[np.float64]:
    _, height, width, channels = image.shape
    result = np.zeros((1, rows, columns, channels))
    for row in range(rows):
        for column in range(columns):
            x, y = matrix[0, :2].astype(float) @ [column + 0.5, row + 0.5, 0, 1] - 0.5
            if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
                continue
            left, top = min(int(x), width - 2), min(int(y), height - 2)
            across, down = x - left, y - top
            upper = image[0, top, left] * (1 - across) + image[0, top, left + 1] * across
            lower = image[0, top + 1, left] * (1 - across) + image[0, top + 1, left + 1] * across
            result[0, row, column] = upper * (1 - down) + lower * down
    return result


MATRICES = [
    pytest.param(affine(0.5, 0, 0, 0.5, 1, 1), id="inside"),
    pytest.param(affine(1.3, -0.4, 0.5, 1.1, -1.73, -1.26), id="rotated, over the border"),
    pytest.param(affine(1, 0, 0, 1, 50, 50), id="outside"),
    pytest.param(affine(1, 0, 0, 1, 0, 0), id="identity"),
    pytest.param(affine(1, 0, 0, 1, -0.25, 0.25), id="within half a pixel of the border"),
]


@pytest.mark.parametrize("matrix", MATRICES)
def test_transform_tensor(matrix: FloatArray, run_operator: RunOperator) -> None:
    image = rng.normal(0, 1, (1, 7, 9, 2)).astype(np.float32)
    expected = sampled_by_definition(image, matrix, 6, 8)
    result = run_operator("TransformTensorBilinear", [image, matrix], [], expected.shape, {})
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("depth", [2, 3])
def test_transform_landmarks(depth: int, run_operator: RunOperator) -> None:
    points = rng.normal(0, 20, (1, 5, depth)).astype(np.float32)
    matrix = affine(1.3, -0.4, 0.5, 1.1, -1.7, 3.2)
    expected = points.copy()
    expected[0, :, :2] = points[0, :, :2] @ matrix[0, :2, :2].T + matrix[0, :2, 3]
    result = run_operator("TransformLandmarks", [points, matrix], [], points.shape, {})
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)
