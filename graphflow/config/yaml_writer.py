"""Writes a graph in graphflow's YAML; what `read_yaml` makes of it means the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import yaml

from graphflow.config.calculator_names import short_name
from graphflow.config.names import NAME
from graphflow.config.spec import ExecutorSpec, GraphSpec, NodeSpec, PolicySpec, StreamRef
from graphflow.config.validation import with_undeclared_side_inputs
from graphflow.ports import REQUIRED

_WIDEST = 110
_BLOCK = "  "
_DOCUMENT_END = "...\n"


def write_yaml(spec: GraphSpec, expanded: bool = False) -> str:
    """The YAML of a graph, as read or, where that is said, as expanded.

    What MediaPipe lets pass without a word is spelled out or left out: undeclared side packets are declared, graph
    outputs that nothing produces are dropped. Names of nodes become lower case; `a/b` of an expanded graph is `a__b`.
    """
    return "\n".join(_Writer(spec, expanded).lines()) + "\n"


class _Writer:
    def __init__(self, spec: GraphSpec, expanded: bool) -> None:
        spec = _explicit(spec) if spec.syntax == "pbtxt" else spec
        self.spec = replace(spec, params={}) if expanded else spec
        # neither in MediaPipe's text nor where parameters are replaced is a `$` one of them
        self.literal = expanded or spec.syntax == "pbtxt"

    def lines(self) -> Iterator[str]:
        spec = self.spec
        yield f"graph: {_flow(spec.name)}"
        yield from self._field("doc", spec.doc)
        yield from self._params()
        for field in ("inputs", "side_inputs", "outputs", "side_outputs"):
            yield from self._field(field, _connections(getattr(spec, field)))
        for field, default in (("num_threads", None), ("max_queue_size", 100)):
            value = spec.deferred.get(field, getattr(spec, field))
            yield from self._field(field, value if value != default else None)
        yield from self._field("report_deadlock", spec.report_deadlock or None)
        yield from self._field("executors", {executor.name: self._executor(executor) for executor in spec.executors})
        yield from self._field("input_policy", self._policy(spec.input_policy))
        yield from self._nodes(spec.nodes, between="")

    def _params(self) -> Iterator[str]:
        if self.spec.params:
            yield "params:"
        for name, default in self.spec.params.items():
            if default is REQUIRED:
                yield f"{_BLOCK}{_flow(name)}:"
            else:
                yield from _indented(self._entry(name, default))

    def _nodes(self, nodes: Sequence[NodeSpec], between: str | None = None) -> Iterator[str]:
        yield "nodes:" if nodes else "nodes: {}"
        taken: set[str] = set()
        for number, node in enumerate(nodes):
            if number and between is not None:
                yield between
            yield f"{_BLOCK}{_node_name(node.name, taken)}:"
            yield from _indented(_indented(self._node(node)))

    def _node(self, node: NodeSpec) -> Iterator[str]:
        yield from self._field("doc", node.doc)
        yield from self._field("when", node.when if node.when is not True else None)
        yield from self._field("calculator", self._text(short_name(node.calculator)))
        for field in ("inputs", "side_inputs", "outputs", "side_outputs"):
            yield from self._field(field, _connections(getattr(node, field)))
        yield from self._field("options", self._text(dict(node.options)))
        yield from self._field("options_from", dict(node.option_values))
        yield from self._field("input_policy", self._policy(node.input_policy))
        yield from self._field("executor", self._text(node.executor))
        for field, default in (("max_in_flight", 1), ("queue_size", None), ("source_layer", 0)):
            value = node.deferred.get(field, getattr(node, field))
            yield from self._field(field, value if value != default else None)
        if node.contained:
            yield from self._nodes(node.contained)

    def _executor(self, executor: ExecutorSpec) -> dict[str, Any]:
        written: dict[str, Any] = {}
        if executor.num_threads or executor.deferred:
            written["num_threads"] = executor.deferred.get("num_threads", executor.num_threads)
        return written | ({"type": executor.type} if executor.type else {})

    def _policy(self, policy: PolicySpec | None) -> Any:
        if policy is None:
            return None
        name, options = self._text(policy.name), self._text(dict(policy.options))
        return {"name": name, **options} if options else name

    def _text(self, value: Any) -> Any:
        """A value with its dollar signs so that they mean themselves, where they do."""
        if not self.literal:
            return value
        if isinstance(value, str):
            return value.replace("$", "$$")
        if isinstance(value, Mapping):
            return {key: self._text(entry) for key, entry in value.items()}
        return [self._text(entry) for entry in value] if isinstance(value, list) else value

    def _field(self, name: str, value: Any) -> Iterator[str]:
        """A key and its value; nothing where there is none."""
        if value is not None and value not in ("", {}, []):
            yield from self._entry(name, value)

    def _entry(self, name: str, value: Any) -> Iterator[str]:
        if not isinstance(value, Mapping | list):
            text: str = yaml.safe_dump(value, width=float("inf"), allow_unicode=True)
            yield f"{_flow(name)}: {text.removesuffix(_DOCUMENT_END).strip()}"
            return
        line = f"{_flow(name)}: {_flow(value)}"
        if len(line) <= _WIDEST or not value:
            yield line
            return
        yield f"{_flow(name)}:"
        if isinstance(value, Mapping):
            for key, entry in value.items():
                yield from _indented(self._entry(key, entry))
        else:
            yield from (f"{_BLOCK}- {_flow(entry)}" for entry in value)


def _explicit(spec: GraphSpec) -> GraphSpec:
    """The graph as YAML wants it said."""
    spec = with_undeclared_side_inputs(spec)
    streams = {ref.name for ref in spec.inputs} | {ref.name for node in spec.nodes for ref in node.outputs}
    sides = {ref.name for ref in spec.side_inputs} | {ref.name for node in spec.nodes for ref in node.side_outputs}
    return replace(
        spec,
        outputs=_renumbered(ref for ref in spec.outputs if ref.name in streams),
        side_outputs=_renumbered(ref for ref in spec.side_outputs if ref.name in sides),
    )


def _renumbered(refs: Iterable[StreamRef]) -> tuple[StreamRef, ...]:
    kept = list(refs)
    numbers = iter(range(len(kept)))
    return tuple(ref if ref.tag else replace(ref, index=next(numbers)) for ref in kept)


def _connections(refs: Sequence[StreamRef]) -> Any:
    """`{TAG: name}`, or `[name, …]` where nothing has a tag; a list `TAG:2:name` where numbers are not in order."""
    tags: dict[str, list[StreamRef]] = {}
    for ref in refs:
        tags.setdefault(ref.tag, []).append(ref)
    if any([ref.index for ref in entries] != list(range(len(entries))) for entries in tags.values()):
        return [_connection(ref, f"{ref.tag}:{ref.index}:" if ref.tag else "") for ref in refs]
    written = {tag: [_connection(ref) for ref in entries] for tag, entries in tags.items()}
    if list(written) == [""]:
        return written[""]
    return {tag: names[0] if len(names) == 1 and tag else names for tag, names in written.items()}


def _connection(ref: StreamRef, place: str = "") -> Any:
    name = f"{place}{ref.name.replace('/', '__')}"
    return {"stream": name, "back_edge": True} if ref.back_edge else name


def _node_name(name: str, taken: set[str]) -> str:
    """A name that YAML takes, near to that of the node."""
    if not NAME.match(name):
        words = name.replace("Calculator", "").rpartition(":")[2].replace("/", "__") or "node"
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words)
        name = re.sub(r"[^a-z0-9_]", "_", words.lower())
        name = name if NAME.match(name) else f"node_{name}"
    number, unused = 2, name
    while unused in taken:
        unused, number = f"{name}_{number}", number + 1
    taken.add(unused)
    return unused


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (_BLOCK + line for line in lines)


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(entry) for entry in value) + "]"
    # in a list even a plain value has no end-of-document mark behind it, and its commas are quoted
    text: str = yaml.safe_dump([value], default_flow_style=True, width=float("inf"), allow_unicode=True)
    return text.strip()[1:-1]
