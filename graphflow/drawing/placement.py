"""Where everything is drawn, in pixels; an open subgraph is as large as what is in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from graphflow.drawing.layers import Joint, Rows, in_rows
from graphflow.drawing.model import Box, Level

BOX_HEIGHT: Final = 68.0
PILL_HEIGHT: Final = 24.0
ROW_GAP: Final = 44.0
BOX_GAP: Final = 22.0
POINT_WIDTH: Final = 10.0
MARGIN: Final = 18.0
HEADER: Final = 30.0
ROUNDS: Final = 40
BOLD: Final = 1.14
# how much a piece wants to be straight: between boxes, between a box and a passing point, between such points
STRAIGHTNESS: Final = (1.0, 2.0, 8.0)


@dataclass(slots=True)
class Placed:
    """A box or a point of a stream in its place: left, top, width and height; what is in it, where that is open."""

    x: float
    y: float
    width: float
    height: float
    tops: list[float] = field(default_factory=list)
    bottoms: list[float] = field(default_factory=list)
    inside: PlacedLevel | None = None

    @property
    def middle(self) -> float:
        """The middle from left to right."""
        return self.x + self.width / 2


@dataclass(slots=True)
class PlacedLevel:
    """A level in place; positions count from its own corner. `bands` are top and height of each row."""

    level: Level
    rows: Rows
    cells: list[Placed]
    bands: list[tuple[float, float]]
    width: float
    height: float


def place(level: Level, is_open: Callable[[Box], bool]) -> PlacedLevel:
    """A level with everything in its place; `is_open` says which subgraphs show what is in them."""
    rows = in_rows(level)
    count = max((cell for row in rows.rows for cell in row), default=-1) + 1
    cells = [_sized(box, is_open) for box in level.boxes]
    cells += [Placed(0, 0, POINT_WIDTH, 0) for _ in range(count - len(cells))]
    bands = _put_below_one_another(rows, cells)
    _put_beside_one_another(rows, cells)
    left = min((cell.x for cell in cells), default=0.0)
    for cell in cells:
        cell.x += MARGIN - left
    width = max((cell.x + cell.width for cell in cells), default=0.0) + MARGIN
    height = bands[-1][0] + bands[-1][1] + MARGIN if bands else 2 * MARGIN
    return PlacedLevel(level, rows, cells, bands, width, height)


def text_width(text: str, size: float) -> float:
    """How wide a text is about, in pixels, in a sans-serif type of that size."""
    narrow = sum(letter in "ijltfr.,:;|!()[]'I" for letter in text)
    wide = sum(letter.isupper() or letter in "mwMW_@" for letter in text)
    return size * (0.56 * len(text) - 0.22 * narrow + 0.12 * wide)


def _sized(box: Box, is_open: Callable[[Box], bool]) -> Placed:
    if box.kind in ("input", "output"):
        width = text_width(box.name, 12) + 26
        return Placed(0, 0, width, PILL_HEIGHT, [width / 2], [width / 2])
    if box.inside is not None and is_open(box):
        inside = place(box.inside, is_open)
        title = text_width(f"{box.name}  {box.calculator}", 13) + 60
        placed = Placed(0, 0, max(inside.width, title), inside.height + HEADER, inside=inside)
        shift = (placed.width - inside.width) / 2
        for cell in inside.cells:
            cell.x += shift
        inside.width = placed.width
        placed.tops = _interface_places(box, inside, "input", [port.label for port in box.tops], placed.width)
        placed.bottoms = _interface_places(box, inside, "output", [port.label for port in box.bottoms], placed.width)
        return placed
    tops, bottoms = ([_label_width(port.label or port.stream) for port in ports] for ports in (box.tops, box.bottoms))
    titles = max(text_width(box.name, 13) * BOLD, text_width(box.calculator, 11))
    titles += 62 if box.kind == "graph" else 34
    width = max(titles, sum(tops) + 12, sum(bottoms) + 12, 96)
    return Placed(0, 0, width, BOX_HEIGHT, _spread(tops, width), _spread(bottoms, width))


def _label_width(label: str) -> float:
    return text_width(label, 8.5) + 12


def _spread(widths: Sequence[float], whole: float) -> list[float]:
    """The middles of ports that share the width of a box."""
    extra = (whole - sum(widths)) / (len(widths) or 1)
    middles, x = [], 0.0
    for width in widths:
        middles.append(x + (width + extra) / 2)
        x += width + extra
    return middles


def _interface_places(box: Box, inside: PlacedLevel, kind: str, labels: Sequence[str], width: float) -> list[float]:
    """Where the ports of an open subgraph are: above and below the ends of its streams inside."""
    ends = {
        (entry.calculator, sum(other.calculator == entry.calculator and other.kind == kind for other in before)): number
        for number, entry in enumerate(inside.level.boxes)
        if entry.kind == kind
        for before in [inside.level.boxes[:number]]
    }
    middles = []
    counts: dict[str, int] = {}
    for label in labels:
        tag = label.partition(":")[0]
        index = counts.get(tag, 0)
        counts[tag] = index + 1
        number = ends.get((tag, index))
        middles.append(inside.cells[number].middle if number is not None else width / 2)
    return middles


def _put_below_one_another(rows: Rows, cells: Sequence[Placed]) -> list[tuple[float, float]]:
    bands = []
    y = MARGIN
    for number, row in enumerate(rows.rows):
        height = max((cells[cell].height for cell in row), default=0.0)
        for cell in row:
            placed = cells[cell]
            if cell >= rows.boxes:
                placed.y, placed.height = y, height
            else:  # beside an open subgraph everything begins at its top
                placed.y = y + max(0.0, (min(height, BOX_HEIGHT) - placed.height) / 2)
        bands.append((y, height))
        # many streams between two rows need room to be told apart
        crowd = sum(piece.start.cell in row for piece in rows.pieces)
        y += height + ROW_GAP + min(crowd, 20) * (1.6 if number + 1 < len(rows.rows) else 0)
    return bands


def _put_beside_one_another(rows: Rows, cells: Sequence[Placed]) -> None:
    """Moves every row as near as may be to what it is joined with, above and below in turn; the order is kept."""
    row_of = {cell: number for number, row in enumerate(rows.rows) for cell in row}
    near: list[list[tuple[Joint, Joint]]] = [[] for _ in cells]
    for piece in rows.pieces:
        near[piece.start.cell].append((piece.start, piece.end))
        near[piece.end.cell].append((piece.end, piece.start))
    for row in rows.rows:
        x = 0.0
        for cell in row:
            cells[cell].x = x
            x += cells[cell].width + BOX_GAP
    for turn in range(ROUNDS):
        downwards = turn % 2 == 0
        numbers = range(len(rows.rows)) if downwards else range(len(rows.rows) - 1, -1, -1)
        for number in numbers:
            row = rows.rows[number]
            wanted, weights = [], []
            for cell in row:
                step = -1 if downwards else 1
                both = turn >= ROUNDS // 2
                joined = [pair for pair in near[cell] if both or row_of[pair[1].cell] == number + step]
                pulls = [STRAIGHTNESS[(own.port < 0) + (other.port < 0)] for own, other in joined]
                shifts = [_joint_x(other, cells, rows) - _joint_x(own, cells, rows) for own, other in joined]
                total = sum(pulls)
                moved = sum(pull * shift for pull, shift in zip(pulls, shifts, strict=True)) / (total or 1)
                wanted.append(cells[cell].x + moved)
                weights.append(max(total, 0.05))
            gaps = [_gap(cells, one, other, rows) for one, other in itertools.pairwise(row)]
            for cell, x in zip(row, _spaced(wanted, weights, gaps), strict=True):
                cells[cell].x = x


def _gap(cells: Sequence[Placed], one: int, other: int, rows: Rows) -> float:
    points = (one >= rows.boxes) + (other >= rows.boxes)
    return cells[one].width + (BOX_GAP, BOX_GAP * 0.6, 2.0)[points]


def _joint_x(joint: Joint, cells: Sequence[Placed], rows: Rows) -> float:
    cell = cells[joint.cell]
    if joint.port < 0 or joint.cell >= rows.boxes:
        return cell.middle
    return cell.x + (cell.tops if joint.side == "top" else cell.bottoms)[joint.port]


def _spaced(wanted: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """The places nearest to those wanted (least squares) that keep the gaps from each one to the next.

    >>> _spaced([0.0, 1.0, 9.0], [1.0, 1.0, 1.0], [3.0, 3.0])
    [-1.0, 2.0, 9.0]
    """
    offsets = [0.0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    # without the gaps it is a regression in which nothing may decrease: neighbours that do are pooled
    pools: list[tuple[float, float, int]] = []
    for place, weight, offset in zip(wanted, weights, offsets, strict=True):
        pool = (place - offset, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, mass, number = pools.pop()
            total = mass + pool[1]
            pool = ((mean * mass + pool[0] * pool[1]) / total, total, number + pool[2])
        pools.append(pool)
    levels = [mean for mean, _, number in pools for _ in range(number)]
    return [mean + offset for mean, offset in zip(levels, offsets, strict=True)]
