"""The rules of comparison: what counts as equal, and that they are those of the recordings."""

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conformance.comparison import compare, load_comparison, same
from conformance.runner import case_files


@pytest.mark.parametrize(
    ("one", "other", "tolerance", "agree"),
    [
        (1, 1, 1e-6, True),
        (1, 2, 0.5, False),
        (1, 2, 1.0, True),
        (10, 12, 1.5, False),
        (1.0, 1.0 + 5e-7, 1e-6, True),
        (1.0, 1.0 + 5e-6, 1e-6, False),
        (1000.0, 1000.0005, 1e-6, True),
        (True, 1, 1e-6, False),
        (True, True, 1e-6, True),
        ("12", 12, 1e-6, True),
        ("a", "b", 1e-6, False),
        ({"x": 1.0}, {"x": 1.0, "y": 0}, 1e-6, True),
        ({"x": 1.0}, {"x": 1.0, "y": 1}, 1e-6, False),
        ([1, 2], [1, 2, 3], 1e-6, False),
        ([{"x": [1.0]}], [{"x": [1.0]}], 1e-6, True),
        ({"x": {}}, {"x": {"y": 2}}, 1e-6, False),
    ],
)
def test_same(one: Any, other: Any, tolerance: float, agree: bool) -> None:
    assert same(one, other, tolerance) is agree
    assert same(other, one, tolerance) is agree


CASE: dict[str, Any] = {
    "observe": [{"stream": "o", "bounds": True}],
    "expect": {
        "outputs": {
            "o": [
                {"ts": 1, "type": "int", "value": 3, "step": 0},
                {"ts": 2, "empty": True, "step": 1},
                {"ts": 3, "type": "float", "value": 0.5, "step": 2},
            ]
        },
        "side_outputs": {"s": {"type": "int", "value": 1}},
        "error": None,
        "op_errors": [],
    },
}


def _without_bound(seen: dict[str, Any]) -> None:
    del seen["outputs"]["o"][1]


def _late(seen: dict[str, Any]) -> None:
    seen["outputs"]["o"][2]["step"] = 3


def _value(seen: dict[str, Any]) -> None:
    seen["outputs"]["o"][0]["value"] = 4


def _kind(seen: dict[str, Any]) -> None:
    seen["outputs"]["o"][0] = {"ts": 1, "type": "float", "value": 3.0, "step": 0}


def _time(seen: dict[str, Any]) -> None:
    seen["outputs"]["o"][0]["ts"] = 0


def _failure(seen: dict[str, Any]) -> None:
    seen["error"] = {"phase": "run", "code": "INTERNAL"}


def _early_failure(seen: dict[str, Any]) -> None:
    seen["error"] = {"phase": "init", "code": "OTHER"}


def _side(seen: dict[str, Any]) -> None:
    seen["side_outputs"] = {}


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (_without_bound, "o: 2 records, expected 3"),
        (_late, "o[2]@3: appeared at step 3, expected 2"),
        (_value, "o[0]@1: value 4, expected 3"),
        (_kind, "o[0]@1: type float, expected int"),
        (_time, "o[0]: ts 0, expected 1"),
        (_failure, "error expected: [], observed: {'phase': 'run', 'code': 'INTERNAL'}"),
        (_early_failure, "unexpected failure: {'phase': 'init', 'code': 'OTHER'}"),
        (_side, "side packet s: None, expected {'type': 'int', 'value': 1}"),
    ],
)
def test_a_difference_is_told(change: Callable[[dict[str, Any]], None], difference: str) -> None:
    seen = copy.deepcopy(CASE["expect"])
    assert compare(CASE, seen, bounds=True) == []
    change(seen)
    assert difference in compare(CASE, seen, bounds=True)


@pytest.mark.parametrize(
    ("wanted", "seen", "holds"),
    [
        ("init", "start", True),
        ("init", "run", False),
        ("init", None, False),
        ("start", "run", True),
        ("run", "run", True),
        ("run", None, False),
    ],
)
def test_a_failure_belongs_to_its_phase(wanted: str, seen: str | None, holds: bool) -> None:
    case = copy.deepcopy(CASE)
    case["expect"]["error"] = {"phase": wanted, "code": "OTHER"}
    observation = {**CASE["expect"], "error": {"phase": seen, "code": "INTERNAL"} if seen else None}
    assert (compare(case, observation) == []) is holds


def test_the_rules_are_those_of_the_recordings(shared: Path) -> None:
    folder = shared / "conformance" / "framework"
    theirs = load_comparison(folder)
    assert theirs is not compare
    draw = random.Random(7)
    judged = set()
    for path in case_files(folder)[::3]:
        case = json.loads(path.read_text())
        for _ in range(4):
            seen = copy.deepcopy(case["expect"])
            _disturb(seen, draw)
            verdict = bool(theirs(case, seen, bounds=True))
            assert bool(compare(case, seen, bounds=True)) is verdict, (path.stem, seen)
            judged.add(verdict)
    assert judged == {True, False}


def _disturb(seen: dict[str, Any], draw: random.Random) -> None:
    """One small change somewhere, or none."""
    records = [record for stream in seen["outputs"].values() for record in stream]
    choice = draw.randrange(7)
    if choice == 0 and records:
        draw.choice(list(seen["outputs"].values())).reverse()
    elif choice == 1 and records:
        draw.choice(records)["step"] = 99
    elif choice == 2 and records:
        draw.choice(records)["value"] = draw.choice([1, 1.0, True, "x", [], {}])
    elif choice == 3 and records:
        stream = draw.choice([stream for stream in seen["outputs"].values() if stream])
        stream.pop(draw.randrange(len(stream)))
    elif choice == 4:
        seen["error"] = draw.choice([None, {"phase": "run", "code": "INTERNAL"}, {"phase": "init", "code": "OTHER"}])
    elif choice == 5 and seen["side_outputs"]:
        seen["side_outputs"].clear()
