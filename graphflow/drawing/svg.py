"""A graph as an SVG picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Final

from graphflow.drawing.layers import Joint, Piece
from graphflow.drawing.model import Box, Level
from graphflow.drawing.placement import HEADER, Placed, PlacedLevel, place, text_width
from graphflow.ports import REQUIRED

COLOURS: Final = {
    "flow": "#8d99ae",
    "image": "#2a9d8f",
    "tensor": "#6d597a",
    "geometry": "#3d7ebf",
    "filters": "#e9a23b",
    "tracking": "#b5651d",
    "grouping": "#7f9c2e",
    "render": "#d1495b",
    "io": "#4a5568",
    "own": "#c2409b",
    "graph": "#0b7285",
}
"""The colour of each family of calculators, and of subgraphs."""

STYLE: Final = """
text { font-family: "Inter", "Segoe UI", "Helvetica Neue", "DejaVu Sans", Arial, sans-serif; fill: #1f2933; }
.name { font-size: 13px; font-weight: 600; }
.halo { paint-order: stroke; stroke: #f3f8fa; stroke-width: 5px; stroke-linejoin: round; }
.calculator { font-size: 11px; fill: #52606d; }
.tag { font-size: 8.5px; fill: #616e7c; letter-spacing: 0.1px; }
.untagged { font-style: italic; fill: #9aa5b1; }
.box { fill: #ffffff; stroke: #9aa5b1; stroke-width: 1; }
.graph { stroke: #0b7285; stroke-width: 1.6; }
.open { fill: #0b7285; fill-opacity: 0.045; stroke: #0b7285; stroke-width: 1.4; stroke-dasharray: none; }
.pill { fill: #e4e7eb; stroke: #9aa5b1; }
.pill.output { fill: #d9f2e3; stroke: #57a773; }
.pilltext { font-size: 12px; }
.wire { fill: none; stroke: #7b8794; stroke-width: 1.4; }
.back { stroke: #d9480f; stroke-width: 1.8; stroke-dasharray: 6 4; }
.side { stroke: #7048e8; stroke-dasharray: 1.5 3.5; stroke-linecap: round; stroke-width: 1.8; }
.arrow { fill: #7b8794; }
.arrow.back { fill: #d9480f; stroke: none; }
.arrow.side { fill: #7048e8; stroke: none; }
.doc { font-size: 12px; fill: #52606d; }
.title { font-size: 18px; font-weight: 700; }
"""


def svg_picture(level: Level, depth: int = 0) -> str:
    """The picture; subgraphs are laid open `depth` levels deep."""
    placed = place(level, lambda box: box.inside is not None and box.inside.depth <= depth)
    top = 64.0
    width = max(placed.width, 560.0)
    legend = list(_legend(placed))
    height = placed.height + top + 40
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<style>{STYLE}</style>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fbfcfd"/>',
        f'<text class="title" x="18" y="30">{escape(level.name)}</text>',
        f'<text class="doc" x="18" y="50">{escape(level.doc)}</text>',
        f'<g transform="translate({(width - placed.width) / 2:.1f} {top:.0f})">',
        *_level(placed),
        "</g>",
        f'<g transform="translate(18 {height - 22:.0f})">',
        *legend,
        "</g>",
        "</svg>",
    ]
    return "\n".join(body) + "\n"


def _level(placed: PlacedLevel) -> Iterator[str]:
    for piece in placed.rows.pieces:
        yield from _piece(placed, piece)
    for box, cell in zip(placed.level.boxes, placed.cells, strict=False):
        yield from _box(box, cell)
    for number in range(len(placed.level.boxes), len(placed.cells)):
        yield from _passing(placed, number)


def _piece(placed: PlacedLevel, piece: Piece) -> Iterator[str]:
    wire = placed.level.wires[piece.wire]
    kind = "back" if piece.back else "side" if wire.side else ""
    kind_text = f" {kind}" if kind else ""
    label = f"{wire.name}: {wire.type}" if wire.type else wire.name
    yield (
        f'<path class="wire{kind_text}" d="{_curve(placed, piece)}"><title>{escape(label)}</title></path>'
    )
    if piece.end.port >= 0:
        x, y = _point(placed, piece.end)
        yield f'<path class="arrow{kind_text}" d="M{x:.1f} {y:.1f}l-3.6 -7h7.2z"/>'


def _curve(placed: PlacedLevel, piece: Piece) -> str:
    """From port to port: straight through the rows, and bent between them."""
    (x1, y1), (x2, y2) = _point(placed, piece.start), _point(placed, piece.end)
    first, last = _band_edge(placed, piece.start), _band_edge(placed, piece.end)
    if piece.start.side == piece.end.side:  # around the edge of a row: a back edge leaves its box, or comes to one
        bend = first + (26 if piece.start.side == "bottom" else -26)
        return f"M{x1:.1f} {y1:.1f}V{first:.1f}C{x1:.1f} {bend:.1f} {x2:.1f} {bend:.1f} {x2:.1f} {last:.1f}V{y2:.1f}"
    middle = (first + last) / 2
    return f"M{x1:.1f} {y1:.1f}V{first:.1f}C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {last:.1f}V{y2:.1f}"


def _point(placed: PlacedLevel, joint: Joint) -> tuple[float, float]:
    cell = placed.cells[joint.cell]
    top = joint.side == "top"
    y = cell.y if top else cell.y + cell.height
    if joint.port < 0:
        return cell.middle, y
    return cell.x + (cell.tops if top else cell.bottoms)[joint.port], y


def _band_edge(placed: PlacedLevel, joint: Joint) -> float:
    top, height = next(
        band for row, band in zip(placed.rows.rows, placed.bands, strict=True) if joint.cell in row
    )
    return top if joint.side == "top" else top + height


def _passing(placed: PlacedLevel, number: int) -> Iterator[str]:
    """The line of a stream through the height of a row."""
    piece = next(piece for piece in placed.rows.pieces if number in (piece.start.cell, piece.end.cell))
    cell = placed.cells[number]
    wire = placed.level.wires[piece.wire]
    kind = " back" if piece.back else " side" if wire.side else ""
    line = f"M{cell.middle:.1f} {cell.y:.1f}V{cell.y + cell.height:.1f}"
    yield f'<path class="wire{kind}" d="{line}"><title>{escape(wire.name)}</title></path>'


def _box(box: Box, cell: Placed) -> Iterator[str]:
    x, y, width, height = cell.x, cell.y, cell.width, cell.height
    yield f'<g transform="translate({x:.1f} {y:.1f})"><title>{escape(hover_text(box))}</title>'
    middle = f'x="{width / 2:.1f}" text-anchor="middle"'
    if box.kind in ("input", "output"):
        yield f'<rect class="pill {box.kind}" width="{width:.1f}" height="{height:.1f}" rx="{height / 2:.1f}"/>'
        yield f'<text class="pilltext" {middle} y="16.5">{escape(box.name)}</text>'
    elif cell.inside is not None:
        yield f'<rect class="open" width="{width:.1f}" height="{height:.1f}" rx="8"/>'
        yield from _through_the_frame(cell)
        yield (
            f'<text class="name halo" x="14" y="20">{escape(box.name)}'
            f'<tspan class="calculator" dx="8" font-weight="400">{escape(box.calculator)}</tspan></text>'
        )
        yield f'<g transform="translate(0 {HEADER:.0f})">'
        yield from _level(cell.inside)
        yield "</g>"
    else:
        yield from _closed(box, cell, middle)
    yield "</g>"


def _through_the_frame(cell: Placed) -> Iterator[str]:
    """From the ports of an open subgraph to the ends of its streams inside."""
    assert cell.inside is not None
    for entry, inner in zip(cell.inside.level.boxes, cell.inside.cells, strict=False):
        if entry.kind not in ("input", "output"):
            continue
        y = inner.y + HEADER
        first, last = (0.0, y) if entry.kind == "input" else (y + inner.height, cell.height)
        side = " side" if (entry.tops or entry.bottoms)[0].side else ""
        yield f'<path class="wire{side}" d="M{inner.middle:.1f} {first:.1f}V{last:.1f}"/>'


def _closed(box: Box, cell: Placed, middle: str) -> Iterator[str]:
    width, height = cell.width, cell.height
    colour = COLOURS["graph"] if box.kind == "graph" else COLOURS.get(box.group, COLOURS["own"])
    if box.kind == "graph":  # a stack of sheets: there is more in it
        yield f'<rect class="box graph" x="4" y="4" width="{width:.1f}" height="{height:.1f}" rx="6"/>'
    yield f'<rect class="box {box.kind}" width="{width:.1f}" height="{height:.1f}" rx="6"/>'
    yield f'<rect x="0.5" y="6" width="4" height="{height - 12:.1f}" rx="2" fill="{colour}"/>'
    yield f'<text class="name" {middle} y="{height / 2 - 2:.1f}">{escape(box.name)}</text>'
    yield f'<text class="calculator" {middle} y="{height / 2 + 13:.1f}">{escape(box.calculator)}</text>'
    for ports, places, y in ((box.tops, cell.tops, 11.0), (box.bottoms, cell.bottoms, height - 5)):
        for port, x in zip(ports, places, strict=True):
            style = "tag" if port.label else "tag untagged"
            shown = escape(port.label or port.stream)
            yield f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{shown}</text>'


def hover_text(box: Box) -> str:
    """What is shown when the pointer is on a box: what it is for, its ports and options."""
    lines = [f"{box.name}: {box.calculator}" if box.calculator else box.name]
    lines += [box.doc] if box.doc else []
    for word, ports in (("in", box.tops), ("out", box.bottoms)):
        lines += [f"{word}  {port.label + ': ' if port.label else ''}{port.stream}" for port in ports]
    lines += [f"{option.name} = {_value(option.value)}" for option in box.options if option.value != option.default]
    lines += [f"input policy: {box.policy}"] if box.policy != "default" else []
    return "\n".join(lines)


def _value(value: object) -> str:
    return "required" if value is REQUIRED else json.dumps(value, ensure_ascii=False, default=str)


def _legend(placed: PlacedLevel) -> Iterator[str]:
    x = 0.0
    for name, colour in sorted(_groups(placed).items()):
        yield f'<rect x="{x:.0f}" y="-9" width="10" height="10" rx="2" fill="{colour}"/>'
        yield f'<text class="calculator" x="{x + 15:.0f}" y="0">{name}</text>'
        x += 15 + text_width(name, 11) + 22
    for name, kind in (("stream", ""), ("back edge", " back"), ("side packet", " side")):
        yield f'<path class="wire{kind}" d="M{x:.0f} -4h26"/>'
        yield f'<text class="calculator" x="{x + 32:.0f}" y="0">{name}</text>'
        x += 32 + text_width(name, 11) + 22


def _groups(placed: PlacedLevel) -> dict[str, str]:
    """The families of calculators that are shown, and their colours."""
    found: dict[str, str] = {}
    for box, cell in zip(placed.level.boxes, placed.cells, strict=False):
        if cell.inside is not None:
            found |= _groups(cell.inside)
        elif box.kind == "graph":
            found["subgraph"] = COLOURS["graph"]
        elif box.kind == "node":
            group = box.group if box.group in COLOURS else "own"
            found[group] = COLOURS[group]
    return found
