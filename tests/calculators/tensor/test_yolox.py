"""YOLOX's input and output."""

from typing import Any

import numpy as np
import pytest
from graphflow.calculators.tensor.yolox import YoloxImageToTensor, YoloxToDetections, decode_grid

from graphflow.testing import run_calculator


def test_rows_are_relative_to_their_cells() -> None:
    rows = np.zeros((84, 6), np.float32)
    decoded = decode_grid(rows, 64, 64)
    # 64 cells of 8 pixels, then 16 of 16, then 4 of 32
    assert decoded[0].tolist()[:4] == [0, 0, 8, 8]
    assert decoded[9].tolist()[:4] == [8, 8, 8, 8]
    assert decoded[64 + 7].tolist()[:4] == [48, 16, 16, 16]
    assert decoded[83].tolist()[:4] == [32, 32, 32, 32]
    rows[71] = [0.5, 0.25, np.log(2), np.log(0.5), 0.7, 0.9]
    np.testing.assert_allclose(decode_grid(rows, 64, 64)[71], [56, 20, 32, 8, 0.7, 0.9], rtol=1e-6)
    assert decode_grid(np.zeros((84 + 42, 6), np.float32), 96, 64).shape == (126, 6)


def test_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="an input of 64 x 64 has 84 cells"):
        decode_grid(np.zeros((85, 6), np.float32), 64, 64)


def detections(rows: Any, size: tuple[int, int], **options: Any) -> list[Any]:
    found: list[Any] = run_calculator(
        YoloxToDetections,
        inputs={"TENSORS": [(0, [np.asarray(rows, np.float32)[None]])], "IMAGE_SIZE": [(0, size)]},
        options={"input_size": 64, **options},
    )["DETECTIONS"][0][1]
    return found


def test_only_sure_people_the_surest_first() -> None:
    rows = np.zeros((84, 7))
    rows[0] = [1, 1, 0, 0, 1.0, 0.4, 0.9]
    rows[1] = [0, 1, 0, 0, 0.5, 0.5, 0.9]  # 0.25: not sure enough
    rows[2] = [0, 1, 0, 0, 1.0, 0.8, 0.1]
    found = detections(rows, (128, 64))
    assert [round(float(each.scores[0]), 6) for each in found] == [0.8, 0.4]
    # an image of 128 x 64 fills the upper half
    np.testing.assert_allclose(found[1].box, [4 / 64, 4 / 32, 8 / 64, 8 / 32])
    assert [round(float(each.scores[0]), 6) for each in detections(rows, (128, 64), label=1)] == [0.9, 0.45]


def test_image_is_fitted_into_the_upper_left() -> None:
    image = np.zeros((32, 64, 3), np.uint8)
    image[..., 0] = 200
    found = run_calculator(YoloxImageToTensor, inputs={"IMAGE": [(0, image)]}, options={"size": 32})
    (tensor,) = found["TENSORS"][0][1]
    assert (tensor.shape, tensor.dtype) == ((1, 3, 32, 32), np.float32)
    assert (tensor[0, :, :16] == np.reshape([0, 0, 200], (3, 1, 1))).all()  # BGR
    assert (tensor[0, :, 16:] == 114).all()
