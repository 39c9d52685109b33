"""Mux: one of several streams, as another one says."""

from __future__ import annotations

from collections.abc import Iterable

from graphflow import Calculator, Context, Input, Output, SideInput
from graphflow.context import Binding


class Mux(Calculator):
    """Passes the packet of the input whose number SELECT gives.

    With the policy `mux`, its own, only the selected input is waited for and what the others hold by then is dropped.
    Where SELECT is a side packet, or every input shall be waited for, the graph must name the policy `default`.
    Source: MediaPipe MuxCalculator.
    """

    input_policy = "mux"

    inputs = Input("INPUT", doc="the alternatives", repeated=True)
    select = Input("SELECT", int, "number of the input to pass at this timestamp", optional=True)
    select_side = SideInput("SELECT", int, "number of the input to pass for the whole run", optional=True)
    output = Output("OUTPUT", doc="the selected packet", same_as=inputs)

    def check(self, binding: Binding) -> Iterable[str]:
        if (self.select in binding.slots) == (self.select_side in binding.slots):
            yield "SELECT must be connected once, as a stream or as a side packet"

    def process(self, context: Context) -> None:
        streamed = context.is_connected(self.select)
        selected = context[self.select] if streamed else context[self.select_side]
        if selected is None:
            return
        inputs = context.count(self.inputs)
        if not 0 <= selected < inputs:
            raise ValueError(f"SELECT is {selected}, but there are {inputs} inputs")
        packet = context.packet(self.inputs, int(selected))
        if not packet.empty:
            context.emit_packet(self.output, packet)
