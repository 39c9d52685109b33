"""How much memory a long stream takes, and whether it grows.

    python -m benchmarks.memory VIDEO [--task holistic] --peer-python /path/to/venv/bin/python

The frames of a video, looped, are given as fast as the graph takes them. *Peak* is the most the process ever had, with
the frames themselves and the interpreter; *growth* is how much more it has in the last fifth than in the fifth after
the first tenth, in the median.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from statistics import median

from benchmarks import harness
from benchmarks.frames import decoded
from benchmarks.harness import Report, Row, Side
from benchmarks.sides import TASKS

EVERY = 100


def measure(task: str, video: str, peer: str | None, count: int, growth_count: int, limit: int) -> Report:
    """A task over a long stream."""
    with ExitStack() as stack:
        file = str(stack.enter_context(decoded(video, limit)))
        sides = [stack.enter_context(Side("graphflow", sys.executable, "benchmarks.sides", ["graphflow", task, file]))]
        if peer:
            sides.append(stack.enter_context(Side("graph", peer, "benchmarks.sides", ["graph", task, file])))
        found = [side.ask("memory", count, EVERY) for side in sides]
        rest = sides[0].ask("memory", max(growth_count - count, EVERY), EVERY)
    in_use = [*found[0]["in_use_mib"], *rest["in_use_mib"]]
    # what is in use goes up and down by a few megabytes with the frames that are under way
    tenth = len(in_use) // 10
    growth = (median(in_use[-2 * tenth :]) / median(in_use[tenth : 3 * tenth]) - 1) * 100
    title = TASKS[task].title
    return Report(
        "memory",
        "memory of a long stream",
        [
            Row(
                f"peak, {title}, {count} frames",
                "MiB",
                [found[0]["peak_mib"]],
                [each["peak_mib"] for each in found[1:]],
            ),
            Row(
                f"in use at the end, {title}",
                "MiB",
                found[0]["in_use_mib"][-1:],
                [each["in_use_mib"][-1] for each in found[1:]],
            ),
            Row(f"growth from frame {growth_count // 10} to {growth_count}", "%", [growth]),
        ],
    )


def main() -> None:
    parser = harness.arguments("Watch the memory of a long stream, beside MediaPipe's with --peer-python.")
    parser.add_argument("video")
    parser.add_argument("--task", choices=TASKS, default="holistic")
    parser.add_argument("--count", type=int, default=2000, help="frames of both sides")
    parser.add_argument("--growth", type=int, default=5000, help="frames of graphflow, to see whether memory grows")
    parser.add_argument("--frames", type=int, default=60, help="frames of the video to use at most")
    given = parser.parse_args()
    report = measure(given.task, given.video, given.peer_python, given.count, given.growth, given.frames)
    harness.finish(report, given.out)


if __name__ == "__main__":
    main()
