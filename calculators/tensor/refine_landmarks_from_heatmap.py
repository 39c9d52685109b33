"""Landmarks moved to where the model's heatmap puts them."""

from __future__ import annotations

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output

from ..lazy import njit
from ..payloads import FloatArray, NormalizedLandmarkList
from .sigmoid import logistic
from .tensors import TensorsOrOne, flat_values, tensor_list


class RefineLandmarksFromHeatmap(Calculator):
    """Replaces each landmark by the centre of mass of its heatmap around it, where the heatmap is confident.

    Source: MediaPipe's RefineLandmarksFromHeatmapCalculator.
    """

    landmarks = Input("NORM_LANDMARKS", NormalizedLandmarkList, "normalized to the heatmap")
    tensors = Input("TENSORS", TensorsOrOne, "the first is the heatmap before the sigmoid, [1, H, W, N] or [H, W, N]")
    refined = Output("NORM_LANDMARKS", NormalizedLandmarkList, "the landmarks as they came where there is no heatmap")

    kernel_size: int = Option(9, "side of the square of heatmap cells around a landmark")
    min_confidence_to_refine: float = Option(0.5, "leave the place where no cell of the square reaches this")
    refine_presence: bool = Option(False, "lower presence to the highest confidence in the square")
    refine_visibility: bool = Option(False, "lower visibility to the highest confidence in the square")

    def process(self, context: Context) -> None:
        landmarks: NormalizedLandmarkList | None = context[self.landmarks]
        tensors = context[self.tensors]
        if landmarks is None:
            return
        if tensors is None:
            context[self.refined] = landmarks
            return
        context[self.refined] = refine_landmarks(
            landmarks,
            _heatmap_of(tensors, len(landmarks)),
            self.kernel_size,
            self.min_confidence_to_refine,
            self.refine_presence,
            self.refine_visibility,
        )


def refine_landmarks(
    landmarks: NormalizedLandmarkList,
    heatmap: FloatArray,
    kernel_size: int = 9,
    min_confidence: float = 0.5,
    refine_presence: bool = False,
    refine_visibility: bool = False,
) -> NormalizedLandmarkList:
    """Moves landmarks to the centre of mass of their heatmaps.

    Args:
        landmarks: N points normalized to the heatmap; those outside 0..1 are left alone.
        heatmap: float32 [H, W, N], before the sigmoid.
        kernel_size: side of the square of cells around a point that counts; cut off at the heatmap's edges.
        min_confidence: how high the best cell must be, 0..1 after the sigmoid, for the point to move.
        refine_presence: lower presence to the best cell.
        refine_visibility: lower visibility to the best cell.
    """
    xyz = landmarks.xyz.copy()
    best = np.full(len(xyz), np.inf, np.float32)
    heatmap = heatmap.view()
    heatmap.flags.writeable = False
    _refine(heatmap, (kernel_size - 1) // 2, np.float32(min_confidence), xyz, best)
    presence, visibility = landmarks.presence, landmarks.visibility
    return NormalizedLandmarkList(
        xyz,
        np.minimum(visibility, best) if refine_visibility and visibility is not None else visibility,
        np.minimum(presence, best) if refine_presence and presence is not None else presence,
    )


def _heatmap_of(tensors: TensorsOrOne, landmarks: int) -> FloatArray:
    found = tensor_list(tensors)
    if not found:
        raise ValueError("TENSORS is an empty list; its first tensor should be the heatmap")
    shape = found[0].shape[1:] if found[0].ndim == 4 and found[0].shape[0] == 1 else found[0].shape
    if len(shape) != 3 or shape[2] != landmarks:
        raise ValueError(
            f"the heatmap of {landmarks} landmarks is [H, W, {landmarks}] or [1, H, W, {landmarks}], "
            f"not {list(found[0].shape)}"
        )
    return flat_values(found[0]).reshape(shape)


@njit(cache=True, nogil=True, error_model="numpy")
def _refine(heatmap: FloatArray, reach: int, min_confidence: np.float32, xyz: FloatArray, best: FloatArray) -> None:
    """Moves `xyz` in place; `best` is the highest confidence near each point that lies on the heatmap."""
    height, width = heatmap.shape[:2]
    rows, columns = np.float32(height), np.float32(width)
    for i in range(len(xyz)):
        x, y = xyz[i, 0] * columns, xyz[i, 1] * rows
        # Truncation takes what is less than one cell outside for the first cell; NaN is outside.
        if not (np.float32(-1) < x < columns and np.float32(-1) < y < rows):
            continue
        column, row = int(x), int(y)
        total = weighted_x = weighted_y = highest = np.float32(0)
        for r in range(max(0, row - reach), min(height, row + reach + 1)):
            for c in range(max(0, column - reach), min(width, column + reach + 1)):
                confidence = logistic(heatmap[r, c, i])
                total += confidence
                highest = max(highest, confidence)
                weighted_x += np.float32(c) * confidence
                weighted_y += np.float32(r) * confidence
        if total > 0:
            best[i] = highest
            if highest >= min_confidence:
                xyz[i, 0] = weighted_x / columns / total
                xyz[i, 1] = weighted_y / rows / total
