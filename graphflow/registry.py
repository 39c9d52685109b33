"""Finds calculators by name: the shipped ones, those of installed packages, and those in a user's own file.

`Gate` and `GateCalculator` are the same. Nothing registers itself: the shipped sources are indexed by reading them,
since importing every calculator for one graph would load every library they use.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import json
import os
import sys
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from graphflow.cache import cache_folder
from graphflow.calculator import Calculator
from graphflow.ports import Port, bind_type

ENTRY_POINT_GROUP = "graphflow.calculators"
_SHIPPED = "graphflow.calculators"


class UnknownCalculatorError(LookupError):
    """No calculator has this name; `matches` are the nearest that exist."""

    def __init__(self, message: str, name: str = "", exist: Iterable[str] = ()) -> None:
        self._name = name
        self._exist = exist
        super().__init__(message)

    @property
    def matches(self) -> tuple[str, ...]:
        """The nearest names that exist; looked for when asked, since many a name is only tried."""
        return tuple(difflib.get_close_matches(self._name, self._exist, n=3, cutoff=0.6))


def find(name: str, folder: Path | None = None) -> type[Calculator]:
    """The calculator class a graph means by `name`.

    Args:
        name: a shipped or installed calculator (`Gate`, `GateCalculator`), `./file.py:Name`, or `./folder:Name` of any
            file in a folder.
        folder: what a relative file name is relative to, the graph file's folder; default the working directory.

    Raises:
        UnknownCalculatorError: there is none, or its file cannot be loaded; the message says why.
    """
    if names_a_file(name):
        return _from_file(name, folder or Path())
    short = name.removesuffix("Calculator") or name
    for candidate in dict.fromkeys((short, name)):
        if candidate in _index():
            return _from_module(_index()[candidate], candidate)
        if candidate in _entry_points():
            return _checked(_entry_points()[candidate].load(), candidate)
    raise UnknownCalculatorError(f"unknown calculator '{name}'", short, names())


def names_a_file(name: str) -> bool:
    """Whether a name is that of a calculator of the user's own: `./file.py:Name`, `./folder:Name`."""
    return ":" in name


def spellings(name: str) -> list[str]:
    """Every name a calculator is found by: with and without MediaPipe's suffix, and its aliases.

    >>> spellings("Gate")
    ['Gate', 'GateCalculator']
    """
    aliases = [alias for alias, (_, owner) in _index().items() if owner == name and alias != name]
    return [name, *(f"{one}Calculator" for one in (name, *aliases) if "Calculator" not in one), *aliases]


def names_in_file(path: Path) -> list[str]:
    """The calculators that a Python file seems to define, without running it; none where it is no Python."""
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (OSError, SyntaxError, ValueError):
        return []
    known = {"Calculator"}
    found: list[str] = []
    for node in tree.body:
        for name, owner in _calculators_in(node, known):
            known.add(owner)
            if name == owner and isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.append(name)
    return found


def names() -> list[str]:
    """Every calculator that can be named without a file, without its aliases, sorted."""
    primary = [name for name, (_, owner) in _index().items() if name == owner]
    return sorted({*primary, *_entry_points()})


@functools.cache
def _index() -> Mapping[str, tuple[str, str]]:
    """Name or alias -> (module, class name) of the shipped calculators."""
    found: dict[str, tuple[str, str]] = {}
    spec = importlib.util.find_spec(_SHIPPED)
    for root in (spec.submodule_search_locations or []) if spec else []:
        found.update(_index_of(Path(root)))
    return found


def _index_of(root: Path) -> Mapping[str, tuple[str, str]]:
    """The index of one folder; kept, since reading all sources takes as long as loading numba."""
    paths = sorted(path for path in root.rglob("*.py"))
    state = [[str(path.relative_to(root)), path.stat().st_mtime_ns, path.stat().st_size] for path in paths]
    place = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
    kept = cache_folder() / "calculators" / f"{place}.json"
    try:
        known = json.loads(kept.read_bytes())
        if known["files"] == state:
            return {name: (module, owner) for name, (module, owner) in known["index"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # not there yet, or not what is written below
    found = _read_index(root, paths)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        aside = kept.with_suffix(f".{os.getpid()}")
        aside.write_text(json.dumps({"files": state, "index": found}))
        aside.replace(kept)
    except OSError:
        pass  # where nothing can be kept it is read anew each time
    return found


def _read_index(root: Path, paths: Iterable[Path]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for path in paths:
        module = ".".join([_SHIPPED, *path.relative_to(root).with_suffix("").parts])
        bases = {"Calculator"}
        for node in ast.parse(path.read_bytes(), str(path)).body:
            for name, owner in _calculators_in(node, bases):
                found[name] = (module, owner)
                bases.add(owner)
    return found


def _calculators_in(node: ast.stmt, known: set[str]) -> list[tuple[str, str]]:
    """The (name, class) pairs a top-level statement of a calculators' module may define.

    `known` are the classes that are calculators already, so that their subclasses are too.
    """
    if isinstance(node, ast.FunctionDef):
        decorated = any(isinstance(entry, ast.Name) and entry.id == "calculator" for entry in node.decorator_list)
        camel = "".join(word.capitalize() for word in node.name.split("_"))
        return [(camel, camel)] if decorated else []
    if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
        return []
    defines_process = any(isinstance(entry, ast.FunctionDef) and entry.name == "process" for entry in node.body)
    bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
    aliases: list[str] = []
    for entry in node.body:
        if not isinstance(entry, ast.Assign | ast.AnnAssign) or entry.value is None:
            continue
        targets = entry.targets if isinstance(entry, ast.Assign) else [entry.target]
        if any(isinstance(target, ast.Name) and target.id == "aliases" for target in targets):
            value = entry.value
            names = value.keys if isinstance(value, ast.Dict) else getattr(value, "elts", [])
            aliases = [ast.literal_eval(name) for name in names if name is not None]
    if not bases or not (defines_process or aliases or bases & known):
        return []
    return [(node.name, node.name), *((alias, node.name) for alias in aliases)]


@functools.cache
def _entry_points() -> Mapping[str, importlib.metadata.EntryPoint]:
    return {entry.name: entry for entry in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)}


@functools.cache
def _from_module(place: tuple[str, str], name: str) -> type[Calculator]:
    module_name, class_name = place
    module = importlib.import_module(module_name)
    found = getattr(module, class_name, None)
    if found is None:  # a function's module keeps the decorated name
        found = next(
            (value for value in vars(module).values() if isinstance(value, type) and value.__name__ == class_name), None
        )
    calculator = _checked(found, name)
    return calculator if name == class_name else _variant(calculator, name)


def _variant(family: type[Calculator], alias: str) -> type[Calculator]:
    """What an alias stands for: the calculator itself, or one whose ports carry the type that the alias binds."""
    if not isinstance(family.aliases, Mapping):
        return family
    payload = family.aliases[alias]
    bound: dict[Port, Port] = {}
    for port in family.ports():
        same_as = bound.get(port.same_as, port.same_as) if port.same_as is not None else None
        bound[port] = dataclasses.replace(port, type=bind_type(port.type, payload), same_as=same_as)
    declared = {name: getattr(family, name) for name in dir(family)}
    attributes: dict[str, Any] = {name: bound[port] for name, port in declared.items() if isinstance(port, Port)}
    attributes |= {"__doc__": family.__doc__, "__module__": family.__module__}
    return type(alias, (family,), attributes)


def _from_file(name: str, folder: Path) -> type[Calculator]:
    file_name, _, class_name = name.rpartition(":")
    path = (folder / file_name).expanduser().resolve()
    if path.is_dir():
        # only files that seem to define calculators are run
        files = [file for file in sorted(path.glob("*.py")) if names_in_file(file)]
    elif path.is_file():
        files = [path]
    else:
        start = file_name.removesuffix(path.name)
        beside = [f"{start}{entry.name}:{class_name}" for entry in sorted(path.parent.glob("*.py"))]
        raise UnknownCalculatorError(f"no file {path} for calculator '{name}'", name, beside)
    found: dict[str, type[Calculator]] = {}
    for file in files:
        found = {**_defined_in(_load_file(file, file.stat().st_mtime_ns)), **found}
    short = class_name.removesuffix("Calculator") or class_name
    for candidate in (class_name, short):
        if candidate in found:
            return found[candidate]
    exists = ", ".join(sorted(found)) or "none"
    message = f"{path.name} defines no calculator '{class_name}'; it defines: {exists}"
    raise UnknownCalculatorError(message, class_name, found)


def _defined_in(module: ModuleType) -> dict[str, type[Calculator]]:
    return {
        value.__name__: value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Calculator) and value.__module__ == module.__name__
    }


@functools.cache
def _load_file(path: Path, modified_ns: int) -> ModuleType:
    """The module of a user's file; loaded anew once the file has changed."""
    module_name = f"graphflow_user_{path.stem}_{abs(hash((path, modified_ns))):x}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise UnknownCalculatorError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[module_name]
        message = f"{path}{_line_of(error, path)} cannot be loaded: {type(error).__name__}: {error}"
        raise UnknownCalculatorError(message) from error
    return module


def _line_of(error: Exception, path: Path) -> str:
    # a mistake in the text is told with its line
    if isinstance(error, SyntaxError):
        return ""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f":{lines[-1]}" if lines else ""


def _checked(found: object, name: str) -> type[Calculator]:
    if isinstance(found, type) and issubclass(found, Calculator):
        return found
    raise UnknownCalculatorError(f"'{name}' names {found!r}, which is not a calculator")
