"""CameraSource: frames that come when they come."""

from __future__ import annotations

import logging
import sys
import time

from graphflow import Calculator, Context, Option, Output, Stop

from ..lazy import cv2
from ..payloads import Image
from .cameras import list_cameras
from .frame_reader import Capture, DropPolicy, FrameReader
from .live_times import LIVE_CLOCK, FrameTimes, LiveClock, TimestampPolicy
from .sources import SourceError, quiet_opencv

_LOGGER = logging.getLogger("graphflow")

_PATIENCE_SECONDS = 10.0
"""A connection that sends nothing for so long is taken for dead."""

_WAIT_SECONDS = 0.1
"""`process` returns to the scheduler this often, so that a graph can be cancelled while no frame comes."""


class CameraSource(Calculator):
    """A camera or a network stream, as live as the graph can follow.

    Frames are taken off the device as they come; `drop` says which are left out while the graph is busy, and `dropped`
    counts them. A source that breaks off is connected to again, for `reconnect_seconds`.
    """

    image = Output("IMAGE", Image, "uint8 [H, W, 3] RGB, at microseconds since the graph's first live frame")
    index: int = Option(0, "which camera, from 0")
    url: str = Option("", "a network stream (rtsp://…, http://…) instead of a camera")
    fps: float | None = Option(None, "stamp frame i with i / fps seconds; 'timestamps' then does not matter")
    max_frames: int | None = Option(None, "stop after this many frames")
    timestamps: TimestampPolicy = Option(
        "arrival", "'arrival' on this machine; what the stream states, repaired ('clamp') or not ('strict')"
    )
    drop: DropPolicy = Option(
        "old", "while the graph is busy: keep the newest frame only ('old'), the first four ('new'), or all ('never')"
    )
    reconnect_seconds: float = Option(30.0, "how long to try to get a lost source back; 0: its end is the run's end")

    services = (LIVE_CLOCK,)

    def open(self, context: Context) -> None:
        if self.fps is not None and self.fps <= 0:
            raise ValueError(f"fps must be positive, not {self.fps}")
        self._name = self.url or f"camera:{self.index}"
        capture = self._connect()
        if capture is None:
            raise SourceError(self._cannot_open())
        self._reader = FrameReader(self._name, capture, self._connect, self.drop, self.reconnect_seconds)
        self._clock: LiveClock = context.service(LIVE_CLOCK) or LiveClock()
        self._clock.join()
        self._times = FrameTimes(self._name, self.timestamps, self._clock)
        self._frames = 0
        self.dropped = 0
        self._heard = time.monotonic()
        self._connection = 1

    def process(self, context: Context) -> None:
        if self.max_frames is not None and self._frames >= self.max_frames:
            raise Stop
        arrival = self._reader.take(_WAIT_SECONDS)
        self.dropped = self._reader.dropped
        if arrival is None:
            self._check_silence()
            return
        self._heard = time.monotonic()
        if self.fps is not None:
            timestamp = round(self._frames * 1_000_000 / self.fps)
        else:
            timestamp = self._times.stamp(arrival.arrived_ns, arrival.stated_us, arrival.connection)
        self._frames += 1
        context.emit(self.image, cv2.cvtColor(arrival.frame, cv2.COLOR_BGR2RGB), timestamp)

    def close(self, context: Context) -> None:
        self._clock.leave()
        if not self._reader.close(_PATIENCE_SECONDS):
            _LOGGER.warning("%s does not answer; it is left to the end of the program", self._name)
        elif self.dropped:
            _LOGGER.info("%s: %d frames used, %d dropped", self._name, self._frames, self.dropped)

    def reset(self, context: Context) -> None:
        self.close(context)
        self.open(context)

    def _connect(self) -> Capture | None:
        patience_ms = round(_PATIENCE_SECONDS * 1000)
        with quiet_opencv():
            if self.url:
                limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, patience_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, patience_ms]
                capture: Capture = cv2.VideoCapture(self.url, cv2.CAP_FFMPEG, limits)
            else:
                capture = cv2.VideoCapture(self.index)
        return capture if capture.isOpened() else None

    def _check_silence(self) -> None:
        if self._reader.ended:
            if not self._frames:
                raise SourceError(f"{self._name} was opened but gave no frame; another program may be using it")
            if self._reader.gave_up:
                raise SourceError(
                    f"{self._name} broke off after {self._frames} frames and did not come back within "
                    f"{self.reconnect_seconds:g} seconds"
                )
            raise Stop
        if self._reader.connections != self._connection:
            self._connection, self._heard = self._reader.connections, time.monotonic()
        # the reader ends a connection that is silent, and itself once it has tried for long enough
        patience = _PATIENCE_SECONDS * 1.5 + (self.reconnect_seconds if self._frames else 0)
        if time.monotonic() - self._heard > patience:
            raise SourceError(f"{self._name} has sent no frame for {patience:g} seconds")

    def _cannot_open(self) -> str:
        if self.url:
            return f"{self.url} cannot be opened: check the address, and that this machine reaches it"
        cameras = list_cameras()
        exists = ", ".join(f"camera:{camera.index} ({camera.name})" for camera in cameras)
        if exists:
            return f"no camera at index {self.index}; there is: {exists}"
        hint = "; on Linux `ls /dev/video*` lists what there is" if sys.platform == "linux" else ""
        return (
            f"no camera at index {self.index}: none is connected, this program may not use it, or another one does"
            f"{hint}; camera:1 is the next one"
        )
