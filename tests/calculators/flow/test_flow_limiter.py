"""FlowLimiter: which frames pass, when, and what the auxiliary streams and ALLOW say about it.

FINISHED is fed by hand here; the recorded cases close the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import graphflow
from graphflow import CalculatorError, GraphConfigError
from graphflow.services import LIVE

Run = Callable[..., dict[str, list[tuple[int, Any]]]]


def limiter(options: str = "{}", more: str = "", aux: bool = False) -> str:
    frames, sampled = ("[in, aux]", "[out, out_aux]") if aux else ("in", "out")
    return f"""
  limit:
    calculator: FlowLimiter
    inputs: {{'': {frames}, FINISHED: done}}
    outputs: {{'': {sampled}, ALLOW: allow}}
    options: {options}
    {more}
"""


def frames(*timestamps: int) -> list[tuple[str, int, int]]:
    return [("in", timestamp, timestamp) for timestamp in timestamps]


@pytest.mark.parametrize(
    ("options", "script", "passed", "dropped"),
    [
        pytest.param("{}", [*frames(1, 2), ("done", 1, 0), *frames(3)], [1, 3], [2], id="one at a time"),
        pytest.param("{}", [*frames(1, 2), ("done", 2), *frames(3)], [1, 3], [2], id="a bound finishes too"),
        pytest.param(
            "{}", [*frames(1, 2), ("done", 1), *frames(3)], [1], [2, 3], id="a bound before the frame does not"
        ),
        pytest.param(
            "{max_in_queue: 1}", [*frames(1, 2, 3), ("done", 1, 0)], [1, 3], [2], id="the latest waits, and goes"
        ),
        pytest.param(
            "{max_in_flight: 2}",
            [*frames(1, 2, 3), ("done", 2, 0), *frames(4, 5)],
            [1, 2, 4, 5],
            [3],
            id="finished at once",
        ),
        pytest.param(
            "{in_flight_timeout: 10}", frames(1, 5, 11, 12, 30), [1, 12, 30], [5, 11], id="lost ones are given up"
        ),
    ],
)
def test_what_passes(run: Run, options: str, script: list[Any], passed: list[int], dropped: list[int]) -> None:
    seen = run(limiter(options), [("done", 0), *script], ["out", "allow"])
    assert [timestamp for timestamp, _ in seen["out"]] == passed
    assert seen["allow"] == sorted([(t, True) for t in passed] + [(t, False) for t in dropped])


def test_time_stands_still_at_a_waiting_frame(run: Run) -> None:
    script = [*frames(1, 2), ("in", 9), ("done", 1, 0), ("in", 20)]
    seen = run(limiter("{max_in_queue: 1}"), script, ["out", "allow"], bounds=True)
    # frame 2 holds time back at 1 until frame 1 is done
    assert seen["out"] == [(1, 1), (2, 2), (8, None), (19, None)]
    assert seen["allow"] == [(1, True), (2, True), (8, None), (19, None)]


def test_auxiliary_streams_follow_the_frames(run: Run) -> None:
    aux = [("aux", t, t) for t in (0, 1, 2, 3, 4, 5)]
    seen = run(limiter(aux=True), [*aux, *frames(1, 3), ("done", 1, 0), *frames(5)], ["out", "out_aux"])
    assert [t for t, _ in seen["out"]] == [1, 5]
    # what is between an allowed frame and a dropped one passes, what is between a dropped and an allowed one does not
    assert [t for t, _ in seen["out_aux"]] == [0, 1, 2, 5]


@pytest.mark.parametrize(
    ("more", "side"),
    [
        ("side_inputs: {OPTIONS: given}", {"given": {"max_in_flight": 2}}),
        ("side_inputs: {MAX_IN_FLIGHT: given}", {"given": 2}),
    ],
)
def test_side_packets_go_before_options(run: Run, more: str, side: dict[str, Any]) -> None:
    seen = run(limiter("{max_in_flight: 1}", more), [*frames(1, 2, 3), ("done", 0)], side=side)
    assert [t for t, _ in seen["out"]] == [1, 2]


def test_options_from_a_stream_hold_from_then_on(run: Run) -> None:
    nodes = limiter().replace("FINISHED: done", "FINISHED: done, OPTIONS: given")
    script = [*frames(1, 2), ("given", 3, {"max_in_flight": 2}), *frames(3, 4), ("done", 0)]
    assert [t for t, _ in run(nodes, script)["out"]] == [1, 3]
    with pytest.raises(CalculatorError, match="no option 'max_flight'"):
        run(nodes, [*frames(1), ("given", 3, {"max_flight": 2}), ("done", 0)])


def test_outputs_must_match(run: Run) -> None:
    with pytest.raises(GraphConfigError, match="1 inputs need as many outputs, not 2"):
        run(limiter().replace("'': out,", "'': [out, x],"), [*frames(1), ("done", 0)])


@pytest.mark.parametrize(("live", "passed"), [(True, [1, 5]), (False, [1, 2, 3, 4, 5])])
def test_frames_of_files_all_pass(live: bool, passed: list[int]) -> None:
    graph = graphflow.load(f"graph: Test\ninputs: [done, in]\noutputs: [out, allow]\nnodes:\n{limiter()}")
    graph.set_service(LIVE, live)
    seen: dict[str, list[tuple[int, object]]] = {"out": [], "allow": []}
    for name, values in seen.items():
        graph.observe(name, lambda packet, values=values: values.append((packet.timestamp, packet.value)))
    graph.start()
    for stream, timestamp in (("in", 1), ("in", 2), ("in", 3), ("in", 4), ("done", 1), ("in", 5)):
        graph.add_packet(stream, timestamp, timestamp)
        graph.wait_until_idle()
    graph.close_all_inputs()
    graph.wait_until_done()
    assert seen["out"] == [(timestamp, timestamp) for timestamp in passed]
    assert seen["allow"] == [(timestamp, timestamp in passed) for timestamp in range(1, 6)]
