"""A source in front of a graph and sinks behind it, as nodes of one larger graph: decoding, inference, drawing and
encoding overlap under one scheduler, and full queues hold back the source."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from graphflow.calculator import Calculator
from graphflow.config.checked import CheckedGraph, CheckedNode
from graphflow.config.spec import ExecutorSpec, NodeSpec, PolicySpec, StreamRef
from graphflow.context import Binding, Connection
from graphflow.errors import GraphConfigError, Location, Problem
from graphflow.ports import ANY_TAG, Input, Output, Port, SideInput, compatible, type_name
from graphflow.runtime import Graph
from graphflow.runtime.running_calls import RunningCall

QUEUE_SIZE: Final = 4
"""Packets that may wait on a stream: enough to keep every core busy, few enough that frames do not pile up."""

_PICTURE_TAGS: Final = ("OVERLAY", "IMAGE", "VIDEO")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A node to put before or behind a graph.

    Attributes:
        name: of the node; given a number where the graph has a node of that name.
        calculator: what does the work.
        options: as a graph would give them.
        inputs: (tag, stream) pairs.
        outputs: (tag, stream) pairs.
        side_inputs: (tag, side packet) pairs.
        executor: a pool of one thread of its own, by name; "" shares the graph's threads.
    """

    name: str
    calculator: type[Calculator]
    options: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[tuple[str, str], ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    side_inputs: tuple[tuple[str, str], ...] = ()
    executor: str = ""


def data_outputs(graph: CheckedGraph) -> tuple[str, ...]:
    """The graph outputs that are data about a frame rather than pictures of it; each stream's name is its key."""
    return tuple(entry.name for entry in graph.spec.outputs if not _is_picture(graph, entry))


def picture_output(graph: CheckedGraph) -> str | None:
    """The graph output to watch: the one tagged OVERLAY, else the first that carries images; None without any."""
    pictures = [entry for entry in graph.spec.outputs if _is_picture(graph, entry)]
    pictures.sort(key=lambda entry: entry.tag != "OVERLAY")
    return pictures[0].name if pictures else None


def ending_streams(graph: CheckedGraph) -> tuple[str, ...]:
    """The streams that end in the graph itself: the first input of each node that emits nothing, a writer of files."""
    ends = (node.binding for node in graph.nodes if node.binding.inputs and not node.binding.outputs)
    return tuple(binding.inputs[0].name for binding in ends)


def compose(graph: CheckedGraph, sources: Sequence[Attachment] = (), sinks: Sequence[Attachment] = ()) -> CheckedGraph:
    """The graph with nodes before and behind it, its queues kept short.

    A source's output takes the place of the graph input of the same name. The side packets that attached nodes read
    become side inputs of the whole.

    Raises:
        GraphConfigError: an attached node's port and the stream it meets carry different types.
        ValueError: an attached calculator has no such port.
        graphflow.OptionError: its options are wrong.
    """
    taken = {node.spec.name for node in graph.nodes}
    types = dict(graph.stream_types)
    before = [_attached(graph, entry, taken, types) for entry in sources]
    behind = [_attached(graph, entry, taken, types) for entry in sinks]
    fed = {stream for entry in sources for _, stream in entry.outputs}
    side = [name for entry in (*sources, *sinks) for _, name in entry.side_inputs]
    pools = dict.fromkeys(entry.executor for entry in (*sources, *sinks) if entry.executor)
    spec = graph.spec
    composed = replace(
        spec,
        inputs=tuple(entry for entry in spec.inputs if entry.name not in fed),
        side_inputs=(*spec.side_inputs, *(StreamRef("", index, name) for index, name in enumerate(side))),
        nodes=(*(node.spec for node in before), *spec.nodes, *(node.spec for node in behind)),
        executors=(*spec.executors, *(ExecutorSpec(name, 1) for name in pools)),
        max_queue_size=QUEUE_SIZE if spec.max_queue_size < 0 else min(spec.max_queue_size, QUEUE_SIZE),
    )
    return CheckedGraph(composed, (*before, *graph.nodes, *behind), types)


class Run:
    """A started graph and the thread that waits for its end, so that the caller can do something else meanwhile."""

    def __init__(self, graph: Graph, side_packets: Mapping[str, Any] | None = None) -> None:
        """Starts the graph.

        Raises:
            GraphflowError: as `Graph.start`.
        """
        self.graph = graph
        self.error: BaseException | None = None
        self._ended = threading.Event()
        graph.start(side_packets)
        self._waiter = threading.Thread(target=self._wait_until_done, name=f"graphflow-{graph.name}-end", daemon=True)
        self._waiter.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits at most `timeout` seconds; whether the run is over: threads gone, every node closed."""
        return self._ended.wait(timeout)

    def finish(self) -> None:
        """Ends the sources; frames on their way still go through, so that all sinks end at the same one."""
        self.graph.close_all_sources()

    def cancel(self, patience_s: float | None = None) -> None:
        """Ends the run as soon as the running calculators return, or after so long; frames on their way are lost."""
        self.graph.cancel(patience_s)

    def dropped(self, nodes: Sequence[str]) -> int:
        """How many packets these nodes left out so far."""
        statistics = self.graph.statistics()
        return sum(statistics[node].dropped for node in nodes)

    def running_calls(self) -> list[RunningCall]:
        """The calls of calculators that have not returned yet."""
        return self.graph.running_calls()

    def raise_error(self) -> None:
        """Raises what ended the run, if anything did."""
        if self.error is not None:
            raise self.error

    def _wait_until_done(self) -> None:
        try:
            self.graph.wait_until_done()
        except BaseException as error:  # whatever it is, it belongs to whoever asked for the run
            self.error = error
        self._ended.set()


def _attached(graph: CheckedGraph, entry: Attachment, taken: set[str], types: dict[str, Any]) -> CheckedNode:
    name, number = entry.name, 2
    while name in taken:
        name, number = f"{entry.name}_{number}", number + 1
    taken.add(name)
    calculator = entry.calculator
    binding = Binding(
        _connections(calculator, Input, entry.inputs),
        _connections(calculator, Output, entry.outputs),
        _connections(calculator, SideInput, entry.side_inputs),
    )
    for connection in binding.inputs:
        _check_type(graph, connection.name, types.get(connection.name, Any), connection.port.type)
    for connection in binding.outputs:
        _check_type(graph, connection.name, connection.port.type, types.get(connection.name, Any))
        types[connection.name] = connection.port.type
    problems = list(calculator(entry.options).check(binding))
    if problems:
        raise cannot_run(graph, f"{name}: {'; '.join(str(problem) for problem in problems)}")
    spec = NodeSpec(
        name,
        calculator.__name__,
        tuple(StreamRef(each.tag, each.index, each.name) for each in binding.inputs),
        tuple(StreamRef(each.tag, each.index, each.name) for each in binding.outputs),
        tuple(StreamRef(each.tag, each.index, each.name) for each in binding.side_inputs),
        options=entry.options,
        executor=entry.executor,
        location=Location(f"<{name}>"),
    )
    return CheckedNode(spec, calculator, binding, PolicySpec(calculator.input_policy))


def _connections(
    calculator: type[Calculator], kind: type[Port], pairs: Sequence[tuple[str, str]]
) -> tuple[Connection, ...]:
    ports = {port.tag: port for port in calculator.ports() if type(port) is kind}
    counts: dict[str, int] = {}
    found = []
    for tag, name in pairs:
        port = ports.get(tag) or ports.get(ANY_TAG)
        if port is None:
            raise ValueError(f"{calculator.__name__} has no {kind.__name__.lower()} '{tag}'")
        found.append(Connection(tag, counts.get(tag, 0), name, port))
        counts[tag] = counts.get(tag, 0) + 1
    return tuple(sorted(found, key=lambda connection: (connection.tag, connection.index)))


def _check_type(graph: CheckedGraph, stream_name: str, produced: Any, consumed: Any) -> None:
    if not compatible(produced, consumed):
        raise cannot_run(
            graph, f"stream '{stream_name}' carries {type_name(produced)}, but {type_name(consumed)} is read from it"
        )


def _is_picture(graph: CheckedGraph, output: StreamRef) -> bool:
    return output.tag in _PICTURE_TAGS or graph.stream_types.get(output.name) is np.ndarray


def cannot_run(graph: CheckedGraph, message: str, hint: str = "") -> GraphConfigError:
    """The error for a graph that is right in itself, but cannot be run as asked."""
    return GraphConfigError([Problem(graph.spec.location, message, hint)])
