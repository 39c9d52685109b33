"""Runs the cases of a folder, each under a watchdog, and says what differs."""

from __future__ import annotations

import json
import threading
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphflow import GraphflowError
from graphflow.runtime import Graph

from .comparison import Comparison
from .driver import run_case


@dataclass(slots=True)
class Outcome:
    """How a case went; it holds where nothing differs. After a hang its threads are still there."""

    name: str
    differences: list[str]
    hangs: bool = False
    waiting: list[str] = field(default_factory=list)


def case_files(folder: Path, group: str = "") -> list[Path]:
    """The case files of a folder (those in `cases/`, where it has that), of one group or all.

    Raises:
        FileNotFoundError: it holds no case.
    """
    place = folder / "cases" if (folder / "cases").is_dir() else folder
    found = [path for path in sorted(place.glob("*.json")) if not group or read_case(path)["group"] == group]
    if not found:
        raise FileNotFoundError(f"no cases{f' of group {group}' if group else ''} in {place}")
    return found


def read_case(path: Path) -> dict[str, Any]:
    """The content of a case file."""
    case: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return case


def run_file(
    path: Path, compare: Comparison, timeout: float, num_threads: int | None = None, fuse: bool = True
) -> Outcome:
    """Runs one case and compares it, bounds and steps included.

    Args:
        path: the case file.
        compare: the rules, from `load_comparison`.
        timeout: seconds after which the run counts as hanging.
        num_threads: threads of graphs that do not set them; default what the runtime chooses.
        fuse: whether nodes may run as steps.
    """
    case = read_case(path)
    graphs: list[Graph] = []
    differences: list[str] = []

    def run() -> None:
        try:
            threads = None if "num_threads" in case["graph"] else num_threads
            observation = run_case(case, threads, fuse, graphs.append)
            differences.extend(compare(case, observation, bounds=True))
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            differences.append(f"raised {type(error).__name__}: {error} ({place.filename}:{place.lineno})")

    thread = threading.Thread(target=run, name=f"case {path.stem}", daemon=True)
    thread.start()
    thread.join(timeout)
    if not thread.is_alive():
        return Outcome(path.stem, differences)
    waiting = [line for graph in graphs for line in who_waits(graph)]
    return Outcome(path.stem, [f"hangs: not over after {timeout:g} s"], True, waiting or ["the graph is not built yet"])


def who_waits(graph: Graph, seconds: float = 2.0) -> list[str]:
    """What a stuck run says of itself: what waits in front of each node, and what the node waits for."""
    said: list[str] = []

    def ask() -> None:
        try:
            said.extend(graph.diagnose().splitlines())
        except GraphflowError as error:
            said.append(str(error))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    # copied, since a thread that is late after all would go on writing
    return list(said) or ["it does not answer: somebody keeps the scheduler's lock"]
