"""The input policies at both ends of a `ForEach`; compiled with the rest of the inner loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphflow import timestamp as ts
from graphflow.packet import Packet
from graphflow.runtime.node import Node
from graphflow.runtime.policies import DefaultPolicy, Readiness
from graphflow.runtime.streams import InputQueue

_AHEAD = 8


class SpreadPolicy(DefaultPolicy):
    """As the default policy, but runs no further ahead of the gatherer than `_AHEAD` timestamps.

    Where time goes on without packets, `settle` lets the instances know up to when.
    """

    def __init__(self, spreader: Node, gatherer: Node, settle: Callable[[int], None]) -> None:
        self._spreader = spreader
        self._settle = settle
        self._dealt_with = gatherer.inputs[0]
        super().__init__(spreader.inputs, [], False, {})

    def readiness(self) -> tuple[Readiness, int]:
        if len(self._dealt_with.packets) >= _AHEAD:
            return Readiness.NOT_READY, ts.UNSET
        readiness, timestamp = super().readiness()
        if readiness is Readiness.NOT_READY:
            self._settle(timestamp)
        return readiness, timestamp

    def go_on(self) -> None:
        """The gatherer has got further."""
        self._spreader.input_changed()


class GatherPolicy(DefaultPolicy):
    """Waits for the spreader and for all instances; hands over one mapping for each output of the container."""

    def __init__(self, queues: list[InputQueue], outputs: int, spreading: SpreadPolicy) -> None:
        self._all = queues
        self._outputs = outputs
        self._spreading = spreading
        self._sources: dict[InputQueue, tuple[int, Any]] = {}
        super().__init__(queues, [("DEALT_WITH", 0)], False, {})

    def prepare(self) -> None:
        """Forgets the instances of the last run."""
        del self._all[1:]
        self._sources.clear()
        super().prepare()

    def attach(self, queue: InputQueue, output: int, key: Any) -> None:
        """Waits for one more queue, of one output of one instance."""
        self._sources[queue] = (output, key)
        self._all.append(queue)

    def nothing_new(self) -> bool:
        return False

    def take(self, timestamp: int) -> list[Packet]:
        first, *others = self._all
        dealt_with = first.pop_at(timestamp)
        gathered: list[dict[Any, Any]] = [{} for _ in range(self._outputs)]
        for queue in others:
            packet = queue.pop_at(timestamp)
            if packet.value is not None:
                output, key = self._sources[queue]
                gathered[output][key] = packet.value
            if queue.bound >= ts.ONE_OVER_POSTSTREAM and not queue.packets:
                self._all.remove(queue)
                del self._sources[queue]
        self._spreading.go_on()
        return [dealt_with, *(Packet(dict(sorted(found.items())), timestamp) for found in gathered)]
