"""The shipped pipelines, beside MediaPipe's on the same frames.

    python -m benchmarks.pipelines VIDEO [VIDEO ...] [--task holistic] --peer-python /path/to/venv/bin/python

Measured are

- *latency*: the next frame is given when the last one's results are there; the time of a frame is its latency;
- *throughput*: frames are given as fast as the graph takes them; only the time of a whole block means something;
- *from a file*: the same with the video read meanwhile, by `graphflow.stream`;
- *CPU*: what both ways cost in CPU time, of all threads.

MediaPipe is fed both through `mp.solutions` and as a graph that is given frames without waiting for results; the way
with the better median counts.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import harness
from benchmarks.frames import decoded
from benchmarks.harness import Report, Row, Side
from benchmarks.sides import TASKS

WAYS = ("solutions", "graph")


def measure(task: str, videos: Sequence[str], peer: str | None, rounds: int, block: int, limit: int) -> Report:
    """One task on several videos."""
    rows: list[Row] = []
    for video in videos:
        rows += _measure_video(task, video, peer, rounds, block, limit)
    return Report(task, f"{TASKS[task].title}: ms a frame", rows)


def _measure_video(task: str, video: str, peer: str | None, rounds: int, block: int, limit: int) -> list[Row]:
    name = Path(video).stem
    modes = ("one", "stream", "file")
    found: dict[tuple[str, str, str], list[float]] = {}
    with ExitStack() as stack:
        file = str(stack.enter_context(decoded(video, limit)))
        sides = [stack.enter_context(Side("graphflow", sys.executable, "benchmarks.sides", ["graphflow", task, file]))]
        if peer:
            sides += [stack.enter_context(Side(way, peer, "benchmarks.sides", [way, task, file])) for way in WAYS]
        for side in sides:
            side.ask("one", 0, block)  # warm up: first runs compile, page in and allocate
        for turn, order in harness.in_turn(sides, rounds):
            for mode in modes:
                for side in order:
                    request = ("file", video, limit) if mode == "file" else (mode, turn * block, (turn + 1) * block)
                    answer = side.ask(*request)
                    found.setdefault((side.name, mode, "wall"), []).append(answer["frame_ms"])
                    found.setdefault((side.name, mode, "cpu"), []).append(answer["cpu_ms"])
    rows = []
    for mode, word in (("one", "latency"), ("stream", "throughput"), ("file", "from a file")):
        for clock in ("wall", "cpu") if mode != "file" else ("wall",):
            what = f"{name}: {word}" + (", CPU" if clock == "cpu" else "")
            theirs, note = _better(found, mode, clock) if peer else ([], "")
            rows.append(Row(what, "ms a frame", found["graphflow", mode, clock], theirs, note))
    return rows


def _better(found: dict[tuple[str, str, str], list[float]], mode: str, clock: str) -> tuple[list[float], str]:
    """MediaPipe's figures of the way of feeding it that has the smaller median, and which that is."""
    way = min(WAYS, key=lambda way: statistics.median(found[way, mode, clock]))
    return found[way, mode, clock], way


def main() -> None:
    parser = harness.arguments("Time the shipped pipelines, beside MediaPipe where --peer-python is given.")
    parser.add_argument("videos", nargs="+")
    parser.add_argument("--task", choices=TASKS, default="holistic")
    parser.add_argument("--block", type=int, default=20, help="frames in a block")
    parser.add_argument("--frames", type=int, default=120, help="frames of each video to use at most")
    given = parser.parse_args()
    report = measure(given.task, given.videos, given.peer_python, given.rounds, given.block, given.frames)
    harness.finish(report, given.out)


if __name__ == "__main__":
    main()
