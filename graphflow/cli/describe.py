"""`graphflow describe`: what a graph or a calculator takes, gives, and can be told; what an input policy does."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import typer
import yaml
from pydantic import BaseModel

from graphflow import config, registry
from graphflow.calculator import Calculator
from graphflow.cli.listing import columns
from graphflow.cli.reporting import UsageError
from graphflow.config.policies import POLICY_OPTIONS
from graphflow.config.spec import GraphSpec, StreamRef
from graphflow.config.suggestions import did_you_mean
from graphflow.errors import GraphConfigError
from graphflow.ports import ANY_TAG, REQUIRED, Input, Output, Port, SideInput, SideOutput, type_name
from graphflow.runtime.policies import POLICIES

_KINDS = (("inputs", Input), ("outputs", Output), ("side_inputs", SideInput), ("side_outputs", SideOutput))


def describe_name(name: str, *, as_json: bool) -> None:
    """Writes what is known of a graph, an input policy or a calculator.

    Raises:
        UsageError: there is none of that name.
        GraphConfigError: the graph cannot be read.
    """
    found = _graph(name) or _policy(name) or _calculator(name)
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else _as_text(found))


def _graph(name: str) -> dict[str, Any] | None:
    named = name in (*config.graph_names(), *config.module_names())
    if not named and not (name.endswith((".yaml", ".yml", ".pbtxt")) or (Path(name).is_file() and ".py" not in name)):
        return None
    spec = config.read(name)
    try:
        types = dict(config.load(name).stream_types)
    except GraphConfigError:  # a parameter must be given, or it is being written
        types = {}
    params = [{"name": key, "default": _plain(default), "doc": ""} for key, default in spec.params.items()]
    return {
        "kind": "graph",
        "name": spec.name,
        "doc": spec.doc,
        "inputs": [_stream(entry, types) for entry in spec.inputs],
        "outputs": [_stream(entry, types) for entry in spec.outputs],
        "side_inputs": [_stream(entry, {}) for entry in spec.side_inputs],
        "side_outputs": [_stream(entry, {}) for entry in spec.side_outputs],
        "params": params,
        "nodes": [{"name": node.name, "calculator": node.calculator, "doc": node.doc} for node in spec.nodes],
        "yaml": _graph_snippet(spec),
    }


def _stream(entry: StreamRef, types: dict[str, Any]) -> dict[str, Any]:
    shown = type_name(types[entry.name]) if entry.name in types else ""
    return {"tag": entry.tag, "name": entry.name, "type": shown, "doc": ""}


def _graph_snippet(spec: GraphSpec) -> str:
    sides = {"inputs": spec.inputs, "outputs": spec.outputs, "side_inputs": spec.side_inputs}
    node: dict[str, Any] = {"calculator": spec.name}
    for side, refs in sides.items():
        if refs:
            tagged = all(entry.tag for entry in refs)
            node[side] = {entry.tag: entry.name for entry in refs} if tagged else [str(entry) for entry in refs]
    if spec.params:
        node["options"] = {name: _plain(default) for name, default in spec.params.items()}
    return _yaml({_snake(spec.name): node})


def _policy(name: str) -> dict[str, Any] | None:
    if name not in POLICIES:
        return None
    options = dict.fromkeys(POLICY_OPTIONS[name], "…")
    return {
        "kind": "input policy",
        "name": name,
        "doc": inspect.cleandoc(POLICIES[name].__doc__ or ""),
        "yaml": _yaml({"input_policy": {"name": name, **options} if options else name}),
    }


def _calculator(name: str) -> dict[str, Any]:
    try:
        found = registry.find(name)
    except registry.UnknownCalculatorError as error:
        if registry.names_a_file(name):
            raise UsageError(str(error)) from error
        known = [*config.graph_names(), *config.module_names(), *POLICIES, *registry.names()]
        hint = did_you_mean(name, known) or "graphflow list names what there is"
        raise UsageError(f"no graph, calculator or input policy is called '{name}'; {hint}") from None
    options = [
        {
            "name": option,
            "type": type_name(found.option_type(option)),
            "default": "required" if declared.default is REQUIRED else _plain(declared.default),
            "doc": declared.doc,
        }
        for option, declared in found.options().items()
    ]
    ports = {side: [_port(port) for port in found.ports() if type(port) is kind] for side, kind in _KINDS}
    return {
        "kind": "calculator",
        "name": found.__name__,
        "doc": inspect.cleandoc(found.__doc__ or ""),
        "aliases": list(found.aliases),
        "input_policy": found.input_policy,
        "runs": inspect.cleandoc(POLICIES[found.input_policy].__doc__ or "").splitlines()[0],
        **ports,
        "options": options,
        "yaml": _calculator_snippet(found, name if registry.names_a_file(name) else found.__name__),
    }


def _port(port: Port) -> dict[str, Any]:
    return {
        "tag": port.tag,
        "type": "as its input" if port.same_as is not None else type_name(port.type),
        "doc": port.doc,
        "optional": port.optional,
        "repeated": port.many,
    }


def _calculator_snippet(found: type[Calculator], written: str) -> str:
    node: dict[str, Any] = {"calculator": written}
    for side, kind in _KINDS:
        declared = [port for port in found.ports() if type(port) is kind]
        # where all are optional, one shows how it is written
        ports = [port for port in declared if not port.optional] or declared[: kind in (Input, Output)]
        if not ports:
            continue
        tagged = [port for port in ports if port.tag]
        if len(tagged) == len(ports):
            node[side] = {_tag(port): _snake(_tag(port)) for port in ports}
        else:
            node[side] = [f"{_tag(port)}:{_snake(_tag(port))}" if port.tag else side[:-1] for port in ports]
    options = {
        name: f"<{type_name(found.option_type(name))}>" if option.default is REQUIRED else _plain(option.default)
        for name, option in found.options().items()
    }
    if options:
        node["options"] = options
    return _yaml({_snake(found.__name__): node})


def _tag(port: Port) -> str:
    return "ANY_TAG" if port.tag == ANY_TAG else port.tag


def _as_text(found: dict[str, Any]) -> str:
    parts = [f"{found['name']} — {found['kind']}", found["doc"]]
    if found.get("aliases"):
        parts.append(f"also called: {', '.join(found['aliases'])}")
    if found.get("input_policy", "default") != "default":
        parts.append(f"runs with input policy {found['input_policy']}: {found['runs']}")
    for side, _ in _KINDS:
        rows = [_row(entry) for entry in found.get(side, ())]
        if rows:
            parts.append(f"{side.replace('_', ' ')}\n{columns(rows)}")
    for section in ("params", "options"):
        rows = [
            (entry["name"], entry.get("type", ""), _default(entry["default"]), entry["doc"])
            for entry in found.get(section, ())
        ]
        if rows:
            parts.append(f"{section}\n{columns(rows)}")
    if found.get("nodes"):
        rows = [(node["name"], node["calculator"], node["doc"]) for node in found["nodes"]]
        parts.append(f"nodes\n{columns(rows)}")
    parts.append("in a graph\n" + "\n".join(f"  {line}" for line in found["yaml"].splitlines()))
    return "\n\n".join(part for part in parts if part)


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    tag = entry["tag"] or ("" if "name" in entry else "(untagged)")
    traits = ", ".join(trait for trait in ("optional", "repeated") if entry.get(trait))
    name = entry.get("name", "")
    return (f"{tag}: {name}" if tag and name else tag or name, entry["type"], traits, entry["doc"])


def _default(value: Any) -> str:
    return value if value == "required" else json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """A default as YAML and JSON can show it."""
    if value is REQUIRED:
        return "required"
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def _yaml(value: Any) -> str:
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    return text.rstrip()


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
