"""What the framework itself costs: packets through nodes that do nothing, beside MediaPipe's own scheduler.

    python -m benchmarks.overhead [--peer-python /path/to/venv/bin/python]

Both sides run the same graph texts: chains of PassThrough, and a fan of one node to eight to one. graphflow runs them
with its plan's steps (*fused*) and without (*unfused*). A side is one process for each graph; blocks of packets are
added from Python as fast as the graph takes them and seen by an observer at the end. A block's figures are CPU time and
wall time of the whole process, divided by packets; *each further node* is the slope between two chains, without what
adding and observing a packet cost.
"""

from __future__ import annotations

import itertools
import sys
import time
from contextlib import ExitStack
from typing import Any

from benchmarks import harness
from benchmarks.harness import Report, Row, Side, serve

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


SHAPES = {**{f"chain of {nodes}": chain(nodes) for nodes in CHAINS}, f"1-{FAN}-1 fan": fan(FAN)}


WAYS = ("fused", "unfused")
CLOCKS = ("CPU", "wall")


class Graphflow:
    """A graph of graphflow that counts what comes out."""

    def __init__(self, text: str, fused: bool) -> None:
        import graphflow

        self.seen = 0
        self._graph = graphflow.load(text, fuse=fused)
        self._graph.observe("out", self._observe)
        self._graph.start()
        self.wait = self._graph.wait_until_idle

    def add(self, now: int) -> None:
        """Adds one packet."""
        self._graph.add_packet("s0", now, now)

    def _observe(self, packet: Any) -> None:
        self.seen += 1


class MediaPipe:
    """The same with MediaPipe's graph; runs under the peer's interpreter."""

    def __init__(self, text: str) -> None:
        import mediapipe as mp

        self.seen = 0
        self._create = mp.packet_creator.create_int
        self._graph = mp.CalculatorGraph(graph_config=text)
        self._graph.observe_output_stream("out", self._observe)
        self._graph.start_run()
        self.wait = self._graph.wait_until_idle

    def add(self, now: int) -> None:
        """Adds one packet."""
        self._graph.add_packet_to_input_stream("s0", self._create(now).at(now))

    def _observe(self, name: str, packet: Any) -> None:
        self.seen += 1


class Answers:
    """Runs blocks of packets through one side's graph."""

    def __init__(self, side: Graphflow | MediaPipe) -> None:
        self._side = side
        self._now = 0

    def __call__(self, packets: int = 0) -> dict[str, Any]:
        if not packets:
            return {}
        before = self._side.seen
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(packets):
            self._now += 1
            self._side.add(self._now)
        self._side.wait()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return {"CPU": cpu / packets * 1e6, "wall": wall / packets * 1e6, "seen": self._side.seen - before}


def measure(peer: str | None, rounds: int, block: int) -> Report:
    """All shapes, both ways of running them."""
    found: dict[tuple[str, str, str], list[float]] = {}
    with ExitStack() as stack:
        for shape in SHAPES:
            sides = [
                stack.enter_context(Side(way, sys.executable, "benchmarks.overhead", ["serve", way, shape]))
                for way in WAYS
            ]
            if peer:
                sides.append(stack.enter_context(Side("peer", peer, "benchmarks.overhead", ["serve", "peer", shape])))
            for turn, order in harness.in_turn(sides, rounds + 1):
                for side in order:
                    answer = side.ask(block)
                    if answer["seen"] != block:
                        sys.exit(f"{side.name}: {shape}: {block} packets went in and {answer['seen']} came out")
                    for clock in CLOCKS if turn else ():  # the first block warms up
                        found.setdefault((side.name, shape, clock), []).append(answer[clock])
    rows = []
    for way, clock in itertools.product(WAYS, CLOCKS):
        for shape in SHAPES:
            theirs = found.get(("peer", shape, clock), [])
            rows.append(Row(f"{shape}, {way}, {clock}", "µs a packet", found[way, shape, clock], theirs))
        theirs = _slope(found, "peer", clock) if peer else []
        rows.append(Row(f"each further node, {way}, {clock}", "µs a packet", _slope(found, way, clock), theirs))
    return Report("overhead", "nodes that do nothing", rows)


def _slope(found: dict[tuple[str, str, str], list[float]], name: str, clock: str) -> list[float]:
    """What each further node of a chain adds to a packet, block by block."""
    short, long = found[name, f"chain of {CHAINS[1]}", clock], found[name, f"chain of {CHAINS[-1]}", clock]
    return [(b - a) / (CHAINS[-1] - CHAINS[1]) for a, b in zip(short, long, strict=True)]


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        way, shape = sys.argv[2:]
        text = SHAPES[shape]
        serve(sys.stdin, Answers(MediaPipe(text) if way == "peer" else Graphflow(text, way == "fused")))
        return
    parser = harness.arguments("Time nodes that do nothing, beside MediaPipe's with --peer-python.", rounds=10)
    parser.add_argument("--block", type=int, default=500, help="packets in a block")
    given = parser.parse_args()
    harness.finish(measure(given.peer_python, given.rounds, given.block), given.out)


if __name__ == "__main__":
    main()
