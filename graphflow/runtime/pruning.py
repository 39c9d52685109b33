"""The plan's first pass: what of a graph has to run for what the caller asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from graphflow.config.checked import CheckedGraph, CheckedNode
from graphflow.context import Binding, Connection


def prune(graph: CheckedGraph, wanted: Collection[str]) -> CheckedGraph:
    """The graph without the nodes that feed only streams nobody reads.

    Kept are the nodes without output streams (they act on the world), whatever produces a wanted stream or side packet,
    and all that these depend on. Optional outputs of kept nodes that nobody reads are disconnected, so that their
    calculators see that they need not be computed.

    Args:
        graph: the checked graph.
        wanted: names of the streams and side packets the caller reads.
    """
    producer = {entry.name: node for node in graph.nodes for entry in _produced(node)}
    kept: set[str] = set()
    frontier = [node for node in graph.nodes if not node.binding.outputs and not node.binding.side_outputs]
    frontier += [producer[name] for name in wanted if name in producer]
    while frontier:
        node = frontier.pop()
        if node.spec.name in kept:
            continue
        kept.add(node.spec.name)
        needed = (*node.binding.inputs, *node.binding.side_inputs)
        frontier += [producer[entry.name] for entry in needed if entry.name in producer]
    nodes = [node for node in graph.nodes if node.spec.name in kept]
    read = {entry.name for node in nodes for entry in node.binding.inputs} | set(wanted)
    return dataclasses.replace(graph, nodes=tuple(_without_unread(node, read) for node in nodes))


def _produced(node: CheckedNode) -> tuple[Connection, ...]:
    return (*node.binding.outputs, *node.binding.side_outputs)


def _without_unread(node: CheckedNode, read: Collection[str]) -> CheckedNode:
    outputs = tuple(
        entry
        for entry in node.binding.outputs
        # connections of one port are told apart by their number, which must stay
        if entry.name in read or not entry.port.optional or entry.port.many
    )
    if len(outputs) == len(node.binding.outputs):
        return node
    binding = node.binding
    pruned = Binding(binding.inputs, outputs, binding.side_inputs, binding.side_outputs)
    return dataclasses.replace(node, binding=pruned)
