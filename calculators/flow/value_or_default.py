"""ValueOrDefault: a stream without gaps."""

from __future__ import annotations

from graphflow import Calculator, Context, Input, Output, SideInput


class ValueOrDefault(Calculator):
    """At each packet of TICK the packet of IN, or a default where IN has none.

    Source: MediaPipe ValueOrDefaultCalculator.
    """

    fusible = True
    reads_headers = True

    value = Input("IN", doc="what may be missing")
    tick = Input("TICK", doc="says where there must be a value")
    default = SideInput("", doc="the value where IN has none")
    filled = Output("OUT", doc="IN, or the default", same_as=value)
    flag = Output("FLAG", bool, "true where the default was used, nothing elsewhere")

    def open(self, context: Context) -> None:
        context.copy_headers(self.value, self.filled)

    def process(self, context: Context) -> None:
        if context[self.tick] is None:
            return
        packet = context.packet(self.value)
        if packet.empty:
            context[self.filled] = context[self.default]
            context[self.flag] = True
        else:
            context.emit_packet(self.filled, packet)
