"""StreamToSidePacket: what a stream carries, once, as a side packet."""

from __future__ import annotations

from graphflow import Calculator, Context, Input, SideOutput


class StreamToSidePacket(Calculator):
    """Provides the only packet of a stream as a side packet; a second one is an error.

    Source: MediaPipe StreamToSidePacketCalculator.
    """

    stream = Input("", doc="a stream with one packet", optional=True)
    side = SideOutput("", doc="its value", same_as=stream)

    def open(self, context: Context) -> None:
        self._provided = False

    def process(self, context: Context) -> None:
        if self._provided:
            raise ValueError("a side packet is provided once, but its stream has a second packet")
        self._provided = True
        context[self.side] = context[self.stream]
