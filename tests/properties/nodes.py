"""Calculators the random graphs are built from, beside the shipped ones for flow."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

from graphflow import Calculator, Context, Input, Option, Output, Stop


class Sum(Calculator):
    """Adds what its inputs have at a timestamp; says nothing where the sum is divisible by three."""

    fusible = True

    numbers = Input("", repeated=True)
    total = Output("")

    def process(self, context: Context) -> None:
        total = sum(int(value) for value in context[self.numbers] if value is not None) + 1
        if total % 3:
            context[self.total] = total


class Tally(Calculator):
    """Has state, of which its output is a digest: any call too many, too few or out of order changes what follows."""

    fusible = True

    numbers = Input("", repeated=True)
    digest = Output("")
    final: ClassVar[dict[str, tuple[int, int]]] = {}

    def open(self, context: Context) -> None:
        self._calls = self._digest = 0

    def process(self, context: Context) -> None:
        self._calls += 1
        for value in context[self.numbers]:
            self._digest = (self._digest * 31 + (7 if value is None else int(value))) % 9973
        context[self.digest] = self._digest

    def close(self, context: Context) -> None:
        self.final[context.node] = (self._calls, self._digest)


class Even(Calculator):
    """Whether a number is even, as control for gates."""

    fusible = True

    number = Input("")
    even = Output("", bool)

    def process(self, context: Context) -> None:
        context[self.even] = int(context[self.number]) % 2 == 0


class Later(Calculator):
    """Keeps each number back until the next one is there, and emits it then, at its own timestamp."""

    timestamp_offset = None
    number = Input("")
    kept = Output("")

    def open(self, context: Context) -> None:
        self._waiting: list[tuple[Any, int]] = []

    def process(self, context: Context) -> None:
        self._flush(context)
        self._waiting.append((context[self.number], context.timestamp))

    def close(self, context: Context) -> None:
        self._flush(context)

    def _flush(self, context: Context) -> None:
        for value, timestamp in self._waiting:
            context.emit(self.kept, value, timestamp)
        self._waiting.clear()


class Census(Calculator):
    """Counts by kind and emits only when it closes."""

    timestamp_offset = None
    numbers = Input("", repeated=True)
    counts = Output("")

    def open(self, context: Context) -> None:
        self._seen: Counter[int] = Counter()
        self._last = 0

    def process(self, context: Context) -> None:
        self._seen.update(int(value) % 5 for value in context[self.numbers] if value is not None)
        self._last = context.timestamp

    def close(self, context: Context) -> None:
        context.emit(self.counts, sum(kind * count for kind, count in self._seen.items()), self._last)


class Steps(Calculator):
    """A source."""

    number = Output("")
    limit: int = Option(doc="how many")
    step: int = Option(doc="between timestamps")

    def open(self, context: Context) -> None:
        self._next = 0

    def process(self, context: Context) -> None:
        if self._next == self.limit:
            raise Stop
        context.emit(self.number, self._next, self._next * self.step)
        self._next += 1


class Fragile(Calculator):
    """Fails at a number it does not like."""

    number = Input("")
    passed = Output("")
    limit: int = Option(doc="the first number it does not like")

    def process(self, context: Context) -> None:
        if int(context[self.number]) >= self.limit:
            raise ValueError("too large")
        context[self.passed] = context[self.number]
