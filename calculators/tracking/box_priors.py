"""Which points a box follows, and how much each counts before the motion is estimated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..lazy import cv2
from . import motion_models as models
from .box_state import BoxState
from .motion_vectors import MotionVectors, Vectors
from .track_options import TrackStepOptions

_TURNED: Final = 0.01
_MAX_CENTER_BLEND: Final = 0.5
_LEAST_MOTION_WEIGHT: Final = 0.2
_MOVING_FACTOR: Final = 5.0
_RESTING_FACTOR: Final = 20.0
_OUTLIER_FACTOR: Final = 20.0
_LARGEST_FACTOR: Final = 100.0
_GOOD: Final = 0.1

Numbers = npt.NDArray[np.float64]


def ramp(value: Any, low: float, high: float) -> Any:
    """0 up to `low`, 1 from `high` on, linear between."""
    return np.clip((value - low) / (high - low), 0.0, 1.0)


def lerp(first: Any, second: Any, share: Any) -> Any:
    """Between two values, the second with the share in 0..1."""
    return first * (1.0 - share) + second * share


@dataclass(frozen=True, slots=True, eq=False)
class Priors:
    """The points that a box follows in one step.

    Attributes:
        vectors: the points with their motion.
        weights: float64 [N], their sum 1.
        good: how many count well.
        continued: how many were on the object before.
    """

    vectors: MotionVectors
    weights: Numbers
    good: int
    continued: int


def weigh(
    vectors: MotionVectors,
    state: BoxState,
    start: BoxState,
    history: Sequence[BoxState],
    bounds: tuple[Vectors, Vectors],
    margin: float,
    time: float,
    options: TrackStepOptions,
) -> Priors:
    """The points in and around a box, weighed: more in its middle, more for those that were on the object before.

    How much a point's speed says depends on whether the box moves. Source: MediaPipe MotionBox::GetVectorsAndWeights.

    Args:
        vectors: all points that may be in the box by x.
        state: the box; lengths in parts of the longer side, velocities in this frame's time.
        start: the box as it began.
        history: the states before it.
        bounds: the box with a margin, clipped to the frame: top left, bottom right.
        margin: how far around the box points count.
        time: length of the frame in frames of 1/30 s.
        options: of the step.
    """
    y = vectors.positions[:, 1]
    chosen = (y >= bounds[0][1]) & (y <= bounds[1][1])
    if abs(state.rotation) > _TURNED or options.tracking_degrees == "TRACKING_DEGREE_OBJECT_PERSPECTIVE":
        chosen &= (state.distances(vectors.positions) <= margin).all(1)
    vectors = vectors.select(chosen)
    inlier = np.isin(vectors.track_ids, state.inlier_ids)
    outlier = np.isin(vectors.track_ids, np.concatenate([past.outlier_ids for past in (state, *history)]))
    continued = int(inlier.sum())
    speeds = np.hypot(*vectors.own.T)

    weights = _distance_weights(vectors.positions, state, start, options)
    if vectors.background_stable:
        motion_share = max(_LEAST_MOTION_WEIGHT, abs(state.motion_disparity)) * state.prior_weight
        sigma = max(options.min_motion_sigma, state.speed * options.relative_motion_sigma)
        weights = lerp(weights, np.exp(-0.5 * ((state.speed - speeds) / sigma) ** 2), motion_share)

    low, high = options.low_kinetic_energy * time, options.high_kinetic_energy * time
    moving = float(ramp(state.kinetic_energy, low, high))
    inlier_factor = lerp(_MOVING_FACTOR, _RESTING_FACTOR, max(float(ramp(continued, 10, 30)), max(0.0, 1 - 2 * moving)))
    speed_factor = lerp(1.0, 10.0, state.prior_weight)
    up = np.where(inlier, inlier_factor, 1.0)
    if moving >= 0.8 * state.prior_weight:
        up = np.where((speeds > high) & ~outlier, up * 5.0 * speed_factor, up)
    down = np.where(outlier & ~inlier, _OUTLIER_FACTOR, 1.0)
    if moving >= state.prior_weight:
        down = np.where((speeds < low) & ~inlier, down * 2.0 * speed_factor, down)
    weights = weights * np.minimum(up, _LARGEST_FACTOR) / np.minimum(down, _LARGEST_FACTOR)
    good = int((weights >= _GOOD).sum())
    total = weights.sum()
    return Priors(vectors, weights / total if total > 0 else weights, good, continued)


def _distance_weights(points: Vectors, state: BoxState, start: BoxState, options: TrackStepOptions) -> Numbers:
    """More for points near the middle of the box and of the points on the object. Source: DistanceWeightsComputer."""
    extent = state.size * state.scale
    sigma = np.maximum(options.spatial_sigma, state.inlier_extent / extent * 0.5 * state.prior_weight / 1.65)
    center = lerp(state.center, state.inlier_center, min(_MAX_CENTER_BLEND, state.prior_weight))
    if options.tracking_degrees == "TRACKING_DEGREE_OBJECT_PERSPECTIVE":
        assert state.quad is not None, "boxes without quads are not followed as planes"
        assert start.quad is not None, "nor are those that began without"
        back = cv2.getPerspectiveTransform(state.quad.astype(np.float32), start.quad.astype(np.float32))
        model = models.normalized(back)
        apart = models.transform(model, points) - models.transform(model, center[None])
    else:
        apart = points - center
        if options.tracking_degrees.startswith("TRACKING_DEGREE_OBJECT_ROTATION") and abs(state.rotation) > _TURNED:
            cos, sin = math.cos(state.rotation), math.sin(state.rotation)
            apart = apart @ np.array([[cos, -sin], [sin, cos]])
    weights: Numbers = np.exp(-0.5 * ((apart / extent / sigma) ** 2).sum(1))
    return weights
