"""One JSON Schema for all graphs: every key, every calculator and subgraph there is, those of a folder included."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from graphflow import config, registry
from graphflow.calculator import Calculator
from graphflow.config.for_each import FOR_EACH
from graphflow.config.graph_folders import ENDINGS
from graphflow.config.policies import POLICY_OPTIONS
from graphflow.config.spec import GraphSpec
from graphflow.config.switch import SWITCH
from graphflow.errors import GraphConfigError
from graphflow.runtime.policies import POLICIES
from graphflow.schema.nodes import NAME, TAG, calculator_schema, references, subgraph_schema
from graphflow.schema.option_types import PARAMETER, Schema, options_schema

_CONNECTED: Final = ("inputs", "outputs", "side_inputs", "side_outputs")


def graph_schema(folder: Path | None = None, files: Iterable[Path] = ()) -> Schema:
    """The schema of graph files; draft-07 keywords, as yaml-language-server knows them.

    Args:
        folder: whose graphs and calculators are known, too, as a graph in that folder names them.
        files: Python files whose calculators are known, too, named relative to `folder`.

    Raises:
        UnknownCalculatorError: a file cannot be loaded.
    """
    calculators = {name: registry.find(name) for name in registry.names()}
    spelled = {name: registry.spellings(name) for name in calculators}
    for path in (*_own_files(folder), *files):
        for name, calculator in _defined_in(path, folder):
            calculators[name], spelled[name] = calculator, [name]
    graphs = {name: graph for graph, names in _graphs(folder) for name in names if name not in calculators}
    node_rules = [_rule(spelled[name], _reference("calculator", name)) for name in calculators]
    node_rules += [_rule([name], _reference("graph", graph.name)) for name, graph in graphs.items()]
    contained_rules = [
        _rule(spelled[name], {"properties": {"options": _reference("options", name)}}) for name in calculators
    ]
    for name, graph in graphs.items():
        parameters = f"#/definitions/{_key('graph', graph.name)}/properties/options"
        contained_rules.append(_rule([name], {"properties": {"options": {"$ref": parameters}}}))
    docs = {name: _first_line(calculator.__doc__) for name, calculator in calculators.items()}
    docs |= {name: graph.doc for name, graph in graphs.items()}
    docs[SWITCH] = "One of several nodes, chosen while the graph runs."
    others = [spelling for spellings in spelled.values() for spelling in spellings if spelling not in calculators]
    definitions: dict[str, Schema] = {
        # without words of its own, which editors would show in place of the option's
        "parameter": {"type": "string", "pattern": "\\$"},
        "whole_number": {"anyOf": [{"type": "integer"}, PARAMETER]},
        "calculator": {
            "anyOf": [
                {"enum": list(docs), "enumDescriptions": list(docs.values())},
                # MediaPipe's spellings are right, too, and need not be offered
                {"type": "string", "pattern": f"^({'|'.join(sorted(others))})$"},
                {"type": "string", "pattern": r"[:$]|\.(ya?ml|pbtxt)$"},
            ]
        },
        "policy": _policy(),
        "connections": _any_connections(),
        **references(),
        **{_key("options", name): options_schema(entry) for name, entry in calculators.items()},
        **{
            _key("calculator", name): calculator_schema(entry, _reference("options", name))
            for name, entry in calculators.items()
        },
        **{_key("graph", graph.name): subgraph_schema(graph) for graph in graphs.values()},
        "node": {**_node(connected=True), "allOf": node_rules},
        "contained_node": {
            **_node(connected=False),
            "allOf": contained_rules,
        },
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "graphflow graph",
        "description": "A graph of calculators joined by streams. `graphflow check` says more than this schema can.",
        **_graph(),
        "definitions": definitions,
    }


def _first_line(doc: str | None) -> str:
    return inspect.cleandoc(doc or "").partition("\n")[0]


def _own_files(folder: Path | None) -> list[Path]:
    return [path for path in sorted(folder.glob("*.py")) if registry.names_in_file(path)] if folder else []


def _defined_in(path: Path, folder: Path | None) -> Iterator[tuple[str, type[Calculator]]]:
    base = (folder or Path()).resolve()
    file = path.resolve()
    written = f"./{file.relative_to(base).as_posix()}" if file.is_relative_to(base) else str(file)
    for name in registry.names_in_file(path):
        yield f"{written}:{name}", registry.find(f"{written}:{name}", base)


def _graphs(folder: Path | None) -> Iterator[tuple[GraphSpec, list[str]]]:
    """Every graph another graph can name, with the names it goes by; what cannot be read is left out."""
    own = [path for path in sorted(folder.iterdir()) if path.suffix in ENDINGS] if folder else []
    sources: list[str | Path] = [*config.graph_names(), *config.module_names(), *own]
    for source in sources:
        try:
            graph = config.read(source)
        except GraphConfigError:
            continue
        short = source.stem if isinstance(source, Path) else source
        yield graph, list(dict.fromkeys((graph.name, short)))


def _key(kind: str, name: str) -> str:
    """What a definition is called; a reference to it holds no slash."""
    return f"{kind}-{re.sub('[^A-Za-z0-9_.-]', '_', name)}"


def _reference(kind: str, name: str) -> Schema:
    return {"$ref": f"#/definitions/{_key(kind, name)}"}


def _rule(names: list[str], then: Schema) -> Schema:
    wanted: Schema = {"const": names[0]} if len(names) == 1 else {"enum": names}
    return {
        "if": {"properties": {"calculator": wanted}, "required": ["calculator"]},
        "then": then,
    }


def _graph() -> Schema:
    number = {"$ref": "#/definitions/whole_number"}
    properties: dict[str, Schema] = {
        "graph": {"type": "string", "description": "The name other graphs use it by."},
        "doc": {"type": "string", "description": "What the graph does, in one sentence."},
        "params": {
            "type": ["object", "null"],
            "description": "name: default. $name stands for the value below; nothing after the colon: must be given.",
            "propertyNames": {"pattern": f"^({NAME}|\\*)$"},
        },
        **{
            field: {"$ref": "#/definitions/connections", "description": _connections_doc(field, "the graph")}
            for field in _CONNECTED
        },
        "nodes": {
            "type": "object",
            "description": "name: node. The name is used in errors, traces and --set name.option=value.",
            "propertyNames": {"pattern": f"^{NAME}$"},
            "additionalProperties": {"$ref": "#/definitions/node"},
        },
        "num_threads": {**number, "description": "Threads of the default executor; 0 lets the runtime choose."},
        "executors": {
            "type": "object",
            "description": "Named pools of threads, to which nodes are assigned by `executor`.",
            "additionalProperties": {
                "type": "object",
                "properties": {"num_threads": number, "type": {"type": "string"}},
                "additionalProperties": False,
            },
        },
        "max_queue_size": {
            **number,
            "description": "Packets that wait before a node; -1 lifts the limit.",
            "default": 100,
        },
        "report_deadlock": {"type": "boolean", "description": "Fail instead of letting a full queue grow."},
        "input_policy": {"$ref": "#/definitions/policy"},
    }
    return {"type": "object", "properties": properties, "additionalProperties": False, "required": ["nodes"]}


def _node(connected: bool) -> Schema:
    number = {"$ref": "#/definitions/whole_number"}
    properties: dict[str, Schema] = {
        "calculator": {
            "$ref": "#/definitions/calculator",
            "description": "A calculator, a graph, or ./file.py:Name of your own.",
        },
        "doc": {"type": "string", "description": "Why the node is there."},
        "options": {
            "type": ["object", "null"],
            "description": "The options of the calculator, or the parameters of the graph.",
        },
        "options_from": {
            "type": "object",
            "description": "option: parameter. Options that parameters of the graph replace where they are set.",
            "additionalProperties": {"type": "string"},
        },
        "input_policy": {"$ref": "#/definitions/policy"},
        "executor": {"type": "string", "description": "One of the graph's `executors`."},
        "max_in_flight": {**number, "description": "Calls of `process` at the same time.", "default": 1},
        "queue_size": {**number, "description": "Packets that wait before this node; -1 lifts the limit."},
        "source_layer": {**number, "description": "Sources of a higher layer begin when those of lower ones are done."},
        "nodes": {
            "type": "object",
            "description": f"For {SWITCH}: the nodes it chooses from. For {FOR_EACH}: the one it runs for each key.",
            "additionalProperties": {"$ref": "#/definitions/contained_node"},
        },
    }
    if connected:
        properties |= {
            "when": {
                "anyOf": [{"type": "boolean"}, {"type": "string", "pattern": r"^(not\s+)?\$"}],
                "description": "$parameter or not $parameter: the node exists where that holds.",
            },
            # which tags there are is for the calculator to say; said here, editors would offer any
            **{
                field: {"type": ["object", "array", "null"], "description": _connections_doc(field, "the node")}
                for field in _CONNECTED
            },
        }
    return {"type": "object", "properties": properties, "additionalProperties": False, "required": ["calculator"]}


def _connections_doc(field: str, owner: str) -> str:
    what = "side packets" if field.startswith("side") else "streams"
    return f"The {field.replace('_', ' ')} of {owner}: TAG: name, or a list of {what} without tags."


def _any_connections() -> Schema:
    one: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "object", "required": ["stream"]}, {"type": "null"}]}
    many = {"anyOf": [one, {"type": "array", "items": one}]}
    mapping = {"type": "object", "propertyNames": {"pattern": f"^({TAG})?$"}, "additionalProperties": many}
    return {"anyOf": [mapping, {"type": "array", "items": one}, {"type": "null"}]}


def _policy() -> Schema:
    """A policy by name, or as a mapping with its options."""
    named: list[Schema] = [
        {"const": name, "description": inspect.cleandoc(policy.__doc__ or "")} for name, policy in POLICIES.items()
    ]
    with_options: list[Schema] = [
        {
            "type": "object",
            "properties": {"name": {"const": name}, **{option: {} for option in options}},
            "required": ["name"],
            "additionalProperties": False,
        }
        for name, options in POLICY_OPTIONS.items()
    ]
    return {
        "anyOf": [*named, *with_options, PARAMETER],
        "description": "When the node runs: which inputs wait for which. `graphflow describe POLICY` says more.",
    }
