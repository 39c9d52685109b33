"""How fast MoveNet runs here, and how fast LiteRT runs the same file.

    python benchmarks/movenet.py
    python benchmarks/movenet.py --peer-python /path/to/venv/bin/python

The peer is an interpreter with `ai-edge-litert` installed, whose XNNPACK kernels are the fastest way to run the file as
it is. Each side is a process; blocks of calls alternate, so that a change of the machine's speed meets both. A call is
what an application waits for: bytes in, 17 keypoints out. CPU seconds are those of the whole process, so that a
second thread that spins is not free. `--graph` times the graph around the network, too: crop, network, projection,
filter.

Absolute numbers belong to one machine at one moment: quote the ratio.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

FRAME_US = 33333


def images(size: int, count: int = 16) -> list[Any]:
    """Smooth seeded images: the network's time does not hang on what it sees."""
    import numpy as np

    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[0:size, 0:size] / size
    found = []
    for _ in range(count):
        speeds, phases = generator.uniform(1, 9, (2, 3)), generator.uniform(0, 6, 3)
        waves = np.sin(rows[..., None] * speeds[0] + columns[..., None] * speeds[1] + phases)
        found.append(np.ascontiguousarray((waves * 127 + 128).astype(np.uint8)[None]))
    return found


def graphflow_call(model: str, threads: int) -> Callable[[Any], Any]:
    from graphflow.inference import open_session

    session = open_session(model, threads=threads)
    return lambda image: session.run([image])


def litert_call(model: str, threads: int) -> Callable[[Any], Any]:
    from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-not-found]

    interpreter = Interpreter(model, num_threads=threads)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    result = interpreter.get_output_details()[0]["index"]

    def call(image: Any) -> Any:
        interpreter.set_tensor(source, image)
        interpreter.invoke()
        return interpreter.get_tensor(result)

    return call


def graph_call(model: str, threads: int) -> Callable[[Any], Any]:
    import numpy as np

    import graphflow

    graph = graphflow.load("movenet", params={"model": model}, overrides={"inference.threads": threads}, num_threads=1)
    graph.observe("pose_landmarks", lambda packet: None)
    graph.start()
    now = 0

    def call(image: Any) -> None:
        nonlocal now
        now += FRAME_US
        graph.add_packet("image", np.tile(image[0], (2, 3, 1)), now)
        graph.wait_until_idle()

    return call


CALLS = {"graphflow": graphflow_call, "litert": litert_call, "graph": graph_call}


def serve(kind: str, model: str, threads: int, size: int) -> None:
    """A line in (how many calls), a line out (wall and CPU milliseconds of one)."""
    frames, call = images(size), CALLS[kind](model, threads)
    for frame in frames:
        call(frame)
    print("@ready", flush=True)
    for line in sys.stdin:
        count = int(line)
        wall, cpu = time.perf_counter(), time.process_time()
        for number in range(count):
            call(frames[number % len(frames)])
        spent = [(time.perf_counter() - wall) / count * 1e3, (time.process_time() - cpu) / count * 1e3]
        print("@" + json.dumps(spent), flush=True)


class Side:
    """A process that runs the network in one way."""

    def __init__(self, kind: str, python: str, arguments: list[str]) -> None:
        self.kind = kind
        self.wall_ms: list[float] = []
        self.cpu_ms: list[float] = []
        command = [python, __file__, *arguments, "--serve", kind]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._answer()

    def measure(self, count: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        wall, cpu = json.loads(self._answer())
        self.wall_ms.append(wall)
        self.cpu_ms.append(cpu)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("@"):
                return line[1:]
        sys.exit(f"{self.kind}: the process ended; run it with --serve {self.kind} to see why")


def main() -> None:
    parser = argparse.ArgumentParser(description="Time MoveNet, beside LiteRT where --peer-python is given.")
    parser.add_argument("--peer-python", help="interpreter that has ai-edge-litert")
    parser.add_argument("--model", default="movenet_lightning", help="a name of the model store, or a .tflite file")
    parser.add_argument("--size", type=int, default=192, help="side of the model's input; 256 for Thunder")
    parser.add_argument("--threads", type=int, default=1, help="threads of one run of the network")
    parser.add_argument("--rounds", type=int, default=30, help="blocks for each side")
    parser.add_argument("--block", type=int, default=20, help="calls in a block")
    parser.add_argument("--graph", action="store_true", help="time the whole graph, too")
    parser.add_argument("--serve", choices=tuple(CALLS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.model, arguments.threads, arguments.size)
        return

    from graphflow.inference import ModelStore

    model = str(ModelStore().path(arguments.model))
    common = ["--model", model, "--threads", str(arguments.threads), "--size", str(arguments.size)]
    sides = [Side("graphflow", sys.executable, common)]
    if arguments.peer_python:
        sides.append(Side("litert", arguments.peer_python, common))
    if arguments.graph:
        sides.append(Side("graph", sys.executable, common))
    try:
        for turn in range(arguments.rounds):
            for side in sides if turn % 2 == 0 else sides[::-1]:
                side.measure(arguments.block)
        for side in sides:
            wall, cpu = statistics.median(side.wall_ms), statistics.median(side.cpu_ms)
            print(f"{side.kind:>10}: {wall:6.2f} ms a call, {cpu:6.2f} ms of CPU")
        if arguments.peer_python:
            ours, peer = sides[:2]
            wall, cpu = (
                statistics.median(a / b for a, b in zip(mine, theirs, strict=True))
                for mine, theirs in ((ours.wall_ms, peer.wall_ms), (ours.cpu_ms, peer.cpu_ms))
            )
            print(f"{'ratio':>10}: {wall:.2f} wall, {cpu:.2f} CPU (under 1: graphflow is faster)")
    finally:
        for side in sides:
            side.close()


if __name__ == "__main__":
    main()
