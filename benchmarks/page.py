"""Writes the measured figures into docs/performance.md, so that none is typed by hand.

    python -m benchmarks.page [--out benchmark_results] [--check]

Between the markers `<!-- figures: NAME -->` and `<!-- end -->` stands a table of the rows of NAME.json, or of the bars
where NAME is `bars`, or where it all was measured where NAME is `machine`. A section whose file is not there keeps a
line that says so. `--check` writes nothing and fails where the page is not up to date.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.__main__ import BARS, figure, standing
from benchmarks.harness import RESULTS, ROOT

PAGE = ROOT / "docs" / "performance.md"
PICTURES = ROOT / "docs" / "performance"
_SECTION = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_NOT_YET = "*Not measured yet: see [how to repeat them](#repeat).*\n"


def filled(text: str, folder: Path) -> str:
    """The page with all its sections written anew."""

    def section(match: re.Match[str]) -> str:
        begin, name, end = match.groups()
        write: Callable[[str, Path], str] = {"bars": _bars, "machine": _machine}.get(name, _rows)
        return f"{begin}{write(name, folder)}{end}"

    return _SECTION.sub(section, text)


def _rows(name: str, folder: Path) -> str:
    found = _read(name, folder)
    if found is None:
        return _NOT_YET
    compared = any(row["ratio"] is not None for row in found["rows"])
    head = ["", "graphflow", *(["peer", "ratio", "least to greatest"] if compared else []), "unit"]
    lines = [_line(head), _line(["---", *["---:"] * (len(head) - 2), "---"])]
    for row in found["rows"]:
        cells = [row["what"], f"{row['ours_median']:.4g}"]
        if compared:
            cells += ["", "", ""]
        if row["ratio"] is not None:
            span = f"{row['ratio_low']:.2f} to {row['ratio_high']:.2f}"
            cells[2:] = [f"{row['theirs_median']:.4g}", f"{row['ratio']:.2f}", span]
        lines.append(_line([*cells, row["unit"]]))
    picture = f"![{found['title']}](performance/{name}.png)\n" if (folder / f"{name}.png").exists() else ""
    return "\n".join(lines) + "\n" + (f"\n{picture}" if picture else "")


def _bars(name: str, folder: Path) -> str:
    lines = [_line(["ratio graphflow / peer", "bar", "hope", "measured", "least to greatest", ""])]
    lines.append(_line(["---", "---:", "---:", "---:", "---:", "---"]))
    measured = False
    for bar in BARS:
        found = figure(bar, folder)
        limits = [f"{'at least ' if bar.least else ''}{bar.bar:g}", "" if bar.hope is None else f"{bar.hope:g}"]
        if found is None:
            lines.append(_line([bar.what, *limits, "", "", "not measured"]))
            continue
        measured = True
        value, low, high = found
        span = f"{low:.2f} to {high:.2f}"
        lines.append(_line([bar.what, *limits, f"{value:.2f}", span, standing(bar, value)]))
    return "\n".join(lines) + "\n" if measured else _NOT_YET


def _machine(name: str, folder: Path) -> str:
    found = _read("holistic", folder)
    if found is None:
        return _NOT_YET
    machine = found["machine"]
    return (
        f"{machine['cpu']}, {machine['cores']} cores; {machine['system']}; Python {machine['python']}, ONNX Runtime "
        f"{machine['onnxruntime']}; load average when it ended: {machine['load_average']:.1f}.\n"
    )


def _read(name: str, folder: Path) -> dict[str, Any] | None:
    path = folder / f"{name}.json"
    found: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
    return found


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the measured figures into docs/performance.md.")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder with the JSON and the plots")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the page is not up to date")
    given = parser.parse_args()
    before = PAGE.read_text()
    after = filled(before, given.out)
    if given.check:
        sys.exit(f"{PAGE} is not up to date: python -m benchmarks.page" if after != before else 0)
    PAGE.write_text(after)
    PICTURES.mkdir(exist_ok=True)
    for name in {match[1] for match in _SECTION.findall(after)}:
        if (given.out / f"{name}.png").exists():
            shutil.copy(given.out / f"{name}.png", PICTURES)


if __name__ == "__main__":
    main()
