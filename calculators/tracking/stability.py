"""Whether an estimated motion of the camera can be relied upon."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..payloads import FloatArray
from .motion_models import Model
from .region_flow import RegionFlow

_LEAST_POINTS: Final = 3
_MAX_TRANSLATION: Final = 0.15
_CERTAIN_DEVIATION: Final = 0.01
_MAX_DEVIATION: Final = 0.065

_SCALES: Final = (0.8, 1.25)
_MAX_ROTATION: Final = 0.25
_MAX_PERSPECTIVE: Final = 0.0004
_SIMILARITY_ERROR: Final = 2.0
_LEAST_INLIERS: Final = 30
_LEAST_INLIER_FRACTION: Final = 0.15

_HOMOGRAPHY_ERROR: Final = 0.1
_INLIER_ERROR: Final = 2e-3
_LEAST_COVERAGE: Final = 0.3
_COVERAGE_GRID: Final = 10
_COVERAGE_SHIFTS: Final = 3
_LARGEST_EXPONENT: Final = 700.0
_MIDDLE: Final = 0.3

Weights = npt.NDArray[np.floating[Any]]


def translation_variance(flows: FloatArray, translation: npt.NDArray[np.floating[Any]], weights: Weights) -> float:
    """Mean squared distance of the flows from their translation; 0 without weights."""
    total = weights.sum()
    return float(weights @ ((flows - translation) ** 2).sum(1) / total) if total > 0 else 0.0


def translation_is_stable(
    translation: npt.NDArray[np.floating[Any]], variance: float, count: int, diagonal: float
) -> bool:
    """Whether there are enough points and they agree enough. Source: MediaPipe IsStableTranslation."""
    deviation = math.sqrt(variance) / diagonal
    too_fast = math.hypot(*translation) >= _MAX_TRANSLATION * diagonal and deviation >= _CERTAIN_DEVIATION
    return count >= _LEAST_POINTS and not too_fast and deviation < _MAX_DEVIATION


def similarity_is_stable(
    model: Model, flow: RegionFlow, weights: Weights | None = None, inliers: int | None = None
) -> bool:
    """Whether scale and rotation are small and enough points agree. Source: MediaPipe IsStableSimilarity.

    Args:
        model: the similarity.
        flow: the points it is estimated from.
        weights: [N], 1 / pixels of distance from it; or:
        inliers: how many points agree.
    """
    if weights is not None:
        inliers = int((weights >= 1 / _SIMILARITY_ERROR).sum())
    assert inliers is not None, "one of weights and inliers must be given"
    a, b = float(model[0, 0]), float(model[1, 0])
    return (
        not flow.unstable
        and _SCALES[0] <= a <= _SCALES[1]
        and abs(b) <= _MAX_ROTATION
        and inliers >= max(_LEAST_INLIERS, _LEAST_INLIER_FRACTION * len(flow))
    )


def homography_is_stable(
    model: Model, points: FloatArray, weights: Weights, domain: npt.NDArray[np.floating[Any]], diagonal: float
) -> bool:
    """Whether the motion is small, and small errors are all over the frame. Source: MediaPipe IsStableHomography.

    Args:
        model: in pixels.
        points: float32 [N, 2] in a frame of the size `domain`.
        weights: [N], 1 / pixels of distance from the model.
        domain: [2], width and height.
        diagonal: of the frame, in pixels.
    """
    small = (
        all(_SCALES[0] <= model[i, i] <= _SCALES[1] for i in (0, 1))
        and max(abs(model[0, 1]), abs(model[1, 0])) <= _MAX_ROTATION
        and max(abs(model[2, 0]), abs(model[2, 1])) <= _MAX_PERSPECTIVE
    )
    used = weights[weights > 1e-6]
    error = float((1 / used).mean()) if len(used) else 0.0
    if not small or error <= _HOMOGRAPHY_ERROR:
        return small
    return _coverage(points, weights, domain, 1 / (_INLIER_ERROR * diagonal)) > _LEAST_COVERAGE


def _coverage(points: FloatArray, weights: Weights, domain: npt.NDArray[np.floating[Any]], least: float) -> float:
    """The part of the frame where points agree: the middle one of each cell's points, over three times three grids."""
    middle = 0.5 * (least + 1.75 * least)
    steepness = math.log(9) / (middle - least)
    cell_size = domain / _COVERAGE_GRID
    most = np.zeros(_COVERAGE_GRID**2, np.int64)
    covered = np.zeros(_COVERAGE_GRID**2)
    for shift_y in range(_COVERAGE_SHIFTS):
        for shift_x in range(_COVERAGE_SHIFTS):
            shifted = points - cell_size * np.array([shift_x, shift_y]) / _COVERAGE_SHIFTS
            place = np.trunc(shifted / cell_size).astype(np.int64)
            inside = ((place >= 0) & (place < _COVERAGE_GRID)).all(1) & (weights > 0)
            cell, there = place[inside, 1] * _COVERAGE_GRID + place[inside, 0], weights[inside]
            order = np.lexsort((there, cell))
            cells, starts, counts = np.unique(cell[order], return_index=True, return_counts=True)
            more = (counts >= 2) & (counts > most[cells])
            cells, counts = cells[more], counts[more]
            medians = there[order][starts[more] + counts // 2]
            most[cells] = counts
            covered[cells] = 1 / (1 + np.exp(np.minimum(-steepness * (medians - middle), _LARGEST_EXPONENT)))
    row, column = np.divmod(np.arange(_COVERAGE_GRID**2), _COVERAGE_GRID)
    share = perimeter_weights((np.stack([column, row], 1) + 0.5) * cell_size, domain)
    return float(covered @ share / share.sum())


def perimeter_weights(
    points: npt.NDArray[np.floating[Any]], domain: npt.NDArray[np.floating[Any]]
) -> npt.NDArray[np.float64]:
    """1 at the border of a frame of the size `domain`, half as much in its middle, where foreground is more likely."""
    apart = (points - domain / 2) / (domain * _MIDDLE)
    weights: npt.NDArray[np.float64] = 1 - 0.5 * np.exp(-0.5 * (apart**2).sum(1))
    return weights
