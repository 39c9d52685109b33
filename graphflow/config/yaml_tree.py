"""YAML text as a tree of nodes that know their place; safe, and strict about duplicate keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from graphflow.config.spec import UNREADABLE
from graphflow.errors import Location, Problem

# Composing never constructs objects, so no loader is unsafe here; libyaml's is ten times faster.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD = "tag:yaml.org,2002:"
_EXPONENT = re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+\Z")
_COMMENT = re.compile(r"[\s,}\]]*\s#(.*)")
_MOST_VALUES = 100_000
_DEEPEST = 100


class YamlTree:
    """The nodes of one YAML text, read into values on request; what is wrong with them goes to `problems`."""

    def __init__(self, text: str, file: str, problems: list[Problem]) -> None:
        self.file = file
        self._lines = text.splitlines()
        self.problems = problems
        self._checked: set[int] = set()
        self._open: set[int] = set()
        self._values = 0
        self.root = self._compose(text)

    def location(self, node: yaml.Node) -> Location:
        """Where a node begins."""
        return Location(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def report(self, node: yaml.Node, message: str, hint: str = "") -> None:
        """Adds a problem at a node."""
        self.problems.append(Problem(self.location(node), message, hint))

    def pairs(self, node: yaml.MappingNode) -> Iterator[tuple[str, yaml.ScalarNode, yaml.Node]]:
        """Key, key node and value node of every entry; a key given twice counts once and is reported.

        A key is what the file says, so that a tag `ON` is no truth value.
        """
        seen: dict[str, int] = {}
        first_time = id(node) not in self._checked
        self._checked.add(id(node))
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                if first_time:
                    self.report(key, "a key must be a name, not a list or mapping")
                continue
            if key.value in seen:
                if first_time:
                    self.report(
                        key, f"key '{key.value}' is given twice", f"it is already there in line {seen[key.value]}"
                    )
                continue
            seen[key.value] = key.start_mark.line + 1
            yield key.value, key, value

    def value(self, node: yaml.Node, path: str = "", locations: dict[str, Location] | None = None) -> Any:
        """A node as plain Python values; `locations` receives the place of every value below by its dotted path."""
        if locations is not None:
            locations[path] = self.location(node)
        self._values += 1
        if self._values > _MOST_VALUES:
            if self._values == _MOST_VALUES + 1:
                self.report(node, f"more than {_MOST_VALUES} values", "anchors that repeat each other multiply")
            return UNREADABLE
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            self.report(node, "an anchor contains itself")
            return UNREADABLE
        self._open.add(id(node))
        prefix = f"{path}." if path else ""
        result: Any
        if isinstance(node, yaml.MappingNode):
            result = {key: self.value(entry, f"{prefix}{key}", locations) for key, _, entry in self.pairs(node)}
        else:
            result = [self.value(entry, f"{prefix}{i}", locations) for i, entry in enumerate(node.value)]
        self._open.discard(id(node))
        return result

    def comment(self, node: yaml.Node) -> str:
        """What a comment behind a node says, on the line where it ends; "" where there is none."""
        mark = node.end_mark
        rest = self._lines[mark.line][mark.column :] if mark.line < len(self._lines) else ""
        found = _COMMENT.match(rest)
        return found[1].strip() if found else ""

    def comment_above(self, node: yaml.Node) -> str:
        """What the comment lines right above a node say, those as far to the right as it; "" where there are none."""
        start = node.start_mark
        margin = " " * start.column + "#"
        lines: list[str] = []
        for line in reversed(self._lines[: start.line]):
            if not line.startswith(margin):
                break
            lines.insert(0, line.strip().lstrip("#").strip())
        return " ".join(lines) if start.line < len(self._lines) else ""

    def is_null(self, node: yaml.Node) -> bool:
        """Whether nothing, `~` or `null` is written."""
        return isinstance(node, yaml.ScalarNode) and node.tag == f"{_STANDARD}null"

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        tag = node.tag.removeprefix(_STANDARD)
        # YAML 1.1 takes 1e-3 for text because it has no point
        if tag == "str" and not node.style and _EXPONENT.match(node.value):
            return float(node.value)
        if tag in ("str", "timestamp"):
            return node.value
        if tag in ("int", "float", "bool", "null"):
            try:
                return yaml.constructor.SafeConstructor().construct_object(node)
            except (ValueError, KeyError, yaml.YAMLError):
                self.report(node, f"'{node.value[:60]}' is not a value of type {tag}")
                return UNREADABLE
        self.report(node, f"unknown YAML tag '{node.tag}'", "graphs hold plain values only")
        return UNREADABLE

    def _compose(self, text: str) -> yaml.Node | None:
        loader = None
        try:
            if _depth(text) > _DEEPEST:
                self.problems.append(Problem(Location(self.file, 1, 1), "not a graph: nested too deeply"))
                return None
            loader = _LOADER(text)
            root: yaml.Node | None = loader.get_single_node()
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            what = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
            context = getattr(error, "context", None) or ""
            line, column = (mark.line + 1, mark.column + 1) if mark else _place(text, getattr(error, "position", 0))
            location = Location(self.file, line, column)
            hint = "look right before for an open bracket or quote, or lines that are not equally far to the right"
            self.problems.append(Problem(location, f"not YAML: {what}" + (f" {context}" if context else ""), hint))
            return None
        finally:
            if loader is not None:
                loader.dispose()
        return root


def _depth(text: str) -> int:
    """How deep the text nests; composing recurses in C and would end the process on a hostile one."""
    depth = deepest = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            deepest = max(deepest, depth)
            if deepest > _DEEPEST:
                break
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return deepest


def _place(text: str, position: int) -> tuple[int, int]:
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1
