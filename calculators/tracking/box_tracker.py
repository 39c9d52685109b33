"""BoxTracker: boxes that follow what is in them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from graphflow import Calculator, Context, Input, Option, OptionGroup, Output
from graphflow.context import Binding

from .box_path import BoxPath
from .box_state import from_timed_box
from .motion_box import MotionBox
from .motion_vectors import MotionVectors, from_tracking_data, inverted
from .region_flow import TrackingData
from .timed_box import TimedBox, mix
from .track_options import BoxTrackerOptions, TrackStepOptions

_LEAST_CACHE: Final = 2
_MS: Final = 1000


class InitialBox(OptionGroup):
    """A box to begin with; normalized coordinates."""

    left: float
    top: float
    right: float
    bottom: float
    rotation: float = 0.0
    time_msec: int = 0
    id: int
    reacquisition: bool = False


class InitialPosition(OptionGroup):
    """Boxes to begin with."""

    box: list[InitialBox] = []


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    timestamp: int
    data: TrackingData

    @property
    def time_ms(self) -> int:
        return self.timestamp // _MS


@dataclass
class _Cache:
    """The frames that boxes can be followed through afterwards, with a number for every frame of the run."""

    size: int
    frames: deque[_Frame] = field(default_factory=deque)
    timestamps: deque[int] = field(default_factory=deque)
    count: int = 0

    def add(self, frame: _Frame) -> None:
        self.count += 1
        self.timestamps.append(frame.timestamp)
        self.frames.append(frame)
        while len(self.timestamps) > max(self.size, _LEAST_CACHE):
            self.timestamps.popleft()
        while len(self.frames) > self.size:
            self.frames.popleft()

    def first_number(self) -> int:
        """The number of the first timestamp."""
        return self.count - len(self.timestamps)

    def position(self, timestamp: int) -> int | None:
        """Where the frame of a timestamp is among the frames, if it is still there."""
        for i, frame in enumerate(self.frames):
            if frame.timestamp == timestamp:
                return i
        return None

    def duration_ms(self, position: int) -> int:
        """Milliseconds from the frame before; 0 for the first."""
        return self.frames[position].time_ms - self.frames[position - 1].time_ms if position else 0


class BoxTracker(Calculator):
    """Follows boxes through a video by the motion of the points in them.

    A box of START_POS or RESTART_POS begins at its own time: it is followed from there to the frame that is the last
    so far, as far back as the option `streaming_track_data_cache_size` reaches, or begins when its time comes. A box
    that is lost does not come out any more. BOXES has a list for every frame, and for every timestamp of TRACK_TIME
    between frames, with boxes between their places in the frames around. RA_TRACK asks for places at other times: pairs
    of a box and, by its time, when it is wanted.

    The inputs belong to different times: connect them as MediaPipe's graphs do, TRACKING and TRACK_TIME as one set of
    the sync_sets policy and each of the others as its own. MediaPipe's tracking from files and its pictures of the
    tracker's state do not exist here. Source: MediaPipe BoxTrackerCalculator.
    """

    timestamp_offset = None

    tracking = Input("TRACKING", TrackingData, "motion between frames")
    track_time = Input("TRACK_TIME", doc="anything at times when boxes are wanted", optional=True)
    start_pos = Input("START_POS", list[TimedBox], "boxes to follow", optional=True)
    restart_pos = Input("RESTART_POS", list[TimedBox], "places where boxes were found again", optional=True)
    cancel_object_id = Input("CANCEL_OBJECT_ID", int, "the number of a box to follow no more", optional=True)
    ra_track = Input("RA_TRACK", list[TimedBox], "pairs of where a box is and when it is wanted", optional=True)
    boxes = Output("BOXES", list[TimedBox], "where the boxes are", optional=True)
    ra_boxes = Output("RA_BOXES", list[TimedBox], "the boxes that RA_TRACK asked for, if they are found", optional=True)

    tracker_options: BoxTrackerOptions = Option(BoxTrackerOptions(), "how boxes are followed")
    initial_position: InitialPosition = Option(InitialPosition(), "boxes to begin with")
    visualize_tracking_data: bool = Option(False, "must be false: there is no output VIZ")
    visualize_state: bool = Option(False, "must be false: there is no output VIZ")
    visualize_internal_state: bool = Option(False, "must be false: there is no output VIZ")
    streaming_track_data_cache_size: int = Option(0, "how many frames are kept for boxes that begin in the past")
    start_pos_transition_frames: int = Option(0, "over how many frames a box moves to the place it begins anew at")

    def check(self, binding: Binding) -> Iterable[str]:
        for name in ("visualize_tracking_data", "visualize_state", "visualize_internal_state"):
            if getattr(self, name):
                yield f"option '{name}' must be false: the tracker draws no pictures"
        numbers = [box.id for box in self.initial_position.box]
        if len(set(numbers)) < len(numbers) or any(number < 0 for number in numbers):
            yield "option 'initial_position' needs a different id, 0 or more, for every box"

    def open(self, context: Context) -> None:
        self._cache = _Cache(self.streaming_track_data_cache_size)
        self._paths: dict[int, BoxPath] = {}
        self._waiting = [
            TimedBox(
                box.left,
                box.top,
                box.right,
                box.bottom,
                box.rotation,
                box.time_msec,
                box.id,
                reacquisition=box.reacquisition,
            )
            for box in self.initial_position.box
        ]
        self._begun: set[int] = set()
        self._asked: list[int] = []
        self._jumps: dict[int, tuple[TimedBox, TimedBox]] = {}
        self._frames_since_jump = 0

    def process(self, context: Context) -> None:
        data = context[self.tracking]
        if data is not None:
            self._cache.add(_Frame(context.timestamp, data))
        begun: dict[int, BoxPath] = {}
        for port in (self.start_pos, self.restart_pos):
            for box in context[port] or ():
                self._begin(box, begun)
        if context[self.cancel_object_id] is not None:
            self._paths.pop(context[self.cancel_object_id], None)
        if data is not None:
            self._follow(data, context.timestamp, begun)
            self._emit(context)
        else:
            if context[self.track_time] is not None:
                self._asked.append(context.timestamp)
            self._jump(begun)
        asked = context[self.ra_track]
        if asked is not None:
            context[self.ra_boxes] = self._at_other_times(asked)

    def _follow(self, data: TrackingData, timestamp: int, begun: dict[int, BoxPath]) -> None:
        """Takes all boxes on to a new frame."""
        times, number = self._cache.timestamps, self._cache.count - 1
        time_ms = timestamp // _MS
        duration_ms = time_ms - times[-2] // _MS if len(times) > 1 else 0
        vectors = inverted(_timed(data, duration_ms))
        lost = [box_id for box_id, path in self._paths.items() if not path.step(number - 1, vectors, time_ms, True)]
        for box_id, path in begun.items():
            self._paths.setdefault(box_id, path)
        for box_id in lost:
            del self._paths[box_id]
        for box in self._waiting:
            if box.time_ms <= time_ms and box.box_id not in self._begun:
                self._begun.add(box.box_id)
                self._paths.setdefault(box.box_id, self._new_path(box, data, number, time_ms))
        self._waiting = [box for box in self._waiting if box.box_id not in self._begun]

    def _emit(self, context: Context) -> None:
        """Boxes at the times asked for since the last frame, and at this one."""
        self._frames_since_jump += 1
        for i, timestamp in enumerate(self._asked):
            context.emit(self.boxes, self._boxes_at(timestamp, (i + 1) / (len(self._asked) + 1)), timestamp)
        self._asked = []
        context[self.boxes] = self._boxes_at(context.timestamp, 1.0)

    def _boxes_at(self, timestamp: int, part_of_frame: float) -> list[TimedBox]:
        found = []
        for box_id, path in self._paths.items():
            box = path.at(timestamp // _MS)
            if box is not None:
                box = self._smoothed(box_id, box, part_of_frame)
                found.append(replace(box, box_id=box_id, reacquisition=path.reacquisition))
        return found

    def _smoothed(self, box_id: int, box: TimedBox, part_of_frame: float) -> TimedBox:
        """The box with a rest of what it was away from the place it began anew at."""
        frames = self.start_pos_transition_frames
        if box_id not in self._jumps or not 0 < self._frames_since_jump <= frames:
            return box
        share = (self._frames_since_jump - 1 + part_of_frame) / frames
        before, after = self._jumps[box_id]
        return mix(mix(before, after, 1.0, -1.0), box, 1.0 - share, 1.0)

    def _begin(self, box: TimedBox, begun: dict[int, BoxPath]) -> None:
        """Follows a box from its own time to the last frame, or waits for that time."""
        times = self._cache.timestamps
        place = bisect_left(times, box.time_ms * _MS)
        if place == len(times):
            self._waiting.append(box)
            return
        position = self._cache.position(times[place])
        if position is None:
            return
        frames = self._cache.frames
        number = self._cache.first_number() + place
        path = self._new_path(box, frames[position].data, number, frames[position].time_ms)
        for i in range(position + 1, len(frames)):
            vectors = inverted(_timed(frames[i].data, self._cache.duration_ms(i)))
            if not path.step(number, vectors, frames[i].time_ms, True):
                return
            number += 1
        begun.setdefault(box.box_id, path)

    def _jump(self, begun: dict[int, BoxPath]) -> None:
        """Puts boxes that begin anew in the place of those followed so far."""
        if not begun:
            return
        self._frames_since_jump = 0
        self._jumps = {
            box_id: (self._paths[box_id].last, path.last) for box_id, path in begun.items() if box_id in self._paths
        }
        self._paths.update(begun)

    def _new_path(self, box: TimedBox, data: TrackingData, number: int, time_ms: int | None) -> BoxPath:
        options = _step_options(self.tracker_options.track_step_options, box)
        state = from_timed_box(box, data)
        path = BoxPath(
            MotionBox(options, number, state),
            max(self.streaming_track_data_cache_size, _LEAST_CACHE),
            box.reacquisition,
        )
        if time_ms is not None:
            path.add(state, time_ms)
        return path

    def _at_other_times(self, asked: Sequence[TimedBox]) -> list[TimedBox]:
        """Where boxes are at other times, for pairs of a box and one with the time; those that are not found left out.

        Raises:
            ValueError: the boxes are no pairs.
        """
        if len(asked) % 2:
            raise ValueError(f"RA_TRACK takes pairs of boxes, a start and an end, not {len(asked)} boxes")
        found = [self._at_other_time(*asked[i : i + 2]) for i in range(0, len(asked), 2)]
        return [box for box in found if box is not None]

    def _at_other_time(self, start: TimedBox, end: TimedBox) -> TimedBox | None:
        times = self._cache.timestamps
        if not times or not all(times[0] // _MS <= box.time_ms <= times[-1] // _MS for box in (start, end)):
            return None
        forward = start.time_ms < end.time_ms
        place = (bisect_right if forward else bisect_left)(times, start.time_ms * _MS)
        position = self._cache.position(times[place]) if place < len(times) else None
        if position is None:
            return None
        frames = self._cache.frames
        number = 0  # of the path alone
        known = not forward or start.time_ms != frames[position].time_ms
        path = self._new_path(start, frames[position].data, number, start.time_ms if known else None)
        for i in range(position, len(frames)) if forward else range(position, 0, -1):
            vectors = _timed(frames[i].data, self._cache.duration_ms(i))
            time_ms = frames[i].time_ms if forward else frames[i - 1].time_ms
            if not path.step(number, inverted(vectors) if forward else vectors, time_ms, forward):
                return None
            number += 1 if forward else -1
            if time_ms > end.time_ms if forward else time_ms < end.time_ms:
                break
        box = path.at(end.time_ms)
        return None if box is None else replace(box, box_id=start.box_id)


def _timed(data: TrackingData, duration_ms: int) -> MotionVectors:
    vectors = from_tracking_data(data)
    return replace(vectors, duration_ms=float(duration_ms)) if duration_ms > 0 else vectors


def _step_options(options: TrackStepOptions, box: TimedBox) -> TrackStepOptions:
    """The options for one box: only a box with a quad is followed as a plane."""
    if options.tracking_degrees == "TRACKING_DEGREE_OBJECT_PERSPECTIVE" and box.quad is None:
        changed: dict[str, Any] = {"tracking_degrees": "TRACKING_DEGREE_OBJECT_ROTATION_SCALE"}
        return options.model_copy(update=changed)
    return options
