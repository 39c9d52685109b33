"""PacketThinner: fewer packets, at a distance in time."""

from __future__ import annotations

from typing import Literal

from graphflow import Calculator, Context, Input, Option, Output, SideInput
from graphflow import timestamp as ts
from graphflow.packet import Packet

from .stream_options import merge_options


class PacketThinner(Calculator):
    """Passes at most one packet in each period.

    ASYNC drops what comes within `period` of the last packet it passed. SYNC divides time into periods centred at
    `start_time` + i * `period` and passes from each the packet nearest to its centre, the later one of a tie; it knows
    which one when the next period begins. Source: MediaPipe PacketThinnerCalculator.
    """

    timestamp_offset = None
    reads_headers = True

    packets = Input("", doc="anything")
    period_side = SideInput("PERIOD", int, "in place of the option", optional=True)
    options_side = SideInput("OPTIONS", dict, "options for the run, by name", optional=True)
    thinned = Output("", doc="some of the packets", same_as=packets)

    thinner_type: Literal["ASYNC", "SYNC"] = Option("ASYNC", "see above")
    period: int = Option(1, "microseconds in which one packet passes")
    start_time: int | None = Option(None, "earlier packets are dropped; default 0 for SYNC, MIN for ASYNC")
    end_time: int | None = Option(None, "packets from here on are dropped; default MAX")
    sync_output_timestamps: bool = Option(True, "whether SYNC stamps packets with the centres of their periods")
    update_frame_rate: bool = Option(False, "accepted for MediaPipe's graphs; stream headers carry no frame rate here")

    def open(self, context: Context) -> None:
        context.copy_headers(self.packets, self.thinned)
        merge_options(self, context[self.options_side])
        given = context[self.period_side]
        self._period = self.period if given is None else int(given)
        self._sync = self.thinner_type == "SYNC"
        first = 0 if self._sync else ts.MIN
        self._start = first if self.start_time is None else self.start_time
        self._end = ts.MAX if self.end_time is None else self.end_time
        if self._period <= 0:
            raise ValueError(f"the period must be positive, not {self._period}")
        if self._start >= self._end:
            raise ValueError(f"start_time {self._start} must be before end_time {self._end}")
        if not self._sync:
            self.timestamp_offset = 0
        self._next = self._start
        self._saved: Packet | None = None
        context.set_bound(self.thinned, self._start)

    def process(self, context: Context) -> None:
        if context.timestamp < self._start:
            return
        if context.timestamp >= self._end:
            context.close_output(self.thinned)
        elif self._sync:
            self._keep_nearest(context)
        elif context.timestamp >= self._next:
            context.emit_packet(self.thinned, context.packet(self.packets))
            self._next = min(context.timestamp + self._period, ts.MAX)
            context.set_bound(self.thinned, self._next)

    def close(self, context: Context) -> None:
        if self._saved is not None and not context.is_closed(self.thinned):
            self._emit(context, self._saved)

    def _keep_nearest(self, context: Context) -> None:
        packet, now = context.packet(self.packets), context.timestamp
        centre = self._centre(now)
        saved = self._saved
        if saved is not None and self._centre(saved.timestamp) == centre:
            if abs(now - centre) <= abs(saved.timestamp - centre):
                self._saved = packet
            return
        if saved is not None:
            self._emit(context, saved)
        self._saved = packet
        context.set_bound(self.thinned, centre if self.sync_output_timestamps else now)

    def _emit(self, context: Context, packet: Packet) -> None:
        at = self._centre(packet.timestamp) if self.sync_output_timestamps else packet.timestamp
        context.emit_packet(self.thinned, packet.at(at))

    def _centre(self, timestamp: int) -> int:
        """The centre of the period a timestamp lies in."""
        return (timestamp - self._start + self._period // 2) // self._period * self._period + self._start
