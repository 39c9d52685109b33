"""CountingSource: numbers, for tests and trials."""

from __future__ import annotations

from collections.abc import Iterable

from graphflow import Calculator, Context, Output, SideInput, Stop
from graphflow.context import Binding


class CountingSource(Calculator):
    """Emits numbers, each at the timestamp of its own value, in batches of one call.

    Source: MediaPipe CountingSourceCalculator.
    """

    number = Output("", int, "INITIAL_VALUE, INITIAL_VALUE + INCREMENT, …")
    max_count = SideInput("MAX_COUNT", int, "batches until it stops; this or ERROR_COUNT", optional=True)
    error_count = SideInput("ERROR_COUNT", int, "batches until it fails", optional=True)
    batch_size = SideInput("BATCH_SIZE", int, "numbers in a batch; default 1", optional=True)
    initial_value = SideInput("INITIAL_VALUE", int, "the first number; default 0", optional=True)
    increment = SideInput("INCREMENT", int, "from one number to the next; default 1", optional=True)
    error_on_open = SideInput("ERROR_ON_OPEN", bool, "whether it fails at once", optional=True)

    def check(self, binding: Binding) -> Iterable[str]:
        if self.max_count not in binding.slots and self.error_count not in binding.slots:
            yield "connect MAX_COUNT or ERROR_COUNT, or it would never end"

    def open(self, context: Context) -> None:
        if context[self.error_on_open]:
            raise ValueError("ERROR_ON_OPEN asked for this failure")
        self._batch_size = _read(context, self.batch_size, 1) or 1
        self._increment = _read(context, self.increment, 1) or 1
        self._max_count = _read(context, self.max_count, 0)
        self._error_count = _read(context, self.error_count, 0)
        if self._max_count is None and self._error_count is None:
            raise ValueError("neither MAX_COUNT nor ERROR_COUNT was given")
        first = context[self.initial_value]
        self._next = 0 if first is None else int(first)
        self._batches = 0

    def process(self, context: Context) -> None:
        if self._error_count is not None and self._batches >= self._error_count:
            raise ValueError(f"ERROR_COUNT asked for this failure after {self._error_count} batches")
        if self._max_count is not None and self._batches >= self._max_count:
            raise Stop
        for _ in range(self._batch_size):
            context.emit(self.number, self._next, self._next)
            self._next += self._increment
        self._batches += 1


def _read(context: Context, port: SideInput, least: int) -> int | None:
    value = context[port]
    if value is not None and value < least:
        raise ValueError(f"{port.tag} must be at least {least}, not {value}")
    return None if value is None else int(value)
