"""CameraSource: frames that come when they come."""

from __future__ import annotations

import logging
import sys
import threading
import time
from typing import Any

import cv2

from graphflow import Calculator, Context, Option, Output, Stop

from ..payloads import Image
from .sources import SourceError, quiet_opencv

_LOGGER = logging.getLogger("graphflow")

_PATIENCE_SECONDS = 10.0
"""A camera that sends nothing for so long is taken for dead."""

_WAIT_SECONDS = 0.1
"""`process` returns to the scheduler this often, so that a graph can be cancelled while no frame comes."""


class CameraSource(Calculator):
    """A camera or a network stream, as live as the graph can follow.

    Frames are taken from the device as they come; while the graph is busy only the newest is kept. `dropped` counts the
    others.
    """

    image = Output("IMAGE", Image, "uint8 [H, W, 3] RGB, at microseconds since the first frame")
    index: int = Option(0, "which camera, from 0")
    url: str = Option("", "a network stream (rtsp://…) instead of a camera")
    fps: float | None = Option(None, "stamp frame i with i / fps seconds instead of its arrival")
    max_frames: int | None = Option(None, "stop after this many frames")

    dropped: int = 0

    def open(self, context: Context) -> None:
        if self.fps is not None and self.fps <= 0:
            raise ValueError(f"fps must be positive, not {self.fps}")
        self._name = self.url or f"camera:{self.index}"
        with quiet_opencv():
            self._capture = cv2.VideoCapture(self.url or self.index)
        if not self._capture.isOpened():
            raise SourceError(self._cannot_open())
        self._changed = threading.Condition()
        self._newest: tuple[Any, int] | None = None
        self._ended = self._closing = False
        self._frames = 0
        self.dropped = 0
        self._first_ns: int | None = None
        self._timestamp = -1
        self._heard = time.monotonic()
        self._reader = threading.Thread(target=self._read, name=f"graphflow {self._name}", daemon=True)
        self._reader.start()

    def process(self, context: Context) -> None:
        if self.max_frames is not None and self._frames >= self.max_frames:
            raise Stop
        with self._changed:
            if self._newest is None and not self._ended:
                self._changed.wait(_WAIT_SECONDS)
            newest, self._newest = self._newest, None
            ended = self._ended
        if newest is None:
            self._check_silence(ended)
            return
        frame, arrived_ns = newest
        self._heard = time.monotonic()
        if self._first_ns is None:
            self._first_ns = arrived_ns
        if self.fps is not None:
            timestamp = round(self._frames * 1_000_000 / self.fps)
        else:
            timestamp = max((arrived_ns - self._first_ns) // 1000, self._timestamp + 1)
        self._timestamp = timestamp
        self._frames += 1
        context.emit(self.image, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), timestamp)

    def close(self, context: Context) -> None:
        with self._changed:
            self._closing = True
        self._reader.join(_PATIENCE_SECONDS)
        if self._reader.is_alive():
            # releasing a capture under a read that hangs would crash; the thread is a daemon
            _LOGGER.warning("%s does not answer; it is left to the end of the program", self._name)
            return
        self._capture.release()
        if self.dropped:
            _LOGGER.info("%s: %d frames used, %d dropped", self._name, self._frames, self.dropped)

    def reset(self, context: Context) -> None:
        self.close(context)
        self.open(context)

    def _read(self) -> None:
        """Takes frames off the device as fast as it has them: its own queue would only make them older."""
        while True:
            read, frame = self._capture.read()
            arrived_ns = time.monotonic_ns()
            with self._changed:
                if not read or self._closing:
                    self._ended = True
                    self._changed.notify()
                    return
                if self._newest is not None:
                    self.dropped += 1
                self._newest = frame, arrived_ns
                self._changed.notify()

    def _check_silence(self, ended: bool) -> None:
        if ended and self._frames:
            raise Stop
        if ended:
            raise SourceError(f"{self._name} was opened but gave no frame; another program may be using it")
        if time.monotonic() - self._heard > _PATIENCE_SECONDS:
            raise SourceError(f"{self._name} has sent no frame for {_PATIENCE_SECONDS:g} seconds")

    def _cannot_open(self) -> str:
        if self.url:
            return f"{self.url} cannot be opened: check the address, and that this machine reaches it"
        hint = "; on Linux `ls /dev/video*` lists what there is" if sys.platform == "linux" else ""
        return (
            f"no camera at index {self.index}: none is connected, this program may not use it, or another one does"
            f"{hint}; camera:1 is the next one"
        )
