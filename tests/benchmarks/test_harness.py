"""Ratios, bars and the page that the figures are written into."""

import json
import math
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import BARS, PARTS, Bar, figure, standing
from benchmarks.harness import Report, Row, Side, in_order
from benchmarks.page import PAGE, filled
from benchmarks.sides import TASKS


def test_a_ratio_is_the_median_of_those_of_pairs() -> None:
    row = Row("latency", "ms", [1.0, 2.0, 9.0], [2.0, 2.0, 3.0])
    assert row.ratios() == [0.5, 1.0, 3.0]
    found = row.summary()
    assert (found["ratio"], found["ratio_low"], found["ratio_high"]) == (1.0, 0.5, 3.0)
    assert (found["ours_median"], found["theirs_median"]) == (2.0, 2.0)
    assert Row("alone", "ms", [1.0]).summary()["ratio"] is None


def test_sides_take_turns_at_being_first() -> None:
    assert [in_order("ab", turn) for turn in range(3)] == ["ab", "ba", "ab"]


BAR = Bar("latency", "holistic", ": latency", 0.65, 0.5)
LEAST = Bar("streams", "streams", "4 streams", 0.95, least=True)


@pytest.mark.parametrize(
    ("bar", "value", "expected"),
    [
        (BAR, 0.5, "hoped for"),
        (BAR, 0.65, "met"),
        (BAR, 0.66, "missed"),
        (BAR, math.nan, "?"),
        (LEAST, 0.95, "met"),
        (LEAST, 0.94, "missed"),
    ],
)
def test_how_a_figure_stands_to_its_bar(bar: Bar, value: float, expected: str) -> None:
    assert standing(bar, value) == expected


def written(folder: Path, benchmark: str, rows: list[Row]) -> None:
    Report(benchmark, benchmark, rows).write(folder)


@pytest.fixture(autouse=True)
def _without_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Report, "_plot", lambda *_: None)


def test_the_figure_of_a_bar_is_the_median_over_videos(tmp_path: Path) -> None:
    assert figure(BAR, tmp_path) is None
    rows = [Row(f"{name}: latency", "ms", [ours], [1.0]) for name, ours in (("a", 0.4), ("b", 0.6), ("c", 0.9))]
    rows += [Row("a: latency, CPU", "ms", [5.0], [1.0])]
    written(tmp_path, "holistic", rows)
    assert figure(BAR, tmp_path) == (0.6, 0.4, 0.9)


def test_the_page_says_what_was_measured_and_what_was_not(tmp_path: Path) -> None:
    written(tmp_path, "holistic", [Row("a: latency", "ms a frame", [0.4321], [1.0])])
    machine: dict[str, Any] = json.loads((tmp_path / "holistic.json").read_text())["machine"]
    text = filled(PAGE.read_text(), tmp_path)
    assert "| a: latency | 0.4321 | 1 | 0.43 | 0.43 to 0.43 | ms a frame |" in text
    assert "| body, hands and face, ms a frame, one frame at a time | 0.65 | 0.5 | 0.43 |" in text
    assert machine["cpu"] in text
    assert text.count("Not measured yet") == len(re.findall("<!-- figures:", text)) - 3
    assert filled(text, tmp_path) == text


def test_the_page_has_a_section_for_every_benchmark() -> None:
    sections = set(re.findall(r"<!-- figures: (\w+) -->", PAGE.read_text()))
    assert {*TASKS, *PARTS, *(bar.file for bar in BARS)} - {"pipelines"} <= sections


def test_a_side_answers_requests_and_says_when_it_ended() -> None:
    with Side("graphflow", sys.executable, "benchmarks.overhead", ["serve", "fused", "chain of 10"]) as side:
        assert side.greeting == {}
        answer = side.ask(7)
        assert answer["seen"] == 7
        assert answer["CPU"] > 0
    with pytest.raises(SystemExit, match="broken: the process ended"):
        Side("broken", sys.executable, "no_such_module", [])
