"""What is drawn: boxes with ports, and the streams between them, graph within graph."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from graphflow.calculator import Calculator
from graphflow.config.checked import CheckedGraph, CheckedNode
from graphflow.config.expansion import port_name
from graphflow.config.loading import Findings
from graphflow.config.spec import GraphSpec, NodeSpec, StreamRef
from graphflow.config.visits import Visits
from graphflow.ports import REQUIRED, type_name

Kind = Literal["node", "graph", "input", "output"]


@dataclass(frozen=True, slots=True)
class BoxPort:
    """A place on a box where a stream or side packet ends; `label` is its tag."""

    label: str
    stream: str
    side: bool = False


@dataclass(frozen=True, slots=True)
class BoxOption:
    """An option as the node has it, and what it is by default."""

    name: str
    value: Any
    default: Any
    doc: str


@dataclass(slots=True)
class Box:
    """A node, a subgraph, or a stream by which the picture's graph is joined to what is outside."""

    kind: Kind
    name: str
    calculator: str = ""
    group: str = ""
    doc: str = ""
    tops: list[BoxPort] = field(default_factory=list)
    bottoms: list[BoxPort] = field(default_factory=list)
    options: list[BoxOption] = field(default_factory=list)
    policy: str = "default"
    place: str = ""
    inside: Level | None = None


@dataclass(frozen=True, slots=True)
class End:
    """Where a stream is read: a port on top of a box, counted from 0; `back` where it closes a loop."""

    box: int
    port: int
    back: bool = False


@dataclass(frozen=True, slots=True)
class Wire:
    """A stream or side packet: made at a port under a box, read at ports on top of others."""

    name: str
    type: str
    side: bool
    source: End
    targets: tuple[End, ...]


@dataclass(slots=True)
class Level:
    """One graph as it is drawn: its boxes, those of its interface among them, and its wires.

    `depth` says in how many others it is.
    """

    name: str
    path: str
    doc: str
    boxes: list[Box]
    wires: list[Wire]
    depth: int = 0


def picture(findings: Findings) -> Level:
    """What there is to draw of a graph that is right; nodes that `when` leaves out are not.

    Raises:
        ValueError: something is wrong with the graph.
    """
    if findings.graph is None:
        raise ValueError("a graph with mistakes cannot be drawn")
    return _Painter(findings.graph, findings.visits).level(findings.visits.graphs[0], "", {}, {})


class _Painter:
    def __init__(self, graph: CheckedGraph, visits: Visits) -> None:
        self.types: dict[str, Any] = {}
        self.checked: dict[str, CheckedNode] = {}
        self.laid_open: dict[str, NodeSpec] = {}
        self.visits = visits
        self._take_in(graph)

    def _take_in(self, graph: CheckedGraph) -> None:
        """What is known of a graph, and of those of which there is one for each key."""
        self.types |= graph.stream_types
        self.checked |= {node.spec.name: node for node in graph.nodes}
        self.laid_open |= {node.name: node for node in graph.spec.laid_open}
        for node in graph.nodes:
            if node.instance is not None:
                self._take_in(node.instance)

    def level(self, spec: GraphSpec, path: str, streams: Mapping[str, str], sides: Mapping[str, str]) -> Level:
        """One graph; `streams` and `sides` are the full names of its interface, where it is connected."""
        prefix = f"{path}/" if path else ""
        boxes: list[Box] = []
        for refs, side, names in ((spec.inputs, False, streams), (spec.side_inputs, True, sides)):
            boxes += [_interface("input", ref, side) for ref in refs if not path or ref.name in names]
        for node in spec.nodes:
            if prefix + node.name in self.checked or prefix + node.name in self.laid_open:
                boxes.append(self._box(node, prefix + node.name, (prefix, streams, sides)))
        made = {port.stream for box in boxes for port in box.bottoms}
        for refs, side, names in ((spec.outputs, False, streams), (spec.side_outputs, True, sides)):
            shown = [ref for ref in refs if ref.name in made and (not path or ref.name in names)]
            boxes += [_interface("output", ref, side) for ref in shown]
        back = {(node.name, ref.tag, ref.index) for node in spec.nodes for ref in node.inputs if ref.back_edge}
        wires = self._wires(boxes, prefix, streams, back)
        return Level(spec.name, path, spec.doc, boxes, wires, len(self.visits.uses(path)))

    def _box(self, node: NodeSpec, path: str, scope: tuple[str, Mapping[str, str], Mapping[str, str]]) -> Box:
        inside = None
        connected = self.laid_open[path] if path in self.laid_open else self.checked[path].spec
        inputs = [ref for ref in node.inputs if port_name(ref) not in connected.unconnected]
        side_inputs = [ref for ref in node.side_inputs if port_name(ref) not in connected.unconnected]
        prefix, streams, sides = scope
        outputs = [ref for ref in node.outputs if streams.get(ref.name, prefix + ref.name) in self.types]
        box = Box(
            kind="node",
            name=node.name,
            calculator=node.calculator,
            doc=node.doc,
            tops=[*_ports(inputs, False), *_ports(side_inputs, True)],
            bottoms=[*_ports(outputs, False), *_ports(node.side_outputs, True)],
            place=str(node.location),
        )
        if path in self.visits.entered:
            subgraph = self.visits.entered[path][0]
            box.kind, box.doc = "graph", node.doc or node.comment or subgraph.doc
            box.options = _parameters(subgraph, connected.options)
            pairs = ((subgraph.inputs, inputs), (subgraph.outputs, outputs))
            side_pairs = ((subgraph.side_inputs, side_inputs), (subgraph.side_outputs, node.side_outputs))
            inside = self.level(
                subgraph, path, _full_names(pairs, prefix, streams), _full_names(side_pairs, prefix, sides)
            )
        elif path in self.checked and self.checked[path].instance is not None:
            inside = self._one_of_many(box, node, path)
        elif path in self.checked:
            checked = self.checked[path]
            box.group = _group(checked.calculator)
            box.doc = node.doc or node.comment or inspect.cleandoc(checked.calculator.__doc__ or "").split("\n\n")[0]
            box.policy = checked.input_policy.name
            box.options = _options(checked.calculator, connected.options)
        else:  # a SwitchContainer
            box.group = "flow"
            box.doc = node.doc or node.comment or f"Runs one of: {', '.join(inner.name for inner in node.contained)}"
        box.inside = inside
        return box

    def _one_of_many(self, box: Box, node: NodeSpec, path: str) -> Level | None:
        """What a ForEach runs for each key, where that is a graph."""
        inner = node.contained[0]
        box.group = "flow"
        box.doc = node.doc or node.comment or f"Runs one {inner.calculator} for each key"
        box.calculator = f"{node.calculator} {inner.calculator}"
        within = f"{path}/{inner.name}"
        if within not in self.visits.entered:
            return None
        subgraph = self.visits.entered[within][0]
        box.kind = "graph"
        box.options = _parameters(subgraph, self.laid_open[within].options)
        connected = self.laid_open[within]
        pairs = ((subgraph.inputs, connected.inputs), (subgraph.outputs, connected.outputs))
        side_pairs = ((subgraph.side_inputs, connected.side_inputs), (subgraph.side_outputs, connected.side_outputs))
        return self.level(subgraph, within, _full_names(pairs, "", {}), _full_names(side_pairs, "", {}))

    def _wires(
        self, boxes: Sequence[Box], prefix: str, streams: Mapping[str, str], back: set[tuple[str, str, int]]
    ) -> list[Wire]:
        targets: dict[tuple[str, bool], list[End]] = {}
        for number, box in enumerate(boxes):
            places: dict[str, int] = {}
            for position, port in enumerate(box.tops):
                tag = port.label.partition(":")[0]
                index = places.get(tag, 0)
                places[tag] = index + 1
                closes = (box.name, tag, index) in back or _only_goes_back(box, tag, index)
                end = End(number, position, closes and not port.side)
                targets.setdefault((port.stream, port.side), []).append(end)
        wires = []
        for number, box in enumerate(boxes):
            for position, port in enumerate(box.bottoms):
                full = streams.get(port.stream, prefix + port.stream)
                kind = type_name(self.types[full]) if full in self.types and not port.side else ""
                ends = tuple(targets.get((port.stream, port.side), ()))
                wires.append(Wire(port.stream, kind, port.side, End(number, position), ends))
        return wires


def _only_goes_back(box: Box, tag: str, index: int) -> bool:
    """Whether all that reads an input inside a subgraph closes a loop, so that the input does, too."""
    if box.inside is None:
        return False
    same_tag = [i for i, inner in enumerate(box.inside.boxes) if inner.kind == "input" and inner.calculator == tag]
    if index >= len(same_tag):
        return False
    wires = [wire for wire in box.inside.wires if wire.source.box == same_tag[index]]
    return bool(wires and wires[0].targets) and all(end.back for end in wires[0].targets)


def _interface(kind: Literal["input", "output"], ref: StreamRef, side: bool) -> Box:
    port = BoxPort("", ref.name, side)
    tops, bottoms = ([], [port]) if kind == "input" else ([port], [])
    return Box(kind, ref.name, calculator=ref.tag, tops=tops, bottoms=bottoms, place=str(ref.location))


def _ports(refs: Iterable[StreamRef], side: bool) -> list[BoxPort]:
    return [BoxPort(f"{ref.tag}:{ref.index}" if ref.index and ref.tag else ref.tag, ref.name, side) for ref in refs]


def _full_names(
    pairs: Iterable[tuple[Iterable[StreamRef], Iterable[StreamRef]]], prefix: str, outer: Mapping[str, str]
) -> dict[str, str]:
    """Name inside -> full name, of what is connected."""
    names: dict[str, str] = {}
    for inner_refs, outer_refs in pairs:
        given = {(ref.tag, ref.index): outer.get(ref.name, prefix + ref.name) for ref in outer_refs}
        names |= {ref.name: given[ref.tag, ref.index] for ref in inner_refs if (ref.tag, ref.index) in given}
    return names


def _group(calculator: type[Calculator]) -> str:
    """The family of a calculator, by which it is coloured."""
    parts = calculator.__module__.split(".")
    return parts[2] if parts[:2] == ["graphflow", "calculators"] and len(parts) > 3 else "own"


def _options(calculator: type[Calculator], given: Mapping[str, Any]) -> list[BoxOption]:
    return [
        BoxOption(name, given.get(name, option.default), option.default, option.doc)
        for name, option in calculator.options().items()
        if option.default is not REQUIRED or name in given
    ]


def _parameters(graph: GraphSpec, given: Mapping[str, Any]) -> list[BoxOption]:
    docs = graph.param_docs
    return [
        BoxOption(name, given.get(name, default), default, docs.get(name, ""))
        for name, default in graph.params.items()
        if default is not REQUIRED or name in given
    ]
