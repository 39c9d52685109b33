"""MoveNet's input, output and raw heads."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.geometry.movenet_crop import CropBox, padded_square
from graphflow.calculators.payloads import NormalizedRect
from graphflow.calculators.tensor.movenet_heads import MoveNetHeadsToLandmarks, decode_heads
from graphflow.calculators.tensor.movenet_input import (
    MoveNetImageToTensor,
    crop_and_resize,
    pad_then_resize,
    resize_with_pad,
)
from graphflow.calculators.tensor.movenet_keypoints import (
    MoveNetMultiPoseTensorsToLandmarks,
    MoveNetTensorsToLandmarks,
)

from graphflow.testing import run_calculator

Floats = npt.NDArray[np.float32]


def _twin_heads(center: Floats, regression: Floats, heatmaps: Floats, offsets: Floats) -> Floats:
    """Whole maps in numpy, as the published models have it."""
    height, width, count = heatmaps.shape
    rows, columns = np.mgrid[:height, :width].astype(np.float32)

    def best(heatmap: Floats, y: float, x: float) -> tuple[int, int]:
        weighted = heatmap / (np.sqrt((rows - y) ** 2 + (columns - x) ** 2) + np.float32(1.8))
        row, column = np.unravel_index(int(weighted.argmax()), weighted.shape)
        return int(row), int(column)

    y, x = best(center, height // 2, width // 2)
    found = []
    for k in range(count):
        row, column = best(heatmaps[..., k], y + regression[y, x, 2 * k], x + regression[y, x, 2 * k + 1])
        down, across = offsets[row, column, 2 * k : 2 * k + 2]
        found.append([(row + down) / height, (column + across) / width, heatmaps[row, column, k]])
    return np.array(found, np.float32)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", [(48, 48), (6, 9)])
def test_heads_equal_their_twin(seed: int, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    maps = [rng.random((*shape, channels), np.float32) for channels in (1, 10, 5, 10)]
    maps[1] = (maps[1] - 0.5) * 20
    expected = _twin_heads(maps[0][..., 0], *maps[1:])
    np.testing.assert_allclose(decode_heads(*maps), expected, atol=1e-6)
    batched = [each[None] for each in maps]
    (emitted,) = run_calculator(MoveNetHeadsToLandmarks, {"TENSORS": [(0, batched)]})["NORM_LANDMARKS"]
    np.testing.assert_array_equal(emitted[1].xyz[:, :2], decode_heads(*maps)[:, 1::-1])


def test_heads_of_flat_and_broken_maps_are_survived() -> None:
    flat = [np.zeros((4, 4, channels), np.float32) for channels in (1, 2, 1, 2)]
    assert decode_heads(*flat).tolist() == [[0, 0, 0]]
    decode_heads(*(np.full_like(each, np.nan) for each in flat[:1]), *flat[1:])
    with pytest.raises(ValueError, match=r"the heads are"):
        decode_heads(flat[0], flat[1], flat[2], flat[2])


@pytest.mark.parametrize(("least", "people"), [(0.0, 1), (0.59, 1), (0.61, 0)])
def test_a_person_less_sure_than_asked_for_is_left_out(least: float, people: int) -> None:
    points = np.zeros((1, 1, 17, 3), np.float32)
    points[0, 0, 3] = 0.25, 0.75, 0.6
    emitted = run_calculator(MoveNetTensorsToLandmarks, {"TENSORS": [(0, [points])]}, {"min_pose_score": least})
    assert len(emitted["NORM_LANDMARKS"]) == people
    for _, landmarks in emitted["NORM_LANDMARKS"]:
        np.testing.assert_allclose(landmarks.xyz[3], [0.75, 0.25, 0])
        assert landmarks.visibility[3] == np.float32(0.6)


def test_people_of_multipose_come_surest_first_and_normalized_to_the_image() -> None:
    rows = np.zeros((1, 6, 56), np.float32)
    rows[0, 1, 51:] = 0.1, 0.2, 0.3, 0.4, 0.5
    rows[0, 4, 51:] = 0.25, 0.0, 0.5, 0.5, 0.9
    rows[0, 4, :3] = 0.25, 0.5, 0.7
    emitted = run_calculator(
        MoveNetMultiPoseTensorsToLandmarks, {"TENSORS": [(0, [rows])]}, {"height_used": 0.5}
    )
    (_, people), (_, boxes) = emitted["NORM_LANDMARKS"][0], emitted["DETECTIONS"][0]
    assert [box.scores.tolist() for box in boxes] == [[np.float32(0.9)], [np.float32(0.5)]]
    np.testing.assert_allclose(people[0].xyz[0], [0.5, 0.5, 0])
    np.testing.assert_allclose(boxes[0].box, [0.0, 0.5, 0.5, 0.5])


def test_the_whole_of_a_square_image_is_left_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    whole = padded_square(12, 12)
    for made in (crop_and_resize(image, whole, 12), pad_then_resize(image, whole, 12), resize_with_pad(image, 12)):
        np.testing.assert_array_equal(made, image)


def test_what_lies_outside_the_image_is_black() -> None:
    image = np.full((10, 20, 3), 200, np.uint8)
    crop = padded_square(20, 10)
    for made in (crop_and_resize(image, crop, 40), pad_then_resize(image, crop, 40), resize_with_pad(image, 40)):
        assert made[:8].max() == 0
        assert made[20].min() == 200
    assert crop_and_resize(image, CropBox(2, 2, 3, 3), 4).max() == 0


@pytest.mark.parametrize("resampling", ["crop_and_resize", "pad_then_resize"])
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32"])
def test_the_tensor_has_the_type_asked_for(resampling: str, dtype: str) -> None:
    image = np.random.default_rng(1).integers(0, 256, (30, 20, 3), dtype=np.uint8)
    emitted = run_calculator(
        MoveNetImageToTensor,
        {"IMAGE": [(0, image)], "NORM_RECT": [(0, NormalizedRect(0.5, 0.5, 0.75, 0.5))]},
        {"size": 16, "resampling": resampling, "dtype": dtype},
    )
    (tensor,) = emitted["TENSORS"][0][1]
    assert (tensor.shape, tensor.dtype) == ((1, 16, 16, 3), np.dtype(dtype))
    assert (tensor == tensor.astype(np.uint8)).all()


def test_images_that_are_none_are_refused() -> None:
    for image in (np.zeros((0, 3, 3), np.uint8), np.zeros((3, 3), np.uint8), np.zeros((3, 3, 3), np.float32)):
        with pytest.raises(ValueError, match="an image is uint8"):
            resize_with_pad(image, 4)
