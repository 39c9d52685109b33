"""Calculators that behave badly, each in one way, for tests of what a run says about them."""

import threading
import time
from typing import ClassVar

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output


class Keep(Calculator):
    """A sink that keeps what it gets; its first call waits until `may_go` is set."""

    number = Input("", int)
    may_go: ClassVar[threading.Event] = threading.Event()
    kept: ClassVar[list[int]] = []
    closed: ClassVar[list[str]] = []

    def process(self, context: Context) -> None:
        assert Keep.may_go.wait(60)
        Keep.kept.append(context[self.number])

    def close(self, context: Context) -> None:
        Keep.closed.append(context.node)


class Unruly(Calculator):
    """Passes images, and at frame `at` does what `how` says."""

    image = Input("IMAGE", np.ndarray)
    passed = Output("IMAGE", np.ndarray)
    mean = Output("MEAN", float)
    how: str = Option(doc="raise, wrong_type, back, scribble, print, sleep, block or exit")
    at: int = Option(3, "number of the frame")
    seconds: float = Option(10.0, "how long to sleep")

    timestamp_offset = None
    released: ClassVar[threading.Event] = threading.Event()

    def open(self, context: Context) -> None:
        self.frame = 0

    def process(self, context: Context) -> None:
        if self.frame == self.at:
            getattr(self, f"_{self.how}")(context)
        self.frame += 1
        context[self.mean] = float(context[self.image].mean())
        context[self.passed] = context[self.image]

    def _raise(self, context: Context) -> None:
        raise RuntimeError("the lens cap is on")

    def _wrong_type(self, context: Context) -> None:
        context[self.mean] = "bright"

    def _back(self, context: Context) -> None:
        context.emit(self.mean, 0.0, context.timestamp - 100_000)

    def _scribble(self, context: Context) -> None:
        context[self.image][0] = 0

    def _print(self, context: Context) -> None:
        print("hello from a calculator")

    def _sleep(self, context: Context) -> None:
        time.sleep(self.seconds)

    def _block(self, context: Context) -> None:
        Unruly.released.wait()

    def _exit(self, context: Context) -> None:
        raise SystemExit(3)
