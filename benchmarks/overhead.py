"""What the framework itself costs: packets through nodes that do nothing, beside MediaPipe's own scheduler.

    python benchmarks/overhead.py
    python benchmarks/overhead.py --peer-python /path/to/venv/bin/python

The peer is an interpreter with `mediapipe==0.10.21` installed, which cannot share an environment with graphflow. Both
sides run the same graph texts: chains of PassThrough, and a fan of one node to eight to one. A side is one process for
each graph; blocks of packets are added from Python as fast as the graph takes them and seen by an observer at the end,
the two sides in turn, so that a change of the machine's speed meets both. A block's figures are wall time and CPU time
of the whole process, divided by packets and by node invocations; *each further* node is the slope between two chains,
without what adding and observing a packet cost.

Absolute numbers belong to one machine at one moment: quote the ratio.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CHAINS = (1, 10, 50, 100)
FAN = 8


def chain(nodes: int) -> str:
    """A graph of PassThrough nodes one after another, from `s0` to `out`."""
    names = [*(f"s{index}" for index in range(nodes)), "out"]
    return "\n".join(
        [
            'input_stream: "s0"',
            'output_stream: "out"',
            *(_pass_through([first], [second]) for first, second in itertools.pairwise(names)),
        ]
    )


def fan(width: int) -> str:
    """One node, `width` nodes that read it, and one that waits for all of them."""
    return "\n".join(
        [
            'input_stream: "s0"',
            'output_stream: "out"',
            _pass_through(["s0"], ["s1"]),
            *(_pass_through(["s1"], [f"b{index}"]) for index in range(width)),
            _pass_through(
                [f"b{index}" for index in range(width)], ["out", *(f"c{index}" for index in range(1, width))]
            ),
        ]
    )


def _pass_through(inputs: list[str], outputs: list[str]) -> str:
    streams = [f'input_stream: "{name}"' for name in inputs] + [f'output_stream: "{name}"' for name in outputs]
    return f'node {{ calculator: "PassThroughCalculator" {" ".join(streams)} }}'


SHAPES = {**{f"chain of {nodes}": (chain(nodes), nodes) for nodes in CHAINS}, f"1-{FAN}-1 fan": (fan(FAN), FAN + 2)}


def serve_graphflow(text: str, threads: int | None) -> None:
    """Answers the parent's requests with graphflow."""
    import graphflow

    graph = graphflow.load(text, num_threads=threads)
    seen = 0

    def observe(packet: Any) -> None:
        nonlocal seen
        seen += 1

    graph.observe("out", observe)
    graph.start()
    answer(lambda now: graph.add_packet("s0", now, now), graph.wait_until_idle, lambda: seen)


def serve_mediapipe(text: str, threads: int | None) -> None:
    """Answers the parent's requests with MediaPipe's graph; runs under the peer's interpreter."""
    import mediapipe as mp

    graph = mp.CalculatorGraph(graph_config=text + (f"\nnum_threads: {threads}" if threads else ""))
    create = mp.packet_creator.create_int
    seen = 0

    def observe(name: str, packet: Any) -> None:
        nonlocal seen
        seen += 1

    graph.observe_output_stream("out", observe)
    graph.start_run()
    answer(lambda now: graph.add_packet_to_input_stream("s0", create(now).at(now)), graph.wait_until_idle, lambda: seen)


def answer(add: Callable[[int], Any], wait: Callable[[], Any], seen: Callable[[], int]) -> None:
    """The protocol of both sides: a number of packets in, what they took out."""
    print("@ready", flush=True)
    now = 0
    for line in sys.stdin:
        count = int(line)
        before = seen()
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(count):
            now += 1
            add(now)
        wait()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print("@" + json.dumps([wall, cpu, seen() - before]), flush=True)


@dataclass
class Side:
    """The processes of one framework, one for each shape."""

    name: str
    command: list[str]
    wall_us: dict[str, list[float]] = field(default_factory=dict)
    cpu_us: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._processes = {shape: self._start(shape) for shape in SHAPES}

    def _start(self, shape: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*self.command, shape], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._read(process)
        return process

    def run(self, shape: str, packets: int, keep: bool) -> None:
        """Sends one block of packets through one shape."""
        process = self._processes[shape]
        assert process.stdin is not None
        process.stdin.write(f"{packets}\n")
        process.stdin.flush()
        wall, cpu, seen = json.loads(self._read(process))
        if seen != packets:
            sys.exit(f"{self.name}: {shape}: {packets} packets went in and {seen} came out")
        if keep:
            self.wall_us.setdefault(shape, []).append(wall / packets * 1e6)
            self.cpu_us.setdefault(shape, []).append(cpu / packets * 1e6)

    def close(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()

    def _read(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("@"):
                return line[1:]
        sys.exit(f"{self.name}: the process ended; run it alone to see why")


def slope(figures: dict[str, list[float]]) -> float:
    """Microseconds that each further node of a chain adds to a packet: the median over blocks."""
    short, long = figures[f"chain of {CHAINS[1]}"], figures[f"chain of {CHAINS[-1]}"]
    return statistics.median((b - a) / (CHAINS[-1] - CHAINS[1]) for a, b in zip(short, long, strict=True))


def show(sides: list[Side]) -> None:
    print(f"{'':16}{'':12}{'a packet, µs':>22}{'a node, µs':>22}")
    print(f"{'':16}{'':12}{'wall':>11}{'CPU':>11}{'wall':>11}{'CPU':>11}")
    for shape, (_, nodes) in SHAPES.items():
        for side in sides:
            wall, cpu = statistics.median(side.wall_us[shape]), statistics.median(side.cpu_us[shape])
            print(f"{shape:16}{side.name:12}{wall:11.1f}{cpu:11.1f}{wall / nodes:11.2f}{cpu / nodes:11.2f}")
        if len(sides) == 2:
            wall_ratio, cpu_ratio = (
                statistics.median(a / b for a, b in zip(ours[shape], theirs[shape], strict=True))
                for ours, theirs in ((sides[0].wall_us, sides[1].wall_us), (sides[0].cpu_us, sides[1].cpu_us))
            )
            print(f"{'':16}{'ratio':12}{wall_ratio:11.2f}{cpu_ratio:11.2f}")
    for side in sides:
        print(f"{'each further':16}{side.name:12}{'':22}{slope(side.wall_us):11.2f}{slope(side.cpu_us):11.2f}")
    if len(sides) == 2:
        ratios = [slope(sides[0].wall_us) / slope(sides[1].wall_us), slope(sides[0].cpu_us) / slope(sides[1].cpu_us)]
        print(f"{'':16}{'ratio':12}{'':22}{ratios[0]:11.2f}{ratios[1]:11.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Time nodes that do nothing, beside MediaPipe's with --peer-python.")
    parser.add_argument("--peer-python", help="interpreter that has mediapipe==0.10.21")
    parser.add_argument("--rounds", type=int, default=10, help="blocks for each side and shape")
    parser.add_argument("--block", type=int, default=500, help="packets in a block")
    parser.add_argument("--threads", type=int, help="threads of each graph; default what each side chooses")
    parser.add_argument("--serve", nargs=2, metavar=("SIDE", "SHAPE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        side, shape = arguments.serve
        serve = serve_graphflow if side == "graphflow" else serve_mediapipe
        serve(SHAPES[shape][0], arguments.threads)
        return
    threads = ["--threads", str(arguments.threads)] if arguments.threads else []
    sides = [Side("graphflow", [sys.executable, __file__, *threads, "--serve", "graphflow"])]
    try:
        if arguments.peer_python:
            sides.append(Side("mediapipe", [arguments.peer_python, __file__, *threads, "--serve", "mediapipe"]))
        for turn in range(arguments.rounds + 1):
            for shape in SHAPES:
                for side in sides if turn % 2 == 0 else sides[::-1]:
                    side.run(shape, arguments.block, keep=turn > 0)  # the first block warms up
        show(sides)
    finally:
        for side in sides:
            side.close()


if __name__ == "__main__":
    main()
