"""Mux, ImmediateMux, RoundRobinDemux, PacketInnerJoin, MakePair: how streams become one, and the other way round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from graphflow import CalculatorError, GraphConfigError, registry
from graphflow.testing import run_calculator

Run = Callable[..., dict[str, list[tuple[int, Any]]]]

MUX = "  mux: {calculator: Mux, inputs: {INPUT: [a, b], SELECT: select}, outputs: {OUTPUT: out}"


@pytest.mark.parametrize(
    ("policy", "script", "expected"),
    [
        pytest.param(
            "mux",
            [("a", 0, "a0"), ("b", 0, "b0"), ("b", 1, "b1"), ("select", 0, 0), ("select", 1, 1)],
            [(0, "a0"), (1, "b1")],
            id="the selected one",
        ),
        pytest.param(
            "mux",
            [("select", 5, 0), ("b", 5, "b"), ("a", 3, "early"), ("a", 5, "a")],
            [(5, "a")],
            id="waits for it only",
        ),
        pytest.param(
            "mux",
            [("b", 9, "b"), ("select", 5, 0), ("a", 6, "late"), ("select", 6, 0)],
            [(6, "late")],
            id="settled without a packet",
        ),
        pytest.param("default", [("select", 5, 0), ("a", 5, "a"), ("b", 5, "b")], [(5, "a")], id="default"),
        pytest.param("default", [("a", 5, "a"), ("b", 6), ("select", 6)], [], id="nothing without SELECT"),
    ],
)
def test_mux(run: Run, policy: str, script: list[Any], expected: list[Any]) -> None:
    nodes = MUX + ("" if policy == "mux" else f", input_policy: {policy}") + "}\n"
    assert run(nodes, script)["out"] == expected


def test_mux_takes_select_as_a_side_packet(run: Run) -> None:
    nodes = MUX.replace(", SELECT: select", "") + ", side_inputs: {SELECT: which}, input_policy: default}\n"
    seen = run(nodes, [("a", 0, 1), ("b", 0, 2), ("a", 1, 3), ("b", 1, 4)], side={"which": 1})
    assert seen["out"] == [(0, 2), (1, 4)]


@pytest.mark.parametrize("which", [-1, 2, "a"])
def test_mux_fails_on_a_number_without_input(run: Run, which: Any) -> None:
    with pytest.raises(CalculatorError):
        run(MUX + "}\n", [("a", 0, 1), ("b", 0, 1), ("select", 0, which)])


def test_mux_needs_one_select(run: Run) -> None:
    with pytest.raises(GraphConfigError, match="SELECT must be connected once"):
        run(MUX.replace(", SELECT: select", "") + "}\n", [("a", 0, 1), ("b", 0, 1)])


def test_round_robin_and_mux_restore_the_order(run: Run) -> None:
    nodes = """
  deal: {calculator: RoundRobinDemux, inputs: [in], outputs: {OUTPUT: [a, b, c], SELECT: select}}
  mux: {calculator: Mux, inputs: {INPUT: [a, b, c], SELECT: select}, outputs: {OUTPUT: out}}
"""
    packets = [(22 + i, i * i) for i in range(10)]
    seen = run(nodes, [("in", *packet) for packet in packets], outputs=["out", "select", "b"])
    assert seen["out"] == packets
    assert seen["select"] == [(22 + i, i % 3) for i in range(10)]
    assert seen["b"] == [packets[1], packets[4], packets[7]]


def immediate(bounds: bool = False) -> str:
    return (
        "  mux: {calculator: ImmediateMux, inputs: [a, b], outputs: [out, arrived], input_policy: immediate, "
        f"options: {{process_timestamp_bounds: {str(bounds).lower()}}}}}\n"
    )


@pytest.mark.parametrize(
    ("bounds", "script", "out", "arrived"),
    [
        pytest.param(False, [("a", 1, "x"), ("b", 2, "y")], [(1, "x"), (2, "y")], [1, 2], id="in order"),
        pytest.param(
            False,
            [("a", 10, "x"), ("b", 5, "old"), ("b", 11, "y")],
            [(10, "x"), (11, "y")],
            [10, 11, 12],
            id="older ones are dropped, and counted later",
        ),
        pytest.param(False, [("a", 100), ("b", 90, "y")], [(90, "y")], [90], id="bounds are not looked at"),
        pytest.param(True, [("a", 100), ("b", 90, "y"), ("b", 100, "z")], [(100, "z")], [100, 101], id="bounds drop"),
    ],
)
def test_immediate_mux(run: Run, bounds: bool, script: list[Any], out: list[Any], arrived: list[int]) -> None:
    seen = run(immediate(bounds), script, outputs=["out", "arrived"])
    assert seen["out"] == out
    assert seen["arrived"] == [(timestamp, True) for timestamp in arrived]


def test_immediate_mux_passes_time_on(run: Run) -> None:
    seen = run(immediate(bounds=True), [("a", 5, "x"), ("b", 11), ("a", 8), ("b", 12, "y")], bounds=True)
    assert seen["out"] == [(5, "x"), (10, None), (12, "y")]


def test_immediate_mux_prefers_the_first_of_two_at_once() -> None:
    mux = registry.find("ImmediateMuxCalculator")
    seen = run_calculator(mux, {"0": [(1, "a"), (2, "b")], "1": [(1, "c"), (3, "d")]}, outputs=["0", "1"])
    assert seen[""] == [(1, "a"), (2, "b"), (3, "d")]
    assert seen["1"] == [(1, True), (2, True), (3, True), (4, True)]


def test_immediate_mux_has_two_outputs_at_most(run: Run) -> None:
    nodes = "  mux: {calculator: ImmediateMux, inputs: [a], outputs: [out, x, y]}\n"
    with pytest.raises(GraphConfigError, match="one or two outputs"):
        run(nodes, [("a", 0, 1)])


def test_packet_inner_join(run: Run) -> None:
    nodes = "  join: {calculator: PacketInnerJoin, inputs: {A: a, B: b}, outputs: {A: out, B: out_b}}\n"
    script = [("a", 1, 1), ("b", 1, 10), ("a", 2, 2), ("b", 3, 30), ("a", 3, 3)]
    seen = run(nodes, script, outputs=["out", "out_b"], bounds=True)
    assert seen == {"out": [(1, 1), (2, None), (3, 3)], "out_b": [(1, 10), (2, None), (3, 30)]}


def test_make_pair() -> None:
    pair = registry.find("MakePair")
    seen = run_calculator(pair, {"0": [(1, "a"), (2, "b")], "1": [(2, "c"), (3, "d")]})
    assert seen[""] == [(1, ("a", None)), (2, ("b", "c")), (3, (None, "d"))]
    with pytest.raises(ValueError, match="two inputs"):
        run_calculator(pair, {"0": []})
