"""How long it takes from the start of a process to the first results of an image.

    python -m benchmarks.startup IMAGE_OR_VIDEO [--task holistic] --peer-python /path/to/venv/bin/python

A side is a new process each time, timed from outside, from before it is created until it says that the results are
there. Caches of all kinds are warm, that of compiled kernels with what such processes put there. The image is read from
memory as it is, so that no decoder counts. *CPU* is the time of all threads. What else is installed may count: pydantic
looks through all of it for plugins. `--python` names an interpreter that has graphflow as users install it.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from typing import Any

from benchmarks import harness
from benchmarks.frames import decoded
from benchmarks.harness import Report, Row, in_order
from benchmarks.sides import TASKS, Graphflow, MediaPipe


def measure(task: str, source: str, peer: str | None, rounds: int, python: str = sys.executable) -> Report:
    """A task's first results; `python` has graphflow."""
    found: dict[tuple[str, str], list[float]] = {}
    with decoded(source, 1) as file, tempfile.TemporaryDirectory() as cache:
        sides = [("graphflow", python), *([("solutions", peer)] if peer else [])]
        for turn in range(rounds + 1):
            for way, interpreter in in_order(sides, turn):
                wall, cpu = _start(interpreter, ["-m", "benchmarks.startup", "serve", way, task, str(file)], cache)
                if turn:  # the first fills the caches
                    found.setdefault((way, "wall"), []).append(wall)
                    found.setdefault((way, "CPU"), []).append(cpu)
    rows = [
        Row(
            f"first results of {TASKS[task].title}, {clock}",
            "s",
            found["graphflow", clock],
            found.get(("solutions", clock), []),
        )
        for clock in ("wall", "CPU")
    ]
    return Report("startup", "from the start of the process", rows)


def _start(python: str, arguments: list[str], cache: str) -> tuple[float, float]:
    """Wall and CPU seconds of a process until it has printed `@`."""
    environment = harness.clean_environment() | {"NUMBA_CACHE_DIR": cache}
    begin = time.perf_counter()
    process = subprocess.Popen(
        [python, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=harness.ROOT,
        env=environment,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("@"):
            wall = time.perf_counter() - begin
            process.stdout.read()
            process.wait()
            return wall, float(line[1:])
    sys.exit(f"the process ended; run it to see why: {python} {' '.join(arguments)}")


def serve(way: str, task: str, file: str) -> None:
    """Gives one image to a new graph, and says what that cost."""
    import numpy as np

    frame = np.load(file)[0]
    side: Any = (Graphflow if way == "graphflow" else MediaPipe)(TASKS[task])
    side.one(frame)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(f"@{usage.ru_utime + usage.ru_stime}", flush=True)


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        serve(*sys.argv[2:])
        return
    parser = harness.arguments(
        "Time the first results of a new process, beside MediaPipe's with --peer-python.", rounds=7
    )
    parser.add_argument("source")
    parser.add_argument("--task", choices=TASKS, default="holistic")
    parser.add_argument(
        "--python", default=sys.executable, help="interpreter that has graphflow, and no more than that"
    )
    given = parser.parse_args()
    harness.finish(measure(given.task, given.source, given.peer_python, given.rounds, given.python), given.out)


if __name__ == "__main__":
    main()
