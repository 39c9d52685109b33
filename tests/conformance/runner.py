"""Runs the cases of a folder, each under a watchdog, and says what differs."""

from __future__ import annotations

import json
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphflow import timestamp as ts
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


def run_file(path: Path, compare: Comparison, timeout: float, num_threads: int | None = None) -> Outcome:
    """Runs one case and compares it, bounds and steps included.

    Args:
        path: the case file.
        compare: the rules, from `load_comparison`.
        timeout: seconds after which the run counts as hanging.
        num_threads: threads of graphs that do not set them; default what the runtime chooses.
    """
    case = read_case(path)
    graphs: list[Graph] = []
    differences: list[str] = []

    def run() -> None:
        try:
            observation = run_case(case, None if "num_threads" in case["graph"] else num_threads, graphs.append)
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


def who_waits(graph: Graph) -> Iterator[str]:
    """A stuck run, one line for each node that is not closed: what waits in front of it, and what it waits for."""
    scheduler = graph._scheduler
    if scheduler is None:
        yield "the graph is not started"
        return
    # read without the lock, which whoever hangs may hold
    yield f"run: {scheduler.state.name.lower()}, {len(scheduler.errors)} errors"
    for name, stream in scheduler.inputs.items():
        yield f"graph input '{name}': {'closed' if stream.closed else f'settled before {ts.describe(stream.bound)}'}"
    for node in scheduler.nodes:
        if node.status.name == "CLOSED":
            continue
        queues = []
        for queue in node.inputs:
            head = (
                f"{len(queue.packets)} packets from {ts.describe(queue.packets[0].timestamp)}" if queue.packets else ""
            )
            queues.append(f"{queue.name}: {head or f'nothing before {ts.describe(queue.bound)}'}")
        running = ", ".join(f"{task.action.name.lower()}" for task in node.in_flight)
        state = f"{node.status.name.lower()}{f', has to {running}' if running else ''}"
        yield f"node '{node.name}' ({state}): {'; '.join(queues) or 'no inputs'}"
