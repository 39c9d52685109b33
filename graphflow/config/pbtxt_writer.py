"""Writes a graph as MediaPipe reads it: `CalculatorGraphConfig` in protobuf's text format."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphflow.config.calculator_names import mediapipe_name
from graphflow.config.for_each import FOR_EACH
from graphflow.config.option_messages import option_type, options_message
from graphflow.config.option_values import WHOLE
from graphflow.config.policies import HANDLER_POLICIES
from graphflow.config.spec import ExecutorSpec, GraphSpec, NodeSpec, PolicySpec, StreamRef
from graphflow.config.switch import SWITCH
from graphflow.errors import Location, Problem
from graphflow.ports import REQUIRED

_HANDLERS = {policy: handler for handler, policy in HANDLER_POLICIES.items()}
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_ENUM_VALUE = re.compile(r"[A-Z][A-Z0-9_]*\Z")
_PARAMETER = re.compile(r"\$(?:([a-z_][a-z0-9_]*)|\{([a-z_][a-z0-9_]*)\})\Z")
_DOLLAR = re.compile(r"\$(\$?)")
_BLOCK = "  "


def write_pbtxt(spec: GraphSpec, problems: list[Problem]) -> str:
    """The text of a graph for MediaPipe.

    Parameters become fields of the graph's options; an option that is nothing but `$name` becomes an `option_value`.

    Args:
        spec: the graph as read.
        problems: receives what MediaPipe has no words for: `when`, `$name` inside text, `queue_size`.
    """
    return "\n".join(_Writer(spec, problems).lines()) + "\n"


class _Writer:
    def __init__(self, spec: GraphSpec, problems: list[Problem]) -> None:
        self.spec = spec
        self.problems = problems
        self.literal = spec.syntax == "pbtxt"

    def lines(self) -> Iterator[str]:
        spec = self.spec
        yield from _comment(spec.doc)
        yield f"type: {_quoted(spec.name)}"
        yield from _connections(spec)
        for name, text in spec.deferred.items():
            self._wordless(spec.field_locations.get(name, spec.location), f"'{name}: {text}'")
        if spec.num_threads is not None and "num_threads" not in spec.deferred:
            yield f"num_threads: {spec.num_threads}"
        if spec.max_queue_size != 100 and "max_queue_size" not in spec.deferred:
            yield f"max_queue_size: {spec.max_queue_size}"
        if spec.report_deadlock:
            yield "report_deadlock: true"
        for executor in spec.executors:
            yield from _message("executor", self._executor(executor))
        yield from self._policy(spec.input_policy)
        yield from self._parameters()
        for node in spec.nodes:
            yield ""
            yield from _comment(node.doc)
            yield from _message("node", self._node(node))

    def _parameters(self) -> Iterator[str]:
        spec = self.spec
        if not spec.params:
            return
        location = spec.field_locations.get("params", spec.location)
        for name, default in spec.params.items():
            if default is REQUIRED:
                self._wordless(location, f"parameter '{name}', which has no default")
        known = {name: value for name, value in spec.params.items() if value is not None and value is not REQUIRED}
        fields = self._fields(known, location, "")
        message = f"[type.googleapis.com/mediapipe.{spec.name}Options]"
        yield from _message("graph_options", _message(message, fields))

    def _node(self, node: NodeSpec) -> Iterator[str]:
        place = node.field_locations.get
        if node.name:
            yield f"name: {_quoted(node.name)}"
        calculator = self._text(node.calculator, place("calculator", node.location))
        yield f"calculator: {_quoted(mediapipe_name(calculator))}"
        yield from _connections(node)
        for ref in node.inputs:
            if ref.back_edge:
                tag_index = ref.tag if ref.tag and not ref.index else f"{ref.tag}:{ref.index}"
                yield from _message("input_stream_info", (f"tag_index: {_quoted(tag_index)}", "back_edge: true"))
        if node.executor:
            yield f"executor: {_quoted(self._text(node.executor, place('executor', node.location)))}"
        if node.max_in_flight != 1 and "max_in_flight" not in node.deferred:
            yield f"max_in_flight: {node.max_in_flight}"
        if node.source_layer and "source_layer" not in node.deferred:
            yield f"source_layer: {node.source_layer}"
        yield from self._policy(node.input_policy)
        yield from self._options(node)
        for name, text in node.deferred.items():
            self._wordless(place(name, node.location), f"'{name}: {text}'")
        if node.when is not True:
            self._wordless(place("when", node.location), f"'when: {node.when}'")
        if node.calculator == FOR_EACH:
            self._wordless(place("calculator", node.location), f"'{FOR_EACH}'")
        if node.queue_size is not None:
            self._wordless(place("queue_size", node.location), "'queue_size' of one node")

    def _options(self, node: NodeSpec) -> Iterator[str]:
        options, taken = self._without_parameters(node)
        fields = [
            line
            for name, value in options.items()
            for line in self._fields({name: value}, node.option_locations.get(name, node.location), node.calculator)
        ]
        fields += [line for inner in node.contained for line in _message("contained_node", self._node(inner))]
        if fields or taken:
            message = f"[mediapipe.{options_message(node.calculator if not node.contained else SWITCH)}.ext]"
            yield from _message("options", _message(message, fields))
        for option, parameter in taken.items():
            target = "OPTIONS" if option == WHOLE else option.replace(".", "/")
            source = "options" if parameter == WHOLE else "options/" + parameter.replace(".", "/")
            yield f"option_value: {_quoted(f'{target}:{source}')}"

    def _without_parameters(self, node: NodeSpec) -> tuple[dict[str, Any], dict[str, str]]:
        """The options without those that are a parameter, and these with the parameter's name."""
        taken = dict(node.option_values)

        def strip(options: Mapping[str, Any], path: str) -> dict[str, Any]:
            kept: dict[str, Any] = {}
            for name, value in options.items():
                whole = _PARAMETER.match(value) if isinstance(value, str) and not self.literal else None
                if whole:
                    taken[f"{path}{name}"] = whole[1] or whole[2]
                else:
                    kept[name] = strip(value, f"{path}{name}.") if isinstance(value, Mapping) else value
            return kept

        return strip(node.options, ""), taken

    def _policy(self, policy: PolicySpec | None) -> Iterator[str]:
        if policy is None:
            return
        handler = _HANDLERS.get(policy.name, policy.name)
        lines = [f"input_stream_handler: {_quoted(self._text(handler, policy.location))}"]
        if policy.options:
            fields = self._fields(policy.options, policy.location, "")
            lines += _message("options", _message(f"[mediapipe.{handler}Options.ext]", fields))
        yield from _message("input_stream_handler", lines)

    def _executor(self, executor: ExecutorSpec) -> Iterator[str]:
        yield f"name: {_quoted(executor.name)}"
        kind = executor.type or "ThreadPoolExecutor"
        yield f"type: {_quoted(kind)}"
        if executor.deferred:
            self._wordless(executor.location, f"'num_threads: {executor.deferred['num_threads']}'")
        elif not executor.num_threads and kind == "ThreadPoolExecutor":
            self._wordless(executor.location, f"executor '{executor.name}' without a number of threads")
        if executor.num_threads:
            message = f"[mediapipe.{kind}Options.ext]"
            yield from _message("options", _message(message, (f"num_threads: {executor.num_threads}",)))

    def _fields(self, values: Mapping[str, Any], location: Location, calculator: str) -> Iterator[str]:
        """The lines of a message's fields; `calculator` knows which of its options are text and which enum values."""
        for name, value in values.items():
            kind = option_type(calculator, name) if calculator else None
            for entry in value if isinstance(value, list) else [value]:
                if isinstance(entry, Mapping) and any(not _FIELD.match(str(key)) for key in entry):
                    for key, inner in entry.items():  # a map, which pbtxt writes as its pairs
                        number = int(key) if str(key).lstrip("-").isdigit() else key
                        yield from _message(name, self._fields({"key": number, "value": inner}, location, ""))
                elif isinstance(entry, Mapping):
                    yield from _message(name, self._fields(entry, location, ""))
                elif isinstance(entry, list):
                    self._wordless(location, f"option '{name}', a list of lists,")
                elif entry is not None:
                    yield f"{name}: {self._value(entry, kind, location)}"

    def _value(self, value: Any, kind: Any, location: Location) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float):
            return str(value)  # inf and nan are spelled as Python does
        if isinstance(value, str):
            text = self._text(value, location)
            return text if _ENUM_VALUE.match(text) and not _is_text(kind) else _quoted(text)
        return str(value)

    def _text(self, text: str, location: Location) -> str:
        """What a text means where `$$` is a dollar sign."""
        if not self.literal and any(not match[1] for match in _DOLLAR.finditer(text)):
            self._wordless(location, f"a parameter inside '{text}'")
        return text if self.literal else text.replace("$$", "$")

    def _wordless(self, location: Location, what: str) -> None:
        hint = "MediaPipe's format has nothing for it; write out what it stands for"
        self.problems.append(Problem(location, f"{what} cannot be written as pbtxt", hint))


def _connections(owner: GraphSpec | NodeSpec) -> Iterator[str]:
    kinds: tuple[tuple[str, tuple[StreamRef, ...]], ...] = (
        ("input_stream", owner.inputs),
        ("input_side_packet", owner.side_inputs),
        ("output_stream", owner.outputs),
        ("output_side_packet", owner.side_outputs),
    )
    for field, refs in kinds:
        counts: dict[str, int] = {}
        for ref in refs:
            counts[ref.tag] = counts.get(ref.tag, 0) + 1
        for ref in refs:
            numbered = counts[ref.tag] > 1 or ref.index
            yield f"{field}: {_quoted(str(ref) if numbered or not ref.tag else f'{ref.tag}:{ref.name}')}"


def _message(name: str, lines: Iterable[str]) -> Iterator[str]:
    inside = list(lines)
    if not inside:
        yield f"{name} {{}}"
        return
    yield f"{name} {{"
    yield from (_BLOCK + line for line in inside)
    yield "}"


def _comment(doc: str) -> Iterator[str]:
    return (f"# {line}".rstrip() for line in doc.splitlines())


def _quoted(text: str) -> str:
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(c, c if c.isprintable() else _octal(c)) for c in text) + '"'


def _octal(character: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "replace"))


def _is_text(kind: Any) -> bool:
    """Whether an option's type takes any text."""
    return kind is str or any(_is_text(part) for part in typing.get_args(kind) if part is not kind)
