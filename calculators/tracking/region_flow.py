"""What the calculators that follow motion hand on: sparse flow, the camera's motion, and both packed for a tracker."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..payloads import FloatArray, ImageSize
from .motion_models import Model, identity

TrackIds = npt.NDArray[np.int32]


def _no_vectors() -> FloatArray:
    return np.zeros((0, 2), np.float32)


def _no_ids() -> TrackIds:
    return np.zeros(0, np.int32)


def _no_weights() -> FloatArray:
    return np.zeros(0, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class RegionFlow:
    """Points of a frame, and where each was in the frame before.

    Attributes:
        frame_size: width, height in pixels of the frame that positions are measured in.
        positions: float32 [N, 2], pixels.
        flows: float32 [N, 2], pixels, from the position to where the point was in the frame before.
        track_ids: int32 [N], the same number for a point in all frames it is followed through.
        weights: float32 [N], how far a point agrees: with its neighbours, or, once the camera's motion is estimated,
            with that, as 1 / pixels of distance.
        unstable: whether there are too few points, or only in a small part of the frame.
        is_duplicated: whether the frame is the one before again.
        discarded_track_ids: the tracks that ended on purpose, not because the points were lost.

    Source: MediaPipe RegionFlowFeatureList.
    """

    frame_size: ImageSize
    positions: FloatArray = field(default_factory=_no_vectors)
    flows: FloatArray = field(default_factory=_no_vectors)
    track_ids: TrackIds = field(default_factory=_no_ids)
    weights: FloatArray = field(default_factory=_no_weights)
    unstable: bool = False
    is_duplicated: bool = False
    discarded_track_ids: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.positions)


class MotionType(enum.IntEnum):
    """Which model of the camera's motion can be relied upon; a higher one is worse. Source: MediaPipe CameraMotion."""

    VALID = 0
    UNSTABLE_SIM = 2
    UNSTABLE = 3
    INVALID = 4


@dataclass(frozen=True, slots=True, eq=False)
class CameraMotion:
    """How the background of a frame moved, from this frame to the one before, in pixels.

    Attributes:
        frame_size: width, height of the frame it is measured in.
        type: VALID: all models; UNSTABLE_SIM: the homography is the similarity; UNSTABLE: both are the translation;
            INVALID: no motion, since none was found.
        translation, similarity, homography: float32 [3, 3].
        average_magnitude: mean length of the flow in pixels, without the shortest and the longest tenth.
    """

    frame_size: ImageSize
    type: MotionType
    translation: Model = field(default_factory=identity)
    similarity: Model = field(default_factory=identity)
    homography: Model = field(default_factory=identity)
    average_magnitude: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class TrackingData:
    """Motion between two frames on a small grid, without the camera's: what a tracker of boxes needs.

    Attributes:
        domain_size: width, height of the grid.
        frame_aspect: width / height of the frame.
        background_model: float32 [3, 3], the camera's motion in the grid, from this frame to the one before.
        background_stable: whether that motion could be estimated.
        is_duplicated: whether the frame is the one before again.
        positions: int32 [N, 2], column and row, sorted by column, then row.
        vectors: float32 [N, 2], motion to the frame before, without the background's.
        track_ids: int32 [N].
        discarded_track_ids: as of `RegionFlow`.
        average_motion_magnitude: as of `CameraMotion`.

    Source: MediaPipe TrackingData, here without its compressed columns.
    """

    domain_size: ImageSize
    frame_aspect: float
    background_model: Model
    background_stable: bool
    is_duplicated: bool
    positions: npt.NDArray[np.int32]
    vectors: FloatArray
    track_ids: TrackIds
    discarded_track_ids: tuple[int, ...] = ()
    average_motion_magnitude: float = 0.0
