"""Folders of graphs, as of a MediaPipe checkout: which file is the graph of a name."""

from __future__ import annotations

import functools
import itertools
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from graphflow.errors import GraphConfigError, Location, Problem

ENDINGS: Final = (".yaml", ".yml", ".pbtxt")
"""How the files of graphs end."""

# A file is searched for its graph's name no further than this: comments may come first, label maps are long.
_HEAD_BYTES = 8192
_GRAPH_NAME = re.compile(r"^graph:[ \t]*[\"']?([A-Za-z0-9_]+)|^type:[ \t]*[\"']([A-Za-z0-9_]+)", re.MULTILINE)


class GraphFolders:
    """Finds graphs by the name they give themselves (`graph:`, `type:`), or by that of their file, however deep.

    Args:
        folders: searched in this order.

    Raises:
        GraphConfigError: one of them is no folder.
    """

    def __init__(self, folders: Iterable[str | os.PathLike[str]] = ()) -> None:
        self.folders = tuple(Path(folder).expanduser() for folder in folders)
        missing = [folder for folder in self.folders if not folder.is_dir()]
        if missing:
            message = "no such folder to find graphs in"
            raise GraphConfigError([Problem(Location(str(folder)), message) for folder in missing])

    def find(self, name: str, near: str = "") -> Path | None:
        """The file of a graph; of several the one nearest to the folder `near`.

        What is made for a GPU comes last: MediaPipe registers one of both when it is compiled.
        """
        for folder in self.folders:
            found = self._files[folder].get(name, ())
            if found:
                return min(found, key=lambda path: _rank(path, near))
        return None

    def names(self) -> list[str]:
        """The names of all graphs there are."""
        return sorted({name for files in self._files.values() for name in files})

    @functools.cached_property
    def _files(self) -> Mapping[Path, Mapping[str, list[Path]]]:
        return {folder: _files_by_name(folder.resolve()) for folder in self.folders}


NO_FOLDERS: Final = GraphFolders()
"""No folders besides those where graphs are found anyway."""


@functools.lru_cache(maxsize=4096)
def declared_name(path: Path, modified_ns: int) -> str:
    """The name a graph file gives itself, read from its head only; "" where it gives none.

    Args:
        path: the file.
        modified_ns: when it was last changed, since what is read is remembered.
    """
    try:
        with path.open("rb") as file:
            match = _GRAPH_NAME.search(file.read(_HEAD_BYTES).decode("utf-8", "replace"))
    except OSError:
        return ""
    return (match[1] or match[2]) if match else ""


def _files_by_name(folder: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in sorted(files):
            path = Path(place, file)
            if path.suffix in ENDINGS and path.is_file():
                name = declared_name(path, path.stat().st_mtime_ns) or _camel(path.stem)
                found.setdefault(name, []).append(path)
    return found


def _camel(stem: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in stem.split("_"))


def _rank(path: Path, near: str) -> tuple[bool, bool, int, str]:
    """The smaller the likelier to be meant: what says its own name, what needs no GPU, what is near."""
    named = bool(declared_name(path, path.stat().st_mtime_ns))
    return not named, path.stem.endswith("_gpu"), _distance(path, near), str(path)


def _distance(path: Path, near: str) -> int:
    """How many folders one has to go up and down."""
    if not near:
        return len(path.parts)
    here, there = Path(near).resolve().parts, path.parent.parts
    common = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(here, there, strict=False)))
    return len(here) + len(there) - 2 * common
