"""Pulling packets out of a stream, instead of being called with them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from graphflow import timestamp as ts
from graphflow.packet import Packet
from graphflow.runtime.streams import InputQueue

if TYPE_CHECKING:
    from graphflow.runtime.scheduler import Scheduler


class Poller:
    """The packets of one stream in order, for whoever asks; iterating ends with the run.

    Made by `Graph.poll`. Packets that nobody has taken yet wait; where `max_queue_size` of them do, the sources that
    feed the stream wait too, and their queue is never grown to resolve a standstill.
    """

    def __init__(self, stream: str, bounds: bool, max_queue_size: int) -> None:
        self.stream = stream
        self._bounds = bounds
        self._max_queue_size = max_queue_size
        self._scheduler: Scheduler | None = None
        self.queue = InputQueue(stream, self)

    def attach(self, scheduler: Scheduler) -> None:
        """Follows the stream through the run that is about to start."""
        self._scheduler = scheduler
        self.prepare()

    def prepare(self) -> None:
        """Starts over, for a new run or a new stream of packets."""
        self.queue.prepare()
        self.queue.max_size = self._max_queue_size
        self._last = ts.UNSTARTED

    def input_changed(self) -> None:
        if self._scheduler is not None:
            self._scheduler.changed.notify_all()

    def __len__(self) -> int:
        """How many packets wait."""
        return len(self.queue.packets)

    def next(self, timeout: float | None = None) -> Packet | None:
        """The next packet; None when the stream has ended or the run has failed.

        With bounds, an empty packet says that the stream is settled up to and including its timestamp.

        Args:
            timeout: seconds to wait at most; default for ever.

        Raises:
            TimeoutError: nothing came in time.
        """
        scheduler = self._scheduler
        if scheduler is None:
            return None
        deadline = None if timeout is None else time.monotonic() + timeout
        with scheduler.lock:
            while True:
                if self.queue.packets:
                    packet = self.queue.pop_head()
                    self._last = packet.timestamp
                    scheduler.wake()  # a source may have waited for this place
                    return packet
                settled = ts.previous_allowed_in_stream(self.queue.bound)
                if self._bounds and self.queue.bound < ts.ONE_OVER_POSTSTREAM and settled > self._last:
                    self._last = settled
                    return Packet(None, settled)
                if self.queue.bound == ts.DONE or scheduler.over():
                    return None
                left = None if deadline is None else deadline - time.monotonic()
                if (left is not None and left <= 0) or not scheduler.changed.wait(left):
                    raise TimeoutError(f"no packet on '{self.stream}' within {timeout} s")

    def __iter__(self) -> Iterator[Packet]:
        while (packet := self.next()) is not None:
            yield packet
