"""SequenceShift: packets at the timestamps of earlier or later ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from graphflow import Calculator, Context, Input, Option, Output, SideInput
from graphflow.context import Binding
from graphflow.packet import Packet


class SequenceShift(Calculator):
    """Emits packet i at the timestamp of packet i + `packet_offset`.

    A negative offset drops the first packets, a positive one the last. Source: MediaPipe SequenceShiftCalculator.
    """

    timestamp_offset = None

    packets = Input("", doc="anything")
    offset = SideInput("PACKET_OFFSET", int, "in place of the option", optional=True)
    shifted = Output("", doc="the same packets at other timestamps", same_as=packets)

    packet_offset: int = Option(-1, "how many packets later the timestamp is that a packet gets")
    emit_empty_packets_before_first_packet: bool = Option(
        False, "MediaPipe defines it for positive offsets and stops the program there; here it is refused"
    )

    def check(self, binding: Binding) -> Iterable[str]:
        if self.emit_empty_packets_before_first_packet and self.packet_offset > 0:
            yield "emit_empty_packets_before_first_packet does not work with a positive packet_offset"

    def open(self, context: Context) -> None:
        given = context[self.offset]
        self._offset = self.packet_offset if given is None else given
        self.timestamp_offset = 0 if self._offset == 0 else None
        self._waiting: deque[Packet] = deque()

    def process(self, context: Context) -> None:
        packet = context.packet(self.packets)
        self._waiting.append(packet)
        if len(self._waiting) <= abs(self._offset):
            return
        oldest = self._waiting.popleft()
        moved = oldest.at(packet.timestamp) if self._offset > 0 else packet.at(oldest.timestamp)
        context.emit_packet(self.shifted, moved)
