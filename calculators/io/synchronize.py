"""Synchronize: frames of several sources that belong together, at one timestamp."""

from __future__ import annotations

from collections import deque
from typing import Any

from graphflow import Calculator, Context, Input, Option, Output
from graphflow import timestamp as ts


class Synchronize(Calculator):
    """For each packet of the first input, the packet of every other input that is nearest in time.

    What was found goes out at the first input's timestamp. Where another input has nothing within the tolerance, a
    packet of the first goes out alone, or not at all with `complete`. Packets of the other inputs may be used twice, or
    not at all, where sources differ in speed; `dropped` counts packets of the first that went nowhere.
    """

    packets = Input("", repeated=True, doc="the streams, the one that sets the pace first")
    aligned = Output("", repeated=True, same_as=packets, doc="the same streams at the timestamps of the first")
    tolerance_us: int = Option(50_000, "how far apart packets may be that belong together, in microseconds")
    complete: bool = Option(True, "only where every input has a packet within the tolerance")

    timestamp_offset = None
    process_timestamp_bounds = True

    def open(self, context: Context) -> None:
        count = context.count(self.packets)
        self._waiting: list[deque[tuple[int, Any]]] = [deque() for _ in range(count)]
        self.dropped = 0

    def process(self, context: Context) -> None:
        for index, value in enumerate(context[self.packets]):
            if value is not None:
                self._waiting[index].append((context.timestamp, value))
        self._match(context, settled=context.timestamp)

    def close(self, context: Context) -> None:
        self._match(context, settled=ts.MAX)

    def _match(self, context: Context, settled: int) -> None:
        leading, *others = self._waiting
        while leading and self._decided(leading[0][0], others, settled):
            timestamp, value = leading.popleft()
            found = [_nearest(queue, timestamp, self.tolerance_us) for queue in others]
            if self.complete and None in found:
                self.dropped += 1
                continue
            for index, each in enumerate([(timestamp, value), *found]):
                if each is not None:
                    context.emit(self.aligned, each[1], timestamp, index)
        bound = leading[0][0] if leading else min(settled + 1, ts.MAX)
        for index in range(len(self._waiting)):
            context.set_bound(self.aligned, bound, index)

    def _decided(self, timestamp: int, others: list[deque[tuple[int, Any]]], settled: int) -> bool:
        """Whether nothing that is still to come can be nearer than what is there."""
        if settled >= timestamp + self.tolerance_us:
            return True
        return all(queue and queue[-1][0] >= timestamp for queue in others)


def _nearest(queue: deque[tuple[int, Any]], timestamp: int, tolerance: int) -> tuple[int, Any] | None:
    """The entry nearest to a time; drops those before it, which later times do not need either."""
    while len(queue) > 1 and abs(queue[1][0] - timestamp) <= abs(queue[0][0] - timestamp):
        queue.popleft()
    return queue[0] if queue and abs(queue[0][0] - timestamp) <= tolerance else None
