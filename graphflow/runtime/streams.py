"""Streams at run time: the queue in front of each input, and the output that feeds them.

Everything here runs under the scheduler's lock. Source: MediaPipe `input_stream_manager`, `output_stream_manager`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from graphflow import timestamp as ts
from graphflow.packet import Packet


class StreamError(Exception):
    """A packet or bound breaks the order of a stream."""


class Consumer(Protocol):
    """Whoever reads an input queue, and is told when it has changed."""

    def input_changed(self) -> None: ...


class InputQueue:
    """The packets that wait in front of one input of a node, and the bound behind them.

    The bound is the smallest timestamp that may still arrive; a queue without packets is settled before it.
    """

    __slots__ = (
        "added",
        "back_edge",
        "bound",
        "closed",
        "consumer",
        "max_size",
        "name",
        "on_added",
        "on_fullness",
        "ordered",
        "packets",
        "peak",
    )

    def __init__(self, name: str, consumer: Consumer, back_edge: bool = False) -> None:
        self.name = name
        self.consumer = consumer
        self.back_edge = back_edge
        self.max_size = -1
        self.on_fullness: Callable[[InputQueue], None] | None = None
        self.on_added: Callable[[], None] | None = None
        self.prepare()

    def prepare(self) -> None:
        """Empties the queue for a new run."""
        self.packets: deque[Packet] = deque()
        self.ordered = True
        self.bound = ts.PRESTREAM
        self.closed = False
        self.added = 0
        self.peak = 0

    @property
    def full(self) -> bool:
        return self.max_size != -1 and len(self.packets) >= self.max_size

    def add(self, packets: Sequence[Packet]) -> None:
        """Appends packets, at least one, and tells the consumer if the queue was empty.

        A closed queue drops them: its node is done.

        Raises:
            StreamError: a timestamp is not after the last one, or cannot be in a stream.
        """
        if self.closed:
            return
        queue = self.packets
        was_empty = not queue
        for packet in packets:
            timestamp = packet.timestamp
            if self.bound <= timestamp < ts.MAX and timestamp != ts.PRESTREAM:
                self.bound = timestamp + 1
            else:
                self._check(timestamp)
                self.bound = ts.next_allowed_in_stream(timestamp)
            queue.append(packet)
        self.added += len(packets)
        size = len(queue)
        if size > self.peak:
            self.peak = size
        if size >= self.max_size > size - len(packets) and self.on_fullness:
            self.on_fullness(self)
        if was_empty:
            self.consumer.input_changed()
        if self.on_added:
            self.on_added()

    def _check(self, timestamp: int) -> None:
        """Raises StreamError unless a packet at `timestamp`, an unusual one, may follow."""
        if not ts.is_allowed_in_stream(timestamp):
            raise StreamError(f"no packet can be at timestamp {ts.describe(timestamp)}")
        if timestamp == ts.POSTSTREAM and self.added:
            raise StreamError("a packet at POSTSTREAM must be the only one of its stream")
        if timestamp < self.bound and self.ordered:
            raise StreamError(
                f"timestamps must increase: the packet is at {ts.describe(timestamp)}, "
                f"but the stream is settled before {ts.describe(self.bound)}"
            )

    def set_bound(self, bound: int) -> None:
        """Raises the bound; the consumer hears of it only where no packet waits before it.

        Raises:
            StreamError: the bound would go back.
        """
        if self.closed:
            return
        if bound < self.bound and self.ordered:
            raise StreamError(f"a bound cannot go back: {ts.describe(bound)} is before {ts.describe(self.bound)}")
        if bound > self.bound:
            self.bound = bound
            if not self.packets:
                self.consumer.input_changed()

    def head(self) -> tuple[int, bool]:
        """The timestamp of the first packet and False, or the bound and True where no packet waits."""
        if self.packets:
            return self.packets[0].timestamp, False
        return self.bound, True

    def pop_at(self, timestamp: int) -> Packet:
        """Takes the packet at `timestamp`, or an empty one at the last settled timestamp; earlier packets are lost."""
        queue = self.packets
        if queue and queue[0].timestamp == timestamp:
            packet = queue.popleft()
            if len(queue) == self.max_size - 1 and self.on_fullness:
                self.on_fullness(self)
            return packet
        if self.bound <= timestamp:
            self.bound = ts.next_allowed_in_stream(timestamp)
        was_full = self.full
        found: Packet | None = None
        while self.packets and self.packets[0].timestamp <= timestamp:
            found = self.packets.popleft()
        if found is None or found.timestamp != timestamp:
            found = self.settled()
        if was_full and not self.full and self.on_fullness:
            self.on_fullness(self)
        return found

    def pop_head(self) -> Packet:
        """Takes the first packet whatever its timestamp, for policies that do not synchronise."""
        was_full = self.full
        packet = self.packets.popleft() if self.packets else Packet(None)
        if was_full and not self.full and self.on_fullness:
            self.on_fullness(self)
        return packet

    def nth_latest(self, count: int) -> int:
        """The timestamp of the packet `count` from the end, the first one where there are fewer, UNSET where none."""
        if not self.packets:
            return ts.UNSET
        return self.packets[-min(count, len(self.packets))].timestamp

    def drop_before(self, timestamp: int) -> None:
        """Loses the packets earlier than `timestamp`."""
        was_full = self.full
        while self.packets and self.packets[0].timestamp < timestamp:
            self.packets.popleft()
        if was_full and not self.full and self.on_fullness:
            self.on_fullness(self)

    def settled(self) -> Packet:
        """An empty packet at the last timestamp at which nothing more can come."""
        return Packet(None, ts.previous_allowed_in_stream(self.head()[0]))

    def resize(self, max_size: int) -> None:
        """Sets the number of packets at which the queue is full; -1 lifts the limit."""
        was_full = self.full
        self.max_size = max_size
        if was_full != self.full and self.on_fullness:
            self.on_fullness(self)

    def close(self) -> None:
        """Takes nothing more; what waits is forgotten, and nobody is throttled by it."""
        was_full = self.full
        self.closed = True
        self.bound = ts.DONE
        self.packets.clear()
        if was_full and self.on_fullness:
            self.on_fullness(self)


class OutputStream:
    """A stream at its source: what was promised so far, and the queues it feeds."""

    __slots__ = ("bound", "closed", "header", "mirrors", "name", "offset")

    def __init__(self, name: str, offset: int | None = None) -> None:
        self.name = name
        self.offset = offset
        self.mirrors: list[InputQueue] = []
        self.prepare()

    def prepare(self) -> None:
        """Forgets the last run."""
        self.bound = ts.PRESTREAM
        self.closed = False
        self.header: object = None

    def bound_after(self, input_timestamp: int, emitted: list[Packet], promised: int | None) -> int:
        """The bound after an invocation at `input_timestamp`, UNSET where it says nothing new.

        The latest of what the offset, an explicit promise and the emitted packets imply.
        """
        offset = self.offset
        usual = offset == 0 and promised is None and ts.MIN <= input_timestamp < ts.MAX
        if usual and (not emitted or emitted[-1].timestamp == input_timestamp):
            return input_timestamp + 1 if emitted or input_timestamp >= self.bound else ts.UNSET
        bound = ts.UNSET
        if offset is not None and input_timestamp != ts.UNSTARTED:
            implied = self._implied_by_input(input_timestamp, offset)
            if implied > self.bound:
                bound = implied
        if promised is not None:
            bound = max(bound, promised)
        if emitted:
            bound = max(bound, ts.next_allowed_in_stream(emitted[-1].timestamp))
        return bound

    def _implied_by_input(self, input_timestamp: int, offset: int) -> int:
        if input_timestamp == ts.PRESTREAM:
            return ts.MIN
        if input_timestamp == ts.MAX and offset >= 0:
            return ts.POSTSTREAM
        if input_timestamp == ts.POSTSTREAM:
            return ts.ONE_OVER_POSTSTREAM
        return ts.next_allowed_in_stream(input_timestamp) + offset

    def propagate(self, packets: list[Packet], bound: int) -> None:
        """Hands packets, then the bound, to every queue, each consumer being told as its queue changes.

        Raises:
            StreamError: see `InputQueue`.
        """
        if bound != ts.UNSET:
            self.bound = bound
        elif not packets:
            return
        # a packet at t says by itself that t + 1 is next
        says_more = bound != ts.UNSET and (not packets or packets[-1].timestamp + 1 != bound)
        for mirror in self.mirrors:
            if packets:
                mirror.add(packets)
            if says_more:
                mirror.set_bound(bound)

    def close(self) -> None:
        """Ends the stream."""
        if self.closed:
            return
        self.closed = True
        self.bound = ts.DONE
        for mirror in self.mirrors:
            mirror.set_bound(ts.DONE)
