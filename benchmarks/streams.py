"""Many streams in one process: what each further one costs, and whether they get on equally.

    python -m benchmarks.streams VIDEO [--task holistic] [--streams 4]

One process runs as many graphs at once as there are streams, each fed with the frames of a video by a thread of its
own. Sessions are shared, so that a further stream costs no further weights. *Frames per CPU second* of several streams
are compared with those of one; *fairness* is how many frames the slowest stream has got when the fastest has all of
its own, as a share.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
from contextlib import ExitStack
from typing import Any

from benchmarks import harness
from benchmarks.frames import FRAME_US, decoded
from benchmarks.harness import Report, Row, Side, serve
from benchmarks.sides import TASKS, Task, resident_mib


class Answers:
    """Runs so many streams at once over so many frames each."""

    def __init__(self, task: Task, frames: Any) -> None:
        self._task = task
        self._frames = frames
        self._streams: list[_Stream] = []

    def __call__(self, streams: int = 0, count: int = 0) -> dict[str, Any]:
        while len(self._streams) < streams:
            self._streams.append(_Stream(self._task))
            self._streams[-1].run(self._frames, 5)
        if not streams:
            return {}
        used = self._streams[:streams]
        threads = [threading.Thread(target=stream.run, args=(self._frames, count)) for stream in used]
        for stream in used:
            stream.done = 0
        cpu, wall = time.process_time(), time.perf_counter()
        for thread in threads:
            thread.start()
        done_at_first_end: list[int] = []
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(0.01)
            if not done_at_first_end and not all(thread.is_alive() for thread in threads):
                done_at_first_end = [stream.done for stream in used]
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return {
            "per_cpu_s": streams * count / cpu,
            "per_s": streams * count / wall,
            "fairness": min(done_at_first_end) / count,
            "mib": resident_mib(),
        }


class _Stream:
    """A graph of its own, fed by the thread that calls `run`."""

    def __init__(self, task: Task) -> None:
        import graphflow

        self.done = 0
        self._now = 0
        self._graph = graphflow.load(task.graph, prune=True)
        for stream in task.outputs:
            self._graph.observe(
                stream, self._observe if stream == task.outputs[0] else lambda packet: None, bounds=True
            )
        self._graph.start()

    def run(self, frames: Any, count: int) -> None:
        """Gives so many frames and waits for their results."""
        for index in range(count):
            self._now += FRAME_US
            self._graph.add_packet("image", frames[index % len(frames)], self._now)
            if index % 4 == 3:  # as a source with a queue of four would
                self._graph.wait_until_idle()
        self._graph.wait_until_idle()

    def _observe(self, packet: Any) -> None:
        self.done += 1


def measure(task: str, video: str, streams: int, rounds: int, block: int, limit: int) -> Report:
    """One stream, then more, in turn."""
    counts = list(range(1, streams + 1))
    found: dict[tuple[int, str], list[float]] = {}
    with ExitStack() as stack:
        file = str(stack.enter_context(decoded(video, limit)))
        side = stack.enter_context(Side("graphflow", sys.executable, "benchmarks.streams", ["serve", task, file]))
        memory = [side.ask(count, 5)["mib"] for count in counts]
        for turn in range(rounds):
            for count in counts if turn % 2 == 0 else counts[::-1]:
                for key, value in side.ask(count, block).items():
                    found.setdefault((count, key), []).append(value)
    title = TASKS[task].title
    rows = [
        Row(
            f"{count} streams of {title}",
            "frames per CPU s",
            found[count, "per_cpu_s"],
            found[1, "per_cpu_s"],
            "beside one",
        )
        for count in counts[1:]
    ]
    rows += [Row(f"{count} streams: fairness", "share", found[count, "fairness"]) for count in counts[1:]]
    further = [last - first for first, last in itertools.pairwise(memory)]
    rows.append(Row("each further stream: memory", "MiB", further or [0.0]))
    return Report("streams", "many streams in one process (ratios over 1: more frames than of one stream)", rows)


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        import numpy as np

        serve(sys.stdin, Answers(TASKS[sys.argv[2]], np.load(sys.argv[3])))
        return
    parser = harness.arguments("Run many streams in one process.")
    parser.add_argument("video")
    parser.add_argument("--task", choices=TASKS, default="holistic")
    parser.add_argument("--streams", type=int, default=4)
    parser.add_argument("--block", type=int, default=30, help="frames of each stream in a block")
    parser.add_argument("--frames", type=int, default=60, help="frames of the video to use at most")
    given = parser.parse_args()
    harness.finish(measure(given.task, given.video, given.streams, given.rounds, given.block, given.frames), given.out)


if __name__ == "__main__":
    main()
