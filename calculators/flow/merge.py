"""Merge: the first of several streams that has a packet."""

from __future__ import annotations

from graphflow import Calculator, Context, Input, Output


class Merge(Calculator):
    """Passes, at each timestamp, the packet of the first input that has one.

    Source: MediaPipe MergeCalculator.
    """

    fusible = True

    inputs = Input("", doc="alternatives, the preferred one first", repeated=True)
    merged = Output("", doc="the packet of the first input that has one", same_as=inputs)

    def process(self, context: Context) -> None:
        for index in range(context.count(self.inputs)):
            packet = context.packet(self.inputs, index)
            if not packet.empty:
                context.emit_packet(self.merged, packet)
                return
