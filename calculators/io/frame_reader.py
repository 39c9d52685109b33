"""FrameReader: takes the frames off a live source as they come, and gets the source back when it breaks off."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias

from ..lazy import cv2

_LOGGER = logging.getLogger("graphflow")

DropPolicy: TypeAlias = Literal["old", "new", "never"]

FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0
"""The pause before each attempt to connect again doubles from the first to the longest."""

_WAITING_FRAMES: Final = 4
"""Frames that may wait where `drop` is new or never."""


class Capture(Protocol):
    """As `cv2.VideoCapture`."""

    def isOpened(self) -> bool: ...  # noqa: N802 - OpenCV's name
    def read(self) -> tuple[bool, Any]: ...
    def get(self, what: int) -> float: ...
    def release(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame off the device.

    Attributes:
        frame: uint8 [H, W, 3] BGR, as OpenCV has it.
        arrived_ns: when, by `time.monotonic_ns`.
        stated_us: the presentation time the stream states, in microseconds; 0 where it states none.
        connection: on which connection it came, from 1.
    """

    frame: Any
    arrived_ns: int
    stated_us: int
    connection: int


class FrameReader:
    """A thread between a device that will not wait and a graph that may be busy.

    Args:
        name: of the source, for messages.
        capture: the open device.
        connect: opens it again; None where it cannot be.
        drop: which frames are left out while the graph is busy: all but the newest (`old`), those that arrive while
            four wait (`new`), or none: the device has to wait, and a camera then drops frames by itself (`never`).
        reconnect_s: how long to try to get a lost source back; 0: do not.
    """

    def __init__(
        self,
        name: str,
        capture: Capture,
        connect: Callable[[], Capture | None],
        drop: DropPolicy,
        reconnect_s: float,
    ) -> None:
        self.dropped = 0
        self.connections = 1
        self.gave_up = False
        self._name = name
        self._capture = capture
        self._connect = connect
        self._drop = drop
        self._reconnect_s = reconnect_s
        self._changed = threading.Condition()
        self._waiting: deque[Arrival] = deque()
        self._ended = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._read, name=f"graphflow {name}", daemon=True)
        self._thread.start()

    def take(self, timeout_s: float) -> Arrival | None:
        """The next frame; None where none came in time, or none will."""
        with self._changed:
            if not self._waiting and not self._ended:
                self._changed.wait(timeout_s)
            found = self._waiting.popleft() if self._waiting else None
            self._changed.notify_all()
            return found

    @property
    def ended(self) -> bool:
        """Whether no further frame will come."""
        with self._changed:
            return self._ended and not self._waiting

    def join(self, timeout_s: float | None = None) -> bool:
        """Waits for the end of the source; whether it came in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def close(self, timeout_s: float) -> bool:
        """Ends the thread and releases the device; False where it does not answer.

        Releasing a device under a read that hangs would crash; its thread, a daemon, is then left to itself.
        """
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        return self.join(timeout_s)

    def _read(self) -> None:
        try:
            heard = time.monotonic()
            while not self._closing.is_set():
                read, frame = self._capture.read()
                if read:
                    heard = time.monotonic()
                    self._put(frame)
                elif self._closing.is_set() or not self._get_back(heard):
                    return
        finally:
            self._capture.release()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _put(self, frame: Any) -> None:
        stated_us = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1000)
        arrival = Arrival(frame, time.monotonic_ns(), stated_us, self.connections)
        with self._changed:
            if self._drop == "old":
                self.dropped += len(self._waiting)
                self._waiting.clear()
            elif len(self._waiting) >= _WAITING_FRAMES and self._drop == "new":
                self.dropped += 1
                return
            else:
                self._changed.wait_for(lambda: len(self._waiting) < _WAITING_FRAMES or self._closing.is_set())
            self._waiting.append(arrival)
            self._changed.notify_all()

    def _get_back(self, heard: float) -> bool:
        """Connects again, with growing pauses, until that works or `reconnect_s` seconds without a frame are over."""
        pause_s = FIRST_PAUSE_S
        while time.monotonic() - heard < self._reconnect_s:
            if pause_s == FIRST_PAUSE_S:
                _LOGGER.warning("%s broke off; trying for %g seconds to get it back", self._name, self._reconnect_s)
                self._capture.release()
            if self._closing.wait(min(pause_s, self._reconnect_s)):
                return False
            capture = self._connect()
            if capture is not None:
                self._capture = capture
                self.connections += 1
                _LOGGER.warning("%s is back after %.1f seconds", self._name, time.monotonic() - heard)
                return True
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        self.gave_up = self._reconnect_s > 0
        return False
