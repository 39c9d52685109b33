"""Calculators that behave badly: what a run says, and that it ends."""

import threading
from pathlib import Path

import pytest

import graphflow
from graphflow import CalculatorError, registry

GRAPHS = Path(__file__).parent / "graphs"

KEEP_AND_FAIL = """
graph: KeepAndFail
inputs: [number]
nodes:
  keep: {calculator: "@unruly.py:Keep", inputs: [number]}
  fail: {calculator: "@../runtime/nodes.py:FailAt", inputs: [number], outputs: [passed], options: {at: 3}}
"""


def test_a_writer_takes_in_what_had_reached_it_when_another_node_failed() -> None:
    keep = registry.find("./unruly.py:Keep", GRAPHS)
    keep.may_go, keep.kept, keep.closed = threading.Event(), [], []  # type: ignore[attr-defined]
    graph = graphflow.load(KEEP_AND_FAIL.replace("@", f"{GRAPHS}/"), num_threads=2)
    graph.start()
    with pytest.raises(CalculatorError, match="'fail'"):
        while True:
            for number in range(1000):
                graph.add_packet("number", number, number)
    keep.may_go.set()  # type: ignore[attr-defined]
    with pytest.raises(CalculatorError, match="'fail'"):
        graph.wait_until_done()
    assert keep.kept == [0, 1, 2]  # type: ignore[attr-defined]
    assert keep.closed == ["keep"]  # type: ignore[attr-defined]
