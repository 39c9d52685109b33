"""Random graphs and random scripts: outputs depend on inputs alone, never on threads, and nothing hangs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import graphflow
from graphflow import CalculatorError, Graph, registry

NODES = Path(__file__).with_name("nodes.py")
WATCHDOG_S = 30.0


@dataclass(frozen=True)
class Script:
    """A graph and what is done to it: `(stream, "add" | "bound" | "close" | "idle", timestamp, value)`."""

    text: str
    operations: tuple[tuple[str, str, int, int], ...]
    leaves: frozenset[str]

    def __repr__(self) -> str:  # what hypothesis prints of a failure
        return f"{self.text}\n" + "\n".join(map(str, self.operations))


@dataclass
class Outcome:
    """What a run showed: the packets of every stream, in order, the state each node ended with, and how it failed."""

    packets: dict[str, list[tuple[int, Any]]]
    state: dict[str, tuple[int, int]]
    error: str = ""


class Drawing:
    """Draws one graph, node by node."""

    def __init__(self, draw: st.DrawFn, fragile: bool) -> None:
        self.draw = draw
        self.inputs = [f"in{index}" for index in range(draw(st.integers(0, 3)))]
        self.streams = list(self.inputs)
        self.flags: list[str] = []
        self.leaves: list[str] = []
        self.loops: list[tuple[int, str]] = []
        self.nodes: list[str] = []
        for _ in range(draw(st.integers(not self.inputs, 2))):
            self.source()
        kinds = [self.pass_through, self.sum, self.tally, self.merge, self.even, self.later, self.loop, self.presence]
        kinds += [self.fragile, self.fragile] if fragile else []
        for _ in range(draw(st.integers(2, 12))):
            draw(st.sampled_from([*kinds, *[self.gate] * 3 * bool(self.flags)]))()
        self.close_loops()

    def text(self) -> str:
        queue_size = self.draw(st.sampled_from([100, 100, 3, 1]))
        head = ["graph: Random", f"inputs: [{', '.join(self.inputs)}]", f"max_queue_size: {queue_size}", "nodes:"]
        return "\n".join([*head, *self.nodes])

    def one(self) -> str:
        return self.draw(st.sampled_from(self.streams))

    def some(self, at_most: int) -> str:
        return ", ".join(self.draw(st.lists(st.sampled_from(self.streams), min_size=1, max_size=at_most)))

    def width(self) -> str:
        return self.draw(st.sampled_from(["", "", ", max_in_flight: 4"]))

    def batch(self) -> str:
        return self.draw(st.sampled_from(["", "", ", input_policy: {name: default, batch_size: 3}"]))

    def add(self, calculator: str, inputs: str, outputs: str = "[@]", more: str = "", leaf: bool = False) -> str:
        """Adds a node; @ is a new stream."""
        calculator = calculator if calculator.isidentifier() else f'"{calculator.replace("./", f"{NODES}:")}"'
        out = f"s{len(self.nodes)}"
        fields = f"calculator: {calculator}, inputs: {inputs}, outputs: {outputs.replace('@', out)}{more}"
        self.nodes.append(f"  n{len(self.nodes)}: {{{fields}}}")
        (self.leaves if leaf else self.streams).append(out)
        return out

    def source(self) -> None:
        options = {"limit": self.draw(st.integers(0, 12)), "step": self.draw(st.integers(1, 4))}
        layer = self.draw(st.sampled_from([0, 0, 1]))
        self.add("./Steps", "[]", more=f", options: {json.dumps(options)}, source_layer: {layer}")

    def pass_through(self) -> None:
        streams = self.some(3)
        extra = [f"@_{number}" for number in range(streams.count(","))]
        out = self.add("PassThrough", f"[{streams}]", f"[{', '.join(['@', *extra])}]", self.width())
        self.streams += [name.replace("@", out) for name in extra]

    def sum(self) -> None:
        self.add("./Sum", f"[{self.some(4)}]", more=self.width() or self.batch())

    def tally(self) -> None:
        self.add(self.draw(st.sampled_from(["./Tally", "./Census"])), f"[{self.some(3)}]")

    def merge(self) -> None:
        self.add("Merge", f"[{self.some(3)}]")

    def even(self) -> None:
        self.flags.append(self.add("./Even", f"[{self.one()}]"))

    def later(self) -> None:
        self.add("./Later", f"[{self.one()}]")

    def fragile(self) -> None:
        limit = self.draw(st.integers(0, 40))
        self.add("./Fragile", f"[{self.one()}]", more=f", options: {{limit: {limit}}}")

    def presence(self) -> None:
        # it says false where it happened to see time settled: nothing else may depend on that
        self.add("PacketPresence", f"{{PACKET: {self.one()}}}", "{PRESENCE: @}", leaf=True)

    def gate(self) -> None:
        tag = self.draw(st.sampled_from(["ALLOW", "DISALLOW"]))
        allow = str(self.draw(st.booleans())).lower()
        inputs = f"{{'': [{self.one()}], {tag}: {self.draw(st.sampled_from(self.flags))}}}"
        self.add("Gate", inputs, more=f", options: {{empty_packets_as_allow: {allow}}}")

    def loop(self) -> None:
        main = self.draw(st.sampled_from(self.inputs or self.streams))
        self.loops.append((len(self.nodes), main))
        self.add("PreviousLoopback", f"{{MAIN: {main}, LOOP: LOOP}}", "{PREV_LOOP: @}")

    def close_loops(self) -> None:
        """Leads something back to each loopback: what follows from its frame and its own output."""
        for number, main in self.loops:
            back = self.add("./Tally", f"[{main}, s{number}]", leaf=True)
            self.nodes[number] = self.nodes[number].replace("LOOP: LOOP", f"LOOP: {{stream: {back}, back_edge: true}}")


@st.composite
def scripts(draw: st.DrawFn, fragile: bool = False) -> Script:
    drawing = Drawing(draw, fragile)
    return Script(drawing.text(), _operations(draw, drawing.inputs), frozenset(drawing.leaves))


def _operations(draw: st.DrawFn, inputs: list[str]) -> tuple[tuple[str, str, int, int], ...]:
    bounds = dict.fromkeys(inputs, 0)
    operations = []
    for _ in range(draw(st.integers(0, 30)) if inputs else 0):
        stream = draw(st.sampled_from(inputs))
        kind = draw(st.sampled_from(["add", "add", "add", "add", "bound", "idle", "close"]))
        at = bounds[stream] + draw(st.integers(0, 3))
        if kind == "close" and draw(st.integers(0, 3)):
            continue
        if kind in ("add", "bound"):
            bounds[stream] = at + (kind == "add")
        operations.append((stream, kind, at, draw(st.integers(0, 50)) if kind == "add" else 0))
    return tuple(operations)


def run(script: Script, num_threads: int, *, fuse: bool = True, every: int = 1) -> Outcome:
    """One run of a script, under the watchdog, which watches each stream or `every` second, third, … one."""
    graph = graphflow.load(script.text, num_threads=num_threads, fuse=fuse)
    tally: Any = registry.find(f"{NODES}:Tally")
    tally.final.clear()
    outcome = Outcome({stream: [] for stream in list(graph.checked.stream_types)[::every]}, {})
    for stream, seen in outcome.packets.items():
        graph.observe(stream, _recorder(seen, presence=stream in script.leaves))

    def play() -> None:
        graph.start()
        try:
            for stream, kind, at, value in script.operations:
                if kind == "add":
                    graph.add_packet(stream, value, at)
                elif kind == "bound":
                    graph.set_bound(stream, at)
                elif kind == "close":
                    graph.close_input(stream)
                else:
                    graph.wait_until_idle()
            graph.close_all_inputs()
        finally:
            graph.wait_until_done()

    try:
        watched(play, graph)
    except CalculatorError as error:
        outcome.error = str(error)
    outcome.state = dict(tally.final)
    return outcome


def _recorder(seen: list[tuple[int, Any]], presence: bool) -> Callable[[graphflow.Packet], None]:
    def record(packet: graphflow.Packet) -> None:
        if not (presence and packet.value is False):
            seen.append((packet.timestamp, packet.value))

    return record


def watched(play: Callable[[], None], graph: Graph, patience_s: float = WATCHDOG_S) -> None:
    """Calls `play`, and fails with who waits for what if it does not return."""
    raised: list[BaseException] = []

    def guarded() -> None:
        try:
            play()
        except BaseException as error:
            raised.append(error)

    player = threading.Thread(target=guarded, daemon=True)
    player.start()
    player.join(patience_s)
    if player.is_alive():
        said = graph.diagnose()
        graph.cancel()
        pytest.fail(f"the run has not ended after {patience_s:g} s\n{said}")
    if raised:
        raise raised[0]


def check(script: Script) -> None:
    reference = run(script, 1, fuse=False)
    assert not reference.error
    for num_threads in (2, 8):
        assert run(script, num_threads, fuse=False) == reference
    for num_threads, every in ((1, 1), (2, 3), (8, 2)):
        fused = run(script, num_threads, every=every)
        assert fused.packets == {stream: reference.packets[stream] for stream in fused.packets}
        assert (fused.error, fused.state) == (reference.error, reference.state)


def check_ends(script: Script) -> None:
    """What a failing run emitted before is not fixed, but every stream is in order, and the run ends."""
    for num_threads, fuse in ((1, False), (1, True), (8, False), (8, True)):
        outcome = run(script, num_threads, fuse=fuse)
        for stream, seen in outcome.packets.items():
            timestamps = [timestamp for timestamp, _ in seen]
            assert timestamps == sorted(set(timestamps)), stream


COMMON = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), print_blob=False)


def test_the_watchdog_says_who_waits_for_what() -> None:
    graph = graphflow.load("""
graph: Stuck
inputs: [a, b]
nodes:
  join: {calculator: Merge, inputs: [a, b], outputs: [c]}
""")

    def play() -> None:
        graph.start()
        graph.add_packet("a", 1, 1)
        graph.close_input("a")
        graph.wait_until_done()  # nobody closes b

    with pytest.raises(pytest.fail.Exception, match=r"node .join. .* waits for .b."):
        watched(play, graph, patience_s=0.1)


@given(scripts())
@settings(COMMON, max_examples=60)
def test_outputs_do_not_depend_on_threads(script: Script) -> None:
    check(script)


@given(scripts(fragile=True))
@settings(COMMON, max_examples=40)
def test_a_run_that_fails_ends(script: Script) -> None:
    check_ends(script)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@given(scripts())
@settings(COMMON, max_examples=3000)
def test_outputs_do_not_depend_on_threads_in_many_graphs(script: Script) -> None:
    check(script)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@given(scripts(fragile=True))
@settings(COMMON, max_examples=1500)
def test_many_runs_that_fail_end(script: Script) -> None:
    check_ends(script)
