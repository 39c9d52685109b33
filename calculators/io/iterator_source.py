"""IteratorSource: frames from Python code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from graphflow import Calculator, Context, Option, Output, SideInput, Stop

from ..payloads import Image
from .sources import DEFAULT_FPS, SourceError


class IteratorSource(Calculator):
    """What a Python iterable yields: frames, or (timestamp, frame) pairs.

    It is asked for the next frame once there is room for it. A generator is closed when the run ends, from whichever
    thread ends it.
    """

    frames = SideInput("FRAMES", Iterable, "yields uint8 [H, W, 3] RGB, or (microseconds, frame) pairs")
    image = Output("IMAGE", Image, "what was yielded; frames without a timestamp are at i / fps seconds")
    fps: float | None = Option(None, "frames a second; default what the pairs say, or 30")
    max_frames: int | None = Option(None, "stop after this many frames")

    waits = True

    def open(self, context: Context) -> None:
        if self.fps is not None and self.fps <= 0:
            raise ValueError(f"fps must be positive, not {self.fps}")
        self._iterator: Iterator[Any] = iter(context[self.frames])
        self._count = 0

    def process(self, context: Context) -> None:
        if self.max_frames is not None and self._count >= self.max_frames:
            raise Stop
        try:
            item = next(self._iterator)
        except StopIteration:
            raise Stop from None
        timestamp, frame = item if isinstance(item, tuple) and len(item) == 2 else (None, item)
        if not isinstance(frame, np.ndarray):
            raise SourceError(
                f"the iterator gave {type(frame).__name__} as frame {self._count}; it must give arrays, uint8 "
                f"[H, W, 3] RGB, or (microseconds, array) pairs"
            )
        if timestamp is None or self.fps is not None:
            timestamp = round(self._count * 1_000_000 / (self.fps or DEFAULT_FPS))
        self._count += 1
        # read-only from here on: whoever yields one buffer again and again would change what the graph still reads
        context.emit(self.image, frame.copy() if frame.flags.writeable else frame, int(timestamp))

    def close(self, context: Context) -> None:
        close = getattr(self._iterator, "close", None)
        if close is not None:
            close()

    def reset(self, context: Context) -> None:
        """Goes on with the iterator where it is: it cannot be wound back."""
