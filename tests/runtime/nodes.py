"""Small calculators the runtime's tests build their graphs from."""

from __future__ import annotations

import threading
from typing import ClassVar

from graphflow import Calculator, Context, Input, Option, Output, Service, SideInput, SideOutput, Stop


class Count(Calculator):
    """A source: 0, 1, 2, … at timestamps 0, 10, 20, …"""

    number = Output("", int)
    limit: int = Option(5, "how many")

    def open(self, context: Context) -> None:
        self._next = 0

    def process(self, context: Context) -> None:
        if self._next == self.limit:
            raise Stop
        context.emit(self.number, self._next, self._next * 10)
        self._next += 1


class Square(Calculator):
    number = Input("", int)
    squared = Output("", int)

    def process(self, context: Context) -> None:
        context[self.squared] = context[self.number] ** 2


class RunningTotal(Calculator):
    """Has state: the sum of all it saw since `open` or `reset`."""

    number = Input("", int)
    total = Output("", int)

    def open(self, context: Context) -> None:
        self._total = 0

    def process(self, context: Context) -> None:
        self._total += context[self.number]
        context[self.total] = self._total


class FailAt(Calculator):
    """Passes numbers until one is as told; in `open` where told -1."""

    number = Input("", int)
    passed = Output("", int)
    at: int = Option(doc="the number to fail at")
    closed: ClassVar[list[str]] = []

    def open(self, context: Context) -> None:
        if self.at == -1:
            raise RuntimeError("cannot open")

    def process(self, context: Context) -> None:
        if context[self.number] == self.at:
            raise ValueError(f"{self.at} is not for me")
        context[self.passed] = context[self.number]

    def close(self, context: Context) -> None:
        self.closed.append(context.node)


class StopAt(Calculator):
    number = Input("", int)
    passed = Output("", int)
    at: int = Option(doc="the number to stop at")

    def process(self, context: Context) -> None:
        if context[self.number] == self.at:
            raise Stop
        context[self.passed] = context[self.number]


class Backwards(Calculator):
    """Breaks the order of its output at the second packet."""

    timestamp_offset = None
    number = Input("", int)
    passed = Output("", int)

    def process(self, context: Context) -> None:
        context.emit(self.passed, context[self.number], 100 - context.timestamp)


class WrongType(Calculator):
    number = Input("", int)
    passed = Output("", int)

    def process(self, context: Context) -> None:
        context[self.passed] = "text"


class Scribble(Calculator):
    """Writes into its input."""

    image = Input("")
    passed = Output("")

    def process(self, context: Context) -> None:
        context[self.image][0] = 1


class Rendezvous(Calculator):
    """Returns only when another node of the kind is inside `process` too."""

    barrier: ClassVar[threading.Barrier] = threading.Barrier(2)
    number = Input("", int)
    passed = Output("", int)

    def process(self, context: Context) -> None:
        self.barrier.wait(timeout=10)
        context[self.passed] = context[self.number]


class Hold(Calculator):
    """Keeps the numbers of a node in flight until all `width` of a group are inside, then lets the last go first."""

    release: ClassVar[threading.Semaphore] = threading.Semaphore(0)
    number = Input("", int)
    passed = Output("", int)

    def process(self, context: Context) -> None:
        if context[self.number] % 2 == 0:
            assert self.release.acquire(timeout=10)
        else:
            self.release.release()
        context[self.passed] = context[self.number]


class Provide(Calculator):
    """Provides a side packet."""

    value = SideOutput("", int)
    number: int = Option(7, "the value")

    def open(self, context: Context) -> None:
        context[self.value] = self.number


class AddSide(Calculator):
    number = Input("", int)
    side = SideInput("ADD", int)
    added = Output("", int)

    def process(self, context: Context) -> None:
        context[self.added] = context[self.number] + context[self.side]


class Collect(Calculator):
    """A sink: keeps what it sees, in order."""

    number = Input("", int)
    seen: ClassVar[list[tuple[int, int]]] = []

    def process(self, context: Context) -> None:
        self.seen.append((context.timestamp, context[self.number]))


UNITS = Service("test.units", create=lambda: 1000)
REQUIRED_UNITS = Service("test.required")


class Announce(Calculator):
    """Says in its header what follows."""

    number = Input("", int)
    passed = Output("", int)

    def open(self, context: Context) -> None:
        context.set_header(self.passed, f"numbers from {context.node}")

    def process(self, context: Context) -> None:
        context[self.passed] = context[self.number]


class ReadHeader(Calculator):
    """Emits, for every packet, the header of its input."""

    reads_headers = True
    number = Input("", int)
    header = Output("", str)

    def open(self, context: Context) -> None:
        self._header = context.header(self.number)

    def process(self, context: Context) -> None:
        context[self.header] = self._header or "none"


class Scale(Calculator):
    """Uses a shared object."""

    services = (UNITS,)
    number = Input("", int)
    scaled = Output("", int)

    def process(self, context: Context) -> None:
        context[self.scaled] = context[self.number] * context.service(UNITS)


class NeedService(Calculator):
    services = (REQUIRED_UNITS,)
    number = Input("", int)
    passed = Output("", int)

    def process(self, context: Context) -> None:
        context[self.passed] = context.service(REQUIRED_UNITS)
