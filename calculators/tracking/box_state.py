"""What is known about a followed box at one frame, and its geometry."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from . import motion_models as models
from .motion_models import Model
from .motion_vectors import MotionVectors, Vectors, domain, from_tracking_data
from .region_flow import TrackIds, TrackingData
from .timed_box import TimedBox


class TrackStatus(enum.IntEnum):
    """How following a box went; from TRACKED on it can go on. Source: MediaPipe MotionBoxState."""

    UNTRACKED = 0
    EMPTY = 1
    NO_FEATURES = 2
    TRACKED = 3
    DUPLICATED = 4
    TRACKED_OUT_OF_BOUND = 5


def _zeros() -> Vectors:
    return np.zeros(2)


def _no_ids() -> npt.NDArray[np.int32]:
    return np.zeros(0, np.int32)


@dataclass(slots=True, eq=False)
class BoxState:
    """A box at one frame, and what the frames so far say about it; lengths are normalized by the image.

    Attributes:
        position, size: float64 [2], the top left corner and the extent before scaling and rotation about the middle.
        scale, rotation: since the beginning; radians, clockwise.
        quad: float64 [4, 2], the corners as of `TimedBox`, or None.
        aspect_ratio: of the quad's rectangle in space, or None.
        plane: the homography from that rectangle to the image, or None.
        velocity: float64 [2], own motion in a frame of 1/30 s.
        kinetic_energy: mean speed of the points on the object.
        prior_weight: in 0..1, how much the past says.
        motion_disparity: in -1..1, how little the motion is what the past expects.
        background_discrimination: in 0..1, how well the motion differs from the background's.
        inlier_center, inlier_extent: float64 [2], where the points on the object are.
        inlier_sum, inlier_ratio: how many they are, and as a part of the most in the last frames.
        inlier_ids, inlier_lengths: int32, their tracks, and for how many frames.
        outlier_ids: int32, tracks that are not on the object.
        confidence: in 0..1; None as long as nothing is known.
    """

    position: Vectors
    size: Vectors
    scale: float = 1.0
    rotation: float = 0.0
    quad: Vectors | None = None
    aspect_ratio: float | None = None
    plane: Model | None = None
    velocity: Vectors = field(default_factory=_zeros)
    kinetic_energy: float = 0.0
    prior_weight: float = 0.0
    status: TrackStatus = TrackStatus.UNTRACKED
    motion_disparity: float = 0.0
    background_discrimination: float = 0.0
    inlier_center: Vectors = field(default_factory=_zeros)
    inlier_extent: Vectors = field(default_factory=_zeros)
    inlier_sum: float = 0.0
    inlier_ratio: float = 0.0
    inlier_ids: TrackIds = field(default_factory=_no_ids)
    inlier_lengths: npt.NDArray[np.int32] = field(default_factory=_no_ids)
    outlier_ids: TrackIds = field(default_factory=_no_ids)
    confidence: float | None = None

    @property
    def center(self) -> Vectors:
        """The middle of the box."""
        return self.position + self.size / 2

    @property
    def speed(self) -> float:
        """Length of the velocity."""
        return math.hypot(*self.velocity)

    def corners(self) -> Vectors:
        """float64 [4, 2]: top left, bottom left, bottom right, top right, scaled and rotated; or the quad."""
        if self.quad is not None:
            return self.quad
        radii = self.size * np.array([[-0.5, -0.5], [-0.5, 0.5], [0.5, 0.5], [0.5, -0.5]]) * self.scale
        cos, sin = math.cos(self.rotation), math.sin(self.rotation)
        corners: Vectors = self.center + radii @ np.array([[cos, sin], [-sin, cos]])
        return corners

    def distances(self, points: npt.NDArray[np.floating[Any]]) -> Vectors:
        """How far points are outside of each side of the box: float64 [N, 4], negative inside."""
        corners = self.corners()
        edges = np.roll(corners, -1, 0) - corners
        lengths = np.maximum(np.hypot(*edges.T), np.finfo(np.float64).tiny)
        normals = np.stack([-edges[:, 1], edges[:, 0]], 1) / lengths[:, None]
        outside: Vectors = points @ normals.T - (normals * corners).sum(1)
        return outside

    def forget_inliers(self) -> None:
        """Which points are on the object is not known any more."""
        self.inlier_ids, self.inlier_lengths, self.outlier_ids = _no_ids(), _no_ids(), _no_ids()


def scaled(state: BoxState, lengths: Vectors, time: float) -> BoxState:
    """The same box in other units of length, and of time for velocities."""
    return replace(
        state,
        position=state.position * lengths,
        size=state.size * lengths,
        quad=None if state.quad is None else state.quad * lengths,
        velocity=state.velocity * lengths * time,
        kinetic_energy=state.kinetic_energy * time,
        inlier_center=state.inlier_center * lengths,
        inlier_extent=state.inlier_extent * lengths,
    )


def fit_to_quad(state: BoxState) -> None:
    """Makes the box the one around its corners."""
    corners = state.corners()
    state.position = corners.min(0)
    state.size = corners.max(0) - state.position


def is_convex(quad: Vectors) -> bool:
    """Whether the corners go round, in their order, without a turn back."""
    forth, back = np.roll(quad, -1, 0) - quad, np.roll(quad, 1, 0) - quad
    return bool((forth[:, 0] * back[:, 1] - forth[:, 1] * back[:, 0] < 0).all())


def from_timed_box(box: TimedBox, data: TrackingData) -> BoxState:
    """The state of a box at the beginning, with the points in it taken for those on the object.

    Source: MediaPipe MotionBoxStateFromTimedBox, InitializeInliersOutliersInMotionBoxState,
    InitializePnpHomographyInMotionBoxState.
    """
    corner = np.array([box.left, box.top])
    state = BoxState(corner, np.array([box.right, box.bottom]) - corner, rotation=box.rotation)
    if box.quad is not None:
        state.quad, state.aspect_ratio = box.quad.astype(np.float64), box.aspect_ratio
        fit_to_quad(state)
    _take_points(state, from_tracking_data(data))
    if state.quad is not None and state.aspect_ratio is not None:
        extent = domain(data.frame_aspect)
        rectangle = rectangle_in_space(state.aspect_ratio)
        corners = state.quad * extent - extent / 2
        state.plane = models.fit_homography(rectangle, corners - rectangle, np.ones(4))
    return state


def rectangle_in_space(aspect_ratio: float) -> Vectors:
    """The corners of a rectangle of this width / height, in the order of a quad's: float64 [4, 2]."""
    corners: Vectors = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) * np.array([aspect_ratio, 1.0])
    return corners


def _take_points(state: BoxState, vectors: MotionVectors) -> None:
    points = vectors.positions / domain(vectors.aspect)
    inside = (state.distances(points) <= 0).all(1)
    state.inlier_ids, state.outlier_ids = vectors.track_ids[inside], vectors.track_ids[~inside]
    state.inlier_lengths = np.ones(len(state.inlier_ids), np.int32)
    if inside.any():
        state.prior_weight = 1.0
        state.inlier_center = points[inside].mean(0)
        state.inlier_extent = points[inside].max(0) - points[inside].min(0)


def to_timed_box(state: BoxState, time_ms: int) -> TimedBox:
    """Where the box is. Source: MediaPipe TimedBoxFromMotionBoxState."""
    growth = state.size * (state.scale - 1) / 2
    low, high = state.position - growth, state.position + state.size + growth
    left, top, right, bottom = np.concatenate([low, high]).astype(np.float32).tolist()
    return TimedBox(
        left,
        top,
        right,
        bottom,
        float(np.float32(state.rotation)),
        time_ms,
        confidence=float(np.float32(state.confidence or 0.0)),
        quad=None if state.quad is None else state.quad.astype(np.float32),
        aspect_ratio=None if state.quad is None else state.aspect_ratio,
    )
