"""Parameters of a graph: what `$name` stands for, in options and fields, and which nodes `when` leaves out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from graphflow.config.option_values import WHOLE, merged, with_option_values
from graphflow.config.spec import UNREADABLE, GraphSpec, NodeSpec, is_readable
from graphflow.config.suggestions import did_you_mean
from graphflow.errors import Location, Problem
from graphflow.ports import REQUIRED

_REFERENCE = re.compile(r"\$(?:(\$)|([a-z_][a-z0-9_]*)|\{([a-z_][a-z0-9_]*)\}|)")
_WHOLE = re.compile(r"\$(?:([a-z_][a-z0-9_]*)|\{([a-z_][a-z0-9_]*)\})\Z")


@dataclass(slots=True)
class Parameters:
    """The values of one graph's parameters, and where to report a `$name` that is none of them.

    `literal` leaves every `$` as it is. `open` says that there may be more parameters than are known.
    """

    values: Mapping[str, Any]
    problems: list[Problem]
    literal: bool = False
    open: bool = False

    def substitute(self, value: Any, location: Location) -> Any:
        """`value` with every `$name` in it replaced; a text that is nothing but `$name` becomes the value itself."""
        if self.literal:
            return value
        if isinstance(value, str):
            whole = _WHOLE.match(value)
            if whole:
                return self._value(whole[1] or whole[2], location)
            return _REFERENCE.sub(lambda match: self._inside(match, location), value)
        if isinstance(value, Mapping):
            return {key: self.substitute(entry, location) for key, entry in value.items()}
        if isinstance(value, list):
            return [self.substitute(entry, location) for entry in value]
        return value

    def options(
        self, options: Mapping[str, Any], locations: Mapping[str, Location], fallback: Location
    ) -> dict[str, Any]:
        """Options with parameters replaced, each reported at its own place."""
        return {name: self.substitute(value, locations.get(name, fallback)) for name, value in options.items()}

    def node_options(self, node: NodeSpec) -> dict[str, Any]:
        """A node's options with parameters replaced, and with those it takes from the graph's."""
        location = node.field_locations.get("options_from", node.location)
        for source in node.option_values.values():
            name = source.partition(".")[0]
            if name != WHOLE and not self.open and not self.literal:
                self._value(name, location)
        options = self.options(node.options, node.option_locations, node.location)
        return with_option_values(options, node.option_values, self.values)

    def holds(self, node: NodeSpec) -> bool:
        """Whether `when` lets the node exist."""
        if isinstance(node.when, bool):
            return node.when
        negated = node.when.startswith("not")
        condition = node.when.removeprefix("not").strip()
        value = self.substitute(condition, node.field_locations.get("when", node.location))
        return bool(value) != negated

    def integer(self, text: str, field_name: str, location: Location, default: int) -> int:
        """The whole number a `$name` in a numeric field stands for."""
        value = self.substitute(text, location)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if value is not UNREADABLE:
            self._report(location, f"'{field_name}' must be a whole number, but {text} is {value!r}")
        return default

    def _value(self, name: str, location: Location) -> Any:
        if name in self.values:
            return self.values[name]
        hint = did_you_mean(name, self.values, "parameters") or "the graph declares none under 'params'"
        self._report(location, f"no parameter '{name}'", hint)
        return UNREADABLE

    def _inside(self, match: re.Match[str], location: Location) -> str:
        if match[1]:
            return "$"
        name = match[2] or match[3]
        if not name:
            self._report(location, "'$' is followed by no parameter's name", "write $$ for a dollar sign")
            return "$"
        value = self._value(name, location)
        if value is UNREADABLE:
            return match[0]
        return str(value).lower() if isinstance(value, bool) else str(value)

    def _report(self, location: Location, message: str, hint: str = "") -> None:
        self.problems.append(Problem(location, message, hint))


def resolve(
    spec: GraphSpec,
    given: Mapping[str, Any],
    locations: Mapping[str, Location],
    fallback: Location,
    problems: list[Problem],
) -> dict[str, Any]:
    """The values of a graph's parameters: what is given, else the default.

    Args:
        spec: the graph that declares them.
        given: values by name; text is read as YAML where the default is not text, so that `--set smooth=false` works.
        locations: where each value is given.
        fallback: where a problem is reported that has no place of its own.
        problems: receives unknown and missing parameters and values of another type than the default.
    """
    values: dict[str, Any] = {}
    if spec.syntax == "pbtxt":  # fields of a message, which says nothing of its other fields here
        both = merged(spec.params, given)
        return {name: value for name, value in both.items() if name != WHOLE}
    for name, value in given.items():
        location = locations.get(name, fallback)
        if name not in spec.params and WHOLE in spec.params:
            values[name] = value
            continue
        if name not in spec.params:
            hint = did_you_mean(name, spec.params, "parameters") or f"{spec.name} has no parameters"
            problems.append(Problem(location, f"{spec.name} has no parameter '{name}'", hint))
            continue
        default = spec.params[name]
        converted = _as_default(value, default)
        if converted is _WRONG:
            message = f"parameter '{name}' of {spec.name} must be {_KINDS[type(default)]}, not {value!r}"
            problems.append(Problem(location, message, f"its default is {default!r}"))
            continue
        values[name] = converted
    for name, default in spec.params.items():
        if name in values or name == WHOLE:
            continue
        if default is REQUIRED:
            if name not in given:
                problems.append(Problem(fallback, f"parameter '{name}' of {spec.name} must be set"))
            default = UNREADABLE
        values[name] = default
    return values


_WRONG = object()
_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a mapping",
}


def _as_default(value: Any, default: Any) -> Any:
    """`value` as the kind of thing the default is, or `_WRONG`."""
    if default is None or default is REQUIRED or value is None or not is_readable(value):
        return value
    if isinstance(value, str) and not isinstance(default, str):
        try:
            value = yaml.safe_load(value)
        except yaml.YAMLError:
            return _WRONG
    if isinstance(default, list) and not isinstance(value, list | Mapping):
        value = [value]  # a repeated field that MediaPipe's text format gives once
    numbers = [isinstance(entry, int | float) and not isinstance(entry, bool) for entry in (default, value)]
    if all(numbers):
        return value  # a default of 1 does not forbid 1.5; the option it ends in says what it takes
    fits = isinstance(value, type(default)) and isinstance(value, bool) == isinstance(default, bool)
    return value if fits else _WRONG
