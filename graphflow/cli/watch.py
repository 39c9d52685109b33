"""`--watch`: whenever a file of the graph is saved, the graph that runs is replaced by what it says now."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from graphflow.cli.reporting import report, say
from graphflow.config.checked import CheckedGraph
from graphflow.errors import GraphflowError
from graphflow.swapping import SwappableRun, changed_files

_LOOK_SECONDS: Final = 0.2


def tell_failure(error: BaseException) -> None:
    """Says that the graph has failed, and what that means while files are watched."""
    report(error)
    say("frames wait until a file of the graph is saved; Ctrl-C ends the run")


def start_watching(run: SwappableRun, graph: CheckedGraph, load: Callable[[], CheckedGraph]) -> None:
    """Looks after the files of a graph until the run ends, in the background.

    Args:
        run: what to give the new graph to.
        graph: the one that runs.
        load: reads it anew.
    """
    threading.Thread(target=_watch, args=(run, graph, load), name="graphflow-watch", daemon=True).start()


def _watch(run: SwappableRun, graph: CheckedGraph, load: Callable[[], CheckedGraph]) -> None:
    before = changed_files(graph)
    while not run.wait(_LOOK_SECONDS):
        now = {file: _saved(file) for file in before}
        if now == before:
            continue
        before = now
        try:
            changed = load()
            run.swap(changed)
        except GraphflowError as error:
            report(error)
            say("the graph goes on as it was" if not run.failed else "frames wait until it is mended")
        else:
            graph = changed
            before = changed_files(graph)
            say("the graph was replaced")


def _saved(file: str) -> int:
    try:
        return Path(file).stat().st_mtime_ns
    except OSError:  # editors take a file away for a moment
        return 0
