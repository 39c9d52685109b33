"""Warns of what a graph names and nothing reads: streams, side packets, inputs, parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from graphflow import registry
from graphflow.config.expansion import port_name
from graphflow.config.option_values import WHOLE
from graphflow.config.spec import GraphSpec, NodeSpec, StreamRef
from graphflow.errors import Location, Problem
from graphflow.ports import Output, Port, SideOutput

_PARAMETER = re.compile(r"\$\{?([a-z_][a-z0-9_]*)")


def unread(spec: GraphSpec) -> Iterator[Problem]:
    """Warnings about one graph as it is written; whatever any node may read under some `when` counts as read.

    Names that begin with `_` say that nobody is meant to read them. An output that its calculator insists on passes
    where another output of the node is read.
    """
    for side in (False, True):
        word = "side packet" if side else "stream"
        read = {ref.name for node in spec.nodes for ref in (node.side_inputs if side else node.inputs)}
        read |= {ref.name for ref in (spec.side_outputs if side else spec.outputs)}
        for node in spec.nodes:
            yield from _of_node(node, node.side_outputs if side else node.outputs, read, side)
        for ref in spec.side_inputs if side else spec.inputs:
            if ref.name not in read and not ref.name.startswith("_"):
                message = f"nothing reads {word} '{ref.name}', an input of graph {spec.name}"
                yield _warning(ref.location, message, f"read it, leave it out, or call it '_{ref.name}'")
    yield from _parameters(spec)


def _of_node(node: NodeSpec, outputs: tuple[StreamRef, ...], read: set[str], side: bool) -> Iterator[Problem]:
    idle = [ref for ref in outputs if ref.name not in read and not ref.name.startswith("_")]
    needed = _needed_tags(node, SideOutput if side else Output) if idle else set()
    used = len(idle) < len(outputs)
    for ref in idle:
        if ref.tag in needed and used:
            continue
        port = f"output {port_name(ref)}" if ref.tag else f"untagged output {ref.index}"
        hint = f"read it, leave it out, or call it '_{ref.name}'"
        if ref.tag in needed:
            hint = f"read it, leave out the node, or call it '_{ref.name}'"
        kind = "side packet" if side else "stream"
        yield _warning(ref.location, f"nothing reads {kind} '{ref.name}', {port} of node '{node.name}'", hint)


def _needed_tags(node: NodeSpec, kind: type[Port]) -> set[str]:
    try:
        calculator = registry.find(node.calculator, Path(node.folder) if node.folder else None)
    except Exception:  # a subgraph, whose outputs are free to be left out
        return set()
    return {port.tag for port in calculator.ports() if type(port) is kind and not port.optional}


def _parameters(spec: GraphSpec) -> Iterator[Problem]:
    if spec.syntax == "pbtxt" or WHOLE in spec.params:
        return
    used = set(_used_parameters([spec.nodes, spec.executors, spec.input_policy, spec.deferred]))
    taken = {source.partition(".")[0] for node in spec.nodes for source in node.option_values.values()}
    location = spec.field_locations.get("params", spec.location)
    for name in spec.params if WHOLE not in taken else ():
        if name not in used | taken and not name.startswith("_"):
            place = spec.field_locations.get(f"params.{name}", location)
            message = f"nothing uses parameter '{name}' of graph {spec.name}"
            yield _warning(place, message, f"write ${name} where it counts, or leave it out")


def _used_parameters(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _PARAMETER.findall(value)
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _used_parameters(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _used_parameters(entry)
    elif is_dataclass(value) and not isinstance(value, Location):
        for field in fields(value):
            yield from _used_parameters(getattr(value, field.name))


def _warning(location: Location, message: str, hint: str) -> Problem:
    return Problem(location, message, hint, "warning")
