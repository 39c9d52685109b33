"""Values set from outside a graph: `--set node/path.option=value`, `Calculator.option=value`, and `param=value`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphflow.config.suggestions import did_you_mean
from graphflow.errors import Location, Problem


class Overrides:
    """Values by `node/path.option` (or `node/path.option.inner`), and by the name of a parameter of the top graph.

    A calculator's name in place of a path means all its nodes, in subgraphs too; what is set for a node is stronger.
    """

    def __init__(self, values: Mapping[str, Any], problems: list[Problem]) -> None:
        self._values = dict(values)
        self._problems = problems
        self._used: set[str] = set()

    def parameters(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Location]]:
        """The parameters given, overrides included, and where problems with each are to be reported."""
        given = dict(params)
        locations = {name: Location(f"parameter {name}") for name in given}
        for key, value in self._values.items():
            if "." not in key:
                given[key] = value
                locations[key] = _location(key)
        return given, locations

    def options(
        self, path: str, calculator: str, options: Mapping[str, Any], locations: Mapping[str, Location]
    ) -> tuple[dict[str, Any], dict[str, Location]]:
        """The options of the node at a path with its overrides in place, and where each comes from."""
        merged = dict(options)
        places = dict(locations)
        of_node = [(key, value) for key, value in self._values.items() if key.partition(".")[0] == path]
        of_all = [(key, value) for key, value in self._values.items() if key.partition(".")[0] == calculator]
        for key, value in (*of_all, *of_node):
            node, dot, option = key.partition(".")
            if not dot:
                continue
            self._used.add(node)
            first, *inner = option.split(".")
            places[first] = _location(key)
            merged[first] = _set_inside(merged.get(first), inner, value)
        return merged, places

    def used(self, path: str) -> None:
        """Notes that a node exists, though it is left out of this graph."""
        self._used.add(path)

    def report_unused(self, paths: Iterable[str], params: Mapping[str, Any]) -> None:
        """Reports overrides of nodes that do not exist; `paths` are those that do."""
        known = list(paths)
        for key in self._values:
            node, dot, _ = key.partition(".")
            if dot and node not in self._used:
                # `--set detection.threshold` where the node is pose/detection
                inner = [path for path in known if path.rpartition("/")[2] == node]
                hint = f"did you mean {' or '.join(repr(path) for path in inner[:3])}?" if inner else ""
                self._problems.append(
                    Problem(_location(key), f"no node '{node}'", hint or did_you_mean(node, known, "nodes"))
                )


def _location(key: str) -> Location:
    return Location(f"override {key}")


def _set_inside(old: Any, path: list[str], value: Any) -> Any:
    """`value` put at a path into a copy of nested mappings."""
    if not path:
        return value
    inside = dict(old) if isinstance(old, Mapping) else {}
    inside[path[0]] = _set_inside(inside.get(path[0]), path[1:], value)
    return inside
