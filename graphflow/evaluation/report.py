"""Scores for people and programs: a table, JSON, and a plot as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from .scores import THRESHOLDS, Scores

if TYPE_CHECKING:
    from rich.table import Table

_COLORS: Final = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b")
_WIDTH, _HEIGHT, _PANEL = 900, 640, 250
_LEFT, _RIGHT = 60, 880


def table(scores: Mapping[str, Scores]) -> Table:
    """A table with a row for each figure and a column for each graph."""
    from rich.table import Table

    made = Table("", *scores, header_style="bold")
    for column in made.columns[1:]:
        column.justify = "right"
    for name in _figures(scores):
        made.add_row(name, *(_cell(name, each.numbers.get(name, math.nan)) for each in scores.values()))
    for name, *cells in _times(scores):
        made.add_row(name, *cells, style="italic")
    return made


def markdown(scores: Mapping[str, Scores]) -> str:
    """The same table for a page of documentation."""
    rows = [["", *scores], ["---", *("---:" for _ in scores)]]
    for name in _figures(scores):
        rows.append([name, *(_cell(name, each.numbers.get(name, math.nan)) for each in scores.values())])
    rows += _times(scores)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def as_json(scores: Mapping[str, Scores]) -> dict[str, Any]:
    """Everything, with null where there was nothing to measure a figure on."""
    return {
        name: {
            "numbers": {key: _known(value) for key, value in each.numbers.items()},
            "curve": {"thresholds": list(THRESHOLDS), "PCK torso": [_known(value) for value in each.curve]},
            "joints PCK@0.2 torso": {joint: _known(value) for joint, value in each.joints.items()},
            "milliseconds": each.milliseconds,
            "cpu_milliseconds": each.cpu_milliseconds,
        }
        for name, each in scores.items()
    }


def plot(scores: Mapping[str, Scores]) -> str:
    """An SVG picture: accuracy over threshold above, accuracy of each joint below, a colour for each graph."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        *_legend(list(scores)),
        *_curves(list(scores.values())),
        *_joints(list(scores.values())),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _figures(scores: Mapping[str, Scores]) -> list[str]:
    return list(dict.fromkeys(name for each in scores.values() for name in each.numbers))


def _times(scores: Mapping[str, Scores]) -> list[list[str]]:
    return [
        ["ms an image", *(f"{each.milliseconds:.1f}" for each in scores.values())],
        ["ms of CPU", *(f"{each.cpu_milliseconds:.1f}" for each in scores.values())],
    ]


def _cell(name: str, value: float) -> str:
    if math.isnan(value):
        return "–"
    if name == "people":
        return f"{value:.0f}"
    return f"{value:.1f}" if name.endswith("px") else f"{value:.3f}"


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _legend(names: Sequence[str]) -> list[str]:
    parts = []
    for number, name in enumerate(names):
        x = _LEFT + number * 160
        color = _COLORS[number % len(_COLORS)]
        parts.append(f'<rect x="{x}" y="12" width="14" height="14" fill="{color}"/>')
        parts.append(_text(x + 20, 24, name))
    return parts


def _curves(scores: Sequence[Scores]) -> list[str]:
    top = 50
    parts = _axes(top, "share of keypoints within so many torso diameters")
    for step in range(6):
        x = _LEFT + (_RIGHT - _LEFT) * step / 5
        parts.append(_text(x, top + _PANEL + 16, f"{step / 10:.1f}", "middle"))
    for number, each in enumerate(scores):
        points = [
            f"{_LEFT + (_RIGHT - _LEFT) * threshold / THRESHOLDS[-1]:.1f},{top + _PANEL * (1 - value):.1f}"
            for threshold, value in zip(THRESHOLDS, each.curve, strict=True)
            if not math.isnan(value)
        ]
        color = _COLORS[number % len(_COLORS)]
        parts.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{color}" stroke-width="2"/>')
    return parts


def _joints(scores: Sequence[Scores]) -> list[str]:
    top = 340
    parts = _axes(top, "share of each keypoint within 0.2 torso diameters", _PANEL - 70)
    names = list(dict.fromkeys(name for each in scores for name in each.joints))
    wide = (_RIGHT - _LEFT) / max(len(names), 1)
    bar = 0.8 * wide / max(len(scores), 1)
    height = _PANEL - 70
    for place, name in enumerate(names):
        x = _LEFT + place * wide
        for number, each in enumerate(scores):
            value = each.joints.get(name, math.nan)
            if math.isnan(value):
                continue
            parts.append(
                f'<rect x="{x + 0.1 * wide + number * bar:.1f}" y="{top + height * (1 - value):.1f}" '
                f'width="{bar:.1f}" height="{height * value:.1f}" fill="{_COLORS[number % len(_COLORS)]}"/>'
            )
        middle, low = x + wide / 2, top + height + 12
        turned = f'transform="rotate(-40 {middle:.1f} {low})"'
        label = escape(name.replace("_", " "))
        parts.append(f'<text x="{middle:.1f}" y="{low}" text-anchor="end" {turned}>{label}</text>')
    return parts


def _axes(top: int, title: str, height: int = _PANEL) -> list[str]:
    parts = [_text(_LEFT, top - 6, title)]
    for step in range(6):
        y = top + height * (1 - step / 5)
        parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_RIGHT}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(_text(_LEFT - 8, y + 4, f"{step / 5:.1f}", "end"))
    return parts


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
