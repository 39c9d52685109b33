"""PacketThinner: which packets pass, and at what timestamps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from graphflow import CalculatorError, registry
from graphflow.testing import run_calculator

Run = Callable[..., dict[str, list[tuple[int, Any]]]]

EVEN = (2, 4, 6, 8, 10, 12, 14)
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)
EIGHTS = (8, 16, 24, 32, 40, 48, 56)


def sync(period: int, start: int = 0, stamped: bool = False) -> dict[str, Any]:
    return {"thinner_type": "SYNC", "period": period, "start_time": start, "sync_output_timestamps": stamped}


@pytest.mark.parametrize(
    ("options", "timestamps", "expected"),
    [
        ({"period": 5}, EVEN, {2: 2, 8: 8, 14: 14}),
        ({"period": 5}, PRIMES, {2: 2, 7: 7, 13: 13, 19: 19, 29: 29}),
        ({"period": 5, "start_time": 4, "end_time": 12}, PRIMES, {5: 5, 11: 11}),
        ({"period": 5, "start_time": 2, "end_time": 14}, EVEN, {2: 2, 8: 8}),
        ({}, PRIMES, {p: p for p in PRIMES}),
        (sync(5), EVEN, {2: 2, 6: 6, 10: 10, 14: 14}),
        (sync(5, stamped=True), EVEN, {0: 2, 5: 6, 10: 10, 15: 14}),
        (sync(5), PRIMES, {p: p for p in (2, 5, 11, 17, 19, 23, 29)}),
        (sync(5, start=-10, stamped=True), (2, 3), {0: 2, 5: 3}),
        (sync(6, start=-144, stamped=True), (-4, -3, 8, 9), {-6: -4, 0: -3, 6: 8, 12: 9}),
        (sync(5, stamped=True), EIGHTS, {10: 8, 15: 16, 25: 24, 30: 32, 40: 40, 50: 48, 55: 56}),
        (sync(10, stamped=True), (8, 12, 13), {10: 12}),  # the later one of a tie
        ({"thinner_type": "SYNC", "period": 10}, (-30, -4, 3), {0: 3}),  # starts at 0
    ],
)
def test_thinning(options: dict[str, Any], timestamps: tuple[int, ...], expected: dict[int, int]) -> None:
    thinner = registry.find("PacketThinnerCalculator")
    seen = run_calculator(thinner, {"": [(timestamp, timestamp) for timestamp in timestamps]}, options)
    assert seen[""] == list(expected.items())


@pytest.mark.parametrize("side", [{"PERIOD": 5}, {"OPTIONS": {"period": 5}}])
def test_side_packets_go_before_options(side: dict[str, Any]) -> None:
    thinner = registry.find("PacketThinner")
    seen = run_calculator(thinner, {"": [(t, t) for t in EVEN]}, {"period": 2}, side)
    assert seen[""] == [(2, 2), (8, 8), (14, 14)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("{period: 5}", [(2, 1), (6, None), (8, 4), (12, None)]),
        ("{period: 2, start_time: 5, end_time: 7}", [(4, None), (6, 3), (7, None)]),
        ("{thinner_type: SYNC, period: 5}", [(-1, None), (0, 1), (4, None), (5, 3), (9, None), (10, 4)]),
        (
            "{thinner_type: SYNC, period: 5, sync_output_timestamps: false}",
            [(-1, None), (1, None), (2, 1), (3, None), (6, 3), (7, None), (8, 4)],
        ),
    ],
)
def test_how_far_time_is_settled(run: Run, options: str, expected: list[Any]) -> None:
    nodes = f"  thin: {{calculator: PacketThinner, inputs: [in], outputs: [out], options: {options}}}\n"
    seen = run(nodes, [("in", 2, 1), ("in", 4, 2), ("in", 6, 3), ("in", 8, 4)], bounds=True)
    assert seen["out"] == expected


@pytest.mark.parametrize("options", ["{period: 0}", "{start_time: 5, end_time: 5}"])
def test_impossible_options(run: Run, options: str) -> None:
    nodes = f"  thin: {{calculator: PacketThinner, inputs: [in], outputs: [out], options: {options}}}\n"
    with pytest.raises(CalculatorError, match=r"must be (positive|before)"):
        run(nodes, [("in", 2, 1)])
