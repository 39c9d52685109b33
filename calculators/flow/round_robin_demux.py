"""RoundRobinDemux: one stream dealt out to several, so that they are worked on in parallel."""

from __future__ import annotations

from graphflow import Calculator, Context, Input, Output


class RoundRobinDemux(Calculator):
    """Passes each packet to the next of its outputs in turn; a `Mux` fed by SELECT puts them in order again.

    Source: MediaPipe RoundRobinDemuxCalculator.
    """

    fusible = True

    packets = Input("", doc="what is dealt out")
    outputs = Output("OUTPUT", doc="one in turn gets the packet", repeated=True, same_as=packets)
    select = Output("SELECT", int, "number of the output that got the packet", optional=True)

    def open(self, context: Context) -> None:
        self._next = 0

    def process(self, context: Context) -> None:
        context.emit_packet(self.outputs, context.packet(self.packets), self._next)
        context[self.select] = self._next
        self._next = (self._next + 1) % context.count(self.outputs)
