"""PacketPresence: whether a stream has a packet, at every settled timestamp."""

from __future__ import annotations

from graphflow import Calculator, Context, Input, Output


class PacketPresence(Calculator):
    """Says at every timestamp whether a packet arrived or time passed without one.

    Source: MediaPipe PacketPresenceCalculator.
    """

    process_timestamp_bounds = True

    packet = Input("PACKET", doc="anything")
    presence = Output("PRESENCE", bool, "true where a packet arrived, false where the stream is settled without one")

    def process(self, context: Context) -> None:
        context[self.presence] = not context.packet(self.packet).empty
