"""Warns of nodes that never run, wait for ever, or let packets pile up, before the graph is run.

What moves is found from the graph's inputs and sources onwards: a stream moves when its producer does, and a node when
the inputs move that its input policy waits for. What is left when nothing more can be added stands still for ever.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Iterator, Mapping, Sequence
from types import CodeType
from typing import Any

from graphflow.calculator import Calculator
from graphflow.config.checked import CheckedGraph, CheckedNode
from graphflow.config.expansion import port_name
from graphflow.config.policies import sync_sets, tag_and_index
from graphflow.config.spec import StreamRef
from graphflow.context import Connection
from graphflow.errors import Location, Problem
from graphflow.ports import SideOutput

_EMITTING = frozenset({"emit", "emit_packet", "set_bound", "close_output"})


def standstills(graph: CheckedGraph) -> Iterator[Problem]:
    """Warnings about the nodes of an expanded graph where packets come to a standstill, and about idle back edges."""
    producers = {entry.name: node for node in graph.nodes for entry in node.binding.outputs}
    moving = _moving_streams(graph)
    still = [node for node in graph.nodes if not _moves(node, moving)]
    told: set[str] = set()

    def likeliest(node: CheckedNode) -> tuple[bool, bool]:
        refs = [ref for ref in node.spec.inputs if ref.name not in moving]
        return len(refs) == len(node.spec.inputs), not any(ref.back_edge for ref in refs)

    # of a loop the node is told where packets arrive, or where it is closed
    for node in sorted(still, key=likeliest):
        yield from _explain(node, moving, producers, graph, told)
    for node in graph.nodes:
        if not node.spec.inputs and node.spec.unconnected and _had_inputs(node):
            reason = next(iter(node.spec.unconnected.values()))
            message = f"node '{node.spec.name}' can never run as meant: none of its inputs is connected"
            yield _warning(node.spec.location, message, reason)
    yield from _idle_back_edges(graph, producers)
    for node in graph.nodes:
        if node.instance is not None:
            yield from standstills(node.instance)


def _moving_streams(graph: CheckedGraph) -> set[str]:
    moving = {ref.name for ref in graph.spec.inputs}
    waiting = list(graph.nodes)
    for node in graph.nodes:
        if _may_emit_in_open(node.calculator):
            moving |= {entry.name for entry in node.binding.outputs}
    while True:
        started = [node for node in waiting if _moves(node, moving)]
        if not started:
            return moving
        waiting = [node for node in waiting if node not in started]
        moving |= {entry.name for node in started for entry in node.binding.outputs}


def _moves(node: CheckedNode, moving: set[str]) -> bool:
    """Whether a node gets to run some time, given the streams on which time passes."""
    inputs = node.binding.inputs
    if not inputs:
        return True
    moves = [entry.name in moving for entry in inputs]
    match node.input_policy.name:
        case "immediate":
            return any(moves)
        case "sync_sets":
            return any(all(moves[position] for position in group) for group in _groups(node))
        case "mux":
            return moves[-1] and any(moves[:-1])
        case "timestamp_align":
            base = str(node.input_policy.options.get("timestamp_base_tag_index", ""))
            return any(moved for entry, moved in zip(inputs, moves, strict=True) if _is_named(entry, base))
    return all(moves)


def _groups(node: CheckedNode) -> list[list[int]]:
    """The inputs that wait for one another, by position; those that no sync set names are one more group."""
    inputs = node.binding.inputs
    groups = [
        [i for i, port in enumerate(inputs) if any(_is_named(port, name) for name in names)]
        for names in sync_sets(node.input_policy.options)
    ]
    rest = [i for i in range(len(inputs)) if not any(i in group for group in groups)]
    return [group for group in (*groups, rest) if group]


def _is_named(entry: Connection, tag_index: str) -> bool:
    return (entry.tag, entry.index) == tag_and_index(tag_index)


def _explain(
    node: CheckedNode, moving: set[str], producers: Mapping[str, CheckedNode], graph: CheckedGraph, told: set[str]
) -> Iterator[Problem]:
    """The warning about a node that stands still, unless it is in a loop that was told of (`told`, by node)."""
    spec = node.spec
    missing = sorted((ref for ref in spec.inputs if ref.name not in moving), key=lambda ref: not ref.back_edge)
    arriving = [ref for ref in spec.inputs if ref.name in moving]
    if not missing:
        return
    trips = ((ref, _path(node, ref.name, producers)) for ref in missing)
    lost, round_trip = next(((ref, path) for ref, path in trips if path), (missing[0], []))
    own = _own_name(lost.name)
    if told.intersection(round_trip):
        return
    told.update(round_trip)
    if round_trip and not arriving:
        chain = " -> ".join([*round_trip, spec.name])
        message = f"node '{spec.name}' can never run: all that it reads comes round from its own outputs ({chain})"
        hint = "let something in from outside the loop, such as the MAIN input of a PreviousLoopback node"
        yield _warning(lost.location, message, hint)
    elif round_trip:
        message = (
            f"node '{spec.name}' waits for ever: its input policy ({node.input_policy.name}) lets "
            f"'{_own_name(arriving[0].name)}' wait for '{own}', which is made from what the node puts out"
        )
        hint = "give the node 'input_policy: immediate', or bring the stream back through a PreviousLoopback node"
        yield _warning(lost.location, message, hint)
    elif arriving:
        size = spec.queue_size if spec.queue_size is not None else graph.spec.max_queue_size
        room = "any number of packets" if size == -1 else f"room for {size} packets at first"
        maker = producers[lost.name].spec.name if lost.name in producers else "nothing"
        message = (
            f"the queue of '{_own_name(arriving[0].name)}' at {_port(arriving[0])} of node '{spec.name}' cannot drain: "
            f"its packets wait for '{own}', which never comes"
        )
        yield _warning(arriving[0].location, message, f"it has {room}; see what keeps node '{maker}' from running")


def _path(node: CheckedNode, stream: str, producers: Mapping[str, CheckedNode]) -> list[str]:
    """The nodes from `node` to the producer of a stream, by name; nothing where it does not depend on the node."""
    behind: dict[str, str] = {}
    waiting = [stream]
    while waiting:
        name = waiting.pop(0)
        made_by = producers.get(name)
        if made_by is None:
            continue
        if made_by is node:
            found = [node.spec.name]
            while name in behind:
                name = behind[name]
                found.append(producers[name].spec.name)
            return found
        for entry in made_by.binding.inputs:
            if entry.name not in behind and entry.name != stream:
                behind[entry.name] = name
                waiting.append(entry.name)
    return []


def _idle_back_edges(graph: CheckedGraph, producers: Mapping[str, CheckedNode]) -> Iterator[Problem]:
    """Back edges that close no loop; where several readers share a stream, one loop is enough for all."""
    marked: dict[str, list[tuple[CheckedNode, StreamRef]]] = {}
    for node in graph.nodes:
        for ref in node.spec.inputs:
            # what a graph takes from outside may come round there
            if ref.back_edge and ref.name in producers:
                marked.setdefault(ref.name, []).append((node, ref))
    for name, readers in marked.items():
        if any(_path(node, name, producers) for node, _ in readers):
            continue
        node, ref = readers[0]
        message = (
            f"the back edge '{_own_name(name)}' at {_port(ref)} of node '{node.spec.name}' closes no loop: "
            f"'{producers[name].spec.name}' does not depend on the node"
        )
        yield _warning(ref.location, message, "leave out 'back_edge: true', or read the stream that was meant")


def _had_inputs(node: CheckedNode) -> bool:
    """Whether the file connects input streams that expansion took away, rather than side packets alone."""
    tags = {port_name(ref) for ref in node.spec.side_inputs}
    return "inputs" in node.spec.field_locations and any(name not in tags for name in node.spec.unconnected)


def _may_emit_in_open(calculator: type[Calculator]) -> bool:
    """Whether `open` can put something out or settle time, so that a loop begins to turn by itself."""
    written = [vars(cls)["open"] for cls in calculator.__mro__ if cls is not Calculator and "open" in vars(cls)]
    return any(_emits(function, calculator, set()) for function in written)


def _emits(function: Any, calculator: type[Calculator], seen: set[CodeType]) -> bool:
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:  # not Python's: it may do anything
        return True
    if code in seen:
        return False
    seen.add(code)
    steps = list(dis.get_instructions(code))
    for position, step in enumerate(steps):
        if step.argval in _EMITTING:  # context.emit(self.port, …)
            near = steps[position + 1 : position + 6]
        elif step.opname == "STORE_SUBSCR":  # context[self.port] = …
            near = steps[position - 1 : position]
        else:
            continue
        port = next((other.argval for other in near if other.opname == "LOAD_ATTR"), "")
        if not isinstance(getattr(calculator, str(port), None), SideOutput):
            return True
    called: Sequence[Any] = [getattr(calculator, name, None) for name in code.co_names]
    called = [*called, *(function.__globals__.get(name) for name in code.co_names)]
    return any(inspect.isfunction(entry) and _emits(entry, calculator, seen) for entry in called)


def _own_name(name: str) -> str:
    return name.rpartition("/")[2]


def _port(ref: StreamRef) -> str:
    return f"input {port_name(ref)}" if ref.tag else f"untagged input {ref.index}"


def _warning(location: Location, message: str, hint: str) -> Problem:
    return Problem(location, message, hint, "warning")
