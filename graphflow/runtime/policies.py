"""Input policies: when a node is ready to run, and with which packets.

Everything here runs under the scheduler's lock. Source: MediaPipe `input_stream_handler` and `stream_handler/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from graphflow import timestamp as ts
from graphflow.packet import Packet
from graphflow.runtime.streams import InputQueue, StreamError


class Readiness(Enum):
    NOT_READY = "not ready"
    PROCESS = "process"
    CLOSE = "close"


class SyncSet:
    """Inputs that wait for one another: ready at a timestamp when all of them are settled there."""

    def __init__(self, queues: Sequence[InputQueue], process_bounds: bool) -> None:
        self.queues = queues
        self.process_bounds = process_bounds
        self.prepare()

    def prepare(self) -> None:
        self.last_processed = ts.UNSET

    def readiness(self) -> tuple[Readiness, int]:
        """Whether the set is ready, and the timestamp: to run at, or up to which nothing can arrive any more."""
        min_bound = min_packet = ts.DONE
        for queue in self.queues:
            if queue.packets:
                timestamp = queue.packets[0].timestamp
                if timestamp < min_packet:
                    min_packet = timestamp
            elif queue.bound < min_bound:
                min_bound = queue.bound
        earliest = min_packet if min_packet < min_bound else min_bound
        if earliest >= ts.ONE_OVER_POSTSTREAM:
            self.last_processed = ts.previous_allowed_in_stream(ts.DONE)
            return Readiness.CLOSE, ts.DONE
        if not self.process_bounds:
            if min_bound > min_packet:
                self.last_processed = earliest
                return Readiness.PROCESS, earliest
            return Readiness.NOT_READY, earliest
        # POSTSTREAM has no bound behind it that the general rule could take one step back from
        at_poststream = min_packet == ts.POSTSTREAM and min_bound > min_packet
        settled = min_packet if at_poststream else ts.previous_allowed_in_stream(min_bound)
        timestamp = min(min_packet, settled)
        if timestamp > max(self.last_processed, ts.UNSTARTED):
            self.last_processed = timestamp
            return Readiness.PROCESS, timestamp
        return Readiness.NOT_READY, earliest


class InputPolicy:
    """Decides when a node runs. `batch_size` input sets are collected before each invocation.

    Args:
        queues: the node's inputs, in the order of its input sets.
        tags: their `(tag, index)`, for options that name inputs.
        process_bounds: whether the node also runs where time is settled without a packet.
        options: MediaPipe's options of the policy.
    """

    batch_size = 1

    def __init__(
        self,
        queues: Sequence[InputQueue],
        tags: Sequence[tuple[str, int]],
        process_bounds: bool,
        options: Mapping[str, Any],
    ) -> None:
        self.queues = queues
        self.tags = tags
        self.process_bounds = process_bounds
        self.configure(dict(options))

    def configure(self, options: dict[str, Any]) -> None:
        """Reads the policy's options.

        Raises:
            ValueError: they do not fit the node.
        """

    def prepare(self) -> None:
        """Forgets the last run."""

    def readiness(self) -> tuple[Readiness, int]:
        """As `SyncSet.readiness`."""
        raise NotImplementedError

    def nothing_new(self) -> bool:
        """Whether it is plain that nothing has arrived, no bound included, since the last input set was taken."""
        return False

    def take(self, timestamp: int) -> list[Packet]:
        """The input set at a timestamp that `readiness` gave."""
        return [queue.pop_at(timestamp) for queue in self.queues]

    def position(self, tag_index: str) -> int:
        """The input that an option names as `TAG`, `TAG:index` or `:index`."""
        tag, _, index = tag_index.partition(":")
        wanted = (tag, int(index or 0))
        if wanted not in self.tags:
            exists = ", ".join(f"{tag}:{index}" for tag, index in self.tags)
            raise ValueError(f"there is no input '{tag_index}'; there are: {exists}")
        return self.tags.index(wanted)


class DefaultPolicy(InputPolicy):
    """All inputs wait for one another; the node runs at every timestamp where at least one packet arrived."""

    def __init__(
        self,
        queues: Sequence[InputQueue],
        tags: Sequence[tuple[str, int]],
        process_bounds: bool,
        options: Mapping[str, Any],
    ) -> None:
        self._set = SyncSet(queues, process_bounds)
        InputPolicy.__init__(self, queues, tags, process_bounds, options)

    def configure(self, options: dict[str, Any]) -> None:
        self.batch_size = int(options.get("batch_size", 1))
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {self.batch_size}")

    def prepare(self) -> None:
        self._set.prepare()
        self._taken = ts.UNSET

    def nothing_new(self) -> bool:
        after = self._taken + 1
        for queue in self.queues:  # noqa: SIM110 - a generator would cost more than all the rest
            if queue.packets or queue.bound != after:
                return False
        return True

    def take(self, timestamp: int) -> list[Packet]:
        self._taken = timestamp
        if len(self.queues) == 1:  # the most frequent case, and a list comprehension costs a call
            return [self.queues[0].pop_at(timestamp)]
        return [queue.pop_at(timestamp) for queue in self.queues]

    def readiness(self) -> tuple[Readiness, int]:
        return self._set.readiness()


class ImmediatePolicy(InputPolicy):
    """No input waits for another: any packet makes the node ready at once.

    The node closes when all inputs are done. Timestamps across inputs may go back.
    """

    def configure(self, options: dict[str, Any]) -> None:
        self._sets = [SyncSet([queue], self.process_bounds) for queue in self.queues]
        self.prepare()

    def prepare(self) -> None:
        for sync_set in self._sets:
            sync_set.prepare()
        self._ready = [ts.UNSET] * len(self._sets)

    def readiness(self) -> tuple[Readiness, int]:
        run_at = min_bound = ts.DONE
        became_done = False
        last = ts.previous_allowed_in_stream(ts.DONE)
        for index, sync_set in enumerate(self._sets):
            if self._ready[index] > ts.UNSET:
                min_bound = min(min_bound, self._ready[index])
                run_at = min(run_at, self._ready[index])
                continue
            previous = sync_set.last_processed
            ready, timestamp = sync_set.readiness()
            min_bound = min(min_bound, timestamp)
            if ready is Readiness.PROCESS:
                self._ready[index] = timestamp
                run_at = min(run_at, timestamp)
            elif ready is Readiness.CLOSE and self.process_bounds:
                # the end of one input is an event of its own, shown once as the last timestamp there is
                self._ready[index] = last if previous < last else ts.DONE
                if previous < last:
                    min_bound = min(min_bound, last)
                    run_at = min(run_at, last)
            elif ready is Readiness.CLOSE and previous < ts.DONE:
                became_done = True
                self._ready[index] = ts.DONE
        if min_bound == ts.DONE:
            return Readiness.CLOSE, ts.DONE
        if run_at < ts.DONE:
            return Readiness.PROCESS, run_at
        return (Readiness.PROCESS if became_done else Readiness.NOT_READY), min_bound

    def take(self, timestamp: int) -> list[Packet]:
        packets = []
        for index, queue in enumerate(self.queues):
            if self._ready[index] == timestamp:
                packets.append(queue.pop_at(timestamp))
                self._ready[index] = ts.UNSET
            else:
                packets.append(queue.settled())
        return packets


class SyncSetsPolicy(InputPolicy):
    """Groups of inputs wait within the group only; each run sees the packets of one group.

    Options: `sync_set`, a list of `{tag_index: [...]}`; inputs it does not name form one more group.
    """

    def configure(self, options: dict[str, Any]) -> None:
        groups = [
            [self.position(name) for name in _listed(group.get("tag_index", []))]
            for group in _listed(options.get("sync_set", []))
        ]
        named = [position for group in groups for position in group]
        if len(named) != len(set(named)) or not all(groups):
            raise ValueError("every sync_set names at least one input, and no input is in two of them")
        rest = [position for position in range(len(self.queues)) if position not in named]
        self._groups = [*groups, rest] if rest else groups
        self.prepare()

    def prepare(self) -> None:
        self._open = [
            (SyncSet([self.queues[position] for position in group], self.process_bounds), group)
            for group in self._groups
        ]
        self._ready: list[int] = []

    def readiness(self) -> tuple[Readiness, int]:
        run_at = ts.DONE
        still_open = []
        for sync_set, group in self._open:
            ready, timestamp = sync_set.readiness()
            if ready is not Readiness.CLOSE:
                still_open.append((sync_set, group))
            if ready is Readiness.PROCESS and timestamp < run_at:
                run_at, self._ready = timestamp, group
        self._open = still_open
        if run_at < ts.DONE:
            return Readiness.PROCESS, run_at
        # nothing is promised while groups differ in how far they are settled
        return (Readiness.NOT_READY, ts.UNSET) if self._open else (Readiness.CLOSE, ts.DONE)

    def take(self, timestamp: int) -> list[Packet]:
        return [
            queue.pop_at(timestamp) if position in self._ready else queue.settled()
            for position, queue in enumerate(self.queues)
        ]


class FixedSizePolicy(DefaultPolicy):
    """Keeps queues short by dropping the oldest packets, at the same timestamps of all inputs.

    A queue that reaches `trigger_queue_size` (default 2) is cut to `target_queue_size` (default 1). With
    `fixed_min_size` packets are dropped only when every queue has reached it.
    """

    def configure(self, options: dict[str, Any]) -> None:
        super().configure(options)
        self._trigger = int(options.get("trigger_queue_size", 2))
        self._target = int(options.get("target_queue_size", 1))
        self._all_queues = bool(options.get("fixed_min_size", False))
        self._kept = ts.UNSET
        for queue in self.queues:  # cut as packets arrive: the node may be busy, or wait for another input
            queue.on_added = self._drop

    def prepare(self) -> None:
        super().prepare()
        self._kept = ts.UNSET

    def readiness(self) -> tuple[Readiness, int]:
        self._drop()
        ready, timestamp = super().readiness()
        while ready is Readiness.PROCESS and timestamp < self._kept:
            self._drop()
            ready, timestamp = super().readiness()
        return ready, timestamp

    def take(self, timestamp: int) -> list[Packet]:
        self._drop(keep_one=True)
        first = ts.DONE
        for queue in self.queues:
            head, empty = queue.head()
            first = min(first, head - 1 if empty and ts.is_range_value(head) else head)
        return super().take(first)

    def _drop(self, keep_one: bool = False) -> None:
        if self._all_queues:
            if any(len(queue.packets) < self._trigger for queue in self.queues):
                return
            oldest = min(queue.nth_latest(self._target) for queue in self.queues)
            for queue in self.queues:
                queue.drop_before(min(oldest, ts.MAX))
            return
        for queue in self.queues:
            size = self._target if len(queue.packets) >= self._trigger else self._trigger - 1
            if len(queue.packets) > size:
                self._kept = max(self._kept, ts.next_allowed_in_stream(queue.nth_latest(size + 1)))
        if keep_one:
            bounds = [ts.next_allowed_in_stream(q.nth_latest(1)) if q.packets else q.bound for q in self.queues]
            bound = min(bounds)
            self._kept = min(self._kept, bound - 1 if ts.is_range_value(bound) else bound)
        for queue in self.queues:
            queue.drop_before(self._kept)


class BarrierPolicy(InputPolicy):
    """Runs when every input has a packet, whatever their timestamps; closes when any input is done."""

    def prepare(self) -> None:
        for queue in self.queues:
            queue.ordered = False

    def readiness(self) -> tuple[Readiness, int]:
        heads = [queue.head() for queue in self.queues]
        if any(empty and timestamp == ts.DONE for timestamp, empty in heads):
            return Readiness.CLOSE, ts.DONE
        earliest = min(timestamp for timestamp, _ in heads)
        return (Readiness.NOT_READY if any(empty for _, empty in heads) else Readiness.PROCESS), earliest

    def take(self, timestamp: int) -> list[Packet]:
        return [queue.pop_head() for queue in self.queues]


class EarlyClosePolicy(InputPolicy):
    """As the default policy, but closes as soon as any input is done."""

    def readiness(self) -> tuple[Readiness, int]:
        heads = [queue.head() for queue in self.queues]
        if any(empty and timestamp == ts.DONE for timestamp, empty in heads):
            return Readiness.CLOSE, ts.DONE
        earliest = min(timestamp for timestamp, _ in heads)
        settled = min((timestamp for timestamp, empty in heads if empty), default=ts.DONE)
        return (Readiness.PROCESS if settled > earliest else Readiness.NOT_READY), earliest


class MuxPolicy(InputPolicy):
    """The last input (tag SELECT) says, at each timestamp, which of the others is waited for; the rest is dropped."""

    def readiness(self) -> tuple[Readiness, int]:
        control = self.queues[-1]
        timestamp, empty = control.head()
        self._drop_before(timestamp)
        if empty:
            return (Readiness.CLOSE if timestamp == ts.DONE else Readiness.NOT_READY), timestamp
        head, data_empty = self._selected().head()
        waits = data_empty and head <= timestamp
        return (Readiness.NOT_READY if waits else Readiness.PROCESS), timestamp

    def take(self, timestamp: int) -> list[Packet]:
        selected = self._selected()
        packets = [
            queue.pop_at(timestamp) if queue is selected or queue is self.queues[-1] else Packet(None)
            for queue in self.queues
        ]
        self._drop_before(ts.next_allowed_in_stream(timestamp))
        return packets

    def _selected(self) -> InputQueue:
        value = self.queues[-1].packets[0].value
        if not isinstance(value, int) or not 0 <= value < len(self.queues) - 1:
            raise StreamError(f"SELECT is {value!r}, but there are {len(self.queues) - 1} inputs to select from")
        return self.queues[value]

    def _drop_before(self, timestamp: int) -> None:
        for queue in self.queues[:-1]:
            queue.drop_before(timestamp)


class TimestampAlignPolicy(InputPolicy):
    """Inputs with one time unit but different origins: their first packets are taken to be simultaneous.

    Until every input has a packet, only the base input (`timestamp_base_tag_index`) passes. Then the offsets are fixed
    and the node runs as with the default policy, on the base's time.
    """

    def configure(self, options: dict[str, Any]) -> None:
        self._base = self.position(str(options.get("timestamp_base_tag_index", "")))
        self.prepare()

    def prepare(self) -> None:
        self._offsets = [0] * len(self.queues)
        self._aligned = len(self.queues) == 1

    def readiness(self) -> tuple[Readiness, int]:
        if not self._aligned:
            return self._align()
        earliest = settled = ts.DONE
        for queue, offset in zip(self.queues, self._offsets, strict=True):
            timestamp, empty = queue.head()
            if ts.is_range_value(timestamp):
                timestamp += offset
            if empty:
                settled = min(settled, timestamp)
            earliest = min(earliest, timestamp)
        if earliest == ts.DONE:
            return Readiness.CLOSE, ts.DONE
        return (Readiness.PROCESS if settled > earliest else Readiness.NOT_READY), earliest

    def _align(self) -> tuple[Readiness, int]:
        base, empty = self.queues[self._base].head()
        if empty:
            closed = base == ts.DONE
            return (Readiness.CLOSE if closed else Readiness.NOT_READY), base
        known = True
        for position, queue in enumerate(self.queues):
            if queue.packets:
                self._offsets[position] = base - queue.packets[0].timestamp
            else:
                known = False
        self._aligned = known
        return Readiness.PROCESS, base

    def take(self, timestamp: int) -> list[Packet]:
        if not self._aligned:
            return [
                queue.pop_at(timestamp) if position == self._base else Packet(None)
                for position, queue in enumerate(self.queues)
            ]
        packets = []
        for queue, offset in zip(self.queues, self._offsets, strict=True):
            packet = queue.pop_at(timestamp - offset)
            packets.append(packet if packet.empty else packet.at(timestamp))
        return packets


def _listed(value: Any) -> list[Any]:
    """A repeated field that the text format may give once."""
    return list(value) if isinstance(value, list | tuple) else [value]


POLICIES: dict[str, type[InputPolicy]] = {
    "default": DefaultPolicy,
    "immediate": ImmediatePolicy,
    "sync_sets": SyncSetsPolicy,
    "fixed_size": FixedSizePolicy,
    "barrier": BarrierPolicy,
    "early_close": EarlyClosePolicy,
    "mux": MuxPolicy,
    "timestamp_align": TimestampAlignPolicy,
}
"""The policies a graph may name."""
