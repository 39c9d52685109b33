"""The runtime through the graph's public face: order, errors, throttling, sources, side packets, reset."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphflow
from graphflow import CalculatorError, GraphCancelled, GraphflowError
from graphflow import timestamp as ts
from graphflow.runtime import Graph

NODES = Path(__file__).with_name("nodes.py")
Seen = list[tuple[int, Any]]


def build(text: str, **arguments: Any) -> Graph:
    return graphflow.load(text.replace("@", f"{NODES}:"), **arguments)


def record(graph: Graph, stream: str, bounds: bool = False) -> Seen:
    seen: Seen = []
    graph.observe(stream, lambda packet: seen.append((packet.timestamp, packet.value)), bounds=bounds)
    return seen


def feed(graph: Graph, stream: str, packets: Seen) -> None:
    graph.start()
    try:
        for timestamp, value in packets:
            graph.add_packet(stream, value, timestamp)
        graph.close_all_inputs()
    finally:
        graph.wait_until_done()


CHAIN = """
graph: Chain
inputs: [a]
outputs: [c]
nodes:
  square: {calculator: "@Square", inputs: [a], outputs: [b]}
  total: {calculator: "@RunningTotal", inputs: [b], outputs: [c]}
"""


def one_node(calculator: str, options: str = "{}") -> str:
    return f"""
graph: One
inputs: [a]
outputs: [b]
nodes:
  node: {{calculator: "@{calculator}", inputs: [a], outputs: [b], options: {options}}}
"""


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_packets_come_out_in_order(threads: int) -> None:
    graph = build(CHAIN, num_threads=threads)
    seen = record(graph, "c")
    feed(graph, "a", [(0, 1), (5, 2), (6, 3)])
    assert seen == [(0, 1), (5, 5), (6, 14)]


def test_a_graph_runs_again_from_the_start() -> None:
    graph = build(CHAIN)
    seen = record(graph, "c")
    feed(graph, "a", [(0, 1), (5, 2)])
    feed(graph, "a", [(0, 3)])
    assert seen == [(0, 1), (5, 5), (0, 9)]


def test_reset_starts_a_new_stream_without_reopening() -> None:
    graph = build(CHAIN)
    seen = record(graph, "c")
    graph.start()
    graph.add_packet("a", 3, 50)
    graph.reset()
    graph.add_packet("a", 2, 0)
    graph.close_all_inputs()
    graph.wait_until_done()
    assert seen == [(50, 9), (0, 4)]


def test_reset_reopens_what_had_closed() -> None:
    graph = build("""
graph: Closing
inputs: [a, b]
outputs: [c, d]
nodes:
  early: {calculator: PassThrough, inputs: [a, b], outputs: [c, d], input_policy: early_close}
""")
    seen = record(graph, "c")
    graph.start()
    for timestamp in (1, 1):
        graph.add_packet("a", 7, timestamp)
        graph.add_packet("b", 8, timestamp)
        graph.wait_until_idle()
        graph.close_input("a")
        graph.wait_until_idle()
        graph.reset()
    graph.close_all_inputs()
    graph.wait_until_done()
    assert seen == [(1, 7), (1, 7)]


def test_an_observer_sees_settled_time() -> None:
    graph = build(one_node("FailAt", "{at: 99}"))
    seen = record(graph, "b", bounds=True)
    graph.start()
    graph.add_packet("a", 1, 0)
    graph.wait_until_idle()
    graph.set_bound("a", 10)
    graph.wait_until_idle()
    graph.close_all_inputs()
    graph.wait_until_done()
    assert seen == [(0, 1), (9, None)]


def test_a_source_feeds_the_graph() -> None:
    graph = build("""
graph: Counting
outputs: [b]
nodes:
  count: {calculator: "@Count", outputs: [a], options: {limit: 300}}
  square: {calculator: "@Square", inputs: [a], outputs: [b]}
max_queue_size: 3
""")
    seen = record(graph, "b")
    graph.start()
    graph.wait_until_done()
    assert seen == [(10 * n, n * n) for n in range(300)]
    assert graph.statistics()["square"].queue_peak <= 3
    assert graph.statistics()["square"].runs == 300 + 2  # with open and close


def test_a_source_waits_for_a_slow_branch() -> None:
    """Both branches of a diamond are fed by the source; the join's queue stays within its bound."""
    graph = build("""
graph: Diamond
outputs: [d, e]
nodes:
  count: {calculator: "@Count", outputs: [a], options: {limit: 50}}
  square: {calculator: "@Square", inputs: [a], outputs: [b]}
  again: {calculator: "@Square", inputs: [b], outputs: [c]}
  join: {calculator: PassThrough, inputs: [a, c], outputs: [d, e]}
max_queue_size: 2
""")
    seen = record(graph, "e")
    graph.start()
    graph.wait_until_done()
    assert seen == [(10 * n, n**4) for n in range(50)]
    assert graph.statistics()["join"].queue_peak <= 4


def test_side_packets_reach_the_nodes_that_wait_for_them() -> None:
    graph = build("""
graph: Sides
inputs: [a]
outputs: [b, c]
side_inputs: {ADD: given}
nodes:
  own: {calculator: "@AddSide", inputs: [a], side_inputs: {ADD: made}, outputs: [b]}
  provide: {calculator: "@Provide", side_outputs: [made]}
  other: {calculator: "@AddSide", inputs: [a], side_inputs: {ADD: given}, outputs: [c]}
""")
    made, given = record(graph, "b"), record(graph, "c")
    graph.start({"given": 100})
    graph.add_packet("a", 1, 0)
    graph.close_all_inputs()
    graph.wait_until_done()
    assert (made, given) == ([(0, 8)], [(0, 101)])
    assert graph.side_packet("made") == 7


@pytest.mark.parametrize("side_packets", [{}, {"given": "text"}])
def test_a_missing_or_wrong_side_packet_is_an_error_at_start(side_packets: dict[str, Any]) -> None:
    graph = build("""
graph: Sides
inputs: [a]
side_inputs: {ADD: given}
nodes:
  node: {calculator: "@AddSide", inputs: [a], side_inputs: {ADD: given}, outputs: [b]}
""")
    with pytest.raises(GraphflowError, match="given"):
        graph.start(side_packets)


def test_two_nodes_run_at_once() -> None:
    graph = build(
        """
graph: Parallel
inputs: [a]
outputs: [b, c]
nodes:
  one: {calculator: "@Rendezvous", inputs: [a], outputs: [b]}
  two: {calculator: "@Rendezvous", inputs: [a], outputs: [c]}
""",
        num_threads=2,
    )
    seen = record(graph, "b")
    feed(graph, "a", [(0, 5)])
    assert seen == [(0, 5)]


def test_invocations_in_flight_are_released_in_order() -> None:
    text = one_node("Hold").replace("outputs: [b], options", "outputs: [b], max_in_flight: 2, options")
    graph = build(text, num_threads=2)
    seen = record(graph, "b")
    feed(graph, "a", [(n, n) for n in range(20)])
    assert seen == [(n, n) for n in range(20)]


@pytest.mark.parametrize(
    ("calculator", "options", "says", "at"),
    [
        ("FailAt", "{at: 2}", "ValueError: 2 is not for me", 20),
        ("FailAt", "{at: -1}", "RuntimeError: cannot open", ts.UNSTARTED),
        ("Backwards", "{}", "timestamps must increase", 90),
        ("WrongType", "{}", "output b takes int, not str", 0),
    ],
)
def test_an_error_names_node_place_and_timestamp(calculator: str, options: str, says: str, at: int) -> None:
    graph = build(one_node(calculator, options))
    graph.observe("b", lambda packet: None)
    with pytest.raises(CalculatorError, match=says) as caught:
        feed(graph, "a", [(0, 0), (10, 1), (20, 2), (30, 3)])
    error = caught.value
    assert (error.graph, error.node, error.timestamp) == ("One", "node", at)
    assert error.location is not None
    assert error.location.line == 6
    with pytest.raises(CalculatorError):  # and the graph can be started again, to fail the same way
        feed(graph, "a", [(0, 0), (10, 1), (20, 2), (30, 3)])


def test_what_came_before_an_error_stays_and_open_nodes_are_closed() -> None:
    from graphflow import registry

    FailAt: Any = registry.find(f"{NODES}:FailAt")
    FailAt.closed.clear()
    graph = build(one_node("FailAt", "{at: 2}"))
    seen = record(graph, "b")
    graph.start()
    for timestamp in (0, 1):
        graph.add_packet("a", timestamp, timestamp)
    graph.wait_until_idle()
    with pytest.raises(CalculatorError):
        graph.add_packet("a", 2, 2)
        graph.wait_until_idle()
    with pytest.raises(CalculatorError):
        graph.wait_until_done()
    assert seen == [(0, 0), (1, 1)]
    assert FailAt.closed == ["node"]


def test_an_observer_that_raises_ends_the_run() -> None:
    graph = build(one_node("Square"))

    def object_to(packet: graphflow.Packet) -> None:
        raise LookupError("no room")

    graph.observe("b", object_to)
    with pytest.raises(CalculatorError, match="observer of 'b' raised LookupError: no room"):
        feed(graph, "a", [(0, 1)])


def test_arrays_in_streams_are_read_only() -> None:
    graph = build(one_node("Scribble"))
    with pytest.raises(CalculatorError, match="read-only"):
        feed(graph, "a", [(0, np.zeros(3))])


@pytest.mark.parametrize(
    ("value", "timestamp", "says"),
    [
        ("text", 0, "takes int, not str"),
        (True, 0, "takes int, not bool"),
        (1, ts.UNSTARTED, "UNSTARTED"),
        (1, ts.DONE, "DONE"),
    ],
)
def test_a_wrong_packet_is_refused(value: Any, timestamp: int, says: str) -> None:
    graph = build(one_node("Square"))
    graph.start()
    with pytest.raises(CalculatorError, match=says):
        graph.add_packet("a", value, timestamp)


@pytest.mark.parametrize(
    ("node", "says"),
    [
        ("input_policy: {name: default, batch_size: 0}", "must be a whole number from 1, not 0"),
        (
            "input_policy: {name: timestamp_align, timestamp_base_tag_index: 'Z:0'}",
            "names input 'Z:0', which the node",
        ),
        ("input_policy: {name: default, batch_size: 2}, max_in_flight: 2", "does not go with max_in_flight"),
    ],
)
def test_a_policy_that_does_not_fit_is_reported_at_its_place(node: str, says: str) -> None:
    text = one_node("Square").replace("outputs: [b], options", f"outputs: [b], {node}, options")
    with pytest.raises(graphflow.GraphConfigError, match=says) as caught:
        build(text).start()
    assert caught.value.problems[0].location.line == 6


def test_unknown_streams_are_named() -> None:
    graph = build(one_node("Square"))
    with pytest.raises(GraphflowError, match="no stream 'z'; its outputs are: b"):
        graph.observe("z", print)
    graph.start()
    with pytest.raises(GraphflowError, match="no input 'b'; its inputs are: a"):
        graph.add_packet("b", 1, 0)
    graph.close_all_inputs()
    graph.wait_until_done()


def test_stop_ends_the_sources_and_what_depends_on_them() -> None:
    graph = build("""
graph: Stopping
outputs: [b]
nodes:
  count: {calculator: "@Count", outputs: [a], options: {limit: 1000000}}
  stop: {calculator: "@StopAt", inputs: [a], outputs: [b], options: {at: 3}}
""")
    seen = record(graph, "b")
    graph.start()
    graph.wait_until_done()
    assert seen[:3] == [(0, 0), (10, 1), (20, 2)]


def test_cancel_ends_a_run() -> None:
    graph = build("""
graph: Endless
outputs: [a]
nodes:
  count: {calculator: "@Count", outputs: [a], options: {limit: 1000000000}}
""")
    started = threading.Event()
    graph.observe("a", lambda packet: started.set())
    graph.start()
    assert started.wait(10)
    graph.cancel()
    with pytest.raises(GraphCancelled):
        graph.wait_until_done()


def test_a_full_input_is_refused_or_waits() -> None:
    """The join waits for `b`; `a` fills its queue, which grows because nothing else could ever help."""
    text = """
graph: Join
inputs: [a, b]
outputs: [c, d]
nodes:
  join: {calculator: PassThrough, inputs: [a, b], outputs: [c, d]}
max_queue_size: 1
"""
    graph = build(text)
    seen = record(graph, "c")
    graph.start()
    for timestamp in range(5):
        graph.add_packet("a", timestamp, timestamp)
    graph.add_packet("b", 0, 4)
    graph.close_all_inputs()
    graph.wait_until_done()
    assert seen == [(n, n) for n in range(5)]

    strict = build(text + "report_deadlock: true\n")
    strict.start()
    with pytest.raises(CalculatorError, match="queue of stream 'a' in front of 'join' is full") as caught:
        for timestamp in range(5):
            strict.add_packet("a", timestamp, timestamp)
            strict.wait_until_idle()
    assert caught.value.code == "UNAVAILABLE"


def test_pruning_leaves_out_what_nobody_reads() -> None:
    text = """
graph: Two
inputs: [a]
outputs: [b, c]
nodes:
  wanted: {calculator: "@Square", inputs: [a], outputs: [b]}
  unwanted: {calculator: "@FailAt", inputs: [a], outputs: [c], options: {at: 0}}
"""
    graph = build(text, prune=True)
    seen = record(graph, "b")
    feed(graph, "a", [(0, 0)])
    assert seen == [(0, 0)]
    assert list(graph.statistics()) == ["wanted"]


def test_a_sink_is_never_pruned() -> None:
    from graphflow import registry

    Collect: Any = registry.find(f"{NODES}:Collect")
    Collect.seen.clear()
    graph = build(
        """
graph: Sink
inputs: [a]
nodes:
  square: {calculator: "@Square", inputs: [a], outputs: [b]}
  collect: {calculator: "@Collect", inputs: [b]}
""",
        prune=True,
    )
    feed(graph, "a", [(0, 3)])
    assert Collect.seen == [(0, 9)]


def test_a_long_chain_does_not_exhaust_the_stack() -> None:
    nodes = "\n".join(
        f"  n{index}: {{calculator: PassThrough, inputs: [s{index}], outputs: [s{index + 1}]}}" for index in range(1500)
    )
    graph = build(f"graph: Long\ninputs: [s0]\noutputs: [s1500]\nnodes:\n{nodes}\n")
    seen = record(graph, "s1500", bounds=True)
    graph.start()
    graph.add_packet("s0", 1, 0)
    graph.set_bound("s0", 100)
    graph.wait_until_idle()
    graph.close_all_inputs()
    graph.wait_until_done()
    assert seen == [(0, 1), (99, None)]
