"""The plan: how a graph runs for what the caller asked for. Made once for each run, one pass after another.

No pass changes what comes out. What is decided while the graph runs, whose call comes first, is in `priorities`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from graphflow.config.checked import CheckedGraph, CheckedNode
from graphflow.runtime.fusion import fuse, members_of
from graphflow.runtime.instances import SpreaderNode, split
from graphflow.runtime.pruning import prune


@dataclass(frozen=True, slots=True)
class Plan:
    """What runs of a graph, and how.

    Attributes:
        graph: what runs: nodes, and steps of several nodes, in topological order.
        left_out: names of the nodes that feed only what nobody reads.
        unread: streams that the nodes which run do not compute, because nobody reads them.
    """

    graph: CheckedGraph
    left_out: tuple[str, ...]
    unread: tuple[str, ...]

    def describe(self) -> str:
        """The plan in words, a line for each node or step."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        nodes = sum(len(members_of(node)) for node in self.graph.nodes)
        yield f"plan of '{self.graph.spec.name}': {nodes} nodes in {len(self.graph.nodes)} calls"
        for node in self.graph.nodes:
            yield from _call_lines(node, "  ")
            if isinstance(node, SpreaderNode) and node.instance is not None:
                yield "    for each key:"
                for inner in node.instance.nodes:
                    yield from _call_lines(inner, "      ")
        if self.left_out:
            yield "left out, because nobody reads what they put out:"
            yield from (f"  {name}" for name in self.left_out)
        if self.unread:
            yield "not computed, because nobody reads it:"
            yield from (f"  {name}" for name in self.unread)


def make_plan(graph: CheckedGraph, wanted: Collection[str], *, pruned: bool, fused: bool) -> Plan:
    """Runs the passes.

    Args:
        graph: the checked graph.
        wanted: names of the streams and side packets that the caller reads.
        pruned: leave out what nobody reads.
        fused: run short calls in one step with their neighbours.
    """
    left = prune(graph, wanted) if pruned else graph
    runs = {node.spec.name for node in left.nodes}
    outputs = {entry.name for node in left.nodes for entry in node.binding.outputs}
    unread = (
        entry.name
        for node in graph.nodes
        if node.spec.name in runs
        for entry in node.binding.outputs
        if entry.name not in outputs
    )
    return Plan(
        graph=_with_instances(fuse(left, wanted) if fused else left, pruned, fused),
        left_out=tuple(node.spec.name for node in graph.nodes if node.spec.name not in runs),
        unread=tuple(unread),
    )


def _with_instances(graph: CheckedGraph, pruned: bool, fused: bool) -> CheckedGraph:
    """The graph with each `ForEach` as the two nodes it runs as, and what it runs for each key planned, too."""
    nodes: list[CheckedNode] = []
    for node in graph.nodes:
        if node.instance is None:
            nodes.append(node)
            continue
        read = {(entry.tag, entry.index) for entry in node.binding.outputs}
        inside = {ref.name for ref in node.instance.spec.outputs if (ref.tag, ref.index) in read}
        planned = make_plan(node.instance, inside, pruned=pruned, fused=fused).graph
        nodes += split(replace(node, instance=planned))
    return replace(graph, nodes=tuple(nodes))


def _call_lines(node: CheckedNode, indent: str) -> Iterator[str]:
    members = members_of(node)
    if len(members) == 1:
        yield f"{indent}{_described(members[0])}"
    else:
        yield f"{indent}step of {len(members)}"
        yield from (f"{indent}  {_described(member)}" for member in members)


def _described(node: CheckedNode) -> str:
    outputs = ", ".join(entry.name.rsplit("/", 1)[-1] for entry in node.binding.outputs)
    return f"{node.spec.name} ({node.spec.calculator})" + (f" -> {outputs}" if outputs else "")
