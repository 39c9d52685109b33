"""The order in which nodes open: each once it has its side packets, and the headers of the streams it reads.

Everything here runs under the scheduler's lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphflow.runtime.node import Node, Task
from graphflow.runtime.streams import OutputStream


class Opening:
    """Opens the nodes of a graph, or of one instance of a graph within another.

    Args:
        nodes: the nodes.
        streams: by name, all streams that they read.
        side_packets: by name, those that are there; receives what the nodes provide.
        push: lets a task wait for a thread.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        streams: Mapping[str, OutputStream],
        side_packets: dict[str, Any],
        push: Callable[[Task], None],
    ) -> None:
        self.side_packets = side_packets
        self._streams = streams
        self._push = push
        self._waits_for: dict[Node, set[str | Node]] = {}
        self._readers: dict[str, list[tuple[Node, int]]] = {}
        provided = {entry.name for node in nodes for entry in node.checked.binding.side_outputs}
        producers = {output.name: node for node in nodes for output in node.outputs}
        for node in nodes:
            node.opening = self
            sides = node.checked.binding.side_inputs
            for slot, entry in enumerate(sides):
                self._readers.setdefault(entry.name, []).append((node, slot))
            missing: set[str | Node] = {entry.name for entry in sides if entry.name in provided}
            if node.checked.calculator.reads_headers:
                before = [queue.name for queue in node.inputs if not queue.back_edge]
                missing |= {producers[name] for name in before if name in producers}
            self._waits_for[node] = missing

    def begin(self) -> None:
        """Opens the nodes that wait for nothing."""
        for node in list(self._waits_for):
            self._open_if_ready(node)

    def side_packet_ready(self, name: str, value: Any) -> None:
        """A node provided a side packet: whoever waited for the last of its own can open."""
        self.side_packets[name] = value
        for reader, slot in self._readers.get(name, ()):
            reader.side_inputs[slot] = value
            self._waits_for.get(reader, set()).discard(name)
            self._open_if_ready(reader)

    def opened(self, node: Node) -> None:
        """A node is open: those that read its headers can open."""
        for waiting in [other for other, missing in self._waits_for.items() if node in missing]:
            self._waits_for[waiting].discard(node)
            self._open_if_ready(waiting)

    def missing(self, node: Node) -> list[str]:
        """The side packets a node needs before it opens, and the nodes that must be open before it."""
        missing = self._waits_for.get(node, set())
        return sorted(f"'{entry.name if isinstance(entry, Node) else entry}'" for entry in missing)

    def _open_if_ready(self, node: Node) -> None:
        if self._waits_for.get(node) == set():
            del self._waits_for[node]
            node.context.headers = [self._streams[queue.name].header for queue in node.inputs]
            self._push(node.new_open_task())
