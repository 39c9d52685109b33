"""PreviousLoopback: what a later node said about the previous frame, at this frame."""

from __future__ import annotations

from collections import deque

from graphflow import Calculator, Context, Input, Output
from graphflow import timestamp as ts
from graphflow.packet import Packet


class PreviousLoopback(Calculator):
    """Gives, at each packet of MAIN, the packet LOOP had at the previous packet of MAIN.

    LOOP comes back from further down the graph and must be declared a back edge. Where LOOP had nothing, and at the
    first packet, PREV_LOOP only moves its bound on, so that nobody waits. Source: MediaPipe PreviousLoopbackCalculator.
    """

    timestamp_offset = None
    process_timestamp_bounds = True
    input_policy = "immediate"

    main = Input("MAIN", doc="sets the pace")
    loop = Input("LOOP", doc="what comes back; `back_edge: true`")
    previous = Output("PREV_LOOP", doc="LOOP's packet of the previous timestamp of MAIN", same_as=loop)

    def open(self, context: Context) -> None:
        # timestamp of MAIN, and the timestamp LOOP must have to match it: UNSET where MAIN only moved its bound
        self._mains: deque[tuple[int, int]] = deque()
        self._loops: deque[Packet] = deque()
        self._last_main = self._last_main_packet = ts.UNSTARTED
        self._last_loop = ts.UNSET

    def process(self, context: Context) -> None:
        main = context.packet(self.main)
        if self._last_main < main.timestamp:
            self._mains.append((main.timestamp, ts.UNSET if main.empty else self._last_main_packet))
            self._last_main = main.timestamp
            if not main.empty:
                self._last_main_packet = main.timestamp
        loop = context.packet(self.loop)
        if self._last_loop < loop.timestamp:
            self._loops.append(loop)
            self._last_loop = loop.timestamp
        self._match(context)

    def _match(self, context: Context) -> None:
        while self._mains and self._loops:
            at, wanted = self._mains[0]
            candidate = self._loops[0]
            if wanted > candidate.timestamp:
                self._loops.popleft()
            elif wanted < candidate.timestamp or candidate.empty:
                context.set_bound(self.previous, at + 1)
                self._mains.popleft()
                if wanted == candidate.timestamp:
                    self._loops.popleft()
            else:
                if not context.is_closed(self.previous):
                    context.emit(self.previous, candidate.value, at)
                self._mains.popleft()
                self._loops.popleft()
            if at == ts.previous_allowed_in_stream(ts.DONE):
                context.close_output(self.previous)
