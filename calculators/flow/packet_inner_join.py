"""PacketInnerJoin: only what all streams have."""

from __future__ import annotations

from collections.abc import Iterable

from graphflow import Calculator, Context, Input, Output
from graphflow.context import Binding


class PacketInnerJoin(Calculator):
    """Passes the packets of the timestamps at which every input has one.

    Source: MediaPipe PacketInnerJoinCalculator.
    """

    fusible = True

    inputs = Input("*", doc="the streams to join")
    joined = Output("*", doc="the inputs, in order, where all have a packet", same_as=inputs)

    def check(self, binding: Binding) -> Iterable[str]:
        if len(binding.inputs) != len(binding.outputs):
            yield f"it needs as many outputs as inputs ({len(binding.inputs)}), not {len(binding.outputs)}"

    def process(self, context: Context) -> None:
        packets = [context.packet(self.inputs, index) for index in range(context.count(self.inputs))]
        if any(packet.empty for packet in packets):
            return
        for index, packet in enumerate(packets):
            context.emit_packet(self.joined, packet, index)
