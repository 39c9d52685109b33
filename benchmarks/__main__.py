"""Runs all benchmarks and prints how they stand to what graphflow promises.

    python -m benchmarks VIDEO [VIDEO ...] --peer-python /path/to/venv/bin/python [--only pipelines overhead]
    python -m benchmarks --show

With `--show` nothing is measured: the table is of the JSON files that are there.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import harness, kernels, memory, overhead, pipelines, startup, streams
from benchmarks.sides import TASKS

PARTS = ("pipelines", "overhead", "kernels", "startup", "memory", "streams")


@dataclass(frozen=True)
class Bar:
    """What is promised of one figure.

    Attributes:
        what: in words.
        file: the benchmark's JSON file.
        row: how the names of its rows end; of several the median counts.
        bar: what the figure must not be above, or below where `least`.
        hope: what it should reach.
        key: which figure of a row.
        least: whether the figure is to be large; then the worst row counts rather than the median.
    """

    what: str
    file: str
    row: str
    bar: float
    hope: float | None = None
    key: str = "ratio"
    least: bool = False


BARS = (
    Bar("body, hands and face, ms a frame, one frame at a time", "holistic", ": latency", 0.65, 0.50),
    Bar("the same, throughput from a video file", "holistic", ": from a file", 0.55, 0.45),
    Bar("body and hands, throughput", "body_hands", ": throughput", 0.55, 0.45),
    Bar("body, ms a frame", "pose", ": latency", 0.55, 0.45),
    Bar("two hands, ms a frame", "hands", ": latency", 0.75, 0.55),
    Bar("face mesh, ms a frame", "face_mesh", ": latency", 0.85, 0.70),
    Bar("scheduler, CPU of a node in a chain of 100, fused", "overhead", "each further node, fused, CPU", 0.30, 0.15),
    Bar("the same, unfused", "overhead", "each further node, unfused, CPU", 1.5, 1.0),
    Bar("from process start to first results", "startup", ", wall", 1.2, 0.9),
    Bar("peak memory of a long stream", "memory", " frames", 1.0, 0.8),
    Bar("growth of memory over a long stream, %", "memory", "growth", 2.0, key="ours_median"),
    Bar("kernels: the slowest beside its numpy twin", "kernels", "", 0.2, key="ratio"),
    Bar("four streams: frames per CPU second beside one", "streams", "4 streams of", 0.95, least=True),
)


def figure(bar: Bar, folder: Path) -> tuple[float, float, float] | None:
    """A bar's figure with its least and greatest value over rows and blocks; None where it was not measured."""
    path = folder / f"{bar.file}.json"
    if not path.exists():
        return None
    rows: list[dict[str, Any]] = [
        row for row in json.loads(path.read_text())["rows"] if bar.row in row["what"] and row[bar.key] is not None
    ]
    exact = [row for row in rows if row["what"].endswith(bar.row)] or rows
    values = [float(row[bar.key]) for row in exact]
    if not values:
        return None
    worst_counts = bar.file == "kernels"
    value = max(values) if worst_counts else statistics.median(values)
    lows = [row["ratio_low"] if bar.key == "ratio" else min(row["ours"]) for row in exact]
    highs = [row["ratio_high"] if bar.key == "ratio" else max(row["ours"]) for row in exact]
    return value, min(lows), max(highs)


def standing(bar: Bar, value: float) -> str:
    """How a figure stands to its bar, in a word."""
    if math.isnan(value):
        return "?"
    if bar.least:
        return "met" if value >= bar.bar else "missed"
    if bar.hope is not None and value <= bar.hope:
        return "hoped for"
    return "met" if value <= bar.bar else "missed"


def show_bars(folder: Path) -> None:
    """Prints the table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="graphflow beside MediaPipe: ratios, smaller is better where nothing else is said")
    for name in ("what", "bar", "hope", "measured", "least-greatest", ""):
        table.add_column(name, justify="left" if name in ("what", "") else "right")
    for bar in BARS:
        found = figure(bar, folder)
        limit = f"{'>= ' if bar.least else ''}{bar.bar:g}"
        hope = "" if bar.hope is None else f"{bar.hope:g}"
        if found is None:
            table.add_row(bar.what, limit, hope, "", "", "not measured")
        else:
            value, low, high = found
            table.add_row(bar.what, limit, hope, f"{value:.2f}", f"{low:.2f}-{high:.2f}", standing(bar, value))
    Console(width=max(Console().width, 120)).print(table)


def main() -> None:
    parser = harness.arguments("Run all benchmarks, and print how they stand to what graphflow promises.")
    parser.add_argument("videos", nargs="*")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument(
        "--plain-python", default=sys.executable, help="for start-up: an interpreter that has graphflow, and no more"
    )
    parser.add_argument("--show", action="store_true", help="only print the table, of what was measured before")
    given = parser.parse_args()
    if not given.show:
        if not given.videos:
            parser.error("name a video or more, or say --show")
        _measure(given.videos, given.peer_python, given.plain_python, given.rounds, given.out, given.only)
    show_bars(given.out)


def _measure(videos: list[str], peer: str | None, plain: str, rounds: int, out: Path, only: tuple[str, ...]) -> None:
    first = videos[0]
    if "pipelines" in only:
        for task in TASKS:
            harness.finish(pipelines.measure(task, videos, peer, rounds, block=20, limit=120), out)
    if "overhead" in only:
        harness.finish(overhead.measure(peer, rounds, block=500), out)
    if "kernels" in only:
        harness.finish(kernels.measure(rounds), out)
    if "startup" in only:
        harness.finish(startup.measure("holistic", first, peer, rounds, plain), out)
    if "memory" in only:
        harness.finish(memory.measure("holistic", first, peer, 2000, 5000, 60), out)
    if "streams" in only:
        harness.finish(streams.measure("holistic", first, 4, rounds, block=30, limit=60), out)


if __name__ == "__main__":
    main()
