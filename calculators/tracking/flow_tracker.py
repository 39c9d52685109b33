"""Follows points from frame to frame through a video, by pyramidal Lucas-Kanade, and keeps their numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from ..lazy import cv2
from ..payloads import FloatArray, ImageSize
from .block_flow import BlockSettings, consistency
from .corner_extraction import CornerFinder
from .region_flow import RegionFlow, TrackIds

_STILL: Final = 0.25
"""Mean motion in pixels under which a frame counts as a copy of the one before."""
_WINDOW_RADIUS: Final = 8
_ITERATIONS: Final = 8
_EPSILON: Final = 0.02
_TRACKING_DISTANCE: Final = 0.1
_REMEMBERED_MAGNITUDES: Final = 10
_REUSE_FRAMES: Final = 10
_REUSE_SURVIVORS: Final = 0.6
_LONGEST_TRACK: Final = 240
"""Frames; 0.8 of MediaPipe's 300, from which on it drops a track, in fact always."""
_MAX_ACCELERATION: Final = 5.0
_LEAST_MOTION: Final = 1.0
_BORDER: Final = 3
_MIN_FEATURES: Final = 20
_MIN_COVER: Final = 0.15
_COVER_GRID: Final = 8

Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Verification:
    """What happens to points whose speed jumps: followed back to see whether they return, or numbered anew.

    Attributes:
        acceleration: whether they are followed back at all.
        trigger_ratio: the part of all points that must jump for that.
        distance: pixels of the tracked frame by which a point may miss its origin.
    """

    acceleration: bool
    trigger_ratio: float
    distance: float


@dataclass
class _Frame:
    """A frame and the points in it: those found there, or followed into it from the frame before."""

    image: Grey
    levels: int
    points: FloatArray = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    track_ids: TrackIds = field(default_factory=lambda: np.zeros(0, np.int32))
    age: int = 0
    """Frames since the points were looked for."""
    found: int = -1
    """How many points could be followed when they were new; -1 unknown."""
    left: int = -1
    """How many of them are left."""

    def forget_points(self) -> None:
        fresh = _Frame(self.image, self.levels)
        self.points, self.track_ids = fresh.points, fresh.track_ids
        self.age, self.found, self.left = fresh.age, fresh.found, fresh.left


class FlowTracker:
    """Points of each frame with their flow to the frame before. Source: MediaPipe RegionFlowComputation.

    Settings are those of MediaPipe's policy for cameras (ANALYSIS_POLICY_CAMERA_MOBILE).

    Args:
        frame_size: width, height of the frames that `add` gets.
        scale: results are in pixels of a frame that is larger by this.
        corners: finds new points.
        blocks: settings of the comparison with the neighbours.
        verification: settings for jumping points.
    """

    def __init__(
        self,
        frame_size: ImageSize,
        scale: float,
        corners: CornerFinder,
        blocks: BlockSettings,
        verification: Verification,
    ) -> None:
        self._size = frame_size
        self._scale = np.float32(scale)
        self.frame_size: ImageSize = (_rounded(frame_size[0] * scale), _rounded(frame_size[1] * scale))
        self._corners = corners
        self._blocks = blocks
        self._verification = verification
        self._levels = self._pyramid_levels(math.hypot(*frame_size) * _TRACKING_DISTANCE)
        self._previous: _Frame | None = None
        self._result = RegionFlow(self.frame_size)
        self._magnitudes: list[float] = []
        self._frame_number = 0
        self._next_id = 0
        self._tracks: dict[int, tuple[int, float]] = {}
        """First frame and mean motion in pixels of each track; the motion is -1 where it began in a still frame."""

    def add(self, image: Grey) -> RegionFlow:
        """The points of the next frame, a grey image [H, W]; none for the first frame.

        Raises:
            ValueError: the image is of another size.
        """
        if image.shape != self._size[::-1]:
            raise ValueError(
                f"frames are {self._size[0]} x {self._size[1]} pixels so far; this one is "
                f"{image.shape[1]} x {image.shape[0]}"
            )
        frame = _Frame(image, self._levels)
        result = RegionFlow(self.frame_size)
        if self._previous is not None:
            result = self._follow(self._previous, frame)
        self._previous, self._result = frame, result
        self._frame_number += 1
        return result

    def _follow(self, start: _Frame, end: _Frame) -> RegionFlow:
        discarded = self._find_points(start)
        before, after, track_ids = self._track(start, end)
        weights = consistency(before, after - before, self.frame_size, self._blocks)
        kept = weights > 0
        if start.found < 0:
            start.found = int(kept.sum())
        end.left, end.found = int(kept.sum()), start.found
        kept &= _within(before, self.frame_size) & _within(after, self.frame_size)
        flows = before[kept] - after[kept]
        magnitude = math.sqrt(float((flows.astype(np.float64) ** 2).sum(1).mean())) if len(flows) else 0.0
        self._magnitudes = [*self._magnitudes, magnitude][-_REMEMBERED_MAGNITUDES:]
        if len(self._magnitudes) > 2:
            self._levels = self._pyramid_levels(max(self._magnitudes) * 1.3)
        unstable = not self._is_sufficient(after[kept])
        if unstable:
            end.forget_points()
        return RegionFlow(
            self.frame_size,
            after[kept],
            flows,
            track_ids[kept],
            weights[kept],
            unstable,
            len(flows) > 0 and magnitude < _STILL,
            discarded,
        )

    def _find_points(self, frame: _Frame) -> tuple[int, ...]:
        """Sees to the points of a frame before they are followed on; returns the tracks ended on purpose."""
        if len(frame.points):
            alive = np.isin(frame.track_ids, self._result.track_ids)
            frame.points, frame.track_ids = frame.points[alive], frame.track_ids[alive]
            present = set(self._result.track_ids.tolist())
            self._tracks = {number: track for number, track in self._tracks.items() if number in present}
            survivors = frame.left / frame.found if frame.found > 0 else 0.0
            if len(frame.points) and frame.age <= _REUSE_FRAMES and survivors > _REUSE_SURVIVORS:
                return ()
        frame.forget_points()
        mask = self._corners.empty_mask(frame.image)
        points, track_ids = self._result.positions / self._scale, self._result.track_ids
        first = np.array([self._tracks[number][0] for number in track_ids.tolist()], np.int64)
        young = self._frame_number - 1 - first < _LONGEST_TRACK
        kept = young.copy()
        kept[young] = self._corners.take(mask, points[young])
        new = self._corners.find(frame.image, mask, int(kept.sum()))
        frame.points = np.concatenate([points[kept], new]).astype(np.float32)
        frame.track_ids = np.concatenate([track_ids[kept], np.full(len(new), -1, np.int32)]).astype(np.int32)
        return tuple(track_ids[~kept].tolist())

    def _track(self, start: _Frame, end: _Frame) -> tuple[FloatArray, FloatArray, TrackIds]:
        """Where points were and are, float32 [N, 2] both, in pixels of the large frame, and their numbers."""
        if not len(start.points):
            return np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32), np.zeros(0, np.int32)
        levels = min(start.levels, end.levels, self._levels)
        found, followed = _lucas_kanade(start.image, end.image, start.points, levels)
        sources = np.flatnonzero(followed)
        points = found[sources]
        track_ids, jumping = self._number(start, sources, points)
        if len(jumping):
            lost = self._do_not_return(start, end, sources[jumping], points[jumping], levels)
            kept = np.setdiff1d(np.arange(len(sources)), jumping[lost])
            sources, points, track_ids = sources[kept], points[kept], track_ids[kept]
        end.points, end.track_ids, end.age = points, track_ids, start.age + 1
        before, after = start.points[sources] * self._scale, points * self._scale
        inside = _inside(before, self.frame_size) & _inside(after, self.frame_size)
        return before[inside], after[inside], track_ids[inside]

    def _number(
        self, start: _Frame, sources: npt.NDArray[np.intp], points: FloatArray
    ) -> tuple[TrackIds, npt.NDArray[np.intp]]:
        """The numbers of followed points, and which of the points must be followed back before they are believed."""
        speeds = np.abs((points - start.points[sources]) * self._scale).sum(1)
        still = len(speeds) > 0 and float(speeds.mean()) < _STILL
        first_frame = self._frame_number - 1
        track_ids = start.track_ids[sources].copy()
        jumping = []
        for i, (source, number, speed) in enumerate(
            zip(sources.tolist(), track_ids.tolist(), speeds.tolist(), strict=True)
        ):
            if number < 0:
                track_ids[i] = start.track_ids[source] = self._new_track(first_frame, -1.0 if still else speed)
            elif not still:
                first, before = self._tracks[number]
                jumps = before >= 0 and (
                    speed > _MAX_ACCELERATION * max(_LEAST_MOTION, before)
                    or before > _MAX_ACCELERATION * max(_LEAST_MOTION, speed)
                )
                if jumps and not self._verification.acceleration:
                    track_ids[i] = self._new_track(first_frame, speed)
                    continue
                self._tracks[number] = (first, (before + speed) / 2 if before >= 0 else before)
                if jumps:
                    jumping.append(i)
        if len(jumping) < self._verification.trigger_ratio * len(sources):
            for i in jumping:
                track_ids[i] = self._new_track(first_frame, float(int(speeds[i])))  # MediaPipe keeps them whole, too
            jumping = []
        return track_ids, np.array(jumping, np.intp)

    def _new_track(self, first_frame: int, speed: float) -> int:
        number = self._next_id
        self._next_id += 1
        self._tracks[number] = (first_frame, speed)
        return number

    def _do_not_return(
        self, start: _Frame, end: _Frame, sources: npt.NDArray[np.intp], points: FloatArray, levels: int
    ) -> npt.NDArray[np.bool_]:
        """Which points, followed back, miss where they came from."""
        origins = start.points[sources]
        returned, followed = _lucas_kanade(end.image, start.image, points, levels, origins)
        lost: npt.NDArray[np.bool_] = ~followed | (np.hypot(*(returned - origins).T) >= self._verification.distance)
        return lost

    def _is_sufficient(self, points: FloatArray) -> bool:
        """Whether there are enough points, in a large enough part of the frame."""
        cells = (points * (_COVER_GRID / np.array(self.frame_size, np.float32))).astype(np.int64)
        covered = len(np.unique(cells, axis=0)) / _COVER_GRID**2
        return len(points) >= _MIN_FEATURES and covered > _MIN_COVER

    def _pyramid_levels(self, distance: float) -> int:
        """Halvings of the frame so that points can be followed over a distance in pixels."""
        wanted = math.ceil(math.log2(max(distance, 1.0) * 2 / _WINDOW_RADIUS))
        most = max(1, int(math.log2(min(self._size)) - 1))
        return min(most, max(wanted, 2))


def _lucas_kanade(
    start: Grey, end: Grey, points: FloatArray, levels: int, guesses: FloatArray | None = None
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Where points of one image are in another, float32 [N, 2], and whether they were found, bool [N]."""
    side = 2 * _WINDOW_RADIUS + 1
    found, status, _ = cv2.calcOpticalFlowPyrLK(
        start,
        end,
        points,
        points.copy() if guesses is None else guesses.copy(),
        winSize=(side, side),
        maxLevel=levels,
        criteria=(cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, _ITERATIONS, _EPSILON),
        flags=0 if guesses is None else cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return np.asarray(found, np.float32), np.asarray(status).ravel() == 1


def _rounded(value: float) -> int:
    return math.floor(value + 0.5)


def _inside(points: FloatArray, size: ImageSize) -> npt.NDArray[np.bool_]:
    inside = (points >= 0) & (points <= np.array(size) - 1)
    return np.asarray(inside.all(1))


def _within(points: FloatArray, size: ImageSize) -> npt.NDArray[np.bool_]:
    """Whether points are far enough from the border of the frame."""
    return _inside(points - np.float32(0.5) - _BORDER, (size[0] - 2 * _BORDER - 1, size[1] - 2 * _BORDER - 1))
