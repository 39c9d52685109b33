"""PacketCloner: slow streams repeated at the pace of a fast one."""

from __future__ import annotations

from collections.abc import Iterable

from graphflow import Calculator, Context, Input, Option, Output
from graphflow import timestamp as ts
from graphflow.context import Binding
from graphflow.packet import Packet


class PacketCloner(Calculator):
    """At each packet of the tick, the latest packets of the other inputs, whether they are new or not.

    The tick is the input TICK, or the last untagged one. Outputs advance with the tick, also where it is settled
    without a packet. Source: MediaPipe PacketClonerCalculator.
    """

    timestamp_offset = None
    process_timestamp_bounds = True
    reads_headers = True

    inputs = Input("", doc="what is repeated; without TICK the last one is the tick", repeated=True, optional=True)
    tick = Input("TICK", doc="sets the pace", optional=True)
    clones = Output("", doc="the inputs' latest packets, at the tick's timestamps", repeated=True, same_as=inputs)

    output_only_when_all_inputs_received: bool = Option(
        False, "whether ticks are ignored, and time stands still, until every input had a packet"
    )
    output_packets_only_when_all_inputs_received: bool = Option(
        False, "whether ticks are ignored until every input had a packet, while time passes"
    )

    def check(self, binding: Binding) -> Iterable[str]:
        inputs, outputs = len(binding.slots.get(self.inputs, ())), len(binding.outputs)
        cloned = inputs if self.tick in binding.slots else inputs - 1
        if cloned != outputs:
            yield f"{cloned} inputs to repeat need as many outputs, not {outputs}"

    def open(self, context: Context) -> None:
        context.copy_headers(self.inputs, self.clones)
        self._latest: list[Packet | None] = [None] * context.count(self.clones)
        self._waits = self.output_only_when_all_inputs_received or self.output_packets_only_when_all_inputs_received
        self._time_waits = self._waits and not self.output_packets_only_when_all_inputs_received

    def process(self, context: Context) -> None:
        for index in range(len(self._latest)):
            packet = context.packet(self.inputs, index)
            if not packet.empty:
                self._latest[index] = packet
        complete = None not in self._latest
        tagged = context.is_connected(self.tick)
        tick = context.packet(self.tick) if tagged else context.packet(self.inputs, len(self._latest))
        if not tick.empty and (complete or not self._waits):
            for index, latest in enumerate(self._latest):
                if latest is not None:
                    context.emit_packet(self.clones, latest.at(tick.timestamp), index)
        if tick.timestamp == context.timestamp and (complete or not self._time_waits):
            for index in range(len(self._latest)):
                context.set_bound(self.clones, ts.next_allowed_in_stream(context.timestamp), index)
