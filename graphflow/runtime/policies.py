"""Input policies: when a node is ready to run, and with which packets.

Everything here runs under the scheduler's lock. Source: MediaPipe `input_stream_handler` and `stream_handler/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from graphflow import timestamp as ts
from graphflow.packet import Packet
from graphflow.runtime.streams import InputQueue


class Readiness(Enum):
    NOT_READY = "not ready"
    PROCESS = "process"
    CLOSE = "close"


class SyncSet:
    """Inputs that wait for one another: ready at a timestamp when all of them are settled there."""

    def __init__(self, queues: Sequence[InputQueue], process_bounds: bool) -> None:
        self.queues = queues
        self._process_bounds = process_bounds
        self.prepare()

    def prepare(self) -> None:
        self.last_processed = ts.UNSET

    def readiness(self) -> tuple[Readiness, int]:
        """Whether the set is ready, and the timestamp: to run at, or up to which nothing can arrive any more."""
        min_bound = min_packet = ts.DONE
        for queue in self.queues:
            timestamp, empty = queue.head()
            if empty:
                min_bound = min(min_bound, timestamp)
            else:
                min_packet = min(min_packet, timestamp)
        earliest = min(min_packet, min_bound)
        if earliest >= ts.ONE_OVER_POSTSTREAM:
            self.last_processed = ts.previous_allowed_in_stream(ts.DONE)
            return Readiness.CLOSE, ts.DONE
        if not self._process_bounds:
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

    def take(self, timestamp: int, into: list[Packet], positions: Sequence[int]) -> None:
        """Moves the packets at `timestamp` to their positions of an input set."""
        for queue, position in zip(self.queues, positions, strict=True):
            into[position] = queue.pop_at(timestamp)

    def take_settled(self, into: list[Packet], positions: Sequence[int]) -> None:
        """Fills in how far each input is settled, without taking packets."""
        for queue, position in zip(self.queues, positions, strict=True):
            into[position] = queue.settled()


class InputPolicy:
    """Decides when a node runs. `batch_size` input sets are collected before each invocation."""

    batch_size = 1

    def __init__(self, queues: Sequence[InputQueue], process_bounds: bool, options: Mapping[str, Any]) -> None:
        self.queues = queues
        self.process_bounds = process_bounds
        self.configure(dict(options))

    def configure(self, options: dict[str, Any]) -> None:
        """Reads the policy's options."""

    def prepare(self) -> None:
        """Forgets the last run."""

    def readiness(self) -> tuple[Readiness, int]:
        """As `SyncSet.readiness`."""
        raise NotImplementedError

    def take(self, timestamp: int) -> list[Packet]:
        """The input set at a timestamp that `readiness` gave."""
        raise NotImplementedError


class DefaultPolicy(InputPolicy):
    """All inputs wait for one another; the node runs at every timestamp where at least one packet arrived."""

    def configure(self, options: dict[str, Any]) -> None:
        self.batch_size = int(options.get("batch_size", 1))
        self._set = SyncSet(self.queues, self.process_bounds)
        self._positions = range(len(self.queues))

    def prepare(self) -> None:
        self._set.prepare()

    def readiness(self) -> tuple[Readiness, int]:
        return self._set.readiness()

    def take(self, timestamp: int) -> list[Packet]:
        packets = [Packet(None)] * len(self.queues)
        self._set.take(timestamp, packets, self._positions)
        return packets


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
        packets = [Packet(None)] * len(self.queues)
        for index, sync_set in enumerate(self._sets):
            if self._ready[index] == timestamp:
                sync_set.take(timestamp, packets, (index,))
                self._ready[index] = ts.UNSET
            else:
                sync_set.take_settled(packets, (index,))
        return packets


POLICIES: dict[str, type[InputPolicy]] = {
    "default": DefaultPolicy,
    "immediate": ImmediatePolicy,
}
"""The policies a graph may name."""
