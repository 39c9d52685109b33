"""The plan's third pass: whose calls come first when more is ready than there are threads.

What keeps others waiting longest comes first: a node's rank is what is still to be done on the longest way from it to
the end of the graph. So the next frame's body is looked for before this frame's hands, and hands before the face, and a
node whose next call waits for its own result is not kept waiting for what could as well be done beside it.

Source: list scheduling by upward rank (Topcuoglu et al. 2002, section 4).
"""

from __future__ import annotations

from collections.abc import Mapping

from graphflow.config.checked import CheckedGraph


def ranks(graph: CheckedGraph, cost: Mapping[str, int]) -> dict[str, int]:
    """The rank of each node by name.

    Args:
        graph: the graph as it runs; its nodes stand in topological order.
        cost: what one call of a node takes, in any unit.
    """
    readers: dict[str, list[str]] = {}
    for node in graph.nodes:
        for entry in node.binding.inputs:
            if not entry.back_edge:
                readers.setdefault(entry.name, []).append(node.spec.name)
    found: dict[str, int] = {}
    for node in reversed(graph.nodes):
        after = (found[name] for entry in node.binding.outputs for name in readers.get(entry.name, ()))
        found[node.spec.name] = cost[node.spec.name] + max(after, default=0)
    return found
