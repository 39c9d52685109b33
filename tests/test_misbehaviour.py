"""Calculators that behave badly: what a run says, and that it ends."""

import contextlib
import logging
import re
import threading
from pathlib import Path

import numpy as np
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


UNRULY = GRAPHS / "unruly.yaml"
PLACE = r"unruly.yaml:7:3: node 'unruly' \(./unruly.py:Unruly\) of graph 'Unruly'"
FRAME = np.zeros((4, 4, 3), np.uint8)


def fed(how: str, **parameters: object) -> graphflow.Graph:
    """A run that was given five frames."""
    graph = graphflow.load(UNRULY, params={"how": how, **parameters}, num_threads=2)
    graph.slow_call_s = 0.05
    graph.observe("mean", lambda packet: None)
    graph.start()
    for number in range(5):
        with contextlib.suppress(CalculatorError):
            graph.add_packet("image", FRAME, number * 40_000)
    graph.close_all_inputs()
    return graph


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("raise", r"failed in process at timestamp 120000: RuntimeError: the lens cap is on \(.*unruly.py:\d+\)"),
        ("wrong_type", r"TypeError: output MEAN:0:mean takes float, not str \('bright'\) \(.*unruly.py:\d+\)"),
        ("back", r"failed in output 'mean' at timestamp 20000: .*20000"),
        ("scribble", r"ValueError: assignment destination is read-only; .* copy the array first \(.*unruly.py:\d+\)"),
        ("exit", r"SystemExit: 3"),
    ],
)
def test_what_it_did_is_said_with_its_place(how: str, message: str) -> None:
    graph = fed(how)
    with pytest.raises(CalculatorError, match=f"{PLACE} .*{message}") as failure:
        graph.wait_until_done()
    assert failure.value.node == "unruly"
    assert run_threads() == []


def test_a_call_that_takes_long_is_said_and_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    unruly = registry.find("./unruly.py:Unruly", GRAPHS)
    unruly.released = threading.Event()  # type: ignore[attr-defined]
    graph = fed("block")
    means: list[object] = []
    heard = threading.Event()

    class Hear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.set()

    handler = Hear()
    logging.getLogger("graphflow").addHandler(handler)
    try:
        ending = threading.Thread(target=lambda: means.append(graph.wait_until_done()))
        ending.start()
        assert heard.wait(30)
        [call] = graph.running_calls()
        assert (call.node, call.action, call.timestamp) == ("unruly", "process", 120_000)
        unruly.released.set()  # type: ignore[attr-defined]
        ending.join(30)
        assert means == [None]
    finally:
        logging.getLogger("graphflow").removeHandler(handler)
    assert re.search(f"{PLACE} has been in process at timestamp 120000 for \\d s; the run waits for it", caplog.text)
    assert graph.running_calls() == []


def test_a_call_that_never_returns_is_given_up() -> None:
    unruly = registry.find("./unruly.py:Unruly", GRAPHS)
    unruly.released = threading.Event()  # type: ignore[attr-defined]
    graph = fed("block")
    while not any(call.timestamp == 120_000 for call in graph.running_calls()):
        pass
    graph.cancel(0.1)
    try:
        with pytest.raises(graphflow.GraphCancelled) as cancelled:
            graph.wait_until_done()
        [note] = cancelled.value.__notes__
        assert re.search(f"{PLACE} has been in process at timestamp 120000 for \\d s and does not return", note)
        graph.start()  # it can be run again all the same
        graph.cancel(0)
        with pytest.raises(graphflow.GraphCancelled):
            graph.wait_until_done()
    finally:
        unruly.released.set()  # type: ignore[attr-defined]


def run_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("graphflow-Unruly")]
