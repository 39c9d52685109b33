"""Checks one node against its calculator: options, ports, and what the calculator itself says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from graphflow import registry
from graphflow.calculator import Calculator, OptionError
from graphflow.config.checked import CheckedNode
from graphflow.config.expansion import port_name
from graphflow.config.library import graph_names, module_names, neighbour_names
from graphflow.config.spec import NodeSpec, PolicySpec, StreamRef, is_readable
from graphflow.config.suggestions import did_you_mean
from graphflow.context import Binding, Connection
from graphflow.errors import Location, Problem
from graphflow.ports import ANY_TAG, REQUIRED, Input, Output, Port, SideInput, SideOutput, type_name

_SHORT_TRUTHS = ("t", "f")
_KINDS: tuple[tuple[type[Port], str, str], ...] = (
    (Input, "inputs", "input"),
    (Output, "outputs", "output"),
    (SideInput, "side_inputs", "side input"),
    (SideOutput, "side_outputs", "side output"),
)


def bind(
    node: NodeSpec,
    graph_policy: PolicySpec | None,
    problems: list[Problem],
    syntax: Literal["yaml", "pbtxt"] = "yaml",
) -> CheckedNode | None:
    """The node with its calculator, or None where something is wrong with it.

    Args:
        node: a node of an expanded graph.
        graph_policy: the input policy of nodes that name none and whose calculator needs none.
        problems: receives everything that is wrong.
        syntax: how the graph is written; in MediaPipe's no output's index may be left out, and text is no number.
    """
    before = len(problems)
    calculator = _calculator(node, problems)
    if calculator is None:
        return None
    instance = _with_options(node, calculator, problems, syntax)
    connections = {
        field: _connect(node, calculator, kind, field, word, syntax == "yaml", problems) for kind, field, word in _KINDS
    }
    binding = Binding(**connections)
    if instance is not None and len(problems) == before:
        messages: list[str | OptionError]
        try:
            messages = list(instance.check(binding))
        except Exception as error:  # a user's calculator may do anything
            messages = [f"its check failed: {type(error).__name__}: {error}"]
        for message in messages:
            place = _option_location(node, message.path) if isinstance(message, OptionError) else node.location
            problems.append(Problem(place, f"node '{node.name}' ({node.calculator}): {message}"))
    if instance is None or len(problems) > before:
        return None
    policy = node.input_policy
    if policy is None:
        own = calculator.input_policy
        policy = PolicySpec(own) if own != "default" or graph_policy is None else graph_policy
    return CheckedNode(node, calculator, binding, policy)


def _calculator(node: NodeSpec, problems: list[Problem]) -> type[Calculator] | None:
    if not node.calculator:
        return None  # the reader has reported it
    location = node.field_locations.get("calculator", node.location)
    try:
        return registry.find(node.calculator, Path(node.folder) if node.folder else None)
    except registry.UnknownCalculatorError as error:
        own = registry.names_a_file(node.calculator)
        hint = " or ".join(f"'{match}'" for match in error.matches) if own else _near(node)
        what = str(error) if own else f"unknown calculator or graph '{node.calculator}'"
        end = f"did you mean {hint}?" if hint else "" if own else "./my_file.py:Name takes one of your own file"
        problems.append(Problem(location, what, end))
    except Exception as error:  # whatever importing a module can raise
        message = f"calculator '{node.calculator}' cannot be loaded: {type(error).__name__}: {error}"
        problems.append(Problem(location, message))
    return None


def _near(node: NodeSpec) -> str:
    """What a calculator's unknown name may mean: a calculator, a graph, or a calculator in a file beside the graph."""
    beside = {
        name: f"./{path.name}:{name}"
        for path in sorted(Path(node.folder or ".").glob("*.py"))
        for name in registry.names_in_file(path)
    }
    graphs = [*graph_names(), *module_names(), *neighbour_names(node.folder)]
    candidates = [*registry.names(), *graphs, *beside]
    hint = did_you_mean(node.calculator, candidates).removeprefix("did you mean ").removesuffix("?")
    for name, written in beside.items():
        hint = hint.replace(f"'{name}'", f"'{written}'")
    return hint


def _with_options(
    node: NodeSpec, calculator: type[Calculator], problems: list[Problem], syntax: str
) -> Calculator | None:
    """An instance with the node's options; None where one of them is wrong."""
    before = len(problems)
    declared = calculator.options()
    readable = True

    def report(option: str, message: str, hint: str = "") -> None:
        location = _option_location(node, option)
        problems.append(Problem(location, f"node '{node.name}': {message}", hint))

    for name, value in node.options.items():
        if name not in declared:
            hint = did_you_mean(name, declared, "options") or "it takes none"
            report(name, f"{calculator.__name__} has no option '{name}'", hint)
            continue
        if not is_readable(value):
            readable = False
            continue
        quoted = syntax == "pbtxt" and isinstance(value, str) and value not in _SHORT_TRUTHS
        if quoted and _is_no_text(calculator.option_type(name)):
            report(name, f"option '{name}' cannot be the text {value!r}", declared[name].doc)
            continue
        try:
            calculator.convert_option(name, value)
        except OptionError as error:
            report(error.path, str(error), declared[name].doc)
    for name, declaration in declared.items():
        if declaration.default is REQUIRED and name not in node.options:
            location = node.field_locations.get("options", node.location)
            message = f"node '{node.name}': {calculator.__name__} needs option '{name}'"
            problems.append(Problem(location, message, declaration.doc))
    if len(problems) > before or not readable:
        return None
    try:
        return calculator(node.options)
    except OptionError as error:
        report(error.option, str(error))
    except Exception as error:  # options that do not go together, or a user's own __init__
        problems.append(Problem(node.location, f"node '{node.name}': {type(error).__name__}: {error}"))
    return None


def _is_no_text(annotation: Any) -> bool:
    """Whether an option is a number or a truth value, or several."""
    if get_origin(annotation) is not None:
        return all(_is_no_text(part) or part is type(None) for part in get_args(annotation))
    return annotation in (bool, int, float)


def _option_location(node: NodeSpec, path: str) -> Location:
    """The place of an option, or of the nearest thing around the place inside it."""
    while path:
        if path in node.option_locations:
            return node.option_locations[path]
        path = path.rpartition(".")[0]
    return node.field_locations.get("options", node.location)


def _connect(
    node: NodeSpec,
    calculator: type[Calculator],
    kind: type[Port],
    field: str,
    word: str,
    output_gaps: bool,
    problems: list[Problem],
) -> tuple[Connection, ...]:
    """The node's connections of one kind, each with the declared port it belongs to."""
    refs: Sequence[StreamRef] = getattr(node, field)
    ports = {port.tag: port for port in calculator.ports() if type(port) is kind}
    name = calculator.__name__
    found: list[Connection] = []
    taken: dict[Port, list[StreamRef]] = {}
    seen: set[tuple[str, int]] = set()
    meant: set[str] = set()
    for ref in refs:
        port = ports.get(ref.tag) or ports.get(ANY_TAG)
        if port is None:
            shown = f"'{ref.tag}'" if ref.tag else "without a tag"
            there = _shown_ports(ports.values())
            hint = did_you_mean(ref.tag, ports) if ref.tag else ""
            meant |= {tag for tag in ports if tag and f"'{tag}'" in hint}
            hint = f"{hint} {word}s: {there}".strip() if there else f"it has no {word}s"
            problems.append(Problem(ref.location, f"node '{node.name}': {name} has no {word} {shown}", hint))
            continue
        if (ref.tag, ref.index) in seen:
            message = f"node '{node.name}': {word} {port_name(ref)} is connected twice"
            problems.append(Problem(ref.location, message, "give the second an index of its own"))
            continue
        seen.add((ref.tag, ref.index))
        if ref.index and not port.many:
            message = f"node '{node.name}': {word} '{ref.tag or 'without a tag'}' of {name} takes one connection only"
            problems.append(Problem(ref.location, message))
            continue
        taken.setdefault(port, []).append(ref)
        found.append(Connection(ref.tag, ref.index, ref.name, port, ref.back_edge))
    gaps_allowed = output_gaps and kind in (Output, SideOutput)
    if not gaps_allowed:
        _report_gaps(node, refs, word, problems)
    for tag, port in ports.items():
        if port not in taken and not port.optional and tag != ANY_TAG and tag not in meant:
            problems.append(_missing(node, port, field, word, name))
    return tuple(sorted(found, key=lambda connection: (connection.tag, connection.index)))


def _report_gaps(node: NodeSpec, refs: Sequence[StreamRef], word: str, problems: list[Problem]) -> None:
    indices: dict[str, list[StreamRef]] = {}
    for ref in refs:
        indices.setdefault(ref.tag, []).append(ref)
    for tag, found in indices.items():
        there = {ref.index for ref in found}
        last = max(found, key=lambda ref: ref.index)
        for missing in sorted(set(range(last.index)) - there):
            place = f"{tag}:{missing}" if tag else str(missing)
            reason = _unconnected(node, tag, missing)
            hint = reason or "indices count from 0 without a gap"
            message = f"node '{node.name}': {word} {port_name(last)} is connected but {place} is not"
            problems.append(Problem(last.location, message, hint))


def _missing(node: NodeSpec, port: Port, field: str, word: str, calculator: str) -> Problem:
    tag = f"'{port.tag}'" if port.tag else "without a tag"
    reason = _unconnected(node, port.tag, 0) if "input" in word else ""
    location: Location = node.field_locations.get(field, node.location)
    message = f"node '{node.name}': {calculator} needs {word} {tag}"
    way = f"{field}: {{{port.tag}: NAME}}" if port.tag else f"{field}: [NAME]"
    kind = "" if port.type is Any else f" of type {type_name(port.type)}"
    what = "side packet" if "side" in word else "stream"
    doc = f"; {port.doc}" if port.doc else ""
    return Problem(location, message, reason or f"write {way}, a {what}{kind}{doc}")


def _unconnected(node: NodeSpec, tag: str, index: int) -> str:
    """Why expansion took a connection away; "" where it did not."""
    return node.unconnected.get((f"{tag}:{index}" if index else tag) if tag else str(index), "")


def _shown_ports(ports: Iterable[Port]) -> str:
    return ", ".join(port.tag or "(without a tag)" for port in ports)


Sources = Mapping[Connection, tuple[Connection, ...]]
"""The inputs whose type an output shares, by output."""


def decided_types(node: CheckedNode) -> tuple[dict[Connection, Any], dict[Connection, tuple[Connection, ...]]]:
    """What a node's outputs and side outputs carry, and the inputs whose type they share instead where they do."""
    binding = node.binding
    types: dict[Connection, Any] = {}
    sources: dict[Connection, tuple[Connection, ...]] = {}
    decided: Mapping[Connection, Any] = {}
    if node.calculator.output_types is not Calculator.output_types:
        decided = node.new_calculator().output_types(binding)
    for output in (*binding.outputs, *binding.side_outputs):
        own = decided.get(output, output.port.type)
        paired = _paired_input(binding, output) if output not in decided else None
        shared = own if isinstance(own, tuple) else () if paired is None else (paired,)
        types[output] = Any if isinstance(own, tuple) else own
        if shared:
            sources[output] = shared
    return types, sources


def _paired_input(binding: Binding, output: Connection) -> Connection | None:
    """The input connection whose type an output shares: that of the same tag and index, else of the same position."""
    same_as = output.port.same_as
    if same_as is None:
        return None
    inputs = [entry for entry in (*binding.inputs, *binding.side_inputs) if entry.port is same_as]
    for entry in inputs:
        if (entry.tag, entry.index) == (output.tag, output.index):
            return entry
    outputs = [entry for entry in (*binding.outputs, *binding.side_outputs) if entry.port is output.port]
    position = outputs.index(output)
    if position < len(inputs):
        return inputs[position]
    # several outputs of one input's type, as the branches of a demultiplexer
    return inputs[0] if len(inputs) == 1 else None
