"""What each person more costs: time and memory of the many-person graphs on a grid of one, two, four and eight people.

    python -m benchmarks.many_people VIDEO [--graph multi_holistic]

The video of one person is shown in as many cells of a grid of eight as there are to be people, forwards and backwards;
the other cells are grey, so that the image has the same size for all counts. As many people are looked for as there
are, so after the first frames nobody looks over the image any more. The counts take turns, ten frames each.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import graphflow
from benchmarks.harness import ROOT, clean_environment

COUNTS = (1, 2, 4, 8)
COLUMNS, ROWS = 4, 2
FRAME_US = 33_333
_BLOCK = 10
_SETTLE = 20

Frames = list[npt.NDArray[np.uint8]]


def grid(video: str, people: int, frames: int) -> Frames:
    """Frames of a video in the first cells of a grid, each a different moment of it."""
    import cv2

    capture = cv2.VideoCapture(video)
    seen: Frames = []
    while len(seen) < frames and (read := capture.read())[0]:
        seen.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False))
    if not seen:
        sys.exit(f"{video} cannot be read")
    to_and_fro = [*seen, *seen[-2:0:-1]]
    height, width = seen[0].shape[:2]
    found: Frames = []
    for number in range(len(to_and_fro)):
        canvas = np.full((ROWS * height, COLUMNS * width, 3), 128, np.uint8)
        for person in range(people):
            row, column = divmod(person, COLUMNS)
            own = to_and_fro[(number + 3 * person) % len(to_and_fro)]
            canvas[row * height : (row + 1) * height, column * width : (column + 1) * width] = own
        found.append(canvas)
    return found


class Crowd:
    """A graph that follows a number of people, fed block by block."""

    def __init__(self, name: str, video: str, people: int, frames: int) -> None:
        self.people = people
        self._frames = grid(video, people, frames)
        self._graph = graphflow.load(name, params={"max_people": people, "tiles": 1}, prune=True)
        self.found: list[int] = []
        self._graph.observe("pose_landmarks", lambda packet: self.found.append(len(packet.value)))
        if name == "multi_holistic":
            for stream in ("left_hand_landmarks", "right_hand_landmarks", "face_landmarks"):
                self._graph.observe(stream, lambda _: None)
        self._graph.start()
        self._fed = 0

    def feed(self, count: int) -> tuple[float, float]:
        """Milliseconds a frame, by the clock and of all cores."""
        start, cpu = time.perf_counter(), time.process_time()
        for _ in range(count):
            self._graph.add_packet("image", self._frames[self._fed % len(self._frames)], self._fed * FRAME_US)
            self._fed += 1
        self._graph.wait_until_idle()
        return (time.perf_counter() - start) * 1e3 / count, (time.process_time() - cpu) * 1e3 / count

    def close(self) -> None:
        """Ends the graph."""
        self._graph.close_all_inputs()
        self._graph.wait_until_done()


def resident_mib() -> float:
    """What the process has in memory now."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def memory(name: str, video: str, people: int) -> float:
    """MiB in use after a few frames, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.many_people", video, "--graph", name, "--memory-of", str(people)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=clean_environment())
    return float(done.stdout)


def measure(name: str, video: str, rounds: int, frames: int) -> dict[str, Any]:
    """For each count milliseconds a frame and memory, and what the last person costs against the first."""
    crowds = [Crowd(name, video, people, frames) for people in COUNTS]
    for crowd in crowds:
        crowd.feed(_SETTLE)
        crowd.found.clear()
    wall: dict[int, list[float]] = {people: [] for people in COUNTS}
    cpu: dict[int, list[float]] = {people: [] for people in COUNTS}
    for turn in range(rounds):
        for crowd in crowds if turn % 2 == 0 else crowds[::-1]:
            elapsed, worked = crowd.feed(_BLOCK)
            wall[crowd.people].append(elapsed)
            cpu[crowd.people].append(worked)
    followed = {crowd.people: sum(crowd.found) / len(crowd.found) for crowd in crowds}
    for crowd in crowds:
        crowd.close()
    resident = {people: memory(name, video, people) for people in COUNTS}
    found: dict[str, Any] = {"graph": name, "rounds": rounds, "counts": {}}
    for people in COUNTS:
        found["counts"][people] = {
            "followed": round(followed[people], 3),
            "ms": round(statistics.median(wall[people]), 2),
            "ms of CPU": round(statistics.median(cpu[people]), 2),
            "MiB": round(resident[people], 1),
        }
    paired = list(zip(*cpu.values(), strict=True))
    found["ms of CPU a person more"] = round(statistics.median((each[-1] - each[0]) / 7 for each in paired), 2)
    found["eighth person against the first"] = round(
        statistics.median((each[3] - each[2]) / 4 / each[0] for each in paired), 3
    )
    found["MiB a person more"] = round((resident[8] - resident[1]) / 7, 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what each person more costs.")
    parser.add_argument("video")
    parser.add_argument("--graph", default="multi_holistic", choices=["multi_pose", "multi_holistic"])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--frames", type=int, default=30, help="frames of the video to show, to and fro")
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.memory_of:
        crowd = Crowd(given.graph, given.video, given.memory_of, 4)
        crowd.feed(_SETTLE)
        print(resident_mib())
        crowd.close()
        return
    print(json.dumps(measure(given.graph, given.video, given.rounds, given.frames), indent=1))


if __name__ == "__main__":
    main()
