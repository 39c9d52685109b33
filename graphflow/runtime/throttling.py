"""Full queues hold back what feeds them: sources, and whoever adds packets to graph inputs.

Everything here runs under the scheduler's lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from graphflow.runtime.node import Node
from graphflow.runtime.streams import InputQueue, OutputStream


class Throttling:
    """Which queues hold back which sources and graph inputs.

    Args:
        inputs: the graph inputs by name.
        producers: the node that makes each other stream.
        changed: called when a graph input may go on.
    """

    def __init__(
        self, inputs: Mapping[str, OutputStream], producers: Mapping[str, Node], changed: Callable[[], None]
    ) -> None:
        self._holding: dict[str, set[InputQueue]] = {name: set() for name in inputs}
        self._producers = producers
        self._changed = changed

    def prepare(self) -> None:
        """Starts over, for a new stream of packets."""
        for queues in self._holding.values():
            queues.clear()

    def holds(self, name: str) -> bool:
        """Whether a graph input has to wait."""
        return bool(self._holding[name])

    def fullness_changed(self, queue: InputQueue) -> None:
        """A queue that is full holds back the sources before it, or the graph input that feeds it."""
        producer = self._producers.get(queue.name)
        sources = [] if producer is None else producer.ancestor_sources
        for holder in [self._holding[queue.name]] if producer is None else [source.throttling for source in sources]:
            if queue.full:
                holder.add(queue)
            else:
                holder.discard(queue)
        if queue.full:
            return
        if producer is None:
            self._changed()
        for source in sources:
            if not source.throttling:
                source.evaluate()

    def held_up_by(self, sources: Iterable[Node]) -> list[tuple[Node, InputQueue]]:
        """The full queues that hold back these sources or a graph input, with the nodes that read them.

        What a poller holds back is for its user to take, and is not among them.
        """
        full = {queue for source in sources for queue in source.throttling}
        full |= {queue for queues in self._holding.values() for queue in queues}
        return [(queue.consumer, queue) for queue in full if isinstance(queue.consumer, Node)]
