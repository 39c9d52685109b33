"""One side of a comparison: graphflow or MediaPipe, in a process that answers what `benchmarks.harness.Side` asks.

    python -m benchmarks.sides graphflow holistic FRAMES.npy

Runs under graphflow's interpreter or under the peer's, which cannot share an environment. Imports at the top are such
as both have.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.frames import FRAME_US
from benchmarks.harness import serve

STARTED = time.perf_counter()


@dataclass(frozen=True)
class Task:
    """What both sides can do: a shipped graph of graphflow with some of its outputs, and MediaPipe's class for it."""

    title: str
    graph: str
    outputs: tuple[str, ...]
    solution: str
    options: tuple[tuple[str, Any], ...] = ()


_BODY = ("pose_landmarks", "pose_world_landmarks")
_HANDS = ("left_hand_landmarks", "right_hand_landmarks")

TASKS = {
    "holistic": Task(
        "body, hands and face", "holistic", (*_BODY, *_HANDS, "face_landmarks"), "holistic", (("model_complexity", 1),)
    ),
    "body_hands": Task("body and hands", "holistic", (*_BODY, *_HANDS), "", (("model_complexity", 1),)),
    "pose": Task("body", "pose", _BODY, "pose", (("model_complexity", 1),)),
    "hands": Task(
        "two hands",
        "hands",
        ("multi_hand_landmarks", "multi_hand_world_landmarks", "multi_handedness"),
        "hands",
        (("model_complexity", 1),),
    ),
    "face_mesh": Task("face mesh", "face_mesh", ("multi_face_landmarks",), "face_mesh"),
}


class Graphflow:
    """graphflow's graph for a task."""

    def __init__(self, task: Task) -> None:
        import graphflow

        self._task = task
        self._now = 0
        self._graph = graphflow.load(task.graph, prune=True)
        for stream in task.outputs:
            self._graph.observe(stream, lambda packet: None)
        self._graph.start()

    def add(self, frame: Any) -> None:
        """Gives a frame to the graph."""
        self._now += FRAME_US
        self._graph.add_packet("image", frame, self._now)

    def wait(self) -> None:
        """Waits for the results of all frames."""
        self._graph.wait_until_idle()

    def one(self, frame: Any) -> None:
        """A frame's results, before the next frame is given."""
        self.add(frame)
        self.wait()

    def file(self, path: str, limit: int) -> float:
        """Seconds a frame of a video file, from the first result to the last."""
        import graphflow

        first, count = 0.0, 0
        for _ in graphflow.stream(self._task.graph, path, outputs=self._task.outputs, max_frames=limit):
            first = first or time.perf_counter()
            count += 1
        return (time.perf_counter() - first) / (count - 1)

    def nodes(self) -> dict[str, tuple[int, float]]:
        """Calls and seconds of each node so far."""
        return {name: (node.runs, node.seconds) for name, node in self._graph.statistics().items()}


class MediaPipe:
    """MediaPipe's class for a task, as users of `mp.solutions` call it: each call waits for the results."""

    def __init__(self, task: Task) -> None:
        import mediapipe as mp

        self._mp = mp
        options = dict(task.options)
        name = "".join(word.capitalize() for word in task.solution.split("_"))
        self._solution = (
            getattr(getattr(mp.solutions, task.solution), name)(**options) if task.solution else _body_and_hands(task)
        )

    def add(self, frame: Any) -> None:
        """Gives a frame to the graph."""
        self._solution.process(frame)

    def wait(self) -> None:
        """Waits for the results of all frames."""

    def one(self, frame: Any) -> None:
        """A frame's results, before the next frame is given."""
        self.add(frame)
        self.wait()

    def file(self, path: str, limit: int) -> float:
        """Seconds a frame of a video file, from the first result to the last."""
        import cv2

        capture = cv2.VideoCapture(path)
        first, count = 0.0, 0
        while count < limit:
            found, frame = capture.read()
            if not found:
                break
            self.add(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
            if not count:
                self.wait()
                first = time.perf_counter()
            count += 1
        self.wait()
        return (time.perf_counter() - first) / (count - 1)

    def nodes(self) -> dict[str, tuple[int, float]]:
        """MediaPipe does not say."""
        return {}


class MediaPipeGraph(MediaPipe):
    """The same graph, given frames without waiting for results, which stay MediaPipe's packets."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self._graph = self._solution._graph
        self._now = 0

    def add(self, frame: Any) -> None:
        """Gives a frame to the graph."""
        self._now += FRAME_US
        packet = self._mp.packet_creator.create_image_frame(image_format=self._mp.ImageFormat.SRGB, data=frame)
        self._graph.add_packet_to_input_stream("image", packet.at(self._now))

    def wait(self) -> None:
        """Waits for the results of all frames."""
        self._graph.wait_until_idle()


def _body_and_hands(task: Task) -> Any:
    """MediaPipe's holistic graph without its face nodes, since it ships no such graph."""
    from pathlib import Path

    import mediapipe as mp
    from mediapipe.framework import calculator_pb2
    from mediapipe.python.solution_base import SolutionBase

    path = Path(mp.__file__).parent / "modules/holistic_landmark/holistic_landmark_cpu.binarypb"
    graph = calculator_pb2.CalculatorGraphConfig()
    graph.ParseFromString(path.read_bytes())
    kept = [node for node in graph.node if not any("face" in stream for stream in node.output_stream)]
    streams = [stream for stream in graph.output_stream if "face" not in stream]
    del graph.node[:], graph.output_stream[:]
    graph.node.extend(kept)
    graph.output_stream.extend(streams)
    sides = {
        **dict(task.options),
        "smooth_landmarks": True,
        "enable_segmentation": False,
        "smooth_segmentation": False,
        "use_prev_landmarks": True,
    }
    del graph.input_side_packet[:]
    graph.input_side_packet.extend(f"{name.upper()}:{name}" for name in sides)
    return SolutionBase(graph_config=graph, side_inputs=sides, outputs=list(task.outputs))


def answers(side: Any, frames: Any) -> Callable[..., dict[str, Any]]:
    """How a side answers: no request is the greeting; `one` and `stream` work through a block of frames."""

    def answer(request: str = "hello", begin: Any = 0, end: int = 0) -> dict[str, Any]:
        if request == "hello":
            side.one(frames[0])
            return {"first_result_s": time.perf_counter() - STARTED, "frames": len(frames)}
        if request == "report":
            return {"nodes": side.nodes(), "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
        if request == "memory":
            return _stream_and_watch(side, frames, int(begin), end)
        cpu = time.process_time()
        if request == "file":
            return {"frame_ms": side.file(begin, end) * 1e3, "cpu_ms": 0.0}
        block = [frames[index % len(frames)] for index in range(begin, end)]
        frame_ms = _one_by_one(side, block) if request == "one" else _as_a_stream(side, block)
        return {"frame_ms": frame_ms, "cpu_ms": (time.process_time() - cpu) / len(block) * 1e3}

    return answer


def _one_by_one(side: Any, block: Sequence[Any]) -> float:
    times = []
    for frame in block:
        start = time.perf_counter()
        side.one(frame)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def _as_a_stream(side: Any, block: Sequence[Any]) -> float:
    start = time.perf_counter()
    for frame in block:
        side.add(frame)
    side.wait()
    return (time.perf_counter() - start) / len(block) * 1e3


def _stream_and_watch(side: Any, frames: Any, count: int, every: int) -> dict[str, Any]:
    """Memory in use after every so many of `count` frames, and the most it ever was, MiB."""
    in_use = []
    for begin in range(0, count, every):
        for index in range(begin, begin + every):
            side.add(frames[index % len(frames)])
        side.wait()
        in_use.append(resident_mib())
    return {"in_use_mib": in_use, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def resident_mib() -> float:
    """Memory of this process that is in use, MiB; Linux only."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def main() -> None:
    """`graphflow | solutions | graph`, a task, a file of frames."""
    import numpy as np

    way, name, file = sys.argv[1:]
    sides: dict[str, Callable[[Task], Any]] = {"graphflow": Graphflow, "solutions": MediaPipe, "graph": MediaPipeGraph}
    serve(sys.stdin, answers(sides[way](TASKS[name]), np.load(file)))


if __name__ == "__main__":
    main()
