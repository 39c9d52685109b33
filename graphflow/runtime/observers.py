"""Callbacks on streams: called outside the lock, one at a time and in order for each stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from graphflow import timestamp as ts
from graphflow.packet import Packet
from graphflow.runtime.streams import InputQueue

if TYPE_CHECKING:
    from graphflow.runtime.scheduler import Scheduler


class Observer:
    """A callback that receives the packets of one stream, and empty packets for bounds where it asked for them.

    An empty packet says that the stream is settled up to and including its timestamp.
    """

    def __init__(self, stream: str, callback: Callable[[Packet], None], bounds: bool, scheduler: Scheduler) -> None:
        self.stream = stream
        self.callback = callback
        self.queue = InputQueue(stream, self)
        self.events: deque[Packet] = deque()
        self.delivering = False
        self._bounds = bounds
        self._scheduler = scheduler
        self._last = ts.UNSET

    def prepare(self) -> None:
        """Starts over, for a new stream of packets."""
        self.queue.prepare()
        self.events.clear()
        self.delivering = False
        self._last = ts.UNSET

    def input_changed(self) -> None:
        """Moves what has arrived to the events that wait for delivery; under the lock."""
        queue = self.queue
        while queue.packets:
            packet = queue.packets.popleft()
            self._last = packet.timestamp
            self.events.append(packet)
        if self._bounds and queue.bound < ts.DONE:
            at_poststream = queue.bound == ts.POSTSTREAM
            settled = ts.POSTSTREAM if at_poststream else ts.previous_allowed_in_stream(queue.bound)
            if settled > max(self._last, ts.UNSTARTED):
                self._last = settled
                self.events.append(Packet(None, settled))
        if self.events:
            self._scheduler.observed(self)
