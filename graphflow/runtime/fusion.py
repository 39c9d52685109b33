"""The plan's second pass: short calls that become ready together run as one step.

Nodes may share a step where that changes nothing that can be seen: each of them is ready at a timestamp just when the
others are. A node that reads what a member puts out is ready when the member is done; what else it reads must be
settled by then, as what comes from further up the graph is. DESIGN section 4.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from graphflow.config.checked import CheckedGraph, CheckedNode
from graphflow.config.ordering import topological_order
from graphflow.config.spec import NodeSpec, PolicySpec
from graphflow.context import Binding, Connection
from graphflow.runtime.step import Route, Step


@dataclass(frozen=True, slots=True)
class FusedNode(CheckedNode):
    """The members of a step as one node."""

    members: tuple[CheckedNode, ...] = ()
    routes: tuple[Route, ...] = ()
    places: int = 0

    def new_runnable(self) -> Step:
        return Step(self.members, self.routes, self.places)


def members_of(node: CheckedNode) -> tuple[CheckedNode, ...]:
    """The nodes that a planned node stands for: itself, or the members of a step."""
    return node.members if isinstance(node, FusedNode) else (node,)


@dataclass
class _Group:
    """A step in the making: what it waits for, and all that is settled by then."""

    waits_for: frozenset[str]
    settled: frozenset[str]
    executor: str
    members: list[CheckedNode] = field(default_factory=list)
    streams: set[str] = field(default_factory=set)


def fuse(graph: CheckedGraph, wanted: Collection[str]) -> CheckedGraph:
    """The graph with steps in the place of nodes that can run as one.

    Args:
        graph: the checked graph, pruned or not.
        wanted: names of the streams that the caller reads, besides the graph's nodes.
    """
    producers = {entry.name: node for node in graph.nodes for entry in node.binding.outputs}
    provided = {entry.name for node in graph.nodes for entry in node.binding.side_outputs}
    settled = _Settled(producers)
    groups: list[_Group] = []
    home: dict[str, _Group] = {}
    for node in graph.nodes:
        if not _fusible(node, provided):
            continue
        reads = frozenset(entry.name for entry in node.binding.inputs)
        group = next((home[name] for name in reads if name in home and _joins(reads, home[name], settled)), None)
        if group is None:
            group = next((each for each in groups if _joins(reads, each, settled)), None)
        if group is None or group.executor != node.spec.executor:
            group = _Group(reads, settled.by(reads), node.spec.executor)
            groups.append(group)
        group.members.append(node)
        for entry in node.binding.outputs:
            group.streams.add(entry.name)
            home[entry.name] = group
    steps = [group.members for group in groups if len(group.members) > 1]
    return _with_steps(graph, steps, wanted) if steps else graph


def _fusible(node: CheckedNode, provided: Collection[str]) -> bool:
    """Whether a node may be part of a step at all."""
    spec, binding = node.spec, node.binding
    if node.input_policy.name != "default" or int(node.input_policy.options.get("batch_size", 1)) != 1:
        return False
    if spec.max_in_flight != 1 or spec.queue_size is not None or binding.side_outputs or not binding.inputs:
        return False
    # a side packet that comes only while the graph runs would hold back the others
    if any(entry.back_edge for entry in binding.inputs) or any(entry.name in provided for entry in binding.side_inputs):
        return False
    calculator = node.new_calculator()
    return calculator.fusible and calculator.timestamp_offset == 0 and not calculator.process_timestamp_bounds


def _in_step_with_inputs(node: CheckedNode) -> bool:
    """Whether an output of the node is settled only where all its inputs are."""
    synchronised = bool(node.binding.inputs) and node.input_policy.name == "default"
    return synchronised and node.new_calculator().timestamp_offset == 0


def _joins(reads: frozenset[str], group: _Group, settled: _Settled) -> bool:
    """Whether a node that reads these streams is ready just when the group is."""
    outside = reads - group.streams
    if not outside <= group.settled:
        return False
    return len(outside) < len(reads) or group.waits_for <= settled.by(reads)


class _Settled:
    """Which streams are settled at a timestamp once certain others are."""

    def __init__(self, producers: Mapping[str, CheckedNode]) -> None:
        self._producers = producers
        self._before: dict[str, frozenset[str]] = {}

    def by(self, streams: Collection[str]) -> frozenset[str]:
        """All streams that are settled wherever `streams` are, themselves included."""
        return frozenset().union(*(self._by_one(name) for name in streams))

    def _by_one(self, name: str) -> frozenset[str]:
        if name not in self._before:
            self._before[name] = frozenset({name})  # for what comes back to itself
            node = self._producers.get(name)
            if node is not None and _in_step_with_inputs(node):
                siblings = {entry.name for entry in node.binding.outputs}
                inputs = {entry.name for entry in node.binding.inputs if not entry.back_edge}
                self._before[name] = self.by(inputs) | siblings
        return self._before[name]


def _with_steps(graph: CheckedGraph, steps: list[list[CheckedNode]], wanted: Collection[str]) -> CheckedGraph:
    step_of = {member.spec.name: number for number, members in enumerate(steps) for member in members}
    read_by: dict[str, set[str]] = {}
    for node in graph.nodes:
        for entry in node.binding.inputs:
            read_by.setdefault(entry.name, set()).add(node.spec.name)
    nodes: list[CheckedNode] = [node for node in graph.nodes if node.spec.name not in step_of]
    for members in steps:
        names = {member.spec.name for member in members}
        leaving = {
            entry.name
            for member in members
            for entry in member.binding.outputs
            if entry.name in wanted or not read_by.get(entry.name, set()) <= names
        }
        nodes.append(_fused(members, leaving))
    return replace(graph, nodes=tuple(_in_order(nodes, graph)))


def _fused(members: list[CheckedNode], leaving: Collection[str]) -> FusedNode:
    """One node for all members."""
    inside = {entry.name for member in members for entry in member.binding.outputs}
    entering: dict[str, Connection] = {}
    sides: list[Connection] = []
    outputs: list[Connection] = []
    for member in members:
        for entry in member.binding.inputs:
            if entry.name not in inside:
                entering.setdefault(entry.name, entry)
    places = {name: place for place, name in enumerate([*entering, *sorted(inside)])}
    routes = []
    for member in members:
        binding = member.binding
        leaves = []
        for entry in binding.outputs:
            leaves.append(len(outputs) if entry.name in leaving else -1)
            if entry.name in leaving:
                outputs.append(entry)
        routes.append(
            Route(
                inputs=tuple(places[entry.name] for entry in binding.inputs),
                outputs=tuple(places[entry.name] for entry in binding.outputs),
                leaving=tuple(leaves),
                side_inputs=tuple(range(len(sides), len(sides) + len(binding.side_inputs))),
            )
        )
        sides += binding.side_inputs
    first = members[0]
    headers = next((member.calculator for member in members if member.calculator.reads_headers), first.calculator)
    return FusedNode(
        spec=NodeSpec(
            name=" + ".join(member.spec.name for member in members),
            calculator=" + ".join(member.spec.calculator for member in members),
            executor=first.spec.executor,
            location=first.spec.location,
        ),
        calculator=headers,
        binding=Binding(tuple(entering.values()), tuple(outputs), tuple(sides)),
        input_policy=PolicySpec(),
        members=tuple(members),
        routes=tuple(routes),
        places=len(places),
    )


def _in_order(nodes: list[CheckedNode], graph: CheckedGraph) -> list[CheckedNode]:
    """Producers before consumers, otherwise as in the graph."""
    index = {node.spec.name: number for number, node in enumerate(graph.nodes)}

    def place(name: str) -> int:
        node = by_name[name]
        return index[node.members[0].spec.name if isinstance(node, FusedNode) else name]

    by_name = {node.spec.name: node for node in nodes}
    producer = {entry.name: node.spec.name for node in nodes for entry in node.binding.outputs}
    dependencies = {
        node.spec.name: {
            producer[entry.name] for entry in node.binding.inputs if entry.name in producer and not entry.back_edge
        }
        for node in nodes
    }
    ordered = topological_order(list(by_name), dependencies, place)
    assert ordered is not None, "nodes were joined across a back edge"
    return [by_name[name] for name in ordered]
