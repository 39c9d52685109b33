"""Reads a graph written in graphflow's YAML; everything wrong with it is reported at its place."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from graphflow.config.names import NAME, parse_connection
from graphflow.config.option_values import WHOLE
from graphflow.config.spec import UNREADABLE, ExecutorSpec, GraphSpec, NodeSpec, PolicySpec, StreamRef
from graphflow.config.suggestions import did_you_mean, near_matches
from graphflow.config.yaml_tree import YamlTree
from graphflow.errors import Location, Problem
from graphflow.ports import REQUIRED, TAG

GRAPH_KEYS: Final = (
    "graph", "doc", "params", "inputs", "outputs", "side_inputs", "side_outputs", "nodes",
    "num_threads", "executors", "max_queue_size", "report_deadlock", "input_policy",
)  # fmt: skip
"""What a graph may say at its top level."""

NODE_KEYS: Final = (
    "calculator", "doc", "when", "inputs", "outputs", "side_inputs", "side_outputs", "options",
    "input_policy", "executor", "max_in_flight", "queue_size", "source_layer", "nodes", "options_from",
)  # fmt: skip
"""What a node may say."""

CONTAINED_KEYS: Final = tuple(
    key for key in NODE_KEYS if key not in ("when", "inputs", "outputs", "side_inputs", "side_outputs")
)
"""What a node may say that a SwitchContainer chooses from; it has the connections of the container."""

# How keys are called elsewhere; too far from ours for a near match.
_OTHER_WORDS: Final = {
    "name": "graph", "type": "graph", "node": "nodes", "parameters": "params", "input_stream": "inputs",
    "output_stream": "outputs", "input_side_packet": "side_inputs", "output_side_packet": "side_outputs",
    "executor": "executors", "input_stream_handler": "input_policy",
}  # fmt: skip
_OTHER_NODE_WORDS: Final = {
    **_OTHER_WORDS, "type": "calculator", "name": "calculator", "params": "options", "node_options": "options",
    "parameters": "options", "executor": "executor", "if": "when", "max_queue_size": "queue_size",
    "contained_node": "nodes",
}  # fmt: skip
_WHEN = re.compile(r"(?:not\s+)?\$(?:[a-z_][a-z0-9_]*|\{[a-z_][a-z0-9_]*\})\Z")
_PARAMETER_INSIDE = re.compile(r"\$[a-z_{]")


def read_yaml(text: str, file: str, folder: str, problems: list[Problem], default_name: str = "graph") -> GraphSpec:
    """The graph of a YAML text, as much of it as can be understood.

    Args:
        text: the YAML.
        file: what problems call it.
        folder: what relative paths in it are relative to.
        problems: receives everything that is wrong.
        default_name: its name where it gives none.
    """
    tree = YamlTree(text, file, problems)
    empty = GraphSpec(default_name, folder=folder, location=Location(file, 1, 1))
    if tree.root is None or tree.is_null(tree.root):
        if not problems:
            problems.append(Problem(empty.location, "the graph is empty", "it needs at least 'nodes:'"))
        return empty
    if not isinstance(tree.root, yaml.MappingNode):
        tree.report(tree.root, "a graph is a mapping", f"its keys: {', '.join(GRAPH_KEYS)}")
        return empty
    return _Reader(tree, folder).graph(tree.root, default_name)


@dataclass(frozen=True, slots=True)
class _Fields:
    """The entries of a mapping whose keys are known: nodes by key, and where the keys are."""

    nodes: Mapping[str, yaml.Node]
    locations: Mapping[str, Location]


class _Reader:
    def __init__(self, tree: YamlTree, folder: str) -> None:
        self.tree = tree
        self.folder = folder

    def graph(self, root: yaml.MappingNode, default_name: str) -> GraphSpec:
        fields = self._fields(root, GRAPH_KEYS, _OTHER_WORDS, "a graph")
        deferred: dict[str, str] = {}
        params, param_locations, param_docs = self._params(fields)
        return GraphSpec(
            name=self._text(fields, "graph") or default_name,
            inputs=self._connections(fields, "inputs"),
            outputs=self._connections(fields, "outputs"),
            side_inputs=self._connections(fields, "side_inputs"),
            side_outputs=self._connections(fields, "side_outputs"),
            nodes=self._named(fields, "nodes", self._node),
            params=params,
            param_docs=param_docs,
            doc=self._text(fields, "doc"),
            num_threads=self._integer(fields, "num_threads", None, deferred),
            max_queue_size=self._integer(fields, "max_queue_size", 100, deferred) or 0,
            report_deadlock=self._truth(fields, "report_deadlock"),
            executors=self._named(fields, "executors", self._executor),
            input_policy=self._policy(fields),
            location=self.tree.location(root),
            folder=self.folder,
            deferred=deferred,
            field_locations={**fields.locations, **param_locations},
        )

    def _node(self, name: str, key: yaml.Node, node: yaml.Node, keys: Iterable[str] = NODE_KEYS) -> NodeSpec:
        self._check_name(key, name, "node")
        location = self.tree.location(key)
        if not isinstance(node, yaml.MappingNode):
            if self.tree.is_null(node):
                self.tree.report(key, f"node '{name}' has no calculator")
            else:
                self.tree.report(node, f"node '{name}' must be a mapping", "calculator: NAME, inputs: …")
            return NodeSpec(name, "", location=location, folder=self.folder)
        fields = self._fields(node, keys, _OTHER_NODE_WORDS, f"node '{name}'")
        calculator = self._text(fields, "calculator")
        if "calculator" not in fields.nodes:
            self.tree.report(key, f"node '{name}' has no calculator", "calculator: NAME")
        deferred: dict[str, str] = {}
        options, option_locations = self._options(fields)
        return NodeSpec(
            name=name,
            calculator=calculator,
            inputs=self._connections(fields, "inputs", back_edges=True),
            outputs=self._connections(fields, "outputs", gaps=True),
            side_inputs=self._connections(fields, "side_inputs"),
            side_outputs=self._connections(fields, "side_outputs", gaps=True),
            options=options,
            option_locations=option_locations,
            input_policy=self._policy(fields),
            executor=self._text(fields, "executor"),
            max_in_flight=self._integer(fields, "max_in_flight", 1, deferred) or 0,
            queue_size=self._integer(fields, "queue_size", None, deferred),
            source_layer=self._integer(fields, "source_layer", 0, deferred) or 0,
            doc=self._text(fields, "doc"),
            location=location,
            folder=self.folder,
            when=self._when(fields),
            deferred=deferred,
            field_locations=fields.locations,
            option_values=self._options_from(fields),
            comment=self.tree.comment_above(key),
            contained=self._named(fields, "nodes", functools.partial(self._node, keys=CONTAINED_KEYS)),
        )

    def _executor(self, name: str, key: yaml.Node, node: yaml.Node) -> ExecutorSpec:
        location = self.tree.location(key)
        if not isinstance(node, yaml.MappingNode):
            self.tree.report(node, f"executor '{name}' must be a mapping", "num_threads: N")
            return ExecutorSpec(name, location=location)
        fields = self._fields(node, ("num_threads", "type"), {}, f"executor '{name}'")
        deferred: dict[str, str] = {}
        threads = self._integer(fields, "num_threads", 0, deferred) or 0
        return ExecutorSpec(name, threads, self._text(fields, "type"), location, deferred)

    def _named(self, fields: _Fields, field: str, read: Callable[[str, yaml.Node, yaml.Node], Any]) -> tuple[Any, ...]:
        node = self._mapping(fields, field, "a mapping from a name to what it is")
        return tuple(read(name, key, value) for name, key, value in self.tree.pairs(node)) if node else ()

    def _params(self, fields: _Fields) -> tuple[dict[str, Any], dict[str, Location], dict[str, str]]:
        """The defaults, the places (as `params.NAME`) and what the comments behind them say."""
        node = self._mapping(fields, "params", "a mapping from a parameter to its default")
        params: dict[str, Any] = {}
        locations: dict[str, Location] = {}
        docs: dict[str, str] = {}
        for name, key, value in self.tree.pairs(node) if node else ():
            if name != WHOLE:
                self._check_name(key, name, "parameter")
            # `size:` with nothing behind it has no default; `size: null` has one
            nothing = self.tree.is_null(value) and isinstance(value, yaml.ScalarNode) and value.value == ""
            params[name] = REQUIRED if nothing else self.tree.value(value)
            locations[f"params.{name}"] = self.tree.location(key)
            docs[name] = self.tree.comment(value)
        return params, locations, docs

    def _options(self, fields: _Fields) -> tuple[dict[str, Any], dict[str, Location]]:
        node = self._mapping(fields, "options", "a mapping from an option to its value")
        options: dict[str, Any] = {}
        locations: dict[str, Location] = {}
        for name, key, value in self.tree.pairs(node) if node else ():
            options[name] = self.tree.value(value, name, locations)
            locations[name] = self.tree.location(key)
        return options, locations

    def _options_from(self, fields: _Fields) -> dict[str, str]:
        node = self._mapping(fields, "options_from", "a mapping from an option to a parameter of the graph")
        found: dict[str, str] = {}
        for option, _, value in self.tree.pairs(node) if node else ():
            if isinstance(value, yaml.ScalarNode) and not self.tree.is_null(value):
                found[option] = value.value
            else:
                self.tree.report(value, f"'{option}' must name a parameter of the graph", "or '*' for all of them")
        return found

    def _policy(self, fields: _Fields) -> PolicySpec | None:
        node = fields.nodes.get("input_policy")
        if node is None:
            return None
        location = self.tree.location(node)
        if isinstance(node, yaml.ScalarNode) and not self.tree.is_null(node):
            return PolicySpec(node.value, location=location)
        value = self.tree.value(node)
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            self.tree.report(node, "input_policy must be a name", "or a mapping with 'name' and the policy's options")
            return None
        return PolicySpec(value.pop("name"), value, location)

    def _when(self, fields: _Fields) -> bool | str:
        node = fields.nodes.get("when")
        if node is None:
            return True
        value = self.tree.value(node)
        if isinstance(value, bool) or (isinstance(value, str) and _WHEN.match(value)):
            return value
        self.tree.report(
            node, f"'when' cannot be {value!r}", "write $param, or not $param: the node is there if it holds"
        )
        return True

    def _connections(
        self, fields: _Fields, field: str, back_edges: bool = False, gaps: bool = False
    ) -> tuple[StreamRef, ...]:
        node = fields.nodes.get(field)
        if node is None or self.tree.is_null(node):
            return ()
        found: list[StreamRef] = []
        if isinstance(node, yaml.SequenceNode):
            counts: dict[str, int] = {}
            for entry in node.value:
                self._connection(entry, "", None, found, counts, field, back_edges, gaps)
        elif isinstance(node, yaml.MappingNode):
            for tag, key, value in self.tree.pairs(node):
                if tag and not TAG.match(tag):
                    hint = f"did you mean '{tag.upper()}'?" if TAG.match(tag.upper()) else "tags look like IMAGE_SIZE"
                    self.tree.report(key, f"'{tag}' is not a tag", hint)
                    tag = tag.upper() if TAG.match(tag.upper()) else tag
                counts = {}
                entries = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for entry in entries:
                    self._connection(entry, tag, key, found, counts, field, back_edges, gaps)
        else:
            self.tree.report(node, f"'{field}' must map tags to streams", "TAG: name, or a list [name, …] without tags")
        return tuple(found)

    def _connection(
        self,
        entry: yaml.Node,
        tag: str,
        key: yaml.Node | None,
        found: list[StreamRef],
        counts: dict[str, int],
        field: str,
        back_edges: bool,
        gaps: bool,
    ) -> None:
        """Reads one stream of a tag; `counts` holds how many entries each tag has had so far."""
        back_edge = False
        written: yaml.Node = entry
        if isinstance(entry, yaml.MappingNode):
            inner = self._fields(entry, ("stream", "back_edge") if back_edges else ("stream",), {}, "a connection")
            if "stream" not in inner.nodes:
                hint = "{stream: name, back_edge: true}" if back_edges else "write just the stream's name"
                self.tree.report(entry, "the connection names no stream", hint)
                return
            written = inner.nodes["stream"]
            back_edge = self._truth(inner, "back_edge")
        if self.tree.is_null(written):
            if gaps:
                counts[tag] = counts.get(tag, 0) + 1
                return
            where = written if written.start_mark.line or key is None else key
            self.tree.report(where, f"a stream's name is missing in '{field}'", "only outputs may be left unconnected")
            return
        if not isinstance(written, yaml.ScalarNode):
            self.tree.report(written, "a stream's name is expected here", "TAG: name, or TAG: [first, second]")
            return
        name, index = written.value, None
        parsed = parse_connection(name)
        if key is None and parsed and parsed[0]:  # MediaPipe's TAG:name, for untagged and tagged ones in one list
            tag, index, name = parsed
        elif parsed is None or parsed[0]:
            name = self._check_name(written, name, "stream")
        position = counts.get(tag, 0) if index is None else index
        counts[tag] = position + 1
        found.append(StreamRef(tag, position, name, self.tree.location(written), back_edge))

    def _fields(
        self, node: yaml.MappingNode, known: Iterable[str], other_words: Mapping[str, str], owner: str
    ) -> _Fields:
        nodes: dict[str, yaml.Node] = {}
        locations: dict[str, Location] = {}
        misspelt: dict[str, yaml.Node] = {}
        for name, key, value in self.tree.pairs(node):
            if name in known:
                nodes[name] = value
                locations[name] = self.tree.location(value)
                continue
            other = other_words.get(name)
            hint = f"it is called '{other}' here" if other else did_you_mean(name, known, "keys")
            self.tree.report(key, f"{owner} has no '{name}'", hint)
            meant = other or next(iter(near_matches(name, known)), "")
            if meant:
                misspelt[meant] = value
        # what was meant is looked at as well, and not missed besides
        for meant, value in misspelt.items():
            if meant in known and meant not in nodes:
                nodes[meant] = value
                locations[meant] = self.tree.location(value)
        return _Fields(nodes, locations)

    def _mapping(self, fields: _Fields, field: str, expected: str) -> yaml.MappingNode | None:
        node = fields.nodes.get(field)
        if node is None or self.tree.is_null(node):
            return None
        if isinstance(node, yaml.MappingNode):
            return node
        self.tree.report(node, f"'{field}' must be {expected}")
        return None

    def _text(self, fields: _Fields, field: str) -> str:
        node = fields.nodes.get(field)
        if node is None:
            return ""
        if isinstance(node, yaml.ScalarNode) and not self.tree.is_null(node):
            return str(node.value)
        self.tree.report(node, f"'{field}' must be text")
        return ""

    def _integer(self, fields: _Fields, field: str, default: int | None, deferred: dict[str, str]) -> int | None:
        node = fields.nodes.get(field)
        if node is None or (default is None and self.tree.is_null(node)):
            return default
        value = self.tree.value(node)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and _PARAMETER_INSIDE.match(value):
            deferred[field] = value
        elif value is not UNREADABLE:
            self.tree.report(node, f"'{field}' must be a whole number, not {value!r}")
        return default

    def _truth(self, fields: _Fields, field: str) -> bool:
        node = fields.nodes.get(field)
        if node is None:
            return False
        value = self.tree.value(node)
        if not isinstance(value, bool) and value is not UNREADABLE:
            self.tree.report(node, f"'{field}' must be true or false, not {value!r}")
        return value is True

    def _check_name(self, node: yaml.Node, name: str, kind: str) -> str:
        """The name, or what it should be, so that one mistake does not lead to others."""
        if NAME.match(name):
            return name
        lowered = re.sub(r"[^a-z0-9_]", "_", name.lower())
        hint = f"did you mean '{lowered}'?" if NAME.match(lowered) else ""
        self.tree.report(
            node,
            f"'{name}' cannot be the name of a {kind}",
            hint or "lower-case letters, digits and _, no digit in front",
        )
        return lowered if hint else name
