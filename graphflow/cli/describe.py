"""`graphflow describe`: what a graph or a calculator takes, gives, and can be told; what an input policy does."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
import yaml

from graphflow import config, registry
from graphflow.calculator import Calculator
from graphflow.cli.listing import columns, first_sentence
from graphflow.cli.reporting import UsageError
from graphflow.config.checked import CheckedGraph, CheckedNode
from graphflow.config.policies import POLICY_OPTIONS
from graphflow.config.spec import GraphSpec, StreamRef
from graphflow.config.suggestions import did_you_mean
from graphflow.config.visits import Visits
from graphflow.ports import ANY_TAG, REQUIRED, Input, Output, Port, SideInput, SideOutput, type_name
from graphflow.runtime.policies import POLICIES
from graphflow.schema.option_types import plain

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
    found = config.examine(name)  # of a graph that is being written, or needs a parameter, there is less to say
    types = dict(found.graph.stream_types) if found.graph else {}
    docs = spec.param_docs
    params = [
        {"name": key, "default": plain(default), "doc": docs.get(key, "")} for key, default in spec.params.items()
    ]
    return {
        "kind": "graph",
        "name": spec.name,
        "source": name,
        "doc": spec.doc,
        "inputs": [_stream(entry, types) for entry in spec.inputs],
        "outputs": [_stream(entry, types) for entry in spec.outputs],
        "side_inputs": [_stream(entry, {}) for entry in spec.side_inputs],
        "side_outputs": [_stream(entry, {}) for entry in spec.side_outputs],
        "params": params,
        "nodes": [
            {"name": node.name, "calculator": node.calculator, "doc": node.doc or node.comment} for node in spec.nodes
        ],
        "models": _models(found.graph) if found.graph else [],
        "subgraphs": _subgraphs(found.visits, ""),
        "problems": len(found.problems),
        "yaml": _graph_snippet(spec),
    }


def _models(graph: CheckedGraph) -> list[dict[str, Any]]:
    """The models that the nodes of a graph run, with what is known of each."""
    from graphflow.inference import ModelStore

    store = ModelStore(offline=True)
    users: dict[str, list[str]] = {}
    for node in _all_nodes(graph):
        declared = node.calculator.options().get("model")
        model = node.spec.options.get("model", declared.default) if declared else None
        if isinstance(model, str):
            users.setdefault(model, []).append(node.spec.name)
    docs = {name: first_sentence(store.doc(name)) for name in users if name in store.names()}
    return [{"name": name, "doc": docs.get(name, ""), "nodes": nodes} for name, nodes in sorted(users.items())]


def _all_nodes(graph: CheckedGraph) -> Iterator[CheckedNode]:
    """The nodes of a graph, and of those of which there is one for each key."""
    for node in graph.nodes:
        yield node
        if node.instance is not None:
            yield from _all_nodes(node.instance)


def _subgraphs(visits: Visits, path: str) -> list[dict[str, Any]]:
    """The subgraphs right inside the node at `path`, and those inside of them."""
    # what a ForEach runs is in a node of its own, which is no graph
    inside = [key for key in visits.entered if key != path and visits.around(key) == path]
    return [
        {
            "node": key.removeprefix(f"{path}/"),
            "graph": visits.entered[key][0].name,
            "doc": visits.entered[key][0].doc,
            "subgraphs": _subgraphs(visits, key),
        }
        for key in inside
    ]


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
        node["options"] = {name: plain(default) for name, default in spec.params.items()}
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
            "default": "required" if declared.default is REQUIRED else plain(declared.default),
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
        name: f"<{type_name(found.option_type(name))}>" if option.default is REQUIRED else plain(option.default)
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
    if found.get("models"):
        rows = [(model["name"], model["doc"], ", ".join(model["nodes"])) for model in found["models"]]
        parts.append(f"models\n{columns(rows)}")
    if found.get("subgraphs"):
        parts.append("subgraphs\n" + columns(_tree(found["subgraphs"])))
    if found.get("problems"):
        parts.append(f"It has mistakes, so less is known of it: graphflow check {found['source']}")
    parts.append("in a graph\n" + "\n".join(f"  {line}" for line in found["yaml"].splitlines()))
    return "\n\n".join(part for part in parts if part)


def _tree(subgraphs: list[dict[str, Any]], stem: str = "") -> list[tuple[str, str, str]]:
    """One row for each subgraph: its node under that of the graph around it, its name, what it is for."""
    rows = []
    for number, entry in enumerate(subgraphs):
        last = number + 1 == len(subgraphs)
        rows.append((f"{stem}{'└ ' if last else '├ '}{entry['node']}", entry["graph"], first_sentence(entry["doc"])))
        rows += _tree(entry["subgraphs"], stem + ("  " if last else "│ "))
    return rows


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    tag = entry["tag"] or ("" if "name" in entry else "(untagged)")
    traits = ", ".join(trait for trait in ("optional", "repeated") if entry.get(trait))
    name = entry.get("name", "")
    return (f"{tag}: {name}" if tag and name else tag or name, entry["type"], traits, entry["doc"])


def _default(value: Any) -> str:
    return value if value == "required" else json.dumps(value, ensure_ascii=False)


def _yaml(value: Any) -> str:
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    return text.rstrip()


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
