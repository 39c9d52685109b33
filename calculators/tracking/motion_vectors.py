"""Motion between two frames as a box follows it: each point's own and the background's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from . import motion_models as models
from .motion_models import Model
from .region_flow import TrackIds, TrackingData

Vectors = npt.NDArray[np.float64]
"""[N, 2], or [2] for one."""

FRAME_MS: Final = 1000.0 / 30.0
"""Velocities are for a frame of this length."""


def domain(aspect: float) -> Vectors:
    """Width and height of a frame whose longer side is 1."""
    return np.array([1.0, 1.0 / aspect] if aspect >= 1 else [aspect, 1.0])


@dataclass(frozen=True, slots=True, eq=False)
class MotionVectors:
    """Points and how they move, in parts of the frame's longer side, sorted by x, then y.

    Attributes:
        positions: float64 [N, 2].
        background: float64 [N, 2], the background's motion at the point.
        own: float64 [N, 2], the point's motion in addition.
        track_ids: int32 [N].
        background_model: float32 [3, 3], the background's motion.
        background_stable: whether that is known.
        is_duplicated: whether nothing moves since the frame is the same again.
        aspect: width / height of the frame.
        duration_ms: time between the frames.
        discarded_track_ids: tracks that ended on purpose.

    Source: MediaPipe MotionVectorFrame.
    """

    positions: Vectors
    background: Vectors
    own: Vectors
    track_ids: TrackIds
    background_model: Model
    background_stable: bool
    is_duplicated: bool
    aspect: float
    duration_ms: float = FRAME_MS
    discarded_track_ids: frozenset[int] = frozenset()

    @property
    def matches(self) -> Vectors:
        """Where the points go."""
        return self.positions + self.background + self.own

    def select(self, chosen: npt.NDArray[Any]) -> MotionVectors:
        """Some of the points, by index or mask."""
        return replace(
            self,
            positions=self.positions[chosen],
            background=self.background[chosen],
            own=self.own[chosen],
            track_ids=self.track_ids[chosen],
        )


def from_tracking_data(data: TrackingData) -> MotionVectors:
    """The motion as it was packed, to the frame before. Source: MediaPipe MotionVectorFrameFromTrackingData."""
    scale = domain(data.frame_aspect) / np.array(data.domain_size)
    cells = data.positions.astype(np.float64)
    background = np.zeros_like(cells)
    if data.background_stable:
        background = models.motion(data.background_model, cells).astype(np.float64) * scale
    return MotionVectors(
        cells * scale,
        background,
        data.vectors * scale,
        data.track_ids,
        models.compose(models.scaling(*scale), data.background_model, models.scaling(*(1 / scale))),
        data.background_stable,
        data.is_duplicated,
        data.frame_aspect,
        discarded_track_ids=frozenset(data.discarded_track_ids),
    )


def inverted(vectors: MotionVectors) -> MotionVectors:
    """The motion the other way; without points that leave the frame. Source: MediaPipe InvertMotionVectorFrame."""
    positions = vectors.matches
    inside = ((positions >= 0) & (positions <= domain(vectors.aspect))).all(1)
    positions = positions[inside]
    order = np.lexsort((positions[:, 1], positions[:, 0]))
    chosen = np.flatnonzero(inside)[order]
    return replace(
        vectors,
        positions=positions[order],
        background=-vectors.background[chosen],
        own=-vectors.own[chosen],
        track_ids=vectors.track_ids[chosen],
        background_model=models.invert(vectors.background_model),
    )
