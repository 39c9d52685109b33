"""Points worth following: corners spread over a frame, from several scales."""

from __future__ import annotations

import math
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from graphflow import OptionGroup

from ..lazy import cv2, njit
from ..payloads import FloatArray
from .partial_sort import partial_sort

_CELL: Final = 0.26
_EIGENVALUE_WINDOW: Final = 3
_BORDER: Final = 2

OccupiedMask = npt.NDArray[np.uint8]


class MinEigValSettings(OptionGroup):
    """How good a corner must be, by the smaller eigenvalue of the second moments of its gradients."""

    feature_quality_level: float = 0.01
    """Part of the best corner's value within a cell of the grid."""
    adaptive_lowest_quality_level: float = 8e-5
    """The least value anywhere."""


class FastSettings(OptionGroup):
    """How much brighter or darker than its circle a corner must be."""

    threshold: int = 10


class CornerFinder:
    """Finds corners of a frame that are far enough from those already followed.

    Source: MediaPipe RegionFlowComputation::AdaptiveGoodFeaturesToTrack.

    Args:
        method: by smallest eigenvalue, or the FAST detector.
        eigenvalues, fast: what counts as a corner.
        levels: number of scales, each half as large.
        max_features: the most points to have in a frame.
        min_distance: pixels between points.
    """

    def __init__(
        self,
        method: Literal["EXTRACTION_MIN_EIG_VAL", "EXTRACTION_FAST"],
        eigenvalues: MinEigValSettings,
        fast: FastSettings,
        levels: int,
        max_features: int,
        min_distance: float,
    ) -> None:
        self._method = method
        self._eigenvalues = eigenvalues
        self._fast = fast
        self._levels = levels
        self._max_features = max_features
        self._mask_scale = np.float32(1.0) / np.float32(max(1.0, min_distance * 0.5))

    def empty_mask(self, image: npt.NDArray[np.uint8]) -> OccupiedMask:
        """A mask of the frame on which no place is taken."""
        height, width = image.shape
        return np.zeros((math.ceil(height * self._mask_scale), math.ceil(width * self._mask_scale)), np.uint8)

    def take(self, mask: OccupiedMask, points: FloatArray) -> npt.NDArray[np.bool_]:
        """Marks the places of points on the mask: bool [N], False for points too near to one before them."""
        taken = np.zeros(len(points), np.bool_)
        _take(mask, points, self._mask_scale, taken)
        return taken

    def find(self, image: npt.NDArray[np.uint8], mask: OccupiedMask, found: int) -> FloatArray:
        """New points of a grey image [H, W]: float32 [M, 2], where `found` are there and marked on the mask already.

        The mask then has the new ones, too.
        """
        height, width = image.shape
        scaled: npt.NDArray[Any] = image
        limit = max(0, self._max_features - found)
        corners = [np.zeros((0, 2), np.float32)]
        for level in range(self._levels):
            room = limit - sum(len(chosen) for chosen in corners)
            if room <= 0:
                break
            if level:
                scaled = cv2.pyrDown(scaled)
            if self._method == "EXTRACTION_FAST":
                points = self._fast_corners(scaled, 1 << level)
                chosen = points[self.take(mask, points)]
            else:
                response: npt.NDArray[Any] = cv2.cornerMinEigenVal(scaled, _EIGENVALUE_WINDOW)
                if level:
                    response = _spread(response, 1 << level, height, width)
                candidates, cells = self._candidates(response, room)
                inside = ((candidates >= _BORDER) & (candidates <= np.array([width, height]) - _BORDER)).all(1)
                chosen = candidates[_round_robin(candidates, inside, cells, mask, self._mask_scale, room)]
            corners.append(chosen)
        return np.concatenate(corners)[:limit]

    def _fast_corners(self, image: npt.NDArray[np.uint8], step: int) -> FloatArray:
        keypoints = cv2.FastFeatureDetector.create(self._fast.threshold).detect(image)
        keypoints = sorted(keypoints, key=lambda keypoint: -keypoint.response)
        return np.array([keypoint.pt for keypoint in keypoints], np.float32).reshape(-1, 2) * np.float32(step)

    def _candidates(self, response: FloatArray, room: int) -> tuple[FloatArray, npt.NDArray[np.int64]]:
        """Local maxima of the response by cell of the grid: float32 [N, 2], and where each cell begins.

        In a cell the best come first, as many as there is room for, then the others.
        """
        height, width = response.shape
        cell_width, cell_height = max(1, int(_CELL * width)), max(1, int(_CELL * height))
        highest = cv2.dilate(response, np.ones((3, 3), np.uint8))
        for edge in range(0, height, cell_height):  # a cell sees no neighbours beyond its own edge
            rows = [edge, min(edge + cell_height, height) - 1]
            highest[rows] = response[rows]
        for edge in range(0, width, cell_width):
            columns = [edge, min(edge + cell_width, width) - 1]
            highest[:, columns] = response[:, columns]
        points, starts = [], [0]
        for top in range(0, height, cell_height):
            for left in range(0, width, cell_width):
                cell = response[top : top + cell_height, left : left + cell_width]
                least = max(
                    float(cell.max()) * self._eigenvalues.feature_quality_level,
                    self._eigenvalues.adaptive_lowest_quality_level,
                )
                peaks = (cell == highest[top : top + cell_height, left : left + cell_width]) & (cell > least)
                y, x = np.nonzero(peaks)
                order = partial_sort(cell[y, x], room)
                points.append(np.stack([x[order] + left, y[order] + top], 1).astype(np.float32))
                starts.append(starts[-1] + len(order))
        return np.concatenate(points), np.array(starts, np.int64)


def _spread(response: FloatArray, step: int, height: int, width: int) -> FloatArray:
    """A small response's values at every `step`-th pixel of a large one, 0 between."""
    spread = np.zeros((height, width), np.float32)
    places = spread[::step, ::step]
    places[:] = response[: places.shape[0], : places.shape[1]]
    return spread


@njit(cache=True, nogil=True)
def _occupy(mask: Any, x: Any, y: Any, scale: Any) -> Any:
    column, row = int(np.float32(x) * scale), int(np.float32(y) * scale)
    if mask[row, column]:
        return False
    mask[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3] = 1
    return True


@njit(cache=True, nogil=True)
def _take(mask: Any, points: Any, scale: Any, taken: Any) -> None:
    for i in range(len(taken)):
        taken[i] = _occupy(mask, points[i, 0], points[i, 1], scale)


def _round_robin(
    points: FloatArray,
    inside: Any,
    starts: npt.NDArray[np.int64],
    mask: OccupiedMask,
    scale: Any,
    room: int,
) -> npt.NDArray[np.int64]:
    """Indices of points: the best of each cell, then the second best of each, and so on, where there is place."""
    chosen = np.empty(room, np.int64)
    return chosen[: _choose(points, inside, starts, mask, scale, chosen)]


@njit(cache=True, nogil=True)
def _choose(points: Any, inside: Any, starts: Any, mask: Any, scale: Any, chosen: Any) -> Any:
    count, room = 0, len(chosen)
    cells = len(starts) - 1
    index = starts[:-1].copy()
    more = True
    while more and count < room:
        more = False
        for cell in range(cells):
            if index[cell] >= starts[cell + 1]:
                continue
            i = index[cell]
            index[cell] += 1
            more = more or index[cell] < starts[cell + 1] - 1
            if count < room and inside[i] and _occupy(mask, points[i, 0], points[i, 1], scale):
                chosen[count] = i
                count += 1
    return count
