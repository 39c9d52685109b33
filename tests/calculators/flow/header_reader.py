"""A calculator that remembers what it was told about its input."""

from __future__ import annotations

from typing import Any, ClassVar

from graphflow import Calculator, Context, Input, Output


class KeepHeader(Calculator):
    """Keeps the header of its input when it opens."""

    reads_headers = True
    stream = Input("")
    passed = Output("", same_as=stream)
    seen: ClassVar[list[Any]] = []

    def open(self, context: Context) -> None:
        self.seen.append(context.header(self.stream))

    def process(self, context: Context) -> None:
        context.emit_packet(self.passed, context.packet(self.stream))
