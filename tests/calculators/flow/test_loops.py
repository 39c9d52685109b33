"""Loops: what runs for each item, and the time inside and outside of the loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from graphflow import CalculatorError, GraphConfigError

Run = Callable[..., dict[str, list[tuple[int, Any]]]]

LOOP = """
  begin:
    calculator: BeginLoopFloatCalculator
    inputs: {ITERABLE: items, CLONE: extra}
    outputs: {ITEM: item, CLONE: clone, BATCH_END: end}
  end:
    calculator: EndLoopFloatCalculator
    inputs: {ITEM: item, BATCH_END: end}
    outputs: {ITERABLE: out}
"""


def test_items_and_clones_have_a_time_of_their_own(run: Run) -> None:
    script = [("items", 10, [1.0, 2.0]), ("extra", 10, "x"), ("items", 20, []), ("extra", 20, "y")]
    script += [("items", 30, [3.0]), ("extra", 31)]
    seen = run(LOOP, script, ["item", "clone", "end", "out"], bounds=True)
    assert seen["item"] == [(0, 1.0), (1, 2.0), (2, None), (3, 3.0)]
    assert seen["clone"] == [(0, "x"), (1, "x"), (2, None)]
    assert seen["end"] == [(1, 10), (2, 20), (3, 30)]
    assert seen["out"] == [(10, [1.0, 2.0]), (20, None), (30, [3.0])]


def test_time_that_passes_goes_through_the_loop(run: Run) -> None:
    seen = run(LOOP, [("extra", 100), ("items", 10, [1.0]), ("items", 50), ("items", 60, [2.0])], bounds=True)
    assert seen["out"] == [(10, [1.0]), (49, None), (60, [2.0])]


@pytest.mark.parametrize("value", ["abc", 1.0, ("a",)])
def test_an_alias_takes_lists_only(run: Run, value: Any) -> None:
    with pytest.raises(CalculatorError, match="input 'items'"):
        run(LOOP, [("extra", 0, 1), ("items", 10, value)])


def test_types_go_through_the_loop(run: Run) -> None:
    with pytest.raises(GraphConfigError, match=r"takes bool, but stream 'item' carries float"):
        run(LOOP.replace("EndLoopFloat", "EndLoopBoolean"), [("items", 10, [1.0]), ("extra", 1, 1)])


def test_clones_come_in_pairs(run: Run) -> None:
    with pytest.raises(GraphConfigError, match="1 inputs CLONE need as many outputs, not 0"):
        run(LOOP.replace("CLONE: clone, ", ""), [("items", 10, [1.0]), ("extra", 1, 1)])


ITEM_LOOP = """
  begin: {calculator: BeginItemLoop, inputs: {ITEM: [a, b]}, outputs: {ITEM: item, BATCH_END: end}}
  end: {calculator: EndItemLoop, inputs: {ITEM: item, BATCH_END: end}, outputs: {ITEM: [out, out_b]}}
"""


def test_single_items(run: Run) -> None:
    script = [("a", 10, 1), ("b", 10, 2), ("a", 20), ("b", 20), ("a", 30, 3), ("b", 30, 4)]
    seen = run(ITEM_LOOP, script, ["item", "out", "out_b"], bounds=True)
    assert seen["item"] == [(0, 1), (1, 2), (2, None), (3, 3), (4, 4)]
    assert seen["out"] == [(10, 1), (19, None), (30, 3)]
    assert seen["out_b"] == [(10, 2), (19, None), (30, 4)]


def test_single_items_come_together(run: Run) -> None:
    with pytest.raises(CalculatorError, match="1 of 2 inputs ITEM have no packet"):
        run(ITEM_LOOP, [("a", 10, 1), ("b", 20)])
    with pytest.raises(CalculatorError, match="2 items came out of the loop, but there are 1 outputs"):
        run(ITEM_LOOP.replace("[out, out_b]", "[out]"), [("a", 10, 1), ("b", 10, 2)])
