"""ForEach: a graph for each key, with state of its own."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import graphflow
from graphflow import Calculator, CalculatorError, Context, Input, Option, Output, SideInput, registry
from graphflow.runtime import Graph, TraceFile

HERE = Path(__file__)


class Total(Calculator):
    """Adds up what it has seen, from a start."""

    number = Input("NUMBER", int)
    more = Input("MORE", int, optional=True)
    total = Output("TOTAL", int)
    start = SideInput("START", int, optional=True)
    scale: int = Option(1, "what each number is multiplied by")
    opened = 0
    closed = 0

    def open(self, context: Context) -> None:
        type(self).opened += 1
        self._total = context[self.start] or 0

    def process(self, context: Context) -> None:
        if context[self.number] is None:
            return
        if context[self.number] < 0:
            raise ValueError("negative")
        self._total += context[self.number] * self.scale + (context[self.more] or 0)
        if context[self.number]:
            context[self.total] = self._total

    def close(self, context: Context) -> None:
        type(self).closed += 1


PERSON = """
graph: Person
params: {scale: 1}
inputs: {NUMBER: number, MORE: more}
side_inputs: {START: start}
outputs: {TOTAL: total, BEFORE: before}
nodes:
  total:
    calculator: "@Total"
    inputs: {NUMBER: number, MORE: more}
    side_inputs: {START: start}
    outputs: {TOTAL: total}
    options: {scale: $scale}
  before:
    calculator: PreviousLoopback
    inputs: {MAIN: number, LOOP: {stream: total, back_edge: true}}
    outputs: {PREV_LOOP: before}
"""
TEXT = """
graph: People
inputs: [numbers, more]
side_inputs: {START: start}
outputs: [totals, before]
nodes:
  people:
    calculator: ForEach
    inputs: {NUMBER: numbers, MORE: more}
    side_inputs: {START: start}
    outputs: {TOTAL: totals, BEFORE: before}
    options: {each: [NUMBER], grace: 1}
    nodes:
      person: {calculator: ./person.yaml, options: {scale: 10}}
"""


def counted() -> Any:
    """The class that graphs use, which is not the one of this module."""
    return registry.find(f"{HERE}:Total")


@pytest.fixture
def people(tmp_path: Path) -> Path:
    counted().opened = counted().closed = 0
    (tmp_path / "person.yaml").write_text(PERSON.replace("@", f"{HERE}:"))
    path = tmp_path / "people.yaml"
    path.write_text(TEXT)
    return path


def play(graph: Graph, items: list[dict[Any, int]], start: int = 0) -> dict[str, list[tuple[int, Any]]]:
    seen: dict[str, list[tuple[int, Any]]] = {"totals": [], "before": []}
    for stream, told in seen.items():
        graph.observe(stream, lambda packet, told=told: told.append((packet.timestamp, packet.value)))  # type: ignore[misc]
    graph.start({"start": start})
    for timestamp, found in enumerate(items):
        graph.add_packet("numbers", found, timestamp)
        graph.set_bound("more", timestamp + 1)
    graph.close_all_inputs()
    graph.wait_until_done()
    return seen


def test_each_key_has_a_state_of_its_own(people: Path) -> None:
    seen = play(graphflow.load(people), [{1: 1}, {2: 2, 1: 1}, {1: 1, 2: 2}], start=100)
    assert seen["totals"] == [(0, {1: 110}), (1, {1: 120, 2: 120}), (2, {1: 130, 2: 140})]
    assert seen["before"] == [(0, {}), (1, {1: 110}), (2, {1: 120, 2: 120})]
    assert [list(found) for _, found in seen["totals"]] == [[1], [1, 2], [1, 2]]


def test_a_key_is_kept_for_a_while_and_then_begins_anew(people: Path) -> None:
    seen = play(graphflow.load(people), [{1: 1}, {}, {1: 1}, {}, {}, {1: 1}])
    assert seen["totals"] == [(0, {1: 10}), (1, {}), (2, {1: 20}), (3, {}), (4, {}), (5, {1: 10})]
    # an instance that was kept has its loops, too
    assert seen["before"] == [(0, {}), (1, {}), (2, {1: 10}), (3, {}), (4, {}), (5, {})]
    assert (counted().opened, counted().closed) == (2, 2)


def test_what_an_instance_does_not_emit_is_not_in_the_mapping(people: Path) -> None:
    assert play(graphflow.load(people), [{1: 1, 2: 0}])["totals"] == [(0, {1: 10})]


def test_all_instances_get_what_is_for_all(people: Path) -> None:
    graph = graphflow.load(people)
    seen: list[Any] = []
    graph.observe("totals", lambda packet: seen.append(packet.value))
    graph.start({"start": 0})
    graph.add_packet("more", 5, 0)
    graph.add_packet("numbers", {"b": 1, "a": 2}, 0)
    graph.close_all_inputs()
    graph.wait_until_done()
    assert seen == [{"a": 25, "b": 15}]


@pytest.mark.parametrize("fuse", [True, False])
def test_nobody_can_tell_how_many_threads_there_are(people: Path, fuse: bool) -> None:
    draw = random.Random(7)
    items = [{key: draw.randrange(9) for key in draw.sample(range(6), draw.randrange(6))} for _ in range(200)]
    runs = [play(graphflow.load(people, num_threads=threads, fuse=fuse), items) for threads in (1, 4, 8)]
    assert runs[0] == runs[1] == runs[2]
    assert len(runs[0]["totals"]) == 200
    assert counted().opened == counted().closed


def test_time_passes_through_without_packets(people: Path, tmp_path: Path) -> None:
    graph = graphflow.load(
        """
graph: Held
inputs: [numbers, more, allow]
side_inputs: {START: start}
outputs: [numbers_seen, totals_seen]
nodes:
  hold:
    calculator: Gate
    inputs: {'': [numbers], ALLOW: allow}
    outputs: [let_through]
  people:
    calculator: People
    inputs: [let_through, more]
    side_inputs: {START: start}
    outputs: [totals]
  join: {calculator: PassThrough, inputs: [numbers, totals], outputs: [numbers_seen, totals_seen]}
""",
        graph_path=[tmp_path],
    )
    seen: list[int] = []
    graph.observe("numbers_seen", lambda packet: seen.append(packet.timestamp))
    graph.start({"start": 0})
    for timestamp in range(4):
        graph.add_packet("numbers", {1: 1}, timestamp)
        graph.add_packet("allow", timestamp == 0, timestamp)
        graph.set_bound("more", timestamp + 1)
    graph.wait_until_idle()
    assert seen == [0, 1, 2, 3]
    graph.close_all_inputs()
    graph.wait_until_done()


def test_the_past_is_not_kept(people: Path) -> None:
    graph = graphflow.load(people)
    graph.observe("totals", lambda packet: None)
    graph.start({"start": 0})
    most = 0
    for timestamp in range(500):
        graph.add_packet("numbers", {timestamp // 3: 1}, timestamp)
        graph.set_bound("more", timestamp + 1)
        if timestamp % 50 == 0:
            graph.wait_until_idle()
            most = max(most, graph.diagnose().count("total'"))
    graph.close_all_inputs()
    graph.wait_until_done()
    assert 0 < most <= 4
    assert graph.statistics()["people/person/total"].runs == 500 + 2 * counted().opened
    assert counted().opened == counted().closed == 167


def test_a_run_can_be_repeated_and_reset(people: Path) -> None:
    graph = graphflow.load(people)
    seen: list[Any] = []
    graph.observe("totals", lambda packet: seen.append(packet.value))
    for _ in range(2):
        graph.start({"start": 0})
        graph.add_packet("numbers", {1: 1}, 0)
        graph.set_bound("more", 1)
        graph.reset()
        graph.add_packet("numbers", {1: 2}, 0)
        graph.close_all_inputs()
        graph.wait_until_done()
    assert seen == [{1: 10}, {1: 20}] * 2
    assert counted().opened == counted().closed == 4


def test_a_failure_names_the_node_and_the_key(people: Path) -> None:
    with pytest.raises(
        CalculatorError, match=r"person.yaml:\d+:\d+: node 'people/person/total' .* for key 7 at timestamp 1"
    ):
        play(graphflow.load(people), [{7: 1}, {3: 1, 7: -1}])
    assert counted().opened == counted().closed


def test_the_trace_tells_keys_apart(people: Path, tmp_path: Path) -> None:
    graph = graphflow.load(people)
    graph.listen(TraceFile(tmp_path / "t.json"))
    play(graph, [{1: 1, 2: 2}])
    names = {event["name"] for event in json.loads((tmp_path / "t.json").read_text()) if event["ph"] == "X"}
    assert {"people/person/total [1]", "people/person/total [2]", "people", "people/gather"} <= names


@pytest.mark.parametrize(
    ("items", "says"),
    [
        ([1], "'numbers' must carry a mapping from key to item, not list"),
        ({1: "x"}, "'people/numbers' takes int, not str"),
        ({1: 1, "a": 1}, "not supported between instances of"),
    ],
)
def test_wrong_items_are_refused(people: Path, items: Any, says: str) -> None:
    with pytest.raises(CalculatorError, match=says) as caught:
        play(graphflow.load(people), [items])
    assert caught.value.node == "people"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("each: [NUMBER]", "each: [NUMBERS]", "'each' names the input 'NUMBERS', which is not connected"),
        ("each: [NUMBER], ", "", "ForEach needs option 'each'"),
        ("grace: 1", "grace: -1", "grace cannot be -1"),
        ("person: {calculator: ./person.yaml, options: {scale: 10}}", "", "takes one node under 'nodes', not 0"),
        ("./person.yaml", "./persona.yaml", "persona.yaml"),
        ("TOTAL: totals", "TOTALS: totals", "has no output 'TOTALS'"),
        ("scale: 10", "skale: 10", "skale"),
    ],
)
def test_mistakes_are_found_before_the_run(people: Path, old: str, new: str, says: str) -> None:
    people.write_text(TEXT.replace(old, new))
    with pytest.raises(graphflow.GraphConfigError) as caught:
        graphflow.load(people)
    assert says in str(caught.value)


def test_what_stands_inside_is_checked(people: Path) -> None:
    inside = people.with_name("person.yaml")
    inside.write_text(inside.read_text().replace("{TOTAL: total}\n    options", "{TOTL: total}\n    options"))
    with pytest.raises(graphflow.GraphConfigError, match=r"person.yaml:\d+:\d+: .*TOTL"):
        graphflow.load(people)


def test_a_source_cannot_stand_inside(people: Path) -> None:
    inside = people.with_name("person.yaml")
    inside.write_text(f"{inside.read_text()}  source: {{calculator: CountingSource, outputs: [counted]}}\n")
    with pytest.raises(graphflow.GraphConfigError, match="is a source, and a ForEach feeds what it runs"):
        graphflow.load(people)


def test_the_plan_shows_what_runs_for_each_key(people: Path) -> None:
    graph = graphflow.load(people, prune=True)
    graph.observe("totals", print)
    lines = graph.plan().describe().splitlines()
    assert lines.index("    for each key:") < next(n for n, line in enumerate(lines) if "people/person/total" in line)
