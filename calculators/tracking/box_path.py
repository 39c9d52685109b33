"""The places of one followed box, by time."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from .box_state import BoxState, to_timed_box
from .motion_box import MotionBox
from .motion_vectors import MotionVectors
from .timed_box import TimedBox, mix

_NEAR_MS: Final = 67


class BoxPath:
    """A box with where it was. Source: MediaPipe MotionBoxPath, TimedBoxAtTime.

    Args:
        box: follows it.
        size: how many places are kept.
        reacquisition: carried along.
    """

    def __init__(self, box: MotionBox, size: int, reacquisition: bool) -> None:
        self._box = box
        self._size = size
        self._places: list[TimedBox] = []
        self.reacquisition = reacquisition

    @property
    def last(self) -> TimedBox:
        """The latest place."""
        return self._places[-1]

    def add(self, state: BoxState, time_ms: int) -> None:
        """Notes a place, unless there is one at that time."""
        where = bisect_left(self._places, time_ms, key=lambda place: place.time_ms)
        if where == len(self._places) or self._places[where].time_ms != time_ms:
            self._places.insert(where, to_timed_box(state, time_ms))

    def step(self, frame: int, vectors: MotionVectors, time_ms: int, forward: bool) -> bool:
        """Takes the box one frame on, or back, from a frame; False where it is lost."""
        state = self._box.step(frame, vectors, forward)
        if state is None:
            return False
        self.add(state, time_ms)
        self._box.trim(self._size, forward)
        self._places = self._places[-self._size :] if forward else self._places[: self._size]
        return True

    def at(self, time_ms: int) -> TimedBox | None:
        """Where the box is at a time, between its places around; None where those are too far."""
        where = bisect_left(self._places, time_ms, key=lambda place: place.time_ms)
        if where < len(self._places) and (where or self._places[0].time_ms == time_ms):
            after = self._places[where]
            if after.time_ms == time_ms:
                return after
            before = self._places[where - 1]
            share = (time_ms - before.time_ms) / (after.time_ms - before.time_ms)
            return mix(before, after, 1 - share, share)
        nearest = self._places[:1] if where == 0 else self._places[-1:]
        return next((place for place in nearest if abs(place.time_ms - time_ms) < _NEAR_MS), None)
