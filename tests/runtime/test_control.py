"""Pollers, pausing, waiting for outputs, stream headers and services."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any

import pytest

import graphflow
from graphflow import CalculatorError, GraphflowError, Service
from graphflow.runtime import Graph

NODES = Path(__file__).with_name("nodes.py")

COUNTING = """
graph: Counting
outputs: [b]
nodes:
  count: {calculator: "@Count", outputs: [a], options: {limit: 20}}
  square: {calculator: "@Square", inputs: [a], outputs: [b]}
"""

SQUARE = """
graph: Squares
inputs: [a]
outputs: [b]
nodes:
  square: {calculator: "@Square", inputs: [a], outputs: [b]}
"""


def build(text: str, **arguments: Any) -> Graph:
    return graphflow.load(text.replace("@", f"{NODES}:"), **arguments)


def finish(graph: Graph) -> None:
    graph.close_all_inputs()
    graph.wait_until_done()


def test_a_poller_gives_packets_in_order_and_ends_with_the_run() -> None:
    graph = build(COUNTING)
    poller = graph.poll("b")
    graph.start()
    assert [(packet.timestamp, packet.value) for packet in poller] == [(10 * n, n * n) for n in range(20)]
    graph.wait_until_done()
    assert poller.next() is None


def test_a_full_poller_holds_back_the_source() -> None:
    graph = build(COUNTING + "max_queue_size: 2\n")
    poller = graph.poll("b", max_queue_size=2)
    graph.start()
    first = poller.next(timeout=10)
    assert first is not None
    graph.wait_until_idle()
    assert 2 <= len(poller) <= 4  # what was on its way when the second one filled it comes in, too
    assert graph.statistics()["count"].runs < 20
    assert [packet.value for packet in poller] == [n * n for n in range(1, 20)]
    graph.wait_until_done()


def test_a_poller_reports_bounds_where_asked() -> None:
    graph = build(SQUARE)
    poller = graph.poll("b", bounds=True)
    graph.start()
    graph.add_packet("a", 3, 0)
    graph.wait_until_idle()
    graph.set_bound("a", 50)
    graph.wait_until_idle()
    seen = [poller.next(timeout=10), poller.next(timeout=10)]
    assert [(packet.timestamp, packet.value) for packet in seen if packet] == [(0, 9), (49, None)]
    with pytest.raises(TimeoutError, match="no packet on 'b'"):
        poller.next(timeout=0)
    finish(graph)


def test_a_poller_ends_when_the_run_fails() -> None:
    graph = build("""
graph: Failing
inputs: [a]
outputs: [b]
nodes:
  node: {calculator: "@FailAt", inputs: [a], outputs: [b], options: {at: 1}}
""")
    poller = graph.poll("b")
    graph.start()
    graph.add_packet("a", 0, 0)
    with contextlib.suppress(CalculatorError):  # the run may have failed by the time the call returns
        graph.add_packet("a", 1, 1)
    assert [packet.value for packet in poller] == [0]
    with pytest.raises(CalculatorError, match="1 is not for me"):
        graph.wait_until_done()


def test_nothing_starts_while_paused() -> None:
    graph = build(SQUARE)
    poller = graph.poll("b")
    graph.start()
    graph.wait_until_idle()
    graph.pause()
    graph.add_packet("a", 2, 0)
    with pytest.raises(TimeoutError):
        poller.next(timeout=0)
    graph.resume()
    packet = poller.next(timeout=10)
    assert packet is not None
    assert packet.value == 4
    finish(graph)


def test_a_paused_graph_can_be_cancelled() -> None:
    graph = build(SQUARE)
    graph.start()
    graph.pause()
    graph.add_packet("a", 2, 0)
    graph.cancel()
    with pytest.raises(graphflow.GraphCancelled):
        graph.wait_until_done()


def test_waiting_for_the_next_output() -> None:
    graph = build(SQUARE)
    seen: list[int] = []
    graph.observe("b", lambda packet: seen.append(packet.value))
    graph.start()
    for number in (2, 3):
        graph.add_packet("a", number, number)
        assert graph.wait_for_output()
    graph.close_all_inputs()
    assert not graph.wait_for_output()
    graph.wait_until_done()
    assert seen == [4, 9]


HEADERS = """
graph: Headers
inputs: [a]
outputs: [c]
nodes:
  read: {calculator: "@ReadHeader", inputs: [passed], outputs: [c]}
  pass: {calculator: PassThrough, inputs: [b], outputs: [passed]}
  gate: {calculator: Gate, inputs: [announced], outputs: [b], options: {allow: true}}
  first: FIRST
"""


@pytest.mark.parametrize(
    ("first", "headers", "expected"),
    [
        ('{calculator: "@Announce", inputs: [a], outputs: [announced]}', {}, "numbers from first"),
        ("{calculator: PassThrough, inputs: [a], outputs: [announced]}", {"a": "from outside"}, "from outside"),
        ("{calculator: PassThrough, inputs: [a], outputs: [announced]}", {}, "none"),
    ],
)
@pytest.mark.parametrize("threads", [1, 4])
def test_headers_are_there_before_a_reader_opens(
    first: str, headers: dict[str, Any], expected: str, threads: int
) -> None:
    graph = build(HEADERS.replace("FIRST", first), num_threads=threads)
    poller = graph.poll("c")
    graph.start(headers=headers)
    graph.add_packet("a", 1, 0)
    finish(graph)
    assert [packet.value for packet in poller] == [expected]


def test_a_header_needs_an_input() -> None:
    graph = build(SQUARE)
    with pytest.raises(GraphflowError, match="no input 'z'"):
        graph.start(headers={"z": 1})


def one(calculator: str) -> str:
    return SQUARE.replace("@Square", f"@{calculator}")


@pytest.mark.parametrize(("given", "expected"), [(None, 2000), (7, 14)])
def test_nodes_share_a_service(given: int | None, expected: int) -> None:
    graph = build(one("Scale"))
    if given is not None:
        graph.set_service(Service("test.units"), given)
    poller = graph.poll("b")
    graph.start()
    graph.add_packet("a", 2, 0)
    finish(graph)
    assert [packet.value for packet in poller] == [expected]


def test_a_missing_service_is_an_error_at_start() -> None:
    graph = build(one("NeedService"))
    with pytest.raises(GraphflowError, match=r"needs the service 'test\.required'"):
        graph.start()


def test_a_policy_that_cannot_go_on_ends_the_run() -> None:
    graph = build("""
graph: Selecting
inputs: {SELECT: select, INPUT: a}
outputs: [b]
nodes:
  mux: {calculator: Mux, inputs: {INPUT: [a], SELECT: select}, outputs: {OUTPUT: b}}
""")
    graph.start()
    with pytest.raises(CalculatorError, match="SELECT is 5"):
        graph.add_packet("select", 5, 0)
        graph.wait_until_idle()
    with pytest.raises(CalculatorError):
        graph.wait_until_done()


def test_threads_that_cannot_be_had_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    graph = build(SQUARE, num_threads=3)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    graph.start()
    with pytest.raises(CalculatorError, match="3 threads are more than this machine gives"):
        graph.wait_until_done()
