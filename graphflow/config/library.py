"""Which graph a name means: a file, a shipped graph, a graph beside the one that uses it, or the text itself."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from graphflow.config.graph_folders import ENDINGS, NO_FOLDERS, GraphFolders, declared_name
from graphflow.config.pbtxt_reader import GRAPH_FIELDS, read_pbtxt
from graphflow.config.spec import GraphSpec
from graphflow.config.suggestions import did_you_mean
from graphflow.config.yaml_reader import GRAPH_KEYS, read_yaml
from graphflow.errors import GraphConfigError, Location, Problem
from graphflow.registry import names_a_file

Source = str | os.PathLike[str]
"""A graph to load: a path, the name of a shipped graph, or the text of one."""

TEXT_FILE: Final = "<text>"
"""What problems call a graph that was given as text."""

_SHIPPED = "graphflow.graphs"
_PBTXT_ONLY = sorted(set(GRAPH_FIELDS) - set(GRAPH_KEYS))
# a field that YAML graphs have too counts where one that they do not have follows in its line
_PBTXT_SIGN = re.compile(
    rf"^(?:(?:{'|'.join(GRAPH_FIELDS)})[ \t]*:[ \t]*\S+[ \t]+)*(?:{'|'.join(_PBTXT_ONLY)})[ \t]*[:{{]", re.MULTILINE
)
_YAML_ONLY = sorted(set(GRAPH_KEYS) - set(GRAPH_FIELDS))
_YAML_SIGN = re.compile(rf"^(?:{'|'.join(_YAML_ONLY)})[ \t]*:", re.MULTILINE)
_TEXT_SIGN = re.compile(r"\n|:\s|:$|\{")


@dataclass(frozen=True, slots=True)
class GraphText:
    """A graph found but not yet read: its text, what to call its file, the folder its relative paths start from."""

    text: str
    file: str
    folder: str
    name: str
    syntax: Literal["yaml", "pbtxt"]

    def read(self, problems: list[Problem]) -> GraphSpec:
        """The graph as written; what is wrong with it goes to `problems`."""
        reader = read_pbtxt if self.syntax == "pbtxt" else read_yaml
        return reader(self.text, self.file, self.folder, problems, self.name)


def find_graph(source: Source, folders: GraphFolders = NO_FOLDERS) -> GraphText:
    """The graph a user means; a name is looked for in `folders` before it is in the shipped graphs.

    Raises:
        GraphConfigError: there is no such file or shipped graph, or the file cannot be read as text.
    """
    written = os.fspath(source)
    if isinstance(source, str) and _TEXT_SIGN.search(written):
        return GraphText(written, TEXT_FILE, os.getcwd(), "graph", _syntax_of(written))
    path = Path(written).expanduser()
    if path.suffix.lower() in ENDINGS or _is_file(path) or not isinstance(source, str):
        if not _is_file(path):
            raise _unknown(written, f"no graph file {written}", _beside(path))
        return read_file(path)
    found = folders.find(written) or _shipped_file(written)
    if found is None:
        raise _unknown(written, f"no graph '{written}'", [*graph_names(), *module_names(), *folders.names()])
    return read_file(found)


def find_subgraph(name: str, folder: str, folders: GraphFolders = NO_FOLDERS) -> GraphText | None:
    """The graph a node means by `calculator: NAME`: a path, or in the same folder, in `folders`, or shipped.

    Raises:
        GraphConfigError: the file cannot be read as text.
    """
    if not name or names_a_file(name):
        return None
    if name.endswith(ENDINGS):
        path = Path(folder) / name
        return read_file(path) if _is_file(path) else None
    if not re.fullmatch(r"[A-Za-z0-9_]{1,100}", name):
        return None
    found = (_in_folder(Path(folder), name) if folder else None) or folders.find(name, folder) or _shipped_file(name)
    return read_file(found) if found else None


def read_file(path: Path) -> GraphText:
    """The graph text of a file.

    Raises:
        GraphConfigError: it cannot be read as text.
    """
    file = _shown(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        problem = Problem(Location(file, line, column), f"not text: {error.reason}", "graphs are UTF-8")
        raise GraphConfigError([problem]) from None
    except OSError as error:
        raise GraphConfigError([Problem(Location(file), f"cannot be read: {error.strerror}")]) from None
    syntax: Literal["yaml", "pbtxt"] = "pbtxt" if path.suffix == ".pbtxt" else "yaml"
    if path.suffix.lower() not in ENDINGS:
        syntax = _syntax_of(text)
    return GraphText(text, file, str(path.resolve().parent), path.stem, syntax)


def graph_names() -> list[str]:
    """The shipped graphs a user runs, by the name of their file."""
    return sorted(path.stem for folder in _shipped_folders() for path in folder.glob("*.yaml"))


def module_names() -> list[str]:
    """The shipped graphs that other graphs are made of, by the name those use."""
    files = [path for folder in _shipped_folders() for path in (folder / "modules").glob("*.yaml")]
    return sorted(declared_name(path, path.stat().st_mtime_ns) or path.stem for path in files)


def neighbour_names(folder: str) -> list[str]:
    """The graphs in a folder, by the names other graphs there may use."""
    files = _graph_files(Path(folder)) if folder else []
    return sorted(declared_name(path, path.stat().st_mtime_ns) or path.stem for path in files)


@functools.cache
def _shipped_folders() -> tuple[Path, ...]:
    spec = importlib.util.find_spec(_SHIPPED)
    return tuple(Path(place) for place in (spec.submodule_search_locations or [])) if spec else ()


def _shipped_file(name: str) -> Path | None:
    for folder in _shipped_folders():
        for place in (folder, folder / "modules"):
            found = _in_folder(place, name)
            if found:
                return found
    return None


def _in_folder(folder: Path, name: str) -> Path | None:
    if not name:
        return None
    for ending in ENDINGS:
        path = folder / f"{name}{ending}"
        if _is_file(path):
            return path
    for path in _graph_files(folder):
        if declared_name(path, path.stat().st_mtime_ns) == name:
            return path
    return None


def _graph_files(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(ENDINGS) and entry.is_file())
    except (OSError, ValueError):
        return []
    return [folder / name for name in names]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long a name for the file system
        return False


def _syntax_of(text: str) -> Literal["yaml", "pbtxt"]:
    # only what stands at the margin counts: indented, the same words may name a YAML graph's nodes
    margin = textwrap.dedent(text)
    pbtxt, yaml = _PBTXT_SIGN.search(margin), _YAML_SIGN.search(margin)
    return "pbtxt" if pbtxt and not (yaml and yaml.start() < pbtxt.start()) else "yaml"


def _shown(path: Path) -> str:
    """A path as a user would write it: relative where that is shorter."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def _beside(path: Path) -> list[str]:
    return [*(entry.name for entry in _graph_files(path.parent)), *graph_names()]


def _unknown(written: str, message: str, candidates: Iterable[str]) -> GraphConfigError:
    near = did_you_mean(Path(written).name, candidates)
    shipped = f"shipped graphs: {', '.join(graph_names()) or 'none'}"
    return GraphConfigError([Problem(Location(written), message, f"{near} {shipped}".strip())])
