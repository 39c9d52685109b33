"""Bypass and ValueOrDefault: what stands in for what is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from graphflow import GraphConfigError, registry
from graphflow.testing import run_calculator

Run = Callable[..., dict[str, list[tuple[int, Any]]]]

BYPASS = """
  skip:
    calculator: Bypass
    inputs: {VIDEO: a, CONFIG: [b, c]}
    outputs: {RESULT: out, VIDEO: other}
    options: {pass_input_stream: INPUT, pass_output_stream: RESULT}
"""


def test_bypass(run: Run) -> None:
    script = [("a", 1, "v1"), ("b", 1, "b1"), ("c", 1, "c1"), ("a", 2, "v2"), ("b", 3), ("c", 2, "c2")]
    seen = run(BYPASS.replace("INPUT", "'CONFIG:1'"), script, ["out", "other"], bounds=True)
    assert seen["out"] == [(1, "c1"), (2, "c2")]
    assert seen["other"] == [(1, None), (2, None)]


@pytest.mark.parametrize(
    ("name", "message"),
    [("CONFIG:2", "'CONFIG:2' is not connected"), ("AUDIO", "'AUDIO' is not connected"), ("[]", "the same length")],
)
def test_bypass_of_what_is_not_there(run: Run, name: str, message: str) -> None:
    text = BYPASS.replace("INPUT", name if name == "[]" else f"'{name}'")
    with pytest.raises(GraphConfigError, match=message):
        run(text, [("a", 1, 1), ("b", 1, 1), ("c", 1, 1)])


def test_value_or_default() -> None:
    inputs = {"IN": [(1, "a"), (2, "lost"), (3, "b")], "TICK": [(1, 0), (3, 0), (4, 0)]}
    seen = run_calculator(registry.find("ValueOrDefaultCalculator"), inputs, side_inputs={"": "none"})
    assert seen == {"OUT": [(1, "a"), (3, "b"), (4, "none")], "FLAG": [(4, True)]}
