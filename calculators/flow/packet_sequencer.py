"""PacketSequencer: timestamps for packets that have none of their own."""

from __future__ import annotations

from collections.abc import Iterable

from graphflow import Calculator, Context, Input, Output
from graphflow import timestamp as ts
from graphflow.context import Binding


class PacketSequencer(Calculator):
    """Gives each packet of INPUT the first timestamp behind the last tick, so that it counts from the next tick on.

    Ticks settle the outputs at once, so that nothing waits for a rare INPUT. A packet that arrives before any tick goes
    out at MIN. Source: MediaPipe PacketSequencerCalculator.
    """

    timestamp_offset = None
    input_policy = "immediate"

    inputs = Input("INPUT", doc="rare packets, such as choices a user makes", repeated=True)
    ticks = Input("TICK", doc="streams that set the pace", repeated=True, optional=True)
    outputs = Output("OUTPUT", doc="INPUT on the time of the ticks", repeated=True, same_as=inputs)

    def check(self, binding: Binding) -> Iterable[str]:
        inputs, outputs = len(binding.slots.get(self.inputs, ())), len(binding.outputs)
        if inputs != outputs:
            yield f"{inputs} connections of INPUT need as many of OUTPUT, not {outputs}"

    def open(self, context: Context) -> None:
        self._bounds = [ts.PRESTREAM] * context.count(self.outputs)

    def process(self, context: Context) -> None:
        for index, bound in enumerate(self._bounds):
            packet = context.packet(self.inputs, index)
            if not packet.empty:
                at = max(ts.MIN, bound)
                context.emit_packet(self.outputs, packet.at(at), index)
                self._bounds[index] = ts.next_allowed_in_stream(at)
        ticked = any(
            context.packet(self.ticks, index).timestamp == context.timestamp
            for index in range(context.count(self.ticks))
        )
        settled = max(ts.MIN, context.timestamp) if ticked else ts.MIN
        for index, bound in enumerate(self._bounds):
            if settled >= bound:
                self._bounds[index] = ts.next_allowed_in_stream(settled)
                context.set_bound(self.outputs, self._bounds[index], index)
