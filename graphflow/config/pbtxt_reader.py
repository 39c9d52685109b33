"""Reads MediaPipe's graphs: `CalculatorGraphConfig` in protobuf's text format."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from graphflow.config.names import guess_connection, parse_connection
from graphflow.config.option_messages import is_foreign, options_message
from graphflow.config.option_values import WHOLE, parse_option_value
from graphflow.config.policies import HANDLER_POLICIES
from graphflow.config.spec import ExecutorSpec, GraphSpec, NodeSpec, PolicySpec, StreamRef
from graphflow.config.suggestions import did_you_mean
from graphflow.config.switch import SWITCH
from graphflow.config.text_format import Field, Message, TextFormatError, parse_text_format
from graphflow.errors import Location, Problem

_CONNECTIONS = ("input_stream", "output_stream", "input_side_packet", "output_side_packet")

GRAPH_FIELDS: Final = (
    *_CONNECTIONS, "node", "num_threads", "max_queue_size", "report_deadlock", "executor", "type", "package",
    "input_stream_handler", "output_stream_handler", "options", "graph_options", "profiler_config", "runtime_info",
    "packet_factory", "packet_generator", "status_handler",
)  # fmt: skip
"""The fields of `CalculatorGraphConfig`."""

NODE_FIELDS: Final = (
    *_CONNECTIONS, "name", "calculator", "options", "node_options", "option_value", "source_layer", "buffer_size_hint",
    "input_stream_handler", "output_stream_handler", "input_stream_info", "executor", "max_in_flight",
    "profiler_config", "external_input",
)  # fmt: skip
"""The fields of `CalculatorGraphConfig.Node`."""

_UNSUPPORTED = ("packet_factory", "packet_generator", "status_handler", "external_input")
_OUTPUT_HANDLERS = ("InOrderOutputStreamHandler",)
_TAG_INDEX = re.compile(r"([A-Z_][A-Z0-9_]*)?(?::(0|[1-9][0-9]{0,5}))?\Z")
_THREAD_POOL, _APPLICATION_THREAD = "ThreadPoolExecutor", "ApplicationThreadExecutor"
_INT32 = range(-(2**31), 2**31)


def read_pbtxt(text: str, file: str, folder: str, problems: list[Problem], default_name: str = "graph") -> GraphSpec:
    """The graph of a text, as much of it as can be understood; arguments as of `read_yaml`."""
    try:
        message = parse_text_format(text, file)
    except (TextFormatError, RecursionError) as error:
        location = Location(file, 1, 1)
        nested = Problem(location, "not a graph: nested too deeply")
        problems.append(error.problem if isinstance(error, TextFormatError) else nested)
        return GraphSpec(default_name, location=location, folder=folder, syntax="pbtxt")
    return _Reader(folder, problems).graph(message, default_name)


class _Reader:
    def __init__(self, folder: str, problems: list[Problem]) -> None:
        self.folder = folder
        self.problems = problems

    def graph(self, message: Message, default_name: str) -> GraphSpec:
        self._known(message, GRAPH_FIELDS, "a graph")
        self._supported(message)
        self._output_handler(message)
        nodes = self._nodes(message, "node")
        return GraphSpec(
            name=self._text(message, "type") or default_name,
            inputs=self._connections(message, "input_stream"),
            outputs=self._connections(message, "output_stream"),
            # declaring one twice means nothing
            side_inputs=tuple({ref.name: ref for ref in self._connections(message, "input_side_packet")}.values()),
            side_outputs=self._connections(message, "output_side_packet"),
            nodes=nodes,
            params=self._parameters(message, nodes),
            num_threads=self._integer(message, "num_threads") or None,
            # any negative number lifts the limit
            max_queue_size=max(self._integer(message, "max_queue_size"), -1) or 100,
            report_deadlock=self._one(message, "report_deadlock", bool, False),
            executors=self._executors(message),
            input_policy=self._policy(message),
            location=message.location,
            folder=self.folder,
            syntax="pbtxt",
            field_locations=message.locations(),
        )

    def _nodes(self, message: Message, field: str) -> tuple[NodeSpec, ...]:
        nodes = [entry.value for entry in message.all(field) if self._is_message(entry)]
        names = _unique_names([(_word(node, "name"), _word(node, "calculator")) for node in nodes])
        return tuple(self._node(name, node) for name, node in zip(names, nodes, strict=True))

    def _parameters(self, message: Message, nodes: tuple[NodeSpec, ...]) -> dict[str, Any]:
        """The options of the graph itself; whoever uses it may set further ones, which are not declared anywhere."""
        own = next((value for _, value in self._extensions(message, ("options", "graph_options"))), None)
        if own is None and not any(node.option_values for node in nodes):
            return {}
        return {**(own.plain() if own else {}), WHOLE: None}

    def _node(self, name: str, node: Message) -> NodeSpec:
        self._known(node, NODE_FIELDS, f"node '{name}'")
        self._supported(node)
        self._output_handler(node)
        self._text(node, "name")
        calculator = self._text(node, "calculator")
        if not calculator:
            self._report(node.location, f"node '{name}' has no calculator", 'calculator: "NAME"')
        inputs = self._connections(node, "input_stream")
        option_values = self._option_values(node)
        own = self._own_options(node, calculator) or Message()
        if option_values and not any(self._extensions(node, ("options", "node_options"))):
            location = next(node.all("option_value")).location
            self._report(location, f"node '{name}' has no options to set by option_value", "an empty message is enough")
        contained: tuple[NodeSpec, ...] = ()
        if calculator == SWITCH:
            contained = self._nodes(own, "contained_node")
            own = Message(tuple(entry for entry in own.fields if entry.name != "contained_node"), own.location)
        return NodeSpec(
            name=name,
            calculator=calculator,
            inputs=self._with_back_edges(node, inputs),
            outputs=self._connections(node, "output_stream"),
            side_inputs=self._connections(node, "input_side_packet"),
            side_outputs=self._connections(node, "output_side_packet"),
            options=own.plain(),
            option_locations=own.locations(),
            contained=contained,
            option_values=option_values,
            input_policy=self._policy(node),
            executor=self._text(node, "executor"),
            # 0 is a field left out, which means one
            max_in_flight=self._integer(node, "max_in_flight") or 1,
            source_layer=self._integer(node, "source_layer"),
            location=node.location,
            folder=self.folder,
            field_locations=node.locations(),
        )

    def _connections(self, message: Message, field: str) -> tuple[StreamRef, ...]:
        found: list[StreamRef] = []
        untagged = 0
        for entry in message.all(field):
            parsed = parse_connection(entry.value) if isinstance(entry.value, str) else None
            if parsed is None:
                hint = 'as in "VIDEO:2:frames", "VIDEO:frames" or "frames"'
                self._report(entry.location, f"{entry.value!r} is no TAG:index:name", hint)
                parsed = guess_connection(str(entry.value))
            tag, index, name = parsed
            if not tag:
                index, untagged = untagged, untagged + 1
            found.append(StreamRef(tag, index or 0, name, entry.location))
        return tuple(found)

    def _with_back_edges(self, node: Message, inputs: tuple[StreamRef, ...]) -> tuple[StreamRef, ...]:
        described: dict[tuple[str, int], bool] = {}
        for entry in node.all("input_stream_info"):
            if not self._is_message(entry):
                continue
            self._known(entry.value, ("tag_index", "back_edge"), "input_stream_info")
            written = self._text(entry.value, "tag_index")
            match = _TAG_INDEX.match(written)
            place = (match[1] or "", int(match[2] or 0)) if match else None
            if place not in {(ref.tag, ref.index) for ref in inputs}:
                there = ", ".join(_tag_index(ref) for ref in inputs)
                self._report(entry.location, f"input_stream_info names no input: '{written}'", f"inputs: {there}")
                continue
            assert place is not None, "no input is without a place"
            if place in described:
                self._report(entry.location, f"a second input_stream_info for input '{written}'")
            described[place] = self._one(entry.value, "back_edge", bool, False)
        return tuple(replace(ref, back_edge=described.get((ref.tag, ref.index), False)) for ref in inputs)

    def _own_options(self, node: Message, calculator: str) -> Message | None:
        """The options meant for the calculator, `options` before `node_options`.

        Those of another calculator are not looked at; what belongs to none that is known may be its own.
        """
        candidates = [
            (_message_name(name), message) for name, message in self._extensions(node, ("options", "node_options"))
        ]
        wanted = options_message(calculator)
        if wanted not in (name for name, _ in candidates):
            candidates = [(name, message) for name, message in candidates if not is_foreign(name, calculator)]
            unclear = len({name for name, _ in candidates}) > 1
            return candidates[0][1] if candidates and not unclear else None
        return next(message for name, message in candidates if name == wanted)

    def _extensions(self, message: Message, fields: Iterable[str]) -> Iterator[tuple[str, Message]]:
        """The messages `[mediapipe.Name.ext] { }` inside some fields, in the order of these fields."""
        for field in fields:
            for entry in message.all(field):
                if self._is_message(entry):
                    for extension in entry.value.fields:
                        if extension.name.startswith("[") and self._is_message(extension):
                            yield extension.name, extension.value

    def _option_values(self, node: Message) -> dict[str, str]:
        found: dict[str, str] = {}
        for entry in node.all("option_value"):
            parsed = parse_option_value(entry.value) if isinstance(entry.value, str) else None
            if parsed is None:
                hint = 'as in "threshold:options/min_score"'
                self._report(entry.location, f"{entry.value!r} is no NODE_FIELD:options/GRAPH_FIELD", hint)
                continue
            found[parsed[0]] = parsed[1]
        return found

    def _policy(self, message: Message) -> PolicySpec | None:
        handler = self._message(message, "input_stream_handler")
        if handler is None:
            return None
        self._known(handler, ("input_stream_handler", "options"), "input_stream_handler")
        written = self._text(handler, "input_stream_handler") or "DefaultInputStreamHandler"
        options: dict[str, Any] = {}
        for entry in handler.all("options"):
            for extension in entry.value.fields if self._is_message(entry) else ():
                own = _message_name(extension.name) == f"{written}Options"
                # a handler does not look at the options of another one
                if self._is_message(extension) and (own or written not in HANDLER_POLICIES):
                    options |= extension.value.plain()
        location = next((entry.location for entry in handler.fields), handler.location)
        return PolicySpec(HANDLER_POLICIES.get(written, written), options, location)

    def _output_handler(self, message: Message) -> None:
        handler = self._message(message, "output_stream_handler")
        name = self._text(handler, "output_stream_handler") if handler else ""
        if handler and name and name not in _OUTPUT_HANDLERS:
            hint = f"there is {', '.join(_OUTPUT_HANDLERS)}; outputs are always in order"
            self._report(handler.location, f"unknown output stream handler '{name}'", hint)

    def _executors(self, message: Message) -> tuple[ExecutorSpec, ...]:
        found: dict[str, ExecutorSpec] = {}
        for entry in message.all("executor"):
            if self._is_message(entry):
                executor = self._executor(entry.value)
                if executor.name in found:
                    self._report(entry.location, f"executor '{executor.name}' is declared twice")
                found[executor.name] = executor
        return tuple(found.values())

    def _executor(self, message: Message) -> ExecutorSpec:
        self._known(message, ("name", "type", "options"), "executor")
        name, kind = self._text(message, "name"), self._text(message, "type")
        threads = 0
        options = self._message(message, "options")
        for extension in options.fields if options else ():
            if self._is_message(extension):
                threads = self._integer(extension.value, "num_threads")
        if not kind:
            self._report(message.location, f"executor '{name}' has no type", f'type: "{_THREAD_POOL}"')
        elif kind == _THREAD_POOL and not threads:
            hint = f"options {{ [mediapipe.{_THREAD_POOL}Options.ext] {{ num_threads: N }} }}"
            self._report(message.location, f"executor '{name}' does not say how many threads it has", hint)
        elif kind != _THREAD_POOL and (name or kind != _APPLICATION_THREAD):
            self._report(message.location, f"executor '{name}' is of unknown type '{kind}'", f"there is {_THREAD_POOL}")
        return ExecutorSpec(name, threads, kind, message.location)

    def _known(self, message: Message, known: Iterable[str], owner: str) -> None:
        names = tuple(known)
        for entry in message.fields:
            if entry.name not in names:
                hint = did_you_mean(entry.name, names, "fields")
                self._report(entry.location, f"{owner} has no field '{entry.name}'", hint)

    def _supported(self, message: Message) -> None:
        for entry in message.fields:
            if entry.name in _UNSUPPORTED:
                self._report(entry.location, f"'{entry.name}' is not supported", "write it into the nodes it concerns")

    def _one(self, message: Message, field: str, kind: type[Any], default: Any) -> Any:
        """The value of a field that may occur once."""
        entries = list(message.all(field))
        for entry in entries[1:]:
            self._report(entry.location, f"'{field}' is given twice", f"it is already there at {entries[0].location}")
        if not entries:
            return default
        value = entries[0].value
        if isinstance(value, kind) and isinstance(value, bool) == (kind is bool):
            return value
        shown = "a message" if isinstance(value, Message) else repr(value)
        wanted = {str: "text in quotes", int: "a whole number", bool: "true or false", Message: "a message in { }"}
        self._report(entries[0].location, f"'{field}' must be {wanted[kind]}, not {shown}")
        return default

    def _text(self, message: Message, field: str) -> str:
        value: str = self._one(message, field, str, "")
        return value

    def _integer(self, message: Message, field: str) -> int:
        value: int = self._one(message, field, int, 0)
        if value not in _INT32:
            location = next(message.all(field)).location
            self._report(location, f"'{field}' is out of range: {value}", "it is a whole number of 32 bits")
        return value if value in _INT32 else 0

    def _message(self, message: Message, field: str) -> Message | None:
        value: Message | None = self._one(message, field, Message, None)
        return value

    def _is_message(self, entry: Field) -> bool:
        if isinstance(entry.value, Message):
            return True
        self._report(entry.location, f"'{entry.name}' must be a message in {{ }}, not {entry.value!r}")
        return False

    def _report(self, location: Location, message: str, hint: str = "") -> None:
        self.problems.append(Problem(location, message, hint))


def _unique_names(written: list[tuple[str, str]]) -> list[str]:
    """A name for every node: its own or its calculator's, numbered where several share it, as MediaPipe does."""
    wanted = [name or calculator or "node" for name, calculator in written]
    counts = Counter(wanted)
    taken = {name for name, count in counts.items() if count == 1}
    result = []
    for name in wanted:
        if counts[name] > 1:
            number = 1
            while f"{name}_{number}" in taken:
                number += 1
            name = f"{name}_{number}"
            taken.add(name)
        result.append(name)
    return result


def _word(message: Message, field: str) -> str:
    return next((entry.value for entry in message.all(field) if isinstance(entry.value, str)), "")


def _message_name(extension: str) -> str:
    """`GateCalculatorOptions` of `[mediapipe.GateCalculatorOptions.ext]` or `[type.googleapis.com/mediapipe.Gate…]`."""
    name = extension.strip("[]").rpartition("/")[2]
    return next((part for part in reversed(name.split(".")) if part[:1].isupper()), name)


def _tag_index(ref: StreamRef) -> str:
    return ref.tag if ref.tag and not ref.index else f"{ref.tag}:{ref.index}"
