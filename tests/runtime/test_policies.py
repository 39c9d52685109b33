"""Input policies in simulated time: exactly when a node runs and with what.

What is expected follows from MediaPipe's stream handlers and what their own tests state.
"""

from __future__ import annotations

import itertools
import random
import threading
from pathlib import Path
from typing import Any

import pytest

import graphflow
from graphflow import registry
from graphflow import timestamp as ts

from .recording import CLOSE, Case, Run, diagram, new_log, perform, play

NODES = Path(__file__).with_name("recording.py")
DOCS = Path(__file__).parents[2] / "docs" / "input_policies.md"

DOCUMENTED = [
    Case(
        "default",
        "default",
        "ab",
        [
            ("a 10", []),
            ("b 10", [(10, (10, 10))]),
            ("a 20", []),
            ("b >=25", [(20, (20, None))]),
            ("b 30", []),
            ("a end", [(30, (None, 30))]),
        ],
    ),
    Case(
        "default, batches",
        "{name: default, batch_size: 3}",
        "a",
        [
            ("a 1", []),
            ("a 2", []),
            ("a 3", [(1, (1,)), (2, (2,)), (3, (3,))]),
            ("a 4", []),
        ],
        at_end=[(4, (4,)), CLOSE],
    ),
    Case(
        "immediate",
        "immediate",
        "ab",
        [
            ("a 10", [(10, (10, None))]),
            ("b 5", [(5, (None, 5))]),
            ("b 10", [(10, (None, 10))]),
            ("a end", [(11, (None, None))]),
            ("b 20", [(20, (None, 20))]),
        ],
    ),
    Case(
        "sync_sets",
        '{name: sync_sets, sync_set: [{tag_index: [":0", ":1"]}]}',
        "abc",
        [
            ("a 10", []),
            ("c 7", [(7, (None, None, 7))]),
            ("b 10", [(10, (10, 10, None))]),
            ("a 20", []),
            ("c 30", [(30, (None, None, 30))]),
            ("b >=25", [(20, (20, None, None))]),
            ("c end", []),
            ("b 40", []),
        ],
        at_end=[(40, (None, 40, None)), CLOSE],
    ),
    Case(
        "fixed_size",
        "fixed_size",
        "ab",
        [
            ("a 1", []),
            ("a 2", []),
            ("a 3", []),
            ("b 1", []),
            ("b 2", []),
            ("b 3", [(3, (3, 3))]),
        ],
    ),
    Case(
        "fixed_size, busy node",
        "{name: fixed_size, trigger_queue_size: 4, target_queue_size: 2}",
        "a",
        [
            ("a 1 hold", [(1, (1,))]),
            ("a 2", []),
            ("a 3", []),
            ("a 4", []),
            ("a 5", []),
            ("a 6", []),
            ("release", [(4, (4,)), (5, (5,)), (6, (6,))]),
        ],
    ),
    Case(
        "fixed_size, fixed_min_size",
        "{name: fixed_size, fixed_min_size: true}",
        "ab",
        [
            ("a 1", []),
            ("b 1 hold", [(1, (1, 1))]),
            ("a 2", []),
            ("a 3", []),
            ("a 4", []),
            ("b 3", []),
            ("b 4", []),
            ("release", [(4, (4, 4))]),
        ],
    ),
    Case(
        "barrier",
        "barrier",
        "ab",
        [
            ("a 10", []),
            ("a 30", []),
            ("a 20", []),
            ("b 0", [(0, (10, 0))]),
            ("b 50", [(30, (30, 50))]),
            ("b end", [CLOSE]),
            ("a 60", []),
        ],
        at_end=[],
    ),
    Case(
        "early_close",
        "early_close",
        "ab",
        [
            ("a 10", []),
            ("b 10", [(10, (10, 10))]),
            ("a 20", []),
            ("a end", []),
            ("b 20", [(20, (20, 20)), CLOSE]),
            ("b 30", []),
        ],
        at_end=[],
    ),
    Case(
        "mux",
        "mux",
        "abs",
        [
            ("s 1=0", []),
            ("a 2", [(1, (None, None, 0))]),
            ("b 1", []),
            ("b 4", []),
            ("s 2=0", [(2, (2, None, 0))]),
            ("s 3=1", [(3, (None, None, 1))]),
            ("s 4=1", [(4, (None, 4, 1))]),
            ("s end", [CLOSE]),
        ],
        at_end=[],
    ),
    Case(
        "timestamp_align",
        '{name: timestamp_align, timestamp_base_tag_index: ":0"}',
        "ab",
        [
            ("a 101", [(101, (101, None))]),
            ("b 1", []),
            ("a 103", [(103, (103, 1))]),
            ("a 104", []),
            ("b 4", [(104, (104, None))]),
            ("a 106", [(106, (106, 4))]),
        ],
    ),
]
"""One case for each policy and mode, drawn in the manual."""

FURTHER = [
    Case(
        "default: a late input lets all go that waited for it",
        "default",
        "ab",
        [("a 1", []), ("a 2", []), ("a 3", []), ("b 3", [(1, (1, None)), (2, (2, None)), (3, (3, 3))])],
    ),
    Case(
        "default: a packet before the stream",
        "default",
        "ab",
        [
            ("a PRESTREAM=7", []),
            ("b 10", [(ts.PRESTREAM, (7, None)), (10, (None, 10))]),
            ("b 20", [(20, (None, 20))]),
        ],
    ),
    Case(
        "default: a packet at PRESTREAM is the only one of its stream, and nothing follows",
        "default",
        "a",
        [("a PRESTREAM=7", [(ts.PRESTREAM, (7,)), CLOSE]), ("a 20", [])],
        at_end=[],
    ),
    Case(
        "default: a packet after the stream",
        "default",
        "ab",
        [("a POSTSTREAM=7", []), ("b 10", [(10, (None, 10))])],
        at_end=[(ts.POSTSTREAM, (7, None)), CLOSE],
    ),
    Case(
        "default: bounds settle nothing beyond a waiting input",
        "default",
        "ab",
        [("a >=50", []), ("b 40", [(40, (None, 40))]), ("b 50", []), ("a 60", [(50, (None, 50))])],
        at_end=[(60, (60, None)), CLOSE],
    ),
    Case(
        "default: runs at bounds too",
        "default",
        "ab",
        [
            ("a 10", []),
            ("b >=5", [(4, (None, None))]),
            ("b 10", [(10, (10, 10))]),
            ("b >=20", []),
            ("a >=20", [(19, (None, None))]),
            ("a end", []),
            ("b 30", [(30, (None, 30))]),
        ],
        bounds=True,
    ),
    Case(
        "default: input sets that waited for a busy node stay apart",
        "default",
        "a",
        [("a 1 hold", [(1, (1,))]), ("a 2", []), ("a 3", []), ("release", [(2, (2,)), (3, (3,))])],
    ),
    Case(
        "default, batches: an empty rest is no batch",
        "{name: default, batch_size: 2}",
        "ab",
        [("a 1", []), ("b 1", []), ("a 2", []), ("b >=3", [(1, (1, 1)), (2, (2, None))])],
    ),
    Case(
        "immediate: packets of one timestamp that waited for a busy node go together",
        "immediate",
        "ab",
        [
            ("a 1 hold", [(1, (1, None))]),
            ("a 2", []),
            ("b 2", []),
            ("b 3", []),
            ("release", [(2, (2, 2)), (3, (None, 3))]),
        ],
        at_end=[(4, (None, None)), CLOSE],  # the end of the first input that ends is an event too
    ),
    Case(
        "immediate: runs at bounds too, and once at the end of each input",
        "immediate",
        "ab",
        [
            ("b 1", [(1, (None, 1))]),
            ("b end", [(ts.MAX, (None, None))]),
            ("a >=20", [(19, (None, None))]),
            ("a end", [(ts.MAX, (None, None)), CLOSE]),
        ],
        at_end=[],
        bounds=True,
    ),
    Case(
        "immediate: done at the last timestamp there is",
        "immediate",
        "ab",
        [("a 10", [(10, (10, None))]), ("a >=ONE_OVER_POSTSTREAM", [(ts.PRESTREAM, (None, None))])],
    ),
    Case(
        "sync_sets: inputs that no set names form one of their own",
        '{name: sync_sets, sync_set: [{tag_index: ":2"}]}',
        "abc",
        [
            ("a 1", []),
            ("c 5", [(5, (None, None, 5))]),
            ("b 2", [(1, (1, None, None))]),
            ("a 2", [(2, (2, 2, None))]),
        ],
    ),
    Case(
        "sync_sets: the earliest set goes first",
        '{name: sync_sets, sync_set: [{tag_index: [":0"]}, {tag_index: [":1"]}]}',
        "ab",
        [("a 9 hold", [(9, (9, None))]), ("a 20", []), ("b 10", []), ("release", [(10, (None, 10)), (20, (20, None))])],
    ),
    Case(
        "fixed_size: an input without packets does not stop the others from being cut",
        "{name: fixed_size, trigger_queue_size: 5, target_queue_size: 2}",
        "ab",
        [(f"a {at}", []) for at in range(1, 10)] + [("b 9", [(7, (7, None)), (8, (8, None)), (9, (9, 9))])],
    ),
    Case(
        "fixed_size: late arrivals before the cut are dropped",
        "{name: fixed_size, trigger_queue_size: 4, target_queue_size: 3}",
        "abc",
        [
            *((f"a {at}", []) for at in range(1, 7)),
            *((f"b {at}", []) for at in range(3, 8)),
            ("c 4", []),
            ("c 5", [(5, (5, 5, 5))]),
            ("c 6", [(6, (6, 6, 6))]),
            ("c 7", []),
        ],
        at_end=[(7, (None, 7, 7)), CLOSE],
    ),
    Case(
        "fixed_size, fixed_min_size: nothing is dropped while one queue is short",
        "{name: fixed_size, trigger_queue_size: 4, target_queue_size: 3, fixed_min_size: true}",
        "abc",
        [
            *((f"a {at}", []) for at in range(1, 7)),
            *((f"b {at}", []) for at in range(3, 8)),
            ("c 4", [(1, (1, None, None)), (2, (2, None, None)), (3, (3, 3, None)), (4, (4, 4, 4))]),
            ("c 5", [(5, (5, 5, 5))]),
            ("c 6", [(6, (6, 6, 6))]),
            ("c 7", []),
        ],
        at_end=[(7, (None, 7, 7)), CLOSE],
    ),
    Case(
        "fixed_size: the queue never fills up, so nobody is throttled",
        "fixed_size",
        "a",
        [("a 1 hold", [(1, (1,))]), *((f"a {at}", []) for at in range(2, 20)), ("release", [(19, (19,))])],
        graph_options="max_queue_size: 2",
    ),
    Case(
        "fixed_size: a slow node sees every tenth packet",
        "fixed_size",
        "a",
        [
            ("a 0 hold", [(0, (0,))]),
            *((f"a {at}", []) for at in range(1, 10)),
            ("release", [(9, (9,))]),
        ],
    ),
    Case(
        "barrier: the timestamp is the earliest of the packets'",
        "barrier",
        "abc",
        [("c 5", []), ("a 10", []), ("b 1", [(1, (10, 1, 5))]), ("a end", [CLOSE])],
        at_end=[],
    ),
    Case(
        "barrier: what is complete runs before the node closes",
        "barrier",
        "ab",
        [("a 1", []), ("a end", []), ("b 7", [(1, (1, 7)), CLOSE])],
        at_end=[],
    ),
    Case(
        "early_close: closes with packets of the others still waiting",
        "early_close",
        "ab",
        [("a 10", []), ("a 20", []), ("b end", [CLOSE])],
        at_end=[],
    ),
    Case(
        "mux: a bound of the selected input is enough",
        "mux",
        "abs",
        [("s 10=0", []), ("a >=10", []), ("b 10", []), ("a >=11", [(10, (None, None, 0))])],
    ),
    Case(
        "mux: the end of the selected input is enough",
        "mux",
        "abs",
        [("s 10=0", []), ("s 20=1", []), ("a end", [(10, (None, None, 0))]), ("b 20", [(20, (None, 20, 1))])],
    ),
    Case(
        "mux: packets of inputs that are not selected do not pile up",
        "mux",
        "abs",
        [("s 2=0", []), ("a 2", [(2, (2, None, 0))]), ("b 1", []), ("b 2", [])],
        graph_options="max_queue_size: 2\nreport_deadlock: true",
    ),
    Case(
        "timestamp_align: the base alone until all are there, then as the default policy",
        '{name: timestamp_align, timestamp_base_tag_index: ":1"}',
        "vc",
        [
            ("c 101", [(101, (None, 101))]),
            ("c 102", [(102, (None, 102))]),
            ("v 1", []),
            ("c 103", [(103, (1, 103))]),
            ("c 104", []),
            ("v 4", [(104, (None, 104))]),
        ],
        at_end=[(106, (4, None)), CLOSE],
    ),
    Case(
        "timestamp_align: others wait for the base",
        '{name: timestamp_align, timestamp_base_tag_index: ":0"}',
        "cv",
        [
            ("v 0", []),
            ("c 1000", [(1000, (1000, 0))]),
            ("v 5", []),
            ("v 10", []),
            ("c 1010", [(1005, (None, 5)), (1010, (1010, 10))]),
        ],
    ),
    Case(
        "timestamp_align: an input that ends without a packet leaves the base alone",
        '{name: timestamp_align, timestamp_base_tag_index: ":0"}',
        "cv",
        [("v end", []), ("c 1", [(1, (1, None))]), ("c 2", [(2, (2, None))]), ("c end", [CLOSE])],
        at_end=[],
    ),
]


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("case", [*DOCUMENTED, *FURTHER], ids=lambda case: case.name)
def test_a_node_runs_exactly_when_its_policy_says(case: Case, threads: int) -> None:
    assert play(case, threads) == (case.steps, case.at_end)


@pytest.mark.parametrize("case", DOCUMENTED, ids=lambda case: case.name)
def test_the_manual_draws_what_happens(case: Case) -> None:
    manual = DOCS.read_text("utf-8")
    assert diagram(case) in manual, f"docs/input_policies.md should have\n{diagram(case)}"


# Streams a, c, e; b, d; f; g; h; and for each what arrives and what that makes the node run, whatever happens on the
# streams of the other sets meanwhile.
INDEPENDENT: list[list[tuple[str, list[str]]]] = [
    [
        ("a 0", []), ("c 0", []), ("a 10", []), ("e 0", ["0ace"]), ("c 10", []), ("e 10", ["10ace"]), ("e 20", []),
        ("a 20", []), ("c 20", ["20ace"]), ("c 30", []), ("a 30", []), ("a 40", []), ("a 50", []), ("c 40", []),
        ("a end", []), ("e 40", ["30ac", "40ace"]), ("c 50", []), ("e 50", ["50ace"]), ("c 60", []), ("c 70", []),
        ("c end", []), ("e end", ["60c", "70c"]),
    ],
    [
        ("b -300", []), ("b -200", []), ("b -100", []), ("d -200", ["-300b", "-200bd"]), ("d -20", ["-100b"]),
        ("d -10", []), ("b 0", ["-20d", "-10d"]), ("d 0", ["0bd"]), ("d 10", []), ("b 10", ["10bd"]), ("b 20", []),
        ("d 200", ["20b"]), ("b 100", ["100b"]), ("b 200", ["200bd"]), ("b 250", []), ("b 300", []),
        ("d end", ["250b", "300b"]), ("b end", []),
    ],
    [*((f"f {at}", [f"{at}f"]) for at in range(-350, 350, 35)), ("f end", [])],
    [("g PRESTREAM=0", ["PRESTREAMg"]), ("g end", [])],
    [("h POSTSTREAM=0", ["POSTSTREAMh"]), ("h end", [])],
]  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_sync_sets_do_not_wait_for_one_another(seed: int) -> None:
    chance = random.Random(seed)
    groups = [[":0", ":2", ":4"], [":1", ":3"], [":5"], [":6"], [":7"]]
    chance.shuffle(groups)
    unnamed = chance.random() < 0.5  # the inputs of the last group are in no set, which makes them one
    order = [index for index, commands in enumerate(INDEPENDENT) for _ in commands]
    chance.shuffle(order)
    pending = [iter(commands) for commands in INDEPENDENT]
    steps = [next(pending[index]) for index in order]
    sets = [{"tag_index": group} for group in (groups[:-1] if unnamed else groups)]
    case = Case("", f"{{name: sync_sets, sync_set: {sets}}}", "abcdefgh", [(step, []) for step, _ in steps])
    played, at_end = play(case)
    found = [(step, [_named(run) for run in runs if run != CLOSE]) for step, runs in played]
    assert found == steps
    assert at_end == []
    assert [runs.count(CLOSE) for _, runs in played if CLOSE in runs] == [1]


def _named(run: Run) -> str:
    timestamp, values = run
    present = "".join(name for name, value in zip("abcdefgh", values, strict=True) if value is not None)
    return ts.describe(timestamp) + present


@pytest.mark.parametrize("again", ["start", "reset"])
@pytest.mark.parametrize("case", DOCUMENTED, ids=lambda case: case.name)
def test_nothing_of_a_policy_outlives_a_run_or_a_reset(case: Case, again: str) -> None:
    graph = graphflow.load(case.yaml())
    log = new_log(graph)
    steps = [step.removesuffix(" hold").split() for step, _ in case.steps if step != "release"]
    if again == "reset":  # of a node that is still open
        steps = steps[: next((n for n, (_, runs) in enumerate(case.steps) if CLOSE in runs), len(steps))]
    seen = []
    graph.start({"log": log})
    for attempt in range(2):
        for stream, what in steps:
            perform(graph, stream, what)
            graph.wait_until_idle()
        seen.append(log.take())
        if again == "reset":
            graph.reset()
        else:
            graph.close_all_inputs()
            graph.wait_until_done()
            log.take()
            if attempt == 0:
                graph.start({"log": log})
    graph.close_all_inputs()
    graph.wait_until_done()
    assert seen[0]
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("{name: default, batch_size: 0}", "must be a whole number from 1, not 0"),
        ('{name: sync_sets, sync_set: [{tag_index: [":0", ":0"]}]}', "an input is in one sync_set only"),
        (
            '{name: sync_sets, sync_set: [{tag_index: [":7"]}]}',
            "names input ':7', which the node",
        ),
        (
            '{name: timestamp_align, timestamp_base_tag_index: "VIDEO"}',
            "names input 'VIDEO', which the node",
        ),
    ],
)
def test_options_that_do_not_fit_the_node_are_refused(policy: str, says: str) -> None:
    case = Case("", policy, "ab", [])
    with pytest.raises((ValueError, graphflow.GraphflowError), match=says):
        play(case)


@pytest.mark.parametrize("value", [2, -1])
def test_mux_refuses_to_select_what_is_not_there(value: int) -> None:
    case = Case("", "mux", "abs", [(f"s 1={value}", [])])
    with pytest.raises(graphflow.CalculatorError, match=f"SELECT is {value}, but there are 2 inputs"):
        play(case)


@pytest.mark.parametrize(
    ("policy", "arrivals", "expected"),
    [
        ("default", ["a >=20"], [(19, None)]),
        ("default", ["a 10", "a 20"], [(10, 10), (20, 20)]),
        # a batch in progress holds time back at its first timestamp, so that what follows can still be emitted there
        ("{name: default, batch_size: 3}", ["a 10", "a 20"], [(9, None)]),
        ("{name: default, batch_size: 2}", ["a 10", "a 20", "a >=40"], [(9, None), (10, 10), (20, 20), (39, None)]),
        ("immediate", ["a >=20"], [(19, None)]),
        ("fixed_size", ["a 10", "a >=20"], [(10, 10), (19, None)]),
        ("early_close", ["a >=20", "a 30"], [(19, None), (30, 30)]),
    ],
)
def test_time_passes_through_a_node_that_does_not_run(
    policy: str, arrivals: list[str], expected: list[tuple[int, Any]]
) -> None:
    graph = graphflow.load(f"""
graph: Bounds
inputs: [a]
outputs: [b]
nodes:
  node: {{calculator: PassThrough, inputs: [a], outputs: [b], input_policy: {policy}}}
""")
    seen: list[tuple[int, Any]] = []
    graph.observe("b", lambda packet: seen.append((packet.timestamp, packet.value)), bounds=True)
    graph.start()
    for arrival in arrivals:
        perform(graph, *arrival.split())
        graph.wait_until_idle()
    settled = seen[:]
    graph.close_all_inputs()
    graph.wait_until_done()
    assert settled == expected


@pytest.mark.parametrize("finish", list(itertools.permutations(range(3))), ids=str)
def test_outputs_of_calls_in_flight_keep_the_order_of_their_inputs(finish: tuple[int, ...]) -> None:
    exam: Any = registry.find(f"{NODES}:Exam")
    exam.let_go[:] = [threading.Event() for _ in finish]
    exam.gone[:] = [threading.Event() for _ in finish]
    graph = graphflow.load(
        f"""
graph: InOrder
inputs: [a]
outputs: [b]
nodes:
  exam: {{calculator: "{NODES}:Exam", inputs: [a], outputs: [b], max_in_flight: 3}}
""",
        num_threads=3,
    )
    seen: list[tuple[int, Any]] = []
    graph.observe("b", lambda packet: seen.append((packet.timestamp, packet.value)), bounds=True)
    graph.start()
    for number in range(3):
        graph.add_packet("a", number, number * 10)
    for number in finish:
        if number == 0:
            assert seen == []  # nothing overtakes the first call
        exam.let_go[number].set()
        assert exam.gone[number].wait(timeout=10)
    graph.close_all_inputs()
    graph.wait_until_done()
    assert seen == [(0, 0), (10, None), (20, 2)]
