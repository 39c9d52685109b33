"""FlowLimiter: drops frames so that what follows keeps up."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from graphflow import Calculator, Context, Input, Option, Output, SideInput
from graphflow import timestamp as ts
from graphflow.context import Binding
from graphflow.packet import Packet
from graphflow.services import LIVE

from .stream_options import merge_options


class FlowLimiter(Calculator):
    """Lets at most `max_in_flight` frames be worked on at a time; a few more wait, the oldest of them are dropped.

    FINISHED comes back from the end of what is limited and must be declared a back edge. A packet there, or time
    settled without one, says that the frames up to its timestamp are done. The first input decides; the others follow
    it: their packets pass from an allowed frame up to the next dropped one. Where the service `LIVE` says that frames
    come from files, which wait, all of them pass. Source: MediaPipe FlowLimiterCalculator.
    """

    timestamp_offset = None
    process_timestamp_bounds = True
    input_policy = "immediate"
    reads_headers = True
    services = (LIVE,)

    frames = Input("", doc="the frames to limit, then streams that follow them", repeated=True)
    finished = Input("FINISHED", doc="what comes back from the end; `back_edge: true`")
    options_stream = Input("OPTIONS", Mapping, "options from now on, by name", optional=True)
    options_side = SideInput("OPTIONS", Mapping, "options for the run, by name", optional=True)
    max_in_flight_side = SideInput("MAX_IN_FLIGHT", int, "in place of the option", optional=True)
    sampled = Output("", doc="the inputs, without what was dropped", repeated=True, same_as=frames)
    allow = Output("ALLOW", bool, "for each frame whether it passed, once that is decided", optional=True)

    max_in_flight: int = Option(1, "frames worked on at one time")
    max_in_queue: int = Option(0, "frames that may wait for one to finish")
    in_flight_timeout: int = Option(0, "microseconds of frame time after which a frame counts as lost; 0 is never")

    def check(self, binding: Binding) -> Iterable[str]:
        inputs, outputs = len(binding.slots.get(self.frames, ())), len(binding.slots.get(self.sampled, ()))
        if inputs != outputs:
            yield f"{inputs} inputs need as many outputs, not {outputs}"

    def open(self, context: Context) -> None:
        context.copy_headers(self.frames, self.sampled)
        merge_options(self, context[self.options_side])
        limit = context[self.max_in_flight_side]
        if limit is not None:
            self.max_in_flight = limit
        self._drops = context.service(LIVE) is not False
        self.dropped = 0
        self._queues: list[deque[Packet]] = [deque() for _ in range(context.count(self.frames))]
        self._in_flight: deque[int] = deque()
        self._decisions = _Decisions()
        self._bound = ts.PRESTREAM

    def process(self, context: Context) -> None:
        options: Mapping[str, Any] | None = context[self.options_stream]
        merge_options(self, options)
        finished = context.packet(self.finished).timestamp
        if finished == context.timestamp:
            self._finish(lambda frame: frame <= finished)
        for index, queue in enumerate(self._queues):
            packet = context.packet(self.frames, index)
            if not packet.empty:
                queue.append(packet)
        latest = context.packet(self.frames).timestamp
        if self.in_flight_timeout > 0 and latest == context.timestamp and latest < ts.MAX:
            self._finish(lambda frame: latest - frame > self.in_flight_timeout)
        self._release_frames(context)
        self._drop_frames(context)
        self._settle_frames(context)
        for index in range(1, len(self._queues)):
            self._release_followers(context, index)
        self._decisions.forget_before(min(self._first_undecided(context, index) for index in range(len(self._queues))))

    def _finish(self, done: Callable[[int], bool]) -> None:
        while self._in_flight and done(self._in_flight[0]):
            self._in_flight.popleft()

    def _release_frames(self, context: Context) -> None:
        queue = self._queues[0]
        while queue and (len(self._in_flight) < self.max_in_flight or not self._drops):
            packet = queue.popleft()
            context.emit_packet(self.sampled, packet)
            self._decide(context, packet.timestamp, True)
            self._in_flight.append(packet.timestamp)
            self._bound = ts.next_allowed_in_stream(packet.timestamp)

    def _drop_frames(self, context: Context) -> None:
        queue = self._queues[0]
        while len(queue) > self.max_in_queue:
            self._decide(context, queue.popleft().timestamp, False)
            self.dropped += 1

    def _decide(self, context: Context, timestamp: int, allowed: bool) -> None:
        context.emit(self.allow, allowed, timestamp)
        self._decisions.add(timestamp, allowed)

    def _settle_frames(self, context: Context) -> None:
        bound = self._first_undecided(context, 0)
        self._bound = max(self._bound, bound if bound <= ts.MAX else ts.DONE)
        _settle(context, self.sampled, bound)
        if not self._queues[0]:
            _settle(context, self.allow, bound)

    def _release_followers(self, context: Context, index: int) -> None:
        queue = self._queues[index]
        while queue and queue[0].timestamp < self._bound:
            packet = queue.popleft()
            if self._decisions.allows(packet.timestamp):
                context.emit_packet(self.sampled, packet, index)
        _settle(context, self.sampled, self._first_undecided(context, index), index)

    def _first_undecided(self, context: Context, index: int) -> int:
        """The smallest timestamp of an input that was neither passed nor dropped."""
        queue = self._queues[index]
        if queue:
            return queue[0].timestamp
        return ts.next_allowed_in_stream(context.packet(self.frames, index).timestamp)


def _settle(context: Context, port: Output, bound: int, index: int = 0) -> None:
    if bound > ts.MAX:
        context.close_output(port, index)
    else:
        context.set_bound(port, bound, index)


class _Decisions:
    """Whether frames pass, from each decided timestamp up to the next; before the first one they do."""

    def __init__(self) -> None:
        self._timestamps = [ts.UNSET]
        self._allowed = [True]

    def add(self, timestamp: int, allowed: bool) -> None:
        self._timestamps.append(timestamp)
        self._allowed.append(allowed)

    def allows(self, timestamp: int) -> bool:
        return self._allowed[bisect_right(self._timestamps, timestamp) - 1]

    def forget_before(self, timestamp: int) -> None:
        first = bisect_right(self._timestamps, timestamp) - 1
        del self._timestamps[:first], self._allowed[:first]
