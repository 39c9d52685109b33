"""Calculators on whole images for tests of the pipeline and the command line."""

import threading
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output


class Brightness(Calculator):
    """Measures the mean of an image.

    Counts its calls in `calls`, over all runs, and tells `on_frame` the number of each frame.
    """

    image = Input("IMAGE", np.ndarray)
    mean = Output("MEAN", float)
    fail_at: int = Option(-1, "number of the frame at which to fail")
    stuck_at: int = Option(-1, "number of the frame that is never done with")

    calls: ClassVar[int] = 0
    on_frame: ClassVar[Callable[[int], None]] = staticmethod(lambda frame: None)

    def open(self, context: Context) -> None:
        self.frame = 0

    def process(self, context: Context) -> None:
        Brightness.calls += 1
        Brightness.on_frame(self.frame)
        if self.frame == self.fail_at:
            raise RuntimeError("the frame is too dark to read")
        if self.frame == self.stuck_at:
            threading.Event().wait()
        self.frame += 1
        context[self.mean] = float(context[self.image].mean())


class Over(Calculator):
    """Passes numbers over a threshold."""

    number = Input(type=float)
    high = Output(type=float)
    threshold: float = Option(100.0, "what is not over this is dropped")

    def process(self, context: Context) -> None:
        if context[self.number] > self.threshold:
            context[self.high] = context[self.number]


class Negative(Calculator):
    """Turns bright into dark."""

    image = Input("IMAGE", np.ndarray)
    negative = Output("IMAGE", np.ndarray)

    def process(self, context: Context) -> None:
        context[self.negative] = 255 - context[self.image]


class Lamp(Calculator):
    """Emits frames without end."""

    image = Output("IMAGE", np.ndarray)

    def open(self, context: Context) -> None:
        self.frame = 0

    def process(self, context: Context) -> None:
        context.emit(self.image, np.full((48, 64, 3), self.frame % 256, np.uint8), self.frame * 40_000)
        self.frame += 1
