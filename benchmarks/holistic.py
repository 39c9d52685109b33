"""How fast the holistic graph is, and how fast MediaPipe is on the same frames.

    python benchmarks/holistic.py VIDEO
    python benchmarks/holistic.py VIDEO --peer-python /path/to/venv/bin/python

The peer is an interpreter with `mediapipe==0.10.21` installed, which cannot share an environment with graphflow. Each
side is one process that decodes the video first, then works through the same frames in blocks, the two sides in turn,
so that a change of the machine's speed meets both. Two ways of feeding are measured:

- *one at a time*: the next frame is given when the last one's results are there; the time of a frame is its latency;
- *streaming*: frames are given as fast as the graph takes them; only the throughput of a block means something.
  `mp.solutions` has no such way, so its throughput is that of one at a time.

Absolute numbers belong to one machine at one moment: quote the ratio.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

FRAME_US = 33333
OUTPUTS = ("pose_landmarks", "pose_world_landmarks", "left_hand_landmarks", "right_hand_landmarks", "face_landmarks")

STARTED = time.perf_counter()


def decode(path: str, limit: int) -> list[Any]:
    import cv2

    capture = cv2.VideoCapture(path)
    frames: list[Any] = []
    while len(frames) < limit:
        found, frame = capture.read()
        if not found:
            break
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    if not frames:
        sys.exit(f"{path}: no frames could be read")
    return frames


def serve_graphflow(frames: list[Any], ready_from: float, threads: int | None) -> None:
    """Answers the parent's requests with graphflow; times exclude decoding."""
    import graphflow

    def build() -> Any:
        graph = graphflow.load("holistic", num_threads=threads, prune=True)
        for stream in OUTPUTS:
            graph.observe(stream, lambda packet: None)
        graph.start()
        return graph

    graph = build()
    now = 0

    def one(frame: Any) -> None:
        nonlocal now
        now += FRAME_US
        graph.add_packet("image", frame, now)
        graph.wait_until_idle()

    def stream(block: list[Any]) -> None:
        nonlocal now
        for frame in block:
            now += FRAME_US
            graph.add_packet("image", frame, now)
        graph.wait_until_idle()

    def report() -> dict[str, Any]:
        return {name: (node.runs, node.seconds) for name, node in graph.statistics().items()}

    answer(frames, ready_from, one, stream, report)


def serve_mediapipe(frames: list[Any], ready_from: float) -> None:
    """Answers the parent's requests with MediaPipe's public class; runs under the peer's interpreter."""
    import mediapipe as mp

    holistic = mp.solutions.holistic.Holistic(model_complexity=1)
    answer(frames, ready_from, holistic.process, lambda block: [holistic.process(frame) for frame in block], dict)


def answer(
    frames: list[Any],
    ready_from: float,
    one: Callable[[Any], Any],
    stream: Callable[[list[Any]], Any],
    report: Callable[[], dict[str, Any]],
) -> None:
    """The protocol of both sides: a line in (mode, begin, end), a line out."""
    one(frames[0])
    say({"first_result_s": time.perf_counter() - ready_from, "frames": len(frames)})
    for line in sys.stdin:
        mode, begin, end = json.loads(line)
        if mode == "report":
            say({"nodes": report(), "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})
            continue
        block = [frames[index % len(frames)] for index in range(begin, end)]
        times = []
        start = time.perf_counter()
        if mode == "one":
            for frame in block:
                before = time.perf_counter()
                one(frame)
                times.append((time.perf_counter() - before) * 1e3)
        else:
            stream(block)
        say({"times_ms": times, "block_ms": (time.perf_counter() - start) * 1e3})


def say(message: dict[str, Any]) -> None:
    print("@" + json.dumps(message), flush=True)


class Side:
    """One of the two processes."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        greeting = self._read()
        self.first_result_s: float = greeting["first_result_s"]
        self.frames: int = greeting["frames"]
        self.latencies_ms: list[float] = []
        self.block_ms: list[float] = []

    def ask(self, mode: str, begin: int = 0, end: int = 0) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([mode, begin, end]) + "\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("@"):
                message: dict[str, Any] = json.loads(line[1:])
                return message
        sys.exit(f"{self.name}: the process ended; run it alone to see why")


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure(sides: list[Side], rounds: int, block: int) -> None:
    """Interleaves the sides, block by block, in both ways of feeding."""
    for side in sides:
        side.ask("one", 0, block)  # warm up: first runs compile, page in and allocate
    for turn in range(rounds):
        begin = turn * block
        for mode in ("one", "stream"):
            for side in sides if turn % 2 == 0 else sides[::-1]:
                found = side.ask(mode, begin, begin + block)
                if mode == "one":
                    side.latencies_ms += found["times_ms"]
                else:
                    side.block_ms.append(found["block_ms"] / block)


def show(side: Side) -> None:
    end = side.ask("report")
    latency, p95 = statistics.median(side.latencies_ms), percentile(side.latencies_ms, 0.95)
    streaming = statistics.median(side.block_ms)
    print(
        f"{side.name:>10}: latency median {latency:6.1f} ms, p95 {p95:6.1f} ms; "
        f"streaming {streaming:6.1f} ms a frame ({1e3 / streaming:.1f} fps); "
        f"first result after {side.first_result_s:.2f} s; peak {end['peak_mib']:.0f} MiB"
    )
    busiest = sorted(end["nodes"].items(), key=lambda entry: -entry[1][1])[:12]
    for name, (runs, seconds) in busiest:
        print(f"{'':>12}{name:<58} {runs:6d} calls {seconds / max(runs, 1) * 1e3:8.3f} ms each")


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Time the holistic graph, beside MediaPipe where --peer-python is given."
    )
    parser.add_argument("video")
    parser.add_argument("--peer-python", help="interpreter that has mediapipe==0.10.21")
    parser.add_argument("--frames", type=int, default=120, help="frames of the video to use at most")
    parser.add_argument("--rounds", type=int, default=6, help="blocks for each side and way of feeding")
    parser.add_argument("--block", type=int, default=20, help="frames in a block")
    parser.add_argument("--threads", type=int, help="threads of the graph; default one for each core")
    parser.add_argument("--serve", choices=("graphflow", "mediapipe"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        before = time.perf_counter()
        frames = decode(arguments.video, arguments.frames)
        ready_from = STARTED + time.perf_counter() - before  # as if decoding had taken no time
        if arguments.serve == "graphflow":
            serve_graphflow(frames, ready_from, arguments.threads)
        else:
            serve_mediapipe(frames, ready_from)
        return

    common = [__file__, arguments.video, "--frames", str(arguments.frames), "--serve"]
    ours = [sys.executable, *common, "graphflow"]
    if arguments.threads:
        ours += ["--threads", str(arguments.threads)]
    sides = [Side("graphflow", ours)]
    if arguments.peer_python:
        sides.append(Side("mediapipe", [arguments.peer_python, *common, "mediapipe"]))
    try:
        measure(sides, arguments.rounds, arguments.block)
        for side in sides:
            show(side)
        if len(sides) == 2:
            one, peer = sides
            latency = statistics.median(one.latencies_ms) / statistics.median(peer.latencies_ms)
            streaming = statistics.median(a / b for a, b in zip(one.block_ms, peer.block_ms, strict=True))
            print(f"{'ratio':>10}: latency {latency:.2f}, streaming {streaming:.2f} (under 1: graphflow is faster)")
    finally:
        for side in sides:
            side.close()


if __name__ == "__main__":
    main()
