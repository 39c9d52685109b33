"""When a frame of a live source was: one clock for all sources of a graph, and three policies to stamp frames by."""

from __future__ import annotations

import threading
from typing import Final, Literal, TypeAlias

from graphflow import Service

from .sources import SourceError

TimestampPolicy: TypeAlias = Literal["arrival", "clamp", "strict"]


class LiveClock:
    """Zero of the live sources of one graph: when the first frame of any of them arrived.

    It starts over once every source that joined has left, for the graph's next run.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sources = 0
        self._zero_ns: int | None = None

    def join(self) -> None:
        """A source begins."""
        with self._lock:
            self._sources += 1

    def leave(self) -> None:
        """A source has ended."""
        with self._lock:
            self._sources -= 1
            if not self._sources:
                self._zero_ns = None

    def microseconds(self, arrived_ns: int) -> int:
        """A reading of `time.monotonic_ns` as microseconds since zero; the first one that is asked for is zero.

        A frame that arrived on another source's thread just before that is at zero, too.
        """
        with self._lock:
            if self._zero_ns is None:
                self._zero_ns = arrived_ns
            return max(arrived_ns - self._zero_ns, 0) // 1000


LIVE_CLOCK: Final = Service("graphflow.live_clock", LiveClock)
"""What all live sources of a graph count their time from, so that two cameras can be compared."""


class FrameTimes:
    """Stamps the frames of one live source.

    - `arrival`: when the frame reached this machine. Right for cameras, whose own times are rarely any.
    - `clamp`: the times the stream itself states, counted from when its first frame arrived; one that does not come
      later than the one before is put 1 µs behind it.
    - `strict`: the same, but such a time is an error.

    A connection that was lost and found again states times of its own: they are counted from its first frame's arrival.
    """

    def __init__(self, name: str, policy: TimestampPolicy, clock: LiveClock) -> None:
        self._name = name
        self._policy = policy
        self._clock = clock
        self._connection = 0
        self._offset = 0
        self._last = -1

    def stamp(self, arrived_ns: int, stated_us: int, connection: int) -> int:
        """The timestamp of the next frame in microseconds, later than that of the frame before.

        Args:
            arrived_ns: when it arrived, by `time.monotonic_ns`.
            stated_us: its presentation time as the stream states it, in microseconds.
            connection: number of the connection it came on, from 1.

        Raises:
            SourceError: the policy is `strict` and the time does not come later than the last one.
        """
        timestamp = self._clock.microseconds(arrived_ns)
        if self._policy != "arrival":
            if connection != self._connection:
                self._connection = connection
                # at once after the last frame, should the source's clock run faster than this one
                self._offset = max(timestamp, self._last + 1) - stated_us
            timestamp = stated_us + self._offset
            if self._policy == "strict" and timestamp <= self._last:
                raise SourceError(
                    f"{self._name} states {timestamp} µs for a frame after one at {self._last} µs; "
                    f"timestamps: clamp repairs that, timestamps: arrival goes by this machine's clock"
                )
        self._last = max(timestamp, self._last + 1)
        return self._last
