"""Whose call comes first: by what is still to be done behind it, and sources where work is about to run out."""

from __future__ import annotations

import pytest

import graphflow
from graphflow import Packet
from graphflow.runtime.node import Action, Task
from graphflow.runtime.priorities import ranks
from graphflow.runtime.scheduler import Scheduler


def test_a_rank_is_the_longest_way_to_the_end() -> None:
    graph = graphflow.load("""
graph: Diamond
inputs: [a]
nodes:
  first: {calculator: PassThrough, inputs: [a], outputs: [b]}
  long: {calculator: PassThrough, inputs: [b], outputs: [c]}
  short: {calculator: PassThrough, inputs: [b], outputs: [d]}
  last: {calculator: PassThrough, inputs: [c, d], outputs: [e, f]}
""")
    found = ranks(graph.checked, {"first": 1, "long": 10, "short": 3, "last": 2})
    assert found == {"first": 13, "long": 12, "short": 5, "last": 2}


def test_a_rank_does_not_run_in_circles() -> None:
    graph = graphflow.load("""
graph: Loop
inputs: [a]
nodes:
  back: {calculator: PreviousLoopback, inputs: {MAIN: a, LOOP: {stream: c, back_edge: true}}, outputs: {PREV_LOOP: b}}
  join: {calculator: Merge, inputs: [a, b], outputs: [c]}
""")
    assert ranks(graph.checked, {"back": 1, "join": 4}) == {"back": 5, "join": 4}


CHAIN = """
graph: Chain
side_inputs: [count]
nodes:
  source: {calculator: CountingSource, side_inputs: {MAX_COUNT: count}, outputs: [frames]}
  body: {calculator: PassThrough, inputs: [frames], outputs: [found]}
  hands: {calculator: PassThrough, inputs: [found], outputs: [more]}
"""


@pytest.mark.parametrize(
    ("threads", "frames", "taken"),
    [
        pytest.param(2, 1, ["source", "body", "hands"], id="nodes are about to run out of work"),
        pytest.param(2, 2, ["body", "hands", "source"], id="nodes have work"),
        pytest.param(1, 1, ["body", "hands", "source"], id="one thread cannot work ahead"),
    ],
)
def test_where_sources_stand(threads: int, frames: int, taken: list[str]) -> None:
    scheduler = Scheduler(graphflow.load(CHAIN, fuse=False).checked, threads, {}, {}, {})
    source, body, hands = scheduler.nodes
    body.urge(rank=2_000_000, cost=1_000_000)
    hands.urge(rank=1_000_000, cost=1_000_000)
    body.inputs[0].add([Packet(number, number) for number in range(frames)])
    for node in (hands, source, body):
        scheduler.push(Task(node, Action.PROCESS, node.context, []))
    assert [source.pool.take().node.name for _ in taken] == taken
    assert source.pool.empty()
