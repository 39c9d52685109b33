"""Steps: which nodes run as one, and that nobody can tell."""

from __future__ import annotations

from typing import Any

import pytest

import graphflow
from graphflow import Calculator, CalculatorError, Context, Input, Option, Output, Packet
from graphflow.runtime import Graph

HERE = __file__


class Add(Calculator):
    """Adds a number; short, and in step with its input."""

    fusible = True

    number = Input("")
    sum = Output("")
    more: int = Option(1, "what to add")

    def process(self, context: Context) -> None:
        context[self.sum] = context[self.number] + self.more


class Slow(Add):
    """The same, said to take long."""

    fusible = False


class Picky(Add):
    """Fails at 3, and says so in its own name."""

    def process(self, context: Context) -> None:
        if context[self.number] == 3:
            raise ValueError("no threes")
        context[self.sum] = context[self.number]


class Shutting(Add):
    """Closes its output at the second packet."""

    def open(self, context: Context) -> None:
        self._seen = 0

    def process(self, context: Context) -> None:
        self._seen += 1
        if self._seen == 2:
            context.close_output(self.sum)
        elif self._seen == 1:
            context[self.sum] = context[self.number]


class Untrue(Add):
    """Says that it is fusible, and emits later than its input."""

    def process(self, context: Context) -> None:
        context.emit(self.sum, 0, context.timestamp + 1)


def build(nodes: str, inputs: str = "a", **arguments: Any) -> Graph:
    text = f"graph: Test\ninputs: [{inputs}]\nnodes:\n" + nodes.replace("@", f"{HERE}:")
    return graphflow.load(text, **arguments)


def steps(graph: Graph) -> list[list[str]]:
    """The names of what the plan runs, each as the list of its members."""
    return [node.spec.name.split(" + ") for node in graph.plan().graph.nodes]


@pytest.mark.parametrize(
    ("nodes", "planned"),
    [
        pytest.param(
            """
  x: {calculator: "@Add", inputs: [a], outputs: [b]}
  y: {calculator: "@Add", inputs: [b], outputs: [c]}
""",
            [["x", "y"]],
            id="a chain",
        ),
        pytest.param(
            """
  x: {calculator: "@Add", inputs: [a], outputs: [b]}
  y: {calculator: "@Add", inputs: [a], outputs: [c]}
  z: {calculator: PassThrough, inputs: [b, c, a], outputs: [d, e, f]}
""",
            [["x", "y", "z"]],
            id="a fan and back",
        ),
        pytest.param(
            """
  x: {calculator: "@Add", inputs: [a], outputs: [b]}
  y: {calculator: Merge, inputs: [b, other], outputs: [c]}
""",
            [["x"], ["y"]],
            id="one waits for more than the other",
        ),
        pytest.param(
            """
  x: {calculator: "@Add", inputs: [a], outputs: [b]}
  y: {calculator: "@Slow", inputs: [b], outputs: [c]}
  z: {calculator: PassThrough, inputs: [b, c], outputs: [d, e]}
""",
            [["x"], ["y"], ["z"]],
            id="something long between",
        ),
        pytest.param(
            """
  x: {calculator: "@Slow", inputs: [a], outputs: [b]}
  y: {calculator: "@Add", inputs: [b], outputs: [c]}
  z: {calculator: PassThrough, inputs: [c, a], outputs: [d, e]}
""",
            [["x"], ["y", "z"]],
            id="what comes from further up is settled",
        ),
        pytest.param(
            """
  x: {calculator: "@Add", inputs: [a], outputs: [b]}
  y: {calculator: "@Add", inputs: [b], outputs: [c], queue_size: 1}
""",
            [["x"], ["y"]],
            id="a queue of its own size",
        ),
        pytest.param(
            """
  x: {calculator: "@Add", inputs: [a], outputs: [b]}
  y: {calculator: "@Add", inputs: [b], outputs: [c], input_policy: immediate}
""",
            [["x"], ["y"]],
            id="another policy",
        ),
        pytest.param(
            """
  x: {calculator: "@Add", inputs: [a], outputs: [b]}
  y: {calculator: "@Add", inputs: [b], outputs: [c], executor: other}
executors: {other: {num_threads: 1}}
""",
            [["x"], ["y"]],
            id="another executor",
        ),
    ],
)
def test_what_becomes_one_step(nodes: str, planned: list[list[str]]) -> None:
    assert steps(build(nodes, "a, other")) == planned
    assert all(len(names) == 1 for names in steps(build(nodes, "a, other", fuse=False)))


CHAIN = """
  x: {calculator: "@Add", inputs: [a], outputs: [b]}
  y: {calculator: "@Picky", inputs: [b], outputs: [c]}
  z: {calculator: "@Add", inputs: [c], outputs: [d]}
"""


@pytest.mark.parametrize("fuse", [True, False])
def test_a_member_that_fails_is_named_and_what_came_before_it_is_seen(fuse: bool) -> None:
    graph = build(CHAIN, fuse=fuse, num_threads=1)
    seen: list[tuple[str, int]] = []
    for stream in "bcd":
        graph.observe(stream, lambda packet, stream=stream: seen.append((stream, packet.value)))  # type: ignore[misc]
    graph.start()
    graph.add_packet("a", 1, 0)
    graph.wait_until_idle()
    graph.add_packet("a", 2, 1)
    graph.close_all_inputs()
    with pytest.raises(CalculatorError, match=r":6:3: node 'y' .*Picky.* in process at timestamp 1: .*no threes") as e:
        graph.wait_until_done()
    assert e.value.node == "y"
    assert sorted(seen) == [("b", 2), ("b", 3), ("c", 2), ("d", 3)]


def test_statistics_tell_the_members_apart() -> None:
    graph = build(CHAIN)
    graph.start()
    graph.add_packet("a", 5, 0)
    graph.close_all_inputs()
    graph.wait_until_done()
    said = graph.statistics()
    assert {name: entry.runs for name, entry in said.items()} == {"x": 3, "y": 3, "z": 3}
    assert all(entry.seconds > 0 for entry in said.values())


@pytest.mark.parametrize("fuse", [True, False])
def test_an_output_closed_early_closes_what_follows(fuse: bool) -> None:
    nodes = """
  x: {calculator: "@Shutting", inputs: [a], outputs: [b]}
  y: {calculator: "@Add", inputs: [b], outputs: [c]}
"""
    graph = build(nodes, fuse=fuse)
    seen: list[Packet] = []
    graph.observe("c", seen.append)
    graph.start()
    for timestamp in range(4):
        graph.add_packet("a", timestamp, timestamp)
    graph.wait_until_idle()
    assert [packet.value for packet in seen] == [1]
    closed_early = "closed: y" in graph.diagnose() or graph.statistics()["y"].runs == 3
    graph.reset()
    graph.add_packet("a", 7, 0)
    graph.close_all_inputs()
    graph.wait_until_done()
    assert closed_early
    assert [packet.value for packet in seen] == [1, 8]


def test_a_calculator_that_is_wrongly_called_fusible_is_told_so() -> None:
    nodes = """
  x: {calculator: "@Untrue", inputs: [a], outputs: [b]}
  y: {calculator: "@Add", inputs: [b], outputs: [c]}
"""
    graph = build(nodes)
    graph.start()
    graph.add_packet("a", 7, 0)
    graph.close_all_inputs()
    with pytest.raises(CalculatorError, match=r"node 'x'.*Untrue declares itself fusible.* emitted packets at: 1"):
        graph.wait_until_done()
