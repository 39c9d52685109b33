"""Bypass: stands in for a part of a graph that is switched off."""

from __future__ import annotations

from collections.abc import Iterable

from graphflow import Calculator, Context, Input, Option, Output, SideInput
from graphflow.context import Binding, Connection


class Bypass(Calculator):
    """Takes any inputs and outputs, passes the pairs it is told of, and settles the other outputs without packets.

    Source: MediaPipe BypassCalculator.
    """

    fusible = True

    inputs = Input("*", doc="anything")
    outputs = Output("*", doc="a passed input, or nothing")
    side = SideInput("*", doc="anything; ignored", optional=True)

    pass_input_stream: list[str] = Option([], "inputs to pass, as `TAG` or `TAG:index`")
    pass_output_stream: list[str] = Option([], "the outputs they go to, in the same order")

    def check(self, binding: Binding) -> Iterable[str]:
        if len(self.pass_input_stream) != len(self.pass_output_stream):
            yield "pass_input_stream and pass_output_stream must have the same length"
        for names, connections in (
            (self.pass_input_stream, binding.inputs),
            (self.pass_output_stream, binding.outputs),
        ):
            for name in names:
                if _position(name, connections) is None:
                    exists = ", ".join(f"{entry.tag}:{entry.index}" for entry in connections)
                    yield f"'{name}' is not connected; there are: {exists or 'none'}"

    def open(self, context: Context) -> None:
        self._sources = self._pairs(context.connections(self.inputs), context.connections(self.outputs))

    def process(self, context: Context) -> None:
        for output, source in self._sources.items():
            packet = context.packet(self.inputs, source)
            if not packet.empty:
                context.emit_packet(self.outputs, packet, output)

    def _pairs(self, inputs: Iterable[Connection], outputs: Iterable[Connection]) -> dict[int, int]:
        """Position of an output -> position of the input it gets."""
        found = {}
        for source, output in zip(self.pass_input_stream, self.pass_output_stream, strict=False):
            positions = _position(output, outputs), _position(source, inputs)
            if positions[0] is not None and positions[1] is not None:
                found[positions[0]] = positions[1]
        return found


def _position(name: str, connections: Iterable[Connection]) -> int | None:
    tag, _, index = name.partition(":")
    number = int(index) if index.isdecimal() else 0
    return next((at for at, entry in enumerate(connections) if (entry.tag, entry.index) == (tag, number)), None)
