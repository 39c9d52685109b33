"""Whose call comes first: by what is still to be done behind it, and sources where work is about to run out."""

from __future__ import annotations

import heapq
import threading
from dataclasses import dataclass
from typing import Any

import pytest

import graphflow
from graphflow.runtime.pool import Pool
from graphflow.runtime.priorities import ranks


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


@dataclass
class FakeNode:
    ahead: bool = False
    light: bool = False

    def is_ahead(self) -> bool:
        return self.ahead


@dataclass
class FakeTask:
    name: str
    node: FakeNode


@pytest.mark.parametrize(
    ("threads", "ahead", "taken"),
    [
        pytest.param(2, False, ["source", "body", "hands"], id="nodes are about to run out of work"),
        pytest.param(2, True, ["body", "hands", "source"], id="nodes have work"),
        pytest.param(1, False, ["body", "hands", "source"], id="one thread cannot work ahead"),
    ],
)
def test_where_sources_stand(threads: int, ahead: bool, taken: list[str]) -> None:
    pool: Any = Pool("", threads, threading.RLock())
    pool.sources.append(FakeTask("source", FakeNode(ahead)))
    heapq.heappush(pool.waiting, (-1, 1, FakeTask("hands", FakeNode())))
    heapq.heappush(pool.waiting, (-2, 2, FakeTask("body", FakeNode())))
    assert [pool.take().name for _ in taken] == taken
    assert pool.empty()
