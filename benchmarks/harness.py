"""What the benchmarks share: two processes asked in turn, ratios with their spread, and tables, JSON and plots of them.

Absolute numbers belong to one machine at one moment. So each side is a process of its own, the two are given the same
block of work one right after the other, and what is quoted is the ratio of the two figures of each such pair.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path("benchmark_results")

T = TypeVar("T")


@dataclass
class Row:
    """One measured thing: the figures of each block, graphflow's and, where there is a peer, the peer's.

    Attributes:
        what: what was measured.
        unit: of the figures.
        ours: one figure a block.
        theirs: the peer's for the same blocks; empty without a peer.
        note: what a reader should know, such as which way of feeding the peer was the faster.
    """

    what: str
    unit: str
    ours: list[float]
    theirs: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The median over blocks of graphflow's figure divided by the peer's; None without a peer."""
        ratios = self.ratios()
        return statistics.median(ratios) if ratios else None

    def ratios(self) -> list[float]:
        """graphflow's figure divided by the peer's, block by block."""
        return [one / other for one, other in zip(self.ours, self.theirs, strict=True)] if self.theirs else []

    def summary(self) -> dict[str, Any]:
        """What goes into the JSON: medians, the ratio with its least and greatest value, and all figures."""
        ratios = self.ratios()
        return asdict(self) | {
            "ours_median": statistics.median(self.ours),
            "theirs_median": statistics.median(self.theirs) if self.theirs else None,
            "ratio": self.ratio,
            "ratio_low": min(ratios, default=None),
            "ratio_high": max(ratios, default=None),
        }


@dataclass
class Report:
    """The rows of one benchmark, and where they were measured."""

    benchmark: str
    title: str
    rows: list[Row]

    def show(self) -> None:
        """Prints the rows as a table."""
        from rich.console import Console
        from rich.table import Table

        table = Table(title=self.title)
        for column in ("", "graphflow", "peer", "unit", "ratio (least-greatest)", "note"):
            table.add_column(column, justify="left" if column in ("", "unit", "note") else "right")
        for row in self.rows:
            found = row.summary()
            theirs = "" if found["theirs_median"] is None else f"{found['theirs_median']:.4g}"
            ratio = "" if row.ratio is None else f"{row.ratio:.2f} ({found['ratio_low']:.2f}-{found['ratio_high']:.2f})"
            table.add_row(row.what, f"{found['ours_median']:.4g}", theirs, row.unit, ratio, row.note)
        Console(width=max(Console().width, 120)).print(table)

    def write(self, folder: Path) -> None:
        """Writes `BENCHMARK.json`, and `BENCHMARK.png` where matplotlib is installed."""
        folder.mkdir(parents=True, exist_ok=True)
        found = {"title": self.title, "machine": machine(), "rows": [row.summary() for row in self.rows]}
        (folder / f"{self.benchmark}.json").write_text(json.dumps(found, indent=1) + "\n")
        self._plot(folder / f"{self.benchmark}.png")

    def _plot(self, path: Path) -> None:
        try:
            import matplotlib
        except ImportError:
            print("no plots without matplotlib: pip install 'graphflow[benchmarks]'", file=sys.stderr)
            return
        matplotlib.use("agg")
        from matplotlib import pyplot

        compared = [row for row in self.rows if row.theirs]
        rows = compared or self.rows
        figure, axes = pyplot.subplots(figsize=(9, 1.2 + 0.34 * len(rows)), layout="constrained")
        points = [row.ratios() if compared else row.ours for row in rows][::-1]
        axes.boxplot(points, orientation="horizontal", whis=(0, 100), tick_labels=[row.what for row in rows][::-1])
        if compared:
            axes.axvline(1.0, color="0.6", linewidth=1)
            axes.set_xlabel("graphflow / peer, block by block (under 1: graphflow is faster or smaller)")
            axes.set_xlim(left=0)
        else:
            axes.set_xlabel(" / ".join(dict.fromkeys(row.unit for row in rows)))
            axes.set_xscale("log")
        axes.set_title(self.title, fontsize=10)
        figure.savefig(path, dpi=120)
        pyplot.close(figure)


class Side:
    """A process that answers requests: a line of JSON in, a line of JSON with an `@` before it out.

    Every request is a list whose first element says what to do; see `benchmarks.sides` for the other end.
    """

    def __init__(self, name: str, python: str, module: str, arguments: Sequence[str]) -> None:
        self.name = name
        self._command = [python, "-m", module, *arguments]
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env=clean_environment(),
        )
        self.greeting: dict[str, Any] = self._read()

    def ask(self, *request: Any) -> dict[str, Any]:
        """What the process answers."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("@"):
                message: dict[str, Any] = json.loads(line[1:])
                return message
        sys.exit(f"{self.name}: the process ended; run it alone to see why: {' '.join(self._command)}")


def serve(requests: Iterable[str], answer: Callable[..., dict[str, Any]]) -> None:
    """The other end of `Side`: greets with what `answer()` gives, then answers each request with `answer(*request)`."""
    say(answer())
    for line in requests:
        say(answer(*json.loads(line)))


def say(message: dict[str, Any]) -> None:
    """Sends one answer."""
    print("@" + json.dumps(message), flush=True)


def in_order(sides: Sequence[T], turn: int) -> Sequence[T]:
    """The sides in the order to ask them in a round: that of the round before, backwards."""
    return sides if turn % 2 == 0 else sides[::-1]


def in_turn(sides: Sequence[Side], rounds: int) -> Iterator[tuple[int, Sequence[Side]]]:
    """The number of each round, and the sides in their order."""
    for turn in range(rounds):
        yield turn, in_order(sides, turn)


def clean_environment() -> dict[str, str]:
    """The environment with what would keep Python from caching compiled modules taken out, as users have it."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME")
    return {name: value for name, value in os.environ.items() if name not in dropped}


def machine() -> dict[str, Any]:
    """Where the figures come from."""
    import onnxruntime

    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        cpu = platform.processor()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
        "load_average": load,
    }


def arguments(description: str, *, rounds: int = 6) -> argparse.ArgumentParser:
    """The options that all benchmarks have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--peer-python", help="interpreter of an environment with mediapipe==0.10.21")
    parser.add_argument("--rounds", type=int, default=rounds, help="blocks of each side")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for JSON and plots")
    return parser


def finish(report: Report, out: Path) -> None:
    """Shows and writes a report."""
    report.show()
    report.write(out)
