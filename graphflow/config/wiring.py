"""Checks how the nodes of a graph are joined: producers, undeclared streams, cycles, types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphflow.config.binding import Sources, decided_types
from graphflow.config.checked import CheckedNode
from graphflow.config.expansion import port_name
from graphflow.config.ordering import topological_order
from graphflow.config.spec import GraphSpec, NodeSpec, StreamRef
from graphflow.config.suggestions import did_you_mean
from graphflow.context import Connection
from graphflow.errors import Location, Problem
from graphflow.ports import compatible, type_name

if TYPE_CHECKING:
    import networkx as nx

# Inputs whose job it is to bring something back: the first place to look for a forgotten back edge.
_LOOP_TAGS = ("LOOP", "FINISHED")


@dataclass(frozen=True, slots=True)
class Wires:
    """Who makes each stream (or side packet): an index into the graph's nodes, or None for the graph's own inputs."""

    word: str
    side: bool
    producers: Mapping[str, int | None]

    def inputs(self, node: NodeSpec) -> tuple[StreamRef, ...]:
        """What a node reads of this kind."""
        return node.side_inputs if self.side else node.inputs


def find_producers(spec: GraphSpec, side: bool, problems: list[Problem]) -> Wires:
    """Who produces each stream or side packet; two producers of one are reported."""
    word = "side packet" if side else "stream"
    producers: dict[str, int | None] = {}
    for ref in spec.side_inputs if side else spec.inputs:
        if ref.name in producers:
            problems.append(Problem(ref.location, f"graph input '{ref.name}' is declared twice"))
        producers[ref.name] = None
    for index, node in enumerate(spec.nodes):
        for ref in node.side_outputs if side else node.outputs:
            if ref.name not in producers:
                producers[ref.name] = index
                continue
            other = producers[ref.name]
            if other is None:
                message = f"node '{node.name}' produces '{ref.name}', which is an input of the graph"
                problems.append(Problem(ref.location, message, "give one of them another name"))
            else:
                first = spec.nodes[other]
                message = f"{word} '{ref.name}' has two producers: '{first.name}' and '{node.name}'"
                if other == index:
                    message = f"node '{node.name}' produces {word} '{ref.name}' twice"
                problems.append(Problem(ref.location, message, f"the first is at {first.location}"))
    return Wires(word, side, producers)


def report_undeclared(spec: GraphSpec, wires: Wires, others: Wires, problems: list[Problem]) -> None:
    """Reports what is read and never produced: by nodes, and by the graph's own outputs."""
    # what a subgraph is to give and does not is reported there already
    claimed = {ref.name for node in spec.laid_open for ref in (node.side_outputs if wires.side else node.outputs)}
    for node in (*spec.nodes, *spec.laid_open):
        for ref in wires.inputs(node):
            # what comes from outside a subgraph is reported where the node outside reads it
            if ref.name in wires.producers or ref.name in claimed or not _is_own(ref.name, node):
                continue
            prefix = _prefix(node)
            # a subgraph's own names are shown as its file writes them
            names = [name.removeprefix(prefix) for name in wires.producers if name.startswith(prefix)]
            known = [*(name for name in names if "/" not in name), *spec.interfaces.get(prefix[:-1], ())]
            own = ref.name.removeprefix(prefix)
            message = f"node '{node.name}' reads {wires.word} '{own}', which nothing produces"
            hint = did_you_mean(own, known, f"{wires.word}s")
            if ref.name in others.producers:
                hint = f"'{own}' is a {others.word}"
            problems.append(Problem(ref.location, message, hint))
    if spec.syntax == "pbtxt":
        return  # MediaPipe accepts outputs that nothing produces
    for ref in spec.side_outputs if wires.side else spec.outputs:
        if ref.name not in wires.producers and ref.name not in claimed:
            hint = did_you_mean(ref.name, [name for name in wires.producers if "/" not in name], f"{wires.word}s")
            kind = "side output" if wires.side else "output"
            problems.append(Problem(ref.location, f"no node produces the graph's {kind} '{ref.name}'", hint))


def _prefix(node: NodeSpec) -> str:
    return f"{node.name.rpartition('/')[0]}/" if "/" in node.name else ""


def _is_own(stream: str, node: NodeSpec) -> bool:
    """Whether a stream belongs to the graph that a node is written in, rather than to one that uses that graph."""
    return stream.startswith(_prefix(node))


def _written_at(ref: StreamRef, node: NodeSpec, laid_open: Mapping[str, NodeSpec], side: bool) -> StreamRef:
    """The reference to the same stream in the file that the stream belongs to."""
    while not _is_own(ref.name, node):
        outer = laid_open.get(node.name.rpartition("/")[0])
        if outer is None:
            return ref
        outside = [entry for entry in (outer.side_inputs if side else outer.inputs) if entry.name == ref.name]
        if not outside:  # an output of the subgraph that is read inside, too
            return ref
        ref, node = outside[0], outer
    return ref


def order(spec: GraphSpec, wires: Sequence[Wires], problems: list[Problem]) -> list[int] | None:
    """The nodes in topological order, back edges aside, sources first and otherwise as written; None on a cycle."""
    dependencies: dict[int, set[int]] = {index: set() for index in range(len(spec.nodes))}
    for index, node in enumerate(spec.nodes):
        for kind in wires:
            for ref in kind.inputs(node):
                producer = kind.producers.get(ref.name)
                if producer is not None and not ref.back_edge:
                    dependencies[index].add(producer)
    found = topological_order(range(len(spec.nodes)), dependencies, lambda i: bool(spec.nodes[i].inputs))
    if found is None:
        _report_cycles(spec, wires, dependencies, problems)
    return found


def _report_cycles(
    spec: GraphSpec, wires: Sequence[Wires], dependencies: Mapping[int, set[int]], problems: list[Problem]
) -> None:
    import networkx as nx  # here, since it takes as long to load as reading a graph

    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(dependencies)
    graph.add_edges_from((producer, index) for index, needed in dependencies.items() for producer in sorted(needed))
    cycles = [
        component
        for component in nx.strongly_connected_components(graph)
        if len(component) > 1 or any(graph.has_edge(member, member) for member in component)
    ]
    for component in sorted(cycles, key=min):
        _report_cycle(spec, wires, graph, component, problems)


def _report_cycle(
    spec: GraphSpec, wires: Sequence[Wires], graph: nx.DiGraph[int], members: set[int], problems: list[Problem]
) -> None:
    import networkx as nx

    edges = [(one, other) for one, other, *_ in nx.find_cycle(graph.subgraph(members), min(members))]
    names = " -> ".join(spec.nodes[one].name for one, _ in edges)
    candidates: list[tuple[tuple[bool, bool, int], NodeSpec, StreamRef]] = []
    for producer, consumer in edges:
        node = spec.nodes[consumer]
        for kind in wires:
            for ref in kind.inputs(node):
                if kind.producers.get(ref.name) == producer and not ref.back_edge and not kind.side:
                    # written before what it waits for, a node is the likelier place where the loop closes
                    candidates.append(((ref.tag not in _LOOP_TAGS, producer < consumer, consumer), node, ref))
    message = f"cycle without a back edge: {names} -> {spec.nodes[edges[0][0]].name}"
    if not candidates:
        problems.append(Problem(spec.nodes[edges[0][0]].location, message, "side packets cannot go round"))
        return
    _, node, ref = min(candidates, key=lambda candidate: candidate[0])
    own = ref.name.rpartition("/")[2]
    where = f"input {port_name(ref)}" if ref.tag else f"untagged input {ref.index}"
    hint = f"'back_edge: true' on {where} of '{node.name}' would let it wait for nothing: {{stream: {own}, …}}"
    if spec.syntax == "pbtxt":
        tag_index = ref.tag if ref.tag and not ref.index else f"{ref.tag}:{ref.index}"
        hint = f'give node "{node.name}" input_stream_info {{ tag_index: "{tag_index}" back_edge: true }}'
    problems.append(Problem(ref.location, message, hint))


def resolve_types(
    spec: GraphSpec, nodes: Sequence[CheckedNode], side: bool, sides: Mapping[str, Any]
) -> dict[str, Any]:
    """What each stream (or side packet) carries; of graph inputs, what the nodes that read them take.

    Args:
        spec: the expanded graph.
        nodes: its nodes in topological order.
        side: whether it is about side packets.
        sides: what is known of the side packets, which some streams carry.
    """
    inputs = [ref.name for ref in (spec.side_inputs if side else spec.inputs)]
    types: dict[str, Any] = dict.fromkeys(inputs, Any)
    rules = [decided_types(node) for node in nodes]
    # Types travel through pass-throughs, and against the order along back edges, one more each round.
    for _ in range(len(nodes) + 1):
        before = dict(types)
        for node, (own, sources) in zip(nodes, rules, strict=True):
            types.update(_carried(node, own, sources, types, sides, side))
        if types == before:
            break
    types.update({name: kind for name, kind in _wanted(nodes, rules, side).items() if name in inputs})
    for node, (own, sources) in zip(nodes, rules, strict=True):
        types.update(_carried(node, own, sources, types, sides, side))
    return types


def _carried(
    node: CheckedNode,
    own: Mapping[Connection, Any],
    sources: Sources,
    types: Mapping[str, Any],
    sides: Mapping[str, Any],
    side: bool,
) -> dict[str, Any]:
    """What a node's outputs carry by name, given what is known of the streams and side packets it reads."""
    carried = {}
    for output in node.binding.side_outputs if side else node.binding.outputs:
        shared = [
            (types if (entry in node.binding.side_inputs) is side else sides).get(entry.name, entry.port.type)
            for entry in sources.get(output, ())
        ]
        carried[output.name] = next((kind for kind in shared if kind is not Any), own[output])
    return carried


def _wanted(
    nodes: Sequence[CheckedNode], rules: Sequence[tuple[Mapping[Connection, Any], Sources]], side: bool
) -> dict[str, Any]:
    """The one type that all readers of a stream take, looking through pass-throughs; Any where they differ."""
    wanted: dict[str, Any] = {}
    for node, (_, sources) in reversed(list(zip(nodes, rules, strict=True))):
        binding = node.binding
        passed: dict[Connection, Any] = {}
        for output in binding.side_outputs if side else binding.outputs:
            if output.name in wanted:
                for source in sources.get(output, ()):
                    old = passed.get(source)
                    passed[source] = wanted[output.name] if old is None else _narrower(old, wanted[output.name])
        for entry in binding.side_inputs if side else binding.inputs:
            kind = entry.port.type if entry.port.type is not Any else passed.get(entry, Any)
            if kind is Any:
                continue
            old = wanted.get(entry.name)
            wanted[entry.name] = kind if old is None else _narrower(old, kind)
    return wanted


def _narrower(later: Any, earlier: Any) -> Any:
    # where they exclude each other the first reader decides, and the other is reported
    return later if compatible(later, earlier) else earlier


def report_types(
    spec: GraphSpec, nodes: Sequence[CheckedNode], wires: Wires, types: Mapping[str, Any], problems: list[Problem]
) -> None:
    """Reports inputs that take another type than their stream carries, where the stream is led there."""
    laid_open = {node.name: node for node in spec.laid_open}
    reported: set[Location] = set()
    for node in nodes:
        for ref, entry in _inputs(node, wires.side):
            carried, taken = types.get(ref.name, Any), entry.port.type
            if compatible(carried, taken):
                continue
            producer = wires.producers.get(ref.name)
            if producer is None:
                source = "an input of the graph that another node reads as that"
            else:
                made = spec.nodes[producer]
                outputs = made.side_outputs if wires.side else made.outputs
                tag = next((port_name(out) for out in outputs if out.name == ref.name and out.tag), "")
                source = f"made by '{made.name}'" + (f" (output {tag})" if tag else "")
            where = f"input {port_name(ref)}" if ref.tag else f"untagged input {ref.index}"
            message = (
                f"node '{node.spec.name}': {where} takes {type_name(taken)}, but {wires.word} "
                f"'{ref.name.rpartition('/')[2]}' carries {type_name(carried)}"
            )
            location = _written_at(ref, node.spec, laid_open, wires.side).location
            if location == ref.location or location not in reported:
                problems.append(Problem(location, message, source))
            reported.add(location)
        _report_mixed(node, wires, types, problems)


def _report_mixed(node: CheckedNode, wires: Wires, types: Mapping[str, Any], problems: list[Problem]) -> None:
    """Reports inputs of different types that one output carries in turn."""
    places = {(ref.tag, ref.index): ref.location for ref in wires.inputs(node.spec)}
    for output, sources in decided_types(node)[1].items():
        if output not in (node.binding.side_outputs if wires.side else node.binding.outputs):
            continue
        known = [(entry, types.get(entry.name, Any)) for entry in sources]
        first, kind = next(((entry, kind) for entry, kind in known if kind is not Any), (output, Any))
        for entry, other in known:
            if not compatible(kind, other) and not compatible(other, kind):
                message = (
                    f"node '{node.spec.name}': {entry.tag} carries {type_name(other)} and {first.tag} "
                    f"{type_name(kind)}, but both go out as {output.tag or 'one stream'}"
                )
                problems.append(Problem(places[entry.tag, entry.index], message))


def _inputs(node: CheckedNode, side: bool) -> Iterator[tuple[StreamRef, Connection]]:
    entries = {(entry.tag, entry.index): entry for entry in (node.binding.side_inputs if side else node.binding.inputs)}
    for ref in node.spec.side_inputs if side else node.spec.inputs:
        if (ref.tag, ref.index) in entries:
            yield ref, entries[ref.tag, ref.index]
