"""Runs the cases of a folder in processes, so that none of them can hold up the others."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from .comparison import load_comparison
from .runner import Outcome, case_files, run_file

_CONTEXT = multiprocessing.get_context("spawn")
# What a worker that cannot even say that its case hangs is given on top.
_GRACE = 10.0


class Worker:
    """A process that runs cases one after another; one whose case hangs is replaced."""

    def __init__(self, folder: Path, timeout: float, threads: int | None, fuse: bool) -> None:
        self.arguments = (folder, timeout, threads, fuse)
        self.path: Path | None = None
        self.connection: Connection[Any, Any]
        self.process: Any
        self.start()

    def start(self) -> None:
        self.connection, theirs = _CONTEXT.Pipe()
        self.process = _CONTEXT.Process(target=work, args=(theirs, *self.arguments), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, path: Path | None) -> None:
        """Gives it its next case; None ends it."""
        self.path = path
        self.connection.send(path)

    def outcome(self) -> Outcome:
        """What became of its case, waiting no longer than the case may take."""
        assert self.path is not None
        try:
            outcome: Outcome = self.connection.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            outcome = Outcome(self.path.stem, [f"the process ended with code {self.process.exitcode}"], True)
        if outcome.hangs:
            self.replace()
        return outcome

    def replace(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()
        self.start()


def work(connection: Connection[Any, Any], folder: Path, timeout: float, threads: int | None, fuse: bool) -> None:
    """The life of a worker process."""
    compare = load_comparison(folder)
    while (path := connection.recv()) is not None:
        connection.send(run_file(path, compare, timeout, threads, fuse))
    # threads that hang do not keep the process
    os._exit(0)


def run_folder(
    folder: Path, group: str, jobs: int, timeout: float, threads: int | None, fuse: bool = True
) -> list[Outcome]:
    """Runs all cases of a folder and prints those that fall short.

    Args:
        folder: the folder.
        group: the group of cases to run; "" for all.
        jobs: cases at a time, each in a process of its own.
        timeout: seconds after which a case counts as hanging.
        threads: threads of graphs that do not set them; None lets the runtime choose.
        fuse: whether nodes may run as steps.

    Raises:
        FileNotFoundError: there are no such cases.
    """
    waiting = case_files(folder, group)[::-1]
    outcomes: list[Outcome] = []
    workers = [Worker(folder, timeout, threads, fuse) for _ in range(min(jobs, len(waiting)))]
    busy: dict[Any, Worker] = {}
    idle = list(workers)
    while waiting or busy:
        while idle and waiting:
            worker = idle.pop()
            worker.give(waiting.pop())
            busy[worker.connection] = worker
        ready = multiprocessing.connection.wait(list(busy), timeout + _GRACE)
        if ready:
            done = [busy.pop(connection) for connection in ready]
            outcomes += [_shown(worker.outcome()) for worker in done]
        else:  # none of them can even say so
            done = list(busy.values())
            busy.clear()
            for worker in done:
                assert worker.path is not None
                outcomes.append(_shown(Outcome(worker.path.stem, ["hangs, and its process with it"], True)))
                worker.replace()
        idle += done
    for worker in workers:
        worker.give(None)
        worker.process.join(_GRACE)
    return outcomes


def _shown(outcome: Outcome) -> Outcome:
    if outcome.differences:
        print(f"{outcome.name}: {outcome.differences[0]}", flush=True)
        for line in outcome.waiting:
            print(f"    {line}", flush=True)
    return outcome
