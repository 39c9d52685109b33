"""Checks an expanded graph as a whole; everything wrong is reported at once."""

from __future__ import annotations

from dataclasses import replace

from graphflow.config.binding import bind
from graphflow.config.checked import CheckedGraph, CheckedNode
from graphflow.config.policies import policy_mistakes
from graphflow.config.spec import GraphSpec, NodeSpec, PolicySpec, StreamRef
from graphflow.config.suggestions import did_you_mean
from graphflow.config.wiring import Wires, find_producers, order, report_types, report_undeclared, resolve_types
from graphflow.errors import Location, Problem

_RESERVED_EXECUTORS = ("default", "gpu")


def check_graph(spec: GraphSpec, problems: list[Problem]) -> CheckedGraph | None:
    """The graph as the runtime takes it, or None where something is wrong with it.

    Args:
        spec: an expanded graph.
        problems: receives everything that is wrong; the graph is refused only for what is added here.
    """
    before = len(problems)
    if spec.syntax == "pbtxt":
        spec = with_undeclared_side_inputs(spec)
    _check_settings(spec, problems)
    streams = find_producers(spec, False, problems)
    side_packets = find_producers(spec, True, problems)
    report_undeclared(spec, streams, side_packets, problems)
    report_undeclared(spec, side_packets, streams, problems)
    _check_interface(spec, problems)
    sorted_nodes = order(spec, (streams, side_packets), problems)
    bound = [_bound(node, spec, problems) for node in spec.nodes]
    # types are checked among the nodes that are right in themselves, so that one mistake does not hide another
    sequence = sorted_nodes if sorted_nodes is not None else range(len(bound))
    nodes = [node for node in (bound[index] for index in sequence) if node is not None]
    side_types = _check_types(spec, nodes, side_packets, {}, problems)
    stream_types = _check_types(spec, nodes, streams, side_types, problems)
    if len(problems) > before:
        return None
    return CheckedGraph(spec, tuple(nodes), stream_types)


def _bound(node: NodeSpec, spec: GraphSpec, problems: list[Problem]) -> CheckedNode | None:
    """The node with its calculator, and with the graph that it runs for each key, where it does."""
    bound = bind(node, spec.input_policy, problems, spec.syntax)
    if node.instance is None:
        return bound
    # pools are the business of the graph around it
    instance = check_graph(replace(node.instance, executors=spec.executors), problems)
    for inner in node.instance.nodes:
        if inner.outputs and not inner.inputs:
            message = f"node '{inner.name}' is a source, and a {node.calculator} feeds what it runs"
            problems.append(Problem(inner.location, message, "put the source in front, as an input"))
    return replace(bound, instance=instance) if bound is not None and instance is not None else None


def _check_types(
    spec: GraphSpec, nodes: list[CheckedNode], wires: Wires, sides: dict[str, object], problems: list[Problem]
) -> dict[str, object]:
    types = resolve_types(spec, nodes, wires.side, sides)
    report_types(spec, nodes, wires, types, problems)
    return types


def with_undeclared_side_inputs(spec: GraphSpec) -> GraphSpec:
    """MediaPipe lets a node read a side packet that the graph does not declare, if it is given at the start."""
    known = {ref.name for ref in spec.side_inputs}
    known |= {ref.name for node in spec.nodes for ref in node.side_outputs}
    added: dict[str, StreamRef] = {}
    untagged = sum(not ref.tag for ref in spec.side_inputs)
    for node in (*spec.nodes, *spec.laid_open):
        for ref in node.side_inputs:
            if ref.name not in known and "/" not in ref.name and ref.name not in added:
                added[ref.name] = StreamRef("", untagged + len(added), ref.name, ref.location)
    return replace(spec, side_inputs=(*spec.side_inputs, *added.values()))


def _check_interface(spec: GraphSpec, problems: list[Problem]) -> None:
    for refs in (spec.inputs, spec.outputs, spec.side_inputs, spec.side_outputs):
        seen: set[tuple[str, int]] = set()
        for ref in refs:
            if (ref.tag, ref.index) in seen:
                problems.append(Problem(ref.location, f"the graph has two streams {ref.tag}:{ref.index}"))
            seen.add((ref.tag, ref.index))


def _check_settings(spec: GraphSpec, problems: list[Problem]) -> None:
    def report(location: Location, message: str, hint: str = "") -> None:
        problems.append(Problem(location, message, hint))

    def place(field: str) -> Location:
        return spec.field_locations.get(field, spec.location)

    if spec.num_threads is not None and spec.num_threads < 0:
        report(place("num_threads"), f"num_threads cannot be {spec.num_threads}", "0 lets the runtime choose")
    if spec.max_queue_size < 1 and spec.max_queue_size != -1:
        report(place("max_queue_size"), f"max_queue_size cannot be {spec.max_queue_size}", "-1 lifts the limit")
    executors: set[str] = set()
    for executor in spec.executors:
        if executor.name in _RESERVED_EXECUTORS or executor.name.startswith("__"):
            hint = "the default one is set by num_threads" if executor.name == "default" else "choose another name"
            report(executor.location, f"executor name '{executor.name}' is reserved", hint)
        if executor.name in executors:
            report(executor.location, f"executor '{executor.name}' is declared twice")
        if executor.num_threads < 0:
            report(executor.location, f"num_threads of executor '{executor.name}' cannot be {executor.num_threads}")
        executors.add(executor.name)
    if "" in executors and spec.num_threads:
        message = "num_threads and an executor without a name both set the default executor"
        report(place("num_threads"), message, "keep one of them")
    _check_policy(spec.input_policy, problems)
    for node in spec.nodes:
        fields = node.field_locations
        if node.executor and node.executor not in executors:
            known = sorted(executors - {""})
            hint = did_you_mean(node.executor, known, "executors") or "the graph declares none under 'executors'"
            report(
                fields.get("executor", node.location), f"node '{node.name}': unknown executor '{node.executor}'", hint
            )
        if node.max_in_flight < 1:
            message = f"node '{node.name}': max_in_flight cannot be {node.max_in_flight}"
            report(fields.get("max_in_flight", node.location), message, "1 is one call at a time")
        if node.queue_size is not None and node.queue_size < 1 and node.queue_size != -1:
            message = f"node '{node.name}': queue_size cannot be {node.queue_size}"
            report(fields.get("queue_size", node.location), message, "-1 lifts the limit")
        _check_policy(node.input_policy, problems, node)


def _check_policy(policy: PolicySpec | None, problems: list[Problem], node: NodeSpec | None = None) -> None:
    if policy is None:
        return
    tags = None if node is None else {(ref.tag, ref.index) for ref in node.inputs}
    where = f"node '{node.name}': " if node is not None else ""
    for message, hint in policy_mistakes(policy, tags):
        problems.append(Problem(policy.location, f"{where}{message}", hint))
