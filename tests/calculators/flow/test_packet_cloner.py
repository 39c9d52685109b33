"""PacketCloner: what goes out, and how far time is settled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from graphflow import GraphConfigError

Run = Callable[..., dict[str, list[tuple[int, Any]]]]

ALL, ALL_WITH_TIME = "output_only_when_all_inputs_received", "output_packets_only_when_all_inputs_received"


def cloner(option: str = "", tagged: bool = True) -> str:
    inputs = "{'': [a, b], TICK: tick}" if tagged else "[a, b, tick]"
    options = f", options: {{{option}: true}}" if option else ""
    return f"  clone: {{calculator: PacketCloner, inputs: {inputs}, outputs: [out, out_b]{options}}}\n"


ONE_LATE = [("a", 1, "a1"), ("b", 2), ("tick", 1, 0), ("a", 5), ("b", 3, "b3"), ("tick", 4, 0), ("b", 5), ("tick", 7)]

# at 3 both inputs have had a packet, the tick is settled there, and is known to be at 6 when the run ends
AFTER = [(3, None), (4, "a1"), (6, None)]
AFTER_B = [(3, None), (4, "b3"), (6, None)]


@pytest.mark.parametrize("tagged", [True, False])
@pytest.mark.parametrize(
    ("option", "out", "out_b"),
    [
        pytest.param("", [(1, "a1"), *AFTER], [(1, None), *AFTER_B], id="whatever there is"),
        pytest.param(ALL, AFTER, AFTER_B, id="all, and time waits for them"),
        pytest.param(ALL_WITH_TIME, [(1, None), *AFTER], [(1, None), *AFTER_B], id="all, while time passes"),
    ],
)
def test_before_all_inputs_had_a_packet(run: Run, tagged: bool, option: str, out: list[Any], out_b: list[Any]) -> None:
    seen = run(cloner(option, tagged), ONE_LATE, outputs=["out", "out_b"], bounds=True)
    assert seen == {"out": out, "out_b": out_b}


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param([("a", 1, 1), ("b", 9), ("tick", 1, 0)], [(1, 1)], id="same timestamp"),
        pytest.param([("a", 1, 1), ("b", 9), ("tick", 5, 0)], [(5, 1)], id="waits for the end of the input"),
        pytest.param([("a", 1, 1), ("b", 9), ("tick", 5, 0), ("a", 6, 2)], [(5, 1)], id="a later packet settles it"),
        pytest.param(
            [("a", 1, 1), ("b", 9), ("a", 9), ("tick", 3, 0), ("tick", 4, 0)], [(3, 1), (4, 1)], id="again and again"
        ),
        pytest.param(
            [("a", 1, 1), ("a", 3, 3), ("a", 9), ("b", 9), ("tick", 4, 0)],
            [(3, None), (4, 3)],
            id="the latest of several",
        ),
        pytest.param([("a", 2, 1), ("a", 9), ("b", 9), ("tick", 6)], [(5, None)], id="time of the tick"),
    ],
)
def test_the_pace_of_the_tick(run: Run, script: list[Any], expected: list[Any]) -> None:
    seen = run(cloner(), script, outputs=["out"], bounds=True)
    assert seen["out"] == expected


def test_outputs_must_match(run: Run) -> None:
    with pytest.raises(GraphConfigError, match="2 inputs to repeat need as many outputs, not 1"):
        run(cloner().replace("[out, out_b]", "[out]"), [("a", 0, 1), ("b", 0, 1), ("tick", 0, 1)])
