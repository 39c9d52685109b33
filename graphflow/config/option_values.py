"""Options that a node takes from the parameters of its graph where those are set: MediaPipe's `option_value`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

WHOLE: Final = "*"
"""Stands for all options of a node, or all parameters of a graph."""

_SINGLE_COLON = re.compile(r"(?<!:):(?!:)")


def parse_option_value(text: str) -> tuple[str, str] | None:
    """Where in the node's options, and where in the graph's, `NODE_FIELD:options/GRAPH_FIELD` points; None if nowhere.

    >>> parse_option_value("OPTIONS/range/min:options/low"), parse_option_value("OPTIONS:options")
    (('range.min', 'low'), ('*', '*'))
    """
    sides = _SINGLE_COLON.split(text)
    return (_path(sides[0]), _path(sides[1])) if len(sides) == 2 else None


def with_option_values(
    options: Mapping[str, Any], option_values: Mapping[str, str], parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """A node's options with those replaced that `option_values` takes from the graph's parameters.

    A parameter that is None counts as not set: the option then is the calculator's default. Of messages those fields
    are replaced that are set. Source: MediaPipe `tool/options_util.cc`.

    Args:
        options: as written on the node.
        option_values: path of an option -> path of a parameter, `*` for all of them.
        parameters: the values of the graph's parameters; nothing is replaced where there are none.
    """
    result = dict(options)
    known = {name: value for name, value in parameters.items() if value is not None}
    for target, source in option_values.items() if known else ():
        value = known if source == WHOLE else _get(known, source.split("."))
        if target == WHOLE:
            result = merged(result, value) if isinstance(value, Mapping) else result
        else:
            result = _set(result, target.split("."), value)
    return result


def merged(one: Any, other: Any) -> Any:
    """Two values of one field as protobuf merges them: messages by their fields, lists one after the other.

    >>> merged({"a": 1, "b": {"c": [1, 2]}}, {"a": 2, "b": {"c": 3}})
    {'a': 2, 'b': {'c': [1, 2, 3]}}
    """
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        both = {name: merged(one[name], value) if name in one else value for name, value in other.items()}
        return {**one, **both}
    if isinstance(one, list) or isinstance(other, list):
        return [*(one if isinstance(one, list) else [one]), *(other if isinstance(other, list) else [other])]
    return other


def _path(text: str) -> str:
    names = text.split("/")
    for prefix in ("OPTIONS", "options"):
        if names and names[0] == prefix:
            names = names[1:]
    # which message is meant goes without saying here: there is one
    return ".".join(name for name in names if name and not name.lower().startswith("ext::")) or WHOLE


def _get(value: Any, path: list[str]) -> Any:
    for name in path:
        if isinstance(value, Mapping):
            value = value.get(name)
        elif name.isdigit():
            items = value if isinstance(value, list) else [] if value is None else [value]
            value = items[int(name)] if int(name) < len(items) else None
        else:
            return None
    return value


def _set(options: Mapping[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    name, *inner = path
    result = dict(options)
    old = result.pop(name, None)
    if inner and inner[0].isdigit():
        items = list(old) if isinstance(old, list) else [] if old is None else [old]
        number = int(inner[0])
        if number < len(items):
            below = items[number] if isinstance(items[number], Mapping) else {}
            items[number] = _set(below, inner[1:], value) if inner[1:] else value
        elif value is not None:
            items.append(_set({}, inner[1:], value) if inner[1:] else value)
        return {**result, name: items}
    if inner:
        return {**result, name: _set(old if isinstance(old, Mapping) else {}, inner, value)}
    if value is None:
        return result
    both = isinstance(old, Mapping) and isinstance(value, Mapping)
    return {**result, name: merged(old, value) if both else value}
