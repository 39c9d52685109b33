"""SequenceShift and PacketSequencer: packets that get the timestamps of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from graphflow import GraphConfigError, registry
from graphflow import timestamp as ts
from graphflow.testing import run_calculator

Run = Callable[..., dict[str, list[tuple[int, Any]]]]

PACKETS = [(1, "a"), (3, "b"), (6, "c"), (10, "d")]


@pytest.mark.parametrize(
    ("options", "side", "expected"),
    [
        ({}, {}, [(1, "b"), (3, "c"), (6, "d")]),
        ({"packet_offset": -2}, {}, [(1, "c"), (3, "d")]),
        ({"packet_offset": 0}, {}, PACKETS),
        ({"packet_offset": 1}, {}, [(3, "a"), (6, "b"), (10, "c")]),
        ({"packet_offset": 3}, {}, [(10, "a")]),
        ({"packet_offset": 4}, {}, []),
        ({"packet_offset": 3}, {"PACKET_OFFSET": -3}, [(1, "d")]),
    ],
)
def test_sequence_shift(options: dict[str, Any], side: dict[str, Any], expected: list[Any]) -> None:
    shift = registry.find("SequenceShiftCalculator")
    assert run_calculator(shift, {"": PACKETS}, options, side)[""] == expected


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        pytest.param(0, [(1, "a"), (4, None), (5, "b")], id="time passes on its own"),
        pytest.param(1, [(5, "a")], id="time comes with packets only"),
        pytest.param(-1, [(1, "b")], id="time comes with packets only"),
    ],
)
def test_sequence_shift_and_time(run: Run, offset: int, expected: list[Any]) -> None:
    nodes = """
  shift:
    calculator: SequenceShift
    inputs: [in]
    side_inputs: {PACKET_OFFSET: offset}
    outputs: [out]
    options: {packet_offset: 7}
"""
    seen = run(nodes, [("in", 1, "a"), ("in", 5), ("in", 5, "b")], side={"offset": offset}, bounds=True)
    assert seen["out"] == expected


def test_sequence_shift_refuses_what_mediapipe_dies_of(run: Run) -> None:
    options = "{packet_offset: 1, emit_empty_packets_before_first_packet: true}"
    nodes = f"  shift: {{calculator: SequenceShift, inputs: [in], outputs: [out], options: {options}}}\n"
    with pytest.raises(GraphConfigError, match="does not work with a positive"):
        run(nodes, [("in", 1, "a")])


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(
            [("in", 1, "a"), ("in", 2, "b"), ("tick", 10, 0)],
            [(ts.MIN, "a"), (ts.MIN + 1, "b"), (10, None)],
            id="before any tick",
        ),
        pytest.param(
            [("tick", 10, 0), ("in", 99, "a"), ("in", 100, "b")], [(10, None), (11, "a"), (12, "b")], id="after"
        ),
        pytest.param(
            [("tick", 10, 0), ("in", 5, "a"), ("tick", 20, 0)], [(10, None), (11, "a"), (20, None)], id="between"
        ),
    ],
)
def test_packet_sequencer(run: Run, script: list[Any], expected: list[Any]) -> None:
    nodes = "  sequence: {calculator: PacketSequencer, inputs: {INPUT: in, TICK: tick}, outputs: {OUTPUT: out}}\n"
    assert run(nodes, script, bounds=True)["out"] == expected
