"""VideoSource: the frames of a video file."""

from __future__ import annotations

import logging
from typing import Literal

from graphflow import Calculator, Context, Option, Output, Stop

from ..lazy import cv2
from ..payloads import Image
from .sources import DEFAULT_FPS, SourceError, open_video

_LOGGER = logging.getLogger("graphflow")


class VideoSource(Calculator):
    """Decodes a video file, every frame once, in order; never drops one.

    A file that breaks off keeps the frames before, with a warning; one without any frame is an error. Frames are turned
    as the file says (`rotate` in its metadata).
    """

    image = Output("IMAGE", Image, "uint8 [H, W, 3] RGB, at the frame's presentation time in microseconds")
    path: str = Option(doc="the video file, or the http:// address of one")
    fps: float | None = Option(None, "stamp frame i with i / fps seconds instead of its presentation time")
    max_frames: int | None = Option(None, "stop after this many frames")
    timestamps: Literal["clamp", "strict"] = Option(
        "clamp", "a presentation time that does not come later is put one frame behind the last, or an error ('strict')"
    )

    def open(self, context: Context) -> None:
        if self.fps is not None and self.fps <= 0:
            raise ValueError(f"fps must be positive, not {self.fps}")
        self._capture = open_video(self.path)
        self._announced = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self._period_us = round(1_000_000 / (fps if fps > 0 else DEFAULT_FPS))
        self._frames = 0
        self._timestamp: int | None = None

    def process(self, context: Context) -> None:
        if self.max_frames is not None and self._frames >= self.max_frames:
            raise Stop
        read, frame = self._capture.read()
        if not read:
            self._check_end()
            raise Stop
        timestamp = self._next_timestamp()
        self._timestamp = timestamp
        self._frames += 1
        context.emit(self.image, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), timestamp)

    def close(self, context: Context) -> None:
        self._capture.release()

    def reset(self, context: Context) -> None:
        self.close(context)
        self.open(context)

    def _next_timestamp(self) -> int:
        if self.fps is not None:
            return round(self._frames * 1_000_000 / self.fps)
        timestamp = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1000)
        if self._timestamp is not None and timestamp <= self._timestamp:
            if self.timestamps == "strict":
                raise SourceError(
                    f"{self.path} states {timestamp} µs for frame {self._frames}, after one at {self._timestamp} µs; "
                    f"timestamps: clamp repairs that, fps stamps frames by their number"
                )
            # containers without usable times: streams need them to rise
            return self._timestamp + self._period_us
        return timestamp

    def _check_end(self) -> None:
        if self._frames == 0:
            raise SourceError(f"{self.path} has no frame that can be decoded")
        # the announced number is an estimate from the duration in many containers, off by a frame or two
        if self._frames < self._announced - max(2, self._announced // 100):
            _LOGGER.warning(
                "%s broke off after %d of %d announced frames; the frames before are kept",
                self.path,
                self._frames,
                self._announced,
            )
