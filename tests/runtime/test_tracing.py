"""The trace of a run, and its latencies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import graphflow
from graphflow import Calculator, Context, GraphflowError, Input, Output
from graphflow.runtime.tracing import Latencies, TraceFile

HERE = Path(__file__)
TEXT = f"""
graph: Traced
inputs: [a]
nodes:
  x: {{calculator: PassThrough, inputs: [a], outputs: [b]}}
  y: {{calculator: PassThrough, inputs: [b], outputs: [c]}}
  even: {{calculator: "{HERE}:Even", inputs: [c], outputs: [d]}}
  end: {{calculator: "{HERE}:End", inputs: [d]}}
"""


class Even(Calculator):
    """Lets even numbers pass, and counts the others as dropped."""

    number = Input("")
    even = Output("")

    def process(self, context: Context) -> None:
        if context[self.number] % 2:
            self.dropped += 1
        else:
            context[self.even] = context[self.number]


class End(Calculator):
    """Takes numbers in."""

    number = Input("")

    def process(self, context: Context) -> None:
        pass


def run(graph: graphflow.runtime.Graph, count: int = 4) -> None:
    graph.start()
    for timestamp in range(count):
        graph.add_packet("a", timestamp, timestamp)
    graph.close_all_inputs()
    graph.wait_until_done()


def traced(path: Path, **arguments: Any) -> list[dict[str, Any]]:
    graph = graphflow.load(TEXT, num_threads=2, **arguments)
    graph.listen(TraceFile(path))
    run(graph)
    events: list[dict[str, Any]] = json.loads(path.read_text())
    return events


@pytest.mark.parametrize("fuse", [True, False])
def test_every_call_has_its_place(tmp_path: Path, fuse: bool) -> None:
    events = traced(tmp_path / "t.json", fuse=fuse)
    calls = [event for event in events if event["ph"] == "X"]
    told = [(event["name"], event["args"]["timestamp"]) for event in calls]
    for name, timestamps in {"x": "0123", "y": "0123", "even": "0123", "end": "02"}.items():
        assert [t for found, t in told if found == name] == list(timestamps), name
    assert ("step of 2", "0") in told if fuse else ("step of 2", "0") not in told
    assert {event["cat"] for event in calls if event["name"] == "even"} == {"Even"}
    assert all(event["dur"] >= 0 and event["ts"] > 0 for event in calls)
    rows = {event["tid"] for event in events if event["ph"] == "M" and event["name"] == "thread_name"}
    assert {event["tid"] for event in calls} <= rows


def test_members_lie_within_their_step(tmp_path: Path) -> None:
    events = [event for event in traced(tmp_path / "t.json") if event["ph"] == "X"]
    for step in (event for event in events if event["name"] == "step of 2"):
        inside = [e for e in events if e["name"] in "xy" and e["args"] == step["args"]]
        assert len(inside) == 2
        for member in inside:
            assert step["ts"] <= member["ts"]
            assert member["ts"] + member["dur"] <= step["ts"] + step["dur"]


def test_arrows_lead_from_a_packet_to_its_reader(tmp_path: Path) -> None:
    events = traced(tmp_path / "t.json", fuse=False)
    begun = {event["id"]: event for event in events if event["ph"] == "s"}
    ends = [event for event in events if event["ph"] == "t"]
    assert len(begun) == 4 + 4 + 2
    assert len(ends) == 4 + 4 + 2
    assert all(begun[event["id"]]["ts"] <= event["ts"] for event in ends)


def test_drops_are_counted(tmp_path: Path) -> None:
    events = traced(tmp_path / "t.json")
    drops = [event["args"]["drops"] for event in events if event["ph"] == "C" and event["name"] == "dropped: even"]
    assert drops == [1, 2]


def test_a_trace_of_a_run_that_was_cut_short_can_be_read(tmp_path: Path) -> None:
    graph = graphflow.load(TEXT)
    graph.listen(TraceFile(tmp_path / "t.json"))
    graph.start()
    graph.add_packet("a", "no number", 0)
    with pytest.raises(graphflow.CalculatorError):
        graph.wait_until_done()
    assert any(event["name"] == "even" for event in json.loads((tmp_path / "t.json").read_text()))


def test_a_trace_needs_a_place(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        TraceFile(tmp_path / "nowhere" / "t.json")


def test_a_full_disk_ends_the_trace_and_not_the_run() -> None:
    trace = TraceFile("/dev/full")
    graph = graphflow.load(TEXT)
    graph.listen(trace)
    run(graph)
    assert trace.error is not None


def test_latencies_of_those_that_reach_the_end() -> None:
    graph = graphflow.load(TEXT)
    latencies = Latencies()
    graph.listen(latencies)
    run(graph, 10)
    assert len(latencies.seconds) == 5
    assert all(0 < seconds < 60 for seconds in latencies.seconds)


def test_listeners_come_before_the_run() -> None:
    graph = graphflow.load(TEXT)
    graph.start()
    with pytest.raises(GraphflowError, match=r"before start\(\)"):
        graph.listen(Latencies())
    graph.close_all_inputs()
    graph.wait_until_done()
