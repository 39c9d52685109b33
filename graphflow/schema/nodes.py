"""What a node of each calculator and of each subgraph may say, as JSON Schema."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from graphflow.calculator import Calculator
from graphflow.config.spec import GraphSpec, StreamRef
from graphflow.ports import ANY_TAG, REQUIRED, Input, Output, Port, SideInput, SideOutput, type_name
from graphflow.schema.option_types import PARAMETER, Schema, plain

NAME: Final = "[a-z_][a-z0-9_]*"
TAG: Final = "[A-Z_][A-Z0-9_]*"
_KINDS: Final[tuple[tuple[str, type[Port]], ...]] = (
    ("inputs", Input),
    ("outputs", Output),
    ("side_inputs", SideInput),
    ("side_outputs", SideOutput),
)
_CALCULATOR_ONLY: Final = ("input_policy", "executor", "max_in_flight", "queue_size", "source_layer")


def calculator_schema(calculator: type[Calculator], options: Schema) -> Schema:
    """The fields of a node whose calculator this is; `options` is the schema of those, or a reference to it."""
    properties: dict[str, Schema] = {
        "calculator": {"description": inspect.cleandoc(calculator.__doc__ or "")},
        "options": options,
    }
    required: list[str] = []
    for field, kind in _KINDS:
        ports = [port for port in calculator.ports() if type(port) is kind]
        properties[field] = _connections(ports, field)
        if any(not port.optional and port.tag != ANY_TAG for port in ports):
            required.append(field)
    schema: Schema = {"properties": properties}
    if required:
        schema["required"] = required
    needed = [name for name, option in calculator.options().items() if option.default is REQUIRED]
    if needed:  # or they come from the graph's own parameters
        given = {"required": ["options"], "properties": {"options": {"required": needed}}}
        schema["anyOf"] = [given, {"required": ["options_from"]}]
    return schema


def subgraph_schema(graph: GraphSpec) -> Schema:
    """The fields of a node that stands for a graph; any of its inputs and outputs may be left unconnected."""
    properties: dict[str, Any] = {
        "calculator": {"description": f"Graph {graph.name}. {graph.doc}".strip()},
        "options": params_schema(graph),
        **{field: _interface(getattr(graph, field), field) for field, _ in _KINDS},
        **dict.fromkeys(_CALCULATOR_ONLY, False),
    }
    schema: Schema = {"properties": properties}
    needed = [name for name, default in graph.params.items() if default is REQUIRED]
    if needed:
        schema["required"] = ["options"]
        properties["options"]["required"] = needed
    return schema


def params_schema(graph: GraphSpec) -> Schema:
    """The parameters of a graph as options of the node that stands for it."""
    properties: dict[str, Schema] = {}
    for name, default in graph.params.items():
        doc = graph.param_docs.get(name, "")
        schema = _like(default)
        if default is not REQUIRED:
            schema["default"] = plain(default)
            doc = f"{doc}\n\nDefault: {json.dumps(plain(default), ensure_ascii=False)}".strip()
        properties[name] = schema | ({"description": doc} if doc else {})
    return {"type": "object", "properties": properties, "additionalProperties": "*" in graph.params}


def _like(default: Any) -> Schema:
    """What a parameter takes, judged by its default."""
    kinds = {bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}
    kind = kinds.get(type(default))
    return {"anyOf": [{"type": kind}, PARAMETER]} if kind else {}


def _connections(ports: list[Port], field: str) -> Schema:
    """Connections to declared ports: a mapping by tag, or a list of `name` and `TAG:name`."""
    if not ports:
        return {"description": f"it has no {field.replace('_', ' ')}", "maxProperties": 0, "maxItems": 0}
    by_tag = {port.tag: port for port in ports}
    open_to_all = ANY_TAG in by_tag
    properties = {tag: _port(port, field) for tag, port in by_tag.items() if tag != ANY_TAG}
    if open_to_all:
        properties.setdefault("", _many(field))
    needed = [tag for tag, port in by_tag.items() if not port.optional and tag != ANY_TAG]
    mapping: Schema = {
        "type": "object",
        "properties": properties,
        "additionalProperties": _many(field) if open_to_all else False,
        "required": needed,
    }
    if open_to_all:
        mapping["propertyNames"] = {"pattern": f"^({TAG})?$"}
    prefix = TAG if open_to_all else "|".join(re.escape(tag) for tag in by_tag if tag)
    untagged = f"^{NAME}$" if "" in by_tag or open_to_all else None
    tagged = f"^({prefix}):(\\d+:)?{NAME}$" if prefix else None
    listed: Schema = {"type": "array", "items": _item("|".join(filter(None, (untagged, tagged))), field)}
    wanted = [f"^{NAME}$" if not tag else f"^{tag}:" for tag in needed]
    if wanted:
        listed["allOf"] = [{"contains": _item(pattern, field)} for pattern in wanted]
    return {"anyOf": [mapping, listed], "description": _ports_doc(ports)}


def _port(port: Port, field: str) -> Schema:
    described = _many(field) if port.many else _one(field)
    kind = "as its input" if port.same_as is not None else type_name(port.type)
    traits = [trait for trait, holds in (("optional", port.optional), ("repeated", port.many)) if holds]
    doc = f"{kind}{' (' + ', '.join(traits) + ')' if traits else ''}" + (f": {port.doc}" if port.doc else "")
    return {**described, "description": doc}


def _ports_doc(ports: Iterable[Port]) -> str:
    shown = [f"{port.tag or '(untagged)'}: {type_name(port.type)} {port.doc}".strip() for port in ports]
    return "\n".join(shown)


def _interface(refs: tuple[StreamRef, ...], field: str) -> Schema:
    """Connections to the interface of a graph."""
    counts: dict[str, int] = {}
    for ref in refs:
        counts[ref.tag] = counts.get(ref.tag, 0) + 1
    names = {ref.tag: ref.name for ref in refs}
    ports = [Port(tag, Any, names[tag], optional=True, repeated=count > 1) for tag, count in counts.items()]
    schema = _connections(ports, field)
    for entry in schema.get("anyOf", [])[:1]:
        for tag, described in entry["properties"].items():
            described["description"] = f"its stream '{names[tag]}'"
    schema["description"] = f"of the graph: {', '.join(tag or name for tag, name in names.items()) or 'none'}"
    return schema


def _one(field: str) -> Schema:
    return {"$ref": f"#/definitions/{_reference(field)}"}


def _many(field: str) -> Schema:
    one = _one(field)
    return {"anyOf": [one, {"type": "array", "items": one}]}


def _item(pattern: str, field: str) -> Schema:
    """One entry of a list: text of a pattern, or a mapping with it under `stream`."""
    choices: list[Schema] = [{"type": "string", "pattern": pattern}, {"type": "object", "required": ["stream"]}]
    return {"anyOf": [*choices, {"type": "null"}] if field.endswith("outputs") else choices}


def _reference(field: str) -> str:
    return {"inputs": "input_stream", "outputs": "output_stream"}.get(field, "side_packet")


def references() -> Mapping[str, Schema]:
    """The definitions that connections refer to."""
    name: Schema = {"type": "string", "pattern": f"^{NAME}$", "description": "the name of a stream"}
    described = {"stream": name}
    return {
        "side_packet": {
            "anyOf": [
                {**name, "description": "the name of a side packet"},
                {"type": "object", "properties": described, "required": ["stream"], "additionalProperties": False},
                {"type": "null"},
            ]
        },
        "output_stream": {
            "anyOf": [
                name,
                {"type": "object", "properties": described, "required": ["stream"], "additionalProperties": False},
                {"type": "null"},
            ]
        },
        "input_stream": {
            "anyOf": [
                name,
                {
                    "type": "object",
                    "properties": {
                        **described,
                        "back_edge": {
                            "type": "boolean",
                            "description": "true where the stream closes a loop: its packets come from earlier rounds",
                        },
                    },
                    "required": ["stream"],
                    "additionalProperties": False,
                },
            ]
        },
    }
