"""The last step of MoveNet for networks that end in its four heads."""

from __future__ import annotations

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output

from ..lazy import njit
from ..payloads import FloatArray, NormalizedLandmarkList
from .tensors import TensorsOrOne, tensor_list

_SOFTENING = np.float32(1.8)  # cells; the constant in MoveNet's published models


def decode_heads(
    center_heatmap: FloatArray, regression: FloatArray, keypoint_heatmaps: FloatArray, offsets: FloatArray
) -> FloatArray:
    """The keypoints of the person nearest to the middle, from MoveNet's four heads.

    The centre is the best cell of the centre heatmap over the distance to the middle; the regression there tells
    roughly where each keypoint is; a keypoint is the best cell of its heatmap over the distance to that place, moved
    by the offset of that cell.

    Args:
        center_heatmap: float32 [H, W] or [H, W, 1] in 0..1.
        regression: float32 [H, W, 2 K]: (y, x) of each keypoint from the cell, in cells.
        keypoint_heatmaps: float32 [H, W, K] in 0..1.
        offsets: float32 [H, W, 2 K]: (y, x) of each keypoint within the cell, in cells.

    Returns:
        float32 [K, 3]: y and x in 0..1 of the maps, score.

    Raises:
        ValueError: the shapes do not go together.

    Source: MoveNet's model card, "Inference logic"; the constants are those in the published models.
    """
    center = center_heatmap.reshape(center_heatmap.shape[:2])
    height, width, count = keypoint_heatmaps.shape
    shapes = [list(each.shape) for each in (center, regression, offsets)]
    if shapes != [[height, width], [height, width, 2 * count], [height, width, 2 * count]]:
        raise ValueError(
            f"the heads are [H, W], [H, W, 2 K], [H, W, K], [H, W, 2 K], not {list(center_heatmap.shape)}, "
            f"{list(regression.shape)}, {list(keypoint_heatmaps.shape)}, {list(offsets.shape)}"
        )
    out = np.empty((count, 3), np.float32)
    _decode_heads(_plain(center), _plain(regression), _plain(keypoint_heatmaps), _plain(offsets), out)
    return out


class MoveNetHeadsToLandmarks(Calculator):
    """Turns the raw heads of a MoveNet-like network into landmarks, their scores as visibility.

    TENSORS are the centre heatmap [1, H, W, 1], the regression [1, H, W, 2 K], the keypoint heatmaps [1, H, W, K] and
    the offsets [1, H, W, 2 K], at the positions that the options name.

    Source: MoveNet's model card.
    """

    tensors = Input("TENSORS", TensorsOrOne, "the network's outputs")
    landmarks = Output("NORM_LANDMARKS", NormalizedLandmarkList, "normalized to the model's input, z 0")

    center: int = Option(0, "position of the centre heatmap among the outputs")
    regression: int = Option(1, "position of the regression among the outputs")
    keypoints: int = Option(2, "position of the keypoint heatmaps among the outputs")
    offsets: int = Option(3, "position of the offsets among the outputs")

    def process(self, context: Context) -> None:
        tensors = context[self.tensors]
        if tensors is None:
            return
        found = tensor_list(tensors)
        places = (self.center, self.regression, self.keypoints, self.offsets)
        if max(places) >= len(found) or any(found[place].ndim != 4 for place in places):
            raise ValueError(f"four maps [1, H, W, C] are needed at {places}, not {[list(t.shape) for t in found]}")
        points = decode_heads(*(found[place][0] for place in places))
        xyz = np.zeros((len(points), 3), np.float32)
        xyz[:, 0], xyz[:, 1] = points[:, 1], points[:, 0]
        context[self.landmarks] = NormalizedLandmarkList(xyz, visibility=points[:, 2].copy())


def _plain(values: FloatArray) -> FloatArray:
    """Contiguous and read-only, so that the kernel is compiled for one type only."""
    plain = np.ascontiguousarray(values, np.float32).view()
    plain.flags.writeable = False
    return plain


@njit(cache=True, nogil=True, error_model="numpy")
def _decode_heads(
    center: FloatArray, regression: FloatArray, heatmaps: FloatArray, offsets: FloatArray, out: FloatArray
) -> None:
    height, width, count = heatmaps.shape
    y, x = _best_near(center, np.float32(height // 2), np.float32(width // 2))
    for k in range(count):
        near_y, near_x = np.float32(y) + regression[y, x, 2 * k], np.float32(x) + regression[y, x, 2 * k + 1]
        row, column = _best_near(heatmaps[:, :, k], near_y, near_x)
        out[k, 0] = (np.float32(row) + offsets[row, column, 2 * k]) / np.float32(height)
        out[k, 1] = (np.float32(column) + offsets[row, column, 2 * k + 1]) / np.float32(width)
        out[k, 2] = heatmaps[row, column, k]


@njit(cache=True, nogil=True, error_model="numpy")
def _best_near(heatmap: FloatArray, y: np.float32, x: np.float32) -> tuple[int, int]:
    """The first cell with the highest value over the distance to (y, x) plus 1.8 cells."""
    best, row, column = np.float32(-np.inf), 0, 0
    for i in range(heatmap.shape[0]):
        down = (np.float32(i) - y) ** 2
        for j in range(heatmap.shape[1]):
            value = heatmap[i, j] / (np.sqrt(down + (np.float32(j) - x) ** 2) + _SOFTENING)
            if value > best:
                best, row, column = value, i, j
    return row, column
