"""Tells which points are on a box's object once its motion is estimated, and where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from .box_priors import Priors, lerp, ramp
from .box_state import BoxState
from .grid_density import gather, scatter
from .motion_vectors import MotionVectors, Vectors
from .track_options import TrackStepOptions

_INLIER: Final = 0.5
_OUTLIER: Final = 0.1
_GRID: Final = 10
_AMBIGUOUS: Final = 0.5
_EXTENT: Final = 0.55
_ALIKE: Final = 2e-3
_ALIKE_RELATIVE: Final = 0.3
_OUTSIDE_SHARE: Final = 0.25
_LEAST_SUM: Final = 2.0
_DEVIATIONS: Final = 3.29
"""So many standard deviations hold nine of ten points."""

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Inliers:
    """The points of a step after its motion is known.

    Attributes:
        weights: float64 [N] in 0..1, whether a point is on the object.
        density: float64 [N], less for points with many others around.
        count: how many points are on the object.
        continued: how many of them were so before.
        swapped: how many points on the object were not before.
        alike: how much the points count that are as fast as the object was.
        mean_speed: of the points on the object.
    """

    weights: Numbers
    density: Numbers
    count: int
    continued: int
    swapped: int
    alike: float
    mean_speed: float

    def place(self, vectors: MotionVectors, after: BoxState) -> tuple[Vectors, Vectors | None, float]:
        """The middle of the points on the object, their extent where there are enough, and the sum of their weights.

        Source: MediaPipe MotionBox::ComputeInlierCenterAndExtent.
        """
        matches, corners = vectors.matches, after.corners()
        inside = ((matches >= corners.min(0)) & (matches <= corners.max(0))).all(1)
        weights = self.weights * self.density * np.where(inside, 1.0, _OUTSIDE_SHARE)
        total = float(weights.sum())
        if self.weights[weights > 0].sum() <= _LEAST_SUM:
            return lerp(after.center, after.inlier_center, 0.5), None, total
        center = weights @ matches / total
        spread = np.maximum(weights @ matches**2 / total - center**2, 0.0)
        return center, np.sqrt(spread) * _DEVIATIONS, total


def record_inliers(
    after: BoxState,
    state: BoxState,
    priors: Priors,
    weights: Numbers,
    bounds: tuple[Vectors, Vectors],
    discrimination: float,
    options: TrackStepOptions,
) -> Inliers:
    """Sorts the points of a step into those on the object and those not, and notes their tracks in `after`.

    Where the object cannot be told from the background, points count only where such were before. Source: MediaPipe
    MotionBox::ScoreAndRecordInliers.

    Args:
        after, state: the box after the step and before.
        priors: the points, and what they counted at first.
        weights: float64 [N], 1 / error.
        bounds: the part of the frame the points are from: top left, bottom right.
        discrimination: in 0..1, how well the object can be told from the background.
        options: of the step.
    """
    vectors = priors.vectors
    scores: Numbers = ramp(weights, options.inlier_low_weight, options.inlier_high_weight)
    inlier = scores > _INLIER
    was_inlier = np.isin(vectors.track_ids, state.inlier_ids)
    kept = inlier.copy()
    if discrimination < _AMBIGUOUS and state.prior_weight:
        apart = np.abs(vectors.positions - state.inlier_center)
        kept &= (apart <= state.inlier_extent * _EXTENT).all(1)

    lengths = dict(zip(state.inlier_ids.tolist(), state.inlier_lengths.tolist(), strict=True))
    after.inlier_ids = vectors.track_ids[kept]
    after.inlier_lengths = np.array([lengths.get(i, 0) + 1 for i in after.inlier_ids.tolist()], np.int32)
    after.outlier_ids = vectors.track_ids[scores < _OUTLIER]

    place = (vectors.positions - bounds[0]) / (bounds[1] - bounds[0]) * ((1 - 1e-3) * (_GRID - 1))
    density = gather(scatter(place[kept], np.ones(int(kept.sum())), _GRID), place)
    spread = np.where(density > 0, np.minimum(1.0, 1 / np.maximum(density, 1e-30)), 0.0)

    speeds, counts = np.hypot(*vectors.own[kept].T), priors.weights[kept]
    alike = np.abs(speeds - state.speed) * state.prior_weight < max(_ALIKE, state.speed * _ALIKE_RELATIVE)
    return Inliers(
        scores,
        np.where(inlier, 2 * spread, 0.0),
        int(kept.sum()),
        int((kept & was_inlier).sum()),
        int((inlier & np.isin(vectors.track_ids, state.outlier_ids)).sum()),
        float(counts[alike].sum()),
        float(counts @ speeds / counts.sum()) if counts.sum() > 0 else 0.0,
    )
