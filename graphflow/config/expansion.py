"""Replaces parameters by values and subgraph nodes by the nodes they stand for (MediaPipe: subgraph_expansion.cc)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from graphflow import registry
from graphflow.config.for_each import FOR_EACH, instance_graph
from graphflow.config.graph_folders import GraphFolders
from graphflow.config.library import find_subgraph
from graphflow.config.option_values import WHOLE
from graphflow.config.overrides import Overrides
from graphflow.config.parameters import Parameters, resolve
from graphflow.config.spec import ExecutorSpec, GraphSpec, NodeSpec, PolicySpec, StreamRef
from graphflow.config.suggestions import did_you_mean
from graphflow.config.switch import SWITCH, switch_graph
from graphflow.config.visits import Visits
from graphflow.errors import GraphConfigError, Location, Problem

_CALCULATOR_FIELDS = ("executor", "max_in_flight", "queue_size", "source_layer", "input_policy")
_PBTXT_CALCULATOR_FIELDS = ("source_layer", "buffer_size_hint", "output_stream_handler", "input_stream_info")


def expand_graph(
    spec: GraphSpec,
    params: Mapping[str, Any],
    overrides: Mapping[str, Any],
    folders: GraphFolders,
    problems: list[Problem],
    visits: Visits | None = None,
) -> GraphSpec:
    """The graph with every parameter replaced and every subgraph laid open.

    A node, stream or side packet inside subgraph node `pose` becomes `pose/name`; streams of the subgraph's interface
    take the name they have outside. An interface input that the node leaves unconnected, and a stream whose producer
    `when` leaves out, vanish from the nodes that read them, which then say themselves whether they can do without.

    Args:
        spec: the graph as read.
        params: values of its parameters.
        overrides: `param`, `node/path.option` or `Calculator.option` -> value, stronger than what is written.
        folders: where to find subgraphs besides the graph's own folder and the shipped ones.
        problems: receives everything that is wrong.
        visits: receives the graphs that were met on the way.
    """
    return _Expansion(problems, Overrides(overrides, problems), folders, visits or Visits()).run(spec, params)


@dataclass(slots=True)
class _Scope:
    """One graph being laid open: its path, parameters, and what its interface is called outside."""

    path: str
    parameters: Parameters
    streams: Mapping[str, str | None]
    side_packets: Mapping[str, str | None]
    backward: frozenset[str] = frozenset()
    within: tuple[GraphSpec, ...] = ()

    def inside(self, name: str) -> str:
        """The full name of a node, stream or side packet that belongs to the graph alone."""
        return f"{self.path}/{name}" if self.path else name

    def refs(self, refs: Iterable[StreamRef], side: bool) -> tuple[tuple[StreamRef, ...], dict[str, str]]:
        """References under their full names, and those whose interface input is not connected with the reason."""
        names = self.side_packets if side else self.streams
        kept: list[StreamRef] = []
        lost: dict[str, str] = {}
        for ref in refs:
            name = names.get(ref.name, self.inside(ref.name))
            if name is None:
                lost[port_name(ref)] = f"'{ref.name}' comes into {self.path}, which leaves it unconnected"
                continue
            kept.append(replace(ref, name=name, back_edge=ref.back_edge or ref.name in self.backward))
        return _renumbered(kept, lost), lost


@dataclass(slots=True)
class _Expansion:
    problems: list[Problem]
    overrides: Overrides
    folders: GraphFolders
    visits: Visits
    nodes: list[NodeSpec] = field(default_factory=list)
    laid_open: list[NodeSpec] = field(default_factory=list)
    interfaces: dict[str, tuple[str, ...]] = field(default_factory=dict)
    executors: dict[str, ExecutorSpec] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    paths: set[str] = field(default_factory=set)
    subgraphs: dict[tuple[str, str], GraphSpec | None] = field(default_factory=dict)

    def run(self, spec: GraphSpec, params: Mapping[str, Any]) -> GraphSpec:
        given, locations = self.overrides.parameters(params)
        values = resolve(spec, given, locations, spec.field_locations.get("params", spec.location), self.problems)
        parameters = self._parameters(spec, values)
        interface = (*spec.inputs, *spec.outputs)
        side_interface = (*spec.side_inputs, *spec.side_outputs)
        scope = _Scope(
            "",
            parameters,
            {ref.name: ref.name for ref in interface},
            {ref.name: ref.name for ref in side_interface},
            within=(spec,),
        )
        self.visits.begin(spec)
        self._add_executors(spec, parameters)
        self._lay_open(spec, scope)
        self.overrides.report_unused(self.paths, spec.params)
        nodes, outputs, side_outputs = self._without_left_out(spec)
        numbers = {
            name: parameters.integer(text, name, spec.field_locations.get(name, spec.location), 0)
            for name, text in spec.deferred.items()
        }
        return replace(
            spec,
            nodes=nodes,
            laid_open=tuple(self.laid_open),
            interfaces=self.interfaces,
            outputs=outputs,
            side_outputs=side_outputs,
            params=values,
            executors=tuple(self.executors.values()),
            deferred={},
            input_policy=self._policy(spec.input_policy, parameters),
            **numbers,  # type: ignore[arg-type]
        )

    def _lay_open(self, spec: GraphSpec, scope: _Scope) -> None:
        for node in spec.nodes:
            path = scope.inside(node.name)
            self.paths.add(path)
            if not scope.parameters.holds(node):
                self._leave_out(node, scope, f"node '{node.name}' is left out: when {node.when} does not hold")
                self.overrides.used(path)
                continue
            node = self._resolved(node, path, scope)
            subgraph = self._subgraph(node) if node.calculator != SWITCH else None
            if node.calculator == SWITCH or subgraph is not None:
                self.laid_open.append(node)
            if node.calculator == SWITCH:
                self._enter_switch(node, scope)
            elif node.calculator == FOR_EACH:
                self.nodes.append(self._with_instance(node, scope))
            elif subgraph is not None:
                self._enter(node, subgraph, scope)
            else:
                self.nodes.append(node)

    def _resolved(self, node: NodeSpec, path: str, scope: _Scope) -> NodeSpec:
        """The node under its full name with its parameters replaced, overrides applied and its streams renamed."""
        inputs, lost = scope.refs(node.inputs, side=False)
        side_inputs, side_lost = scope.refs(node.side_inputs, side=True)
        node = self._with_values(node, scope.parameters)
        name = node.calculator.rpartition(":")[2]  # without the file it is in
        options, option_locations = self.overrides.options(path, name, node.options, node.option_locations)
        if node.contained and node.calculator not in (SWITCH, FOR_EACH):
            location = node.field_locations.get("nodes", node.location)
            self._report(location, f"node '{path}': 'nodes' is for {SWITCH} and {FOR_EACH}, which run them")
        return replace(
            node,
            name=path,
            inputs=inputs,
            outputs=scope.refs(node.outputs, side=False)[0],
            side_inputs=side_inputs,
            side_outputs=scope.refs(node.side_outputs, side=True)[0],
            options=options,
            option_locations=option_locations,
            when=True,
            unconnected={**lost, **side_lost},
        )

    def _with_values(self, node: NodeSpec, parameters: Parameters) -> NodeSpec:
        """The node, and those it contains, with their parameters replaced."""
        place = node.field_locations.get
        numbers: dict[str, Any] = {
            name: parameters.integer(text, name, place(name, node.location), 1) for name, text in node.deferred.items()
        }
        return replace(
            node,
            calculator=str(parameters.substitute(node.calculator, place("calculator", node.location))),
            executor=str(parameters.substitute(node.executor, place("executor", node.location))),
            options=parameters.node_options(node),
            option_values={},
            input_policy=self._policy(node.input_policy, parameters),
            contained=tuple(self._with_values(inner, parameters) for inner in node.contained),
            deferred={},
            **numbers,
        )

    def _subgraph(self, node: NodeSpec) -> GraphSpec | None:
        """The graph a node stands for; None where it is a calculator or unknown, which validation tells apart."""
        key = (node.calculator, node.folder)
        if key not in self.subgraphs:
            self.subgraphs[key] = None
            # where both exist a calculator wins, so that a graph of the same name cannot take its place
            if not is_calculator(*key):
                try:
                    found = find_subgraph(*key, self.folders)
                except GraphConfigError as error:
                    self.problems.extend(error.problems)
                    found = None
                self.subgraphs[key] = found.read(self.problems) if found else None
        return self.subgraphs[key]

    def _enter(self, node: NodeSpec, subgraph: GraphSpec, outer: _Scope) -> None:
        location = node.field_locations.get("calculator", node.location)
        if any(_same_graph(subgraph, graph) for graph in outer.within):
            chain = " -> ".join(graph.name for graph in (*outer.within, subgraph))
            self._report(location, f"graph {subgraph.name} contains itself", f"use another one here: {chain}")
            return
        self.visits.enter(node.name, subgraph, location)
        self.interfaces[node.name] = tuple(ref.name for ref in (*subgraph.inputs, *subgraph.side_inputs))
        self._refuse_calculator_fields(node, outer, f"the subgraph {subgraph.name}")
        if subgraph.input_policy and subgraph.syntax == "yaml":
            message = f"the input policy of graph {subgraph.name} holds for it alone, not where it is a subgraph"
            self._report(subgraph.input_policy.location, message, "set it on the nodes inside")
        values = resolve(subgraph, node.options, node.option_locations, location, self.problems)
        streams, backward = self._interface(node, subgraph, side=False)
        side_packets, _ = self._interface(node, subgraph, side=True)
        scope = _Scope(
            node.name,
            self._parameters(subgraph, values),
            streams,
            side_packets,
            backward,
            (*outer.within, subgraph),
        )
        self._add_executors(subgraph, scope.parameters)
        self._lay_open(subgraph, scope)

    def _enter_switch(self, node: NodeSpec, outer: _Scope) -> None:
        self._refuse_calculator_fields(node, outer, f"a {SWITCH}")
        graph = switch_graph(node, self.problems)
        streams, backward = self._interface(node, graph, side=False)
        side_packets, _ = self._interface(node, graph, side=True)
        # its parameters are replaced already; it is no graph that could contain itself
        scope = _Scope(
            node.name, Parameters({}, self.problems, literal=True), streams, side_packets, backward, outer.within
        )
        self._lay_open(graph, scope)

    def _with_instance(self, node: NodeSpec, outer: _Scope) -> NodeSpec:
        """A container with the graph it runs for each key, laid open apart from the rest."""
        graph = instance_graph(node, self.problems)
        if graph is None:
            return node
        scope = _Scope(node.name, Parameters({}, self.problems, literal=True), {}, {}, within=outer.within)
        outside, self.nodes = self.nodes, []
        laid_open, self.laid_open = self.laid_open, []
        self._lay_open(graph, scope)
        inside = replace(
            graph,
            inputs=scope.refs(graph.inputs, side=False)[0],
            outputs=scope.refs(graph.outputs, side=False)[0],
            side_inputs=scope.refs(graph.side_inputs, side=True)[0],
        )
        nodes, outputs, _ = self._without_left_out(inside)
        inside = replace(inside, nodes=nodes, outputs=outputs, laid_open=tuple(self.laid_open))
        self.nodes, self.laid_open = outside, laid_open
        made = {(ref.tag, ref.index) for ref in inside.outputs}
        for ref in node.outputs:
            if (ref.tag, ref.index) not in made:
                self.left_out[ref.name] = f"{graph.name} leaves its output {port_name(ref)} out here"
        outputs = tuple(ref for ref in node.outputs if (ref.tag, ref.index) in made)
        return replace(node, instance=inside, outputs=outputs)

    def _refuse_calculator_fields(self, node: NodeSpec, outer: _Scope, what: str) -> None:
        """Reports fields that mean nothing on a node that is laid open; MediaPipe lets some of them pass."""
        for name in _PBTXT_CALCULATOR_FIELDS if outer.within[-1].syntax == "pbtxt" else _CALCULATOR_FIELDS:
            if name in node.field_locations:
                message = f"'{name}' is for calculators; node '{node.name}' is {what}"
                self._report(node.field_locations[name], message, "set it on the nodes inside")

    def _interface(
        self, node: NodeSpec, subgraph: GraphSpec, side: bool
    ) -> tuple[dict[str, str | None], frozenset[str]]:
        """Interior name -> outside name of a subgraph's streams or side packets, and the inputs that go backward."""
        inner_in, outer_in = (subgraph.side_inputs, node.side_inputs) if side else (subgraph.inputs, node.inputs)
        inner_out, outer_out = (subgraph.side_outputs, node.side_outputs) if side else (subgraph.outputs, node.outputs)
        kind = "side " if side else ""
        names: dict[str, str | None] = {ref.name: None for ref in inner_in}
        entering = self._matched(node, subgraph, inner_in, outer_in, f"{kind}input")
        names |= {inner.name: outer.name for inner, outer in entering}
        made = {ref.name for inside in subgraph.nodes for ref in (inside.side_outputs if side else inside.outputs)}
        taken: dict[str, StreamRef] = {}
        for inner, outer in self._matched(node, subgraph, inner_out, outer_out, f"{kind}output"):
            if inner.name in {ref.name for ref in inner_in} or inner.name in taken:
                what = "is one of its inputs" if inner.name not in taken else "is two of its outputs"
                message = f"'{inner.name}' of {subgraph.name} {what}, which has no name of its own outside"
                self._report(inner.location, message, "give it one with a PassThrough node")
            elif inner.name not in made and subgraph.syntax == "yaml":
                hint = did_you_mean(inner.name, made, "streams")
                self._report(inner.location, f"no node of {subgraph.name} produces its output '{inner.name}'", hint)
            else:
                names[inner.name] = outer.name
            taken[inner.name] = outer
        return names, frozenset(inner.name for inner, outer in entering if outer.back_edge)

    def _matched(
        self,
        node: NodeSpec,
        subgraph: GraphSpec,
        inner: tuple[StreamRef, ...],
        outer: tuple[StreamRef, ...],
        kind: str,
    ) -> list[tuple[StreamRef, StreamRef]]:
        """Pairs of (reference inside, reference outside) that agree in tag and index."""
        known = {(ref.tag, ref.index): ref for ref in inner}
        pairs = []
        for ref in outer:
            if (ref.tag, ref.index) in known:
                pairs.append((known[ref.tag, ref.index], ref))
                continue
            tags = {port_name(entry) for entry in inner}
            hint = did_you_mean(port_name(ref), tags, f"{kind}s") or f"it has no {kind}s"
            shown = f"'{port_name(ref)}'" if ref.tag else "without a tag"
            self._report(ref.location, f"subgraph {subgraph.name} has no {kind} {shown}", hint)
        return pairs

    def _leave_out(self, node: NodeSpec, scope: _Scope, reason: str) -> None:
        for refs, side in ((node.outputs, False), (node.side_outputs, True)):
            for ref in scope.refs(refs, side)[0]:
                self.left_out[ref.name] = reason

    def _without_left_out(
        self, spec: GraphSpec
    ) -> tuple[tuple[NodeSpec, ...], tuple[StreamRef, ...], tuple[StreamRef, ...]]:
        """The nodes, graph outputs and graph side outputs without the streams that `when` leaves nobody to produce."""
        present = {ref.name for ref in (*spec.inputs, *spec.side_inputs)}
        present |= {ref.name for node in self.nodes for ref in (*node.outputs, *node.side_outputs)}
        gone = {name: reason for name, reason in self.left_out.items() if name not in present}

        def kept(refs: tuple[StreamRef, ...], lost: dict[str, str]) -> tuple[StreamRef, ...]:
            lost.update({port_name(ref): gone[ref.name] for ref in refs if ref.name in gone})
            return _renumbered([ref for ref in refs if ref.name not in gone], lost)

        self.laid_open = [
            replace(node, inputs=kept(node.inputs, {}), side_inputs=kept(node.side_inputs, {}))
            for node in self.laid_open
        ]
        nodes = []
        for node in self.nodes:
            lost = dict(node.unconnected)
            nodes.append(
                replace(
                    node, inputs=kept(node.inputs, lost), side_inputs=kept(node.side_inputs, lost), unconnected=lost
                )
            )
        return tuple(nodes), kept(spec.outputs, {}), kept(spec.side_outputs, {})

    def _add_executors(self, spec: GraphSpec, parameters: Parameters) -> None:
        for executor in spec.executors:
            if "num_threads" in executor.deferred:
                text = executor.deferred["num_threads"]
                threads = parameters.integer(text, "num_threads", executor.location, 0)
                executor = replace(executor, num_threads=threads, deferred={})
            # the graph outside comes first: it knows better how many threads there are
            self.executors.setdefault(executor.name, executor)

    def _policy(self, policy: PolicySpec | None, parameters: Parameters) -> PolicySpec | None:
        if policy is None:
            return None
        return replace(
            policy,
            name=str(parameters.substitute(policy.name, policy.location)),
            options=parameters.options(policy.options, {}, policy.location),
        )

    def _parameters(self, spec: GraphSpec, values: Mapping[str, Any]) -> Parameters:
        # MediaPipe's text has no parameters, and its strings may hold a '$'
        return Parameters(values, self.problems, literal=spec.syntax == "pbtxt", open=WHOLE in spec.params)

    def _report(self, location: Location, message: str, hint: str = "") -> None:
        self.problems.append(Problem(location, message, hint))


def is_calculator(name: str, folder: str) -> bool:
    """Whether a name is a calculator's, loadable or not."""
    try:
        registry.find(name, Path(folder) if folder else None)
    except registry.UnknownCalculatorError:
        return False
    except Exception:  # it exists and fails to load: validation says how
        return True
    return True


def port_name(ref: StreamRef) -> str:
    """`TAG`, `TAG:1`, or the index of an untagged connection."""
    return (f"{ref.tag}:{ref.index}" if ref.index else ref.tag) if ref.tag else str(ref.index)


def _renumbered(refs: list[StreamRef], lost: Mapping[str, str]) -> tuple[StreamRef, ...]:
    """Untagged connections close up when one of them is taken away, as they do in MediaPipe; tagged ones stay."""
    if not lost:
        return tuple(refs)
    result = []
    untagged = 0
    for ref in refs:
        if not ref.tag:
            ref, untagged = replace(ref, index=untagged), untagged + 1
        result.append(ref)
    return tuple(result)


def _same_graph(one: GraphSpec, other: GraphSpec) -> bool:
    return one.name == other.name and one.location.file == other.location.file
