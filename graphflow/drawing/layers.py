"""Which box is drawn in which row, in what order, and where streams pass between boxes (Sugiyama's method).

Rows follow the streams downwards, back edges aside. A stream that crosses rows passes each at a point of its own, once
for all its readers, and the order in the rows is that of few crossings. Sizes play no part yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from graphflow.drawing.model import Level

_SWEEPS = 12

Side = Literal["top", "bottom"]

_UPWARDS: tuple[Side, ...] = ("bottom", "top")


@dataclass(frozen=True, slots=True)
class Joint:
    """An end of a piece of a stream: a port of a box, or where the stream passes a row (`port` -1)."""

    cell: int
    port: int
    side: Side


@dataclass(frozen=True, slots=True)
class Piece:
    """A stream between two neighbouring rows, drawn from `start` to `end`."""

    wire: int
    start: Joint
    end: Joint
    back: bool


@dataclass(slots=True)
class Rows:
    """A level in rows from the top; a row lists cells. Cells below `boxes` are boxes, the others points of streams."""

    boxes: int
    rows: list[list[int]] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)


def in_rows(level: Level) -> Rows:
    """The rows of a level, in the order of few crossings."""
    row_of = _row_numbers(level)
    result = Rows(len(level.boxes), [[] for _ in range(max(row_of, default=0) + 1)])
    for box, row in enumerate(row_of):
        result.rows[row].append(box)
    _route(level, row_of, result)
    _order(level, result)
    return result


def _row_numbers(level: Level) -> list[int]:
    before: list[set[int]] = [set() for _ in level.boxes]
    after: list[set[int]] = [set() for _ in level.boxes]
    for wire in level.wires:
        for end in wire.targets:
            if not end.back and end.box != wire.source.box:
                before[end.box].add(wire.source.box)
                after[wire.source.box].add(end.box)
    rows = [0] * len(level.boxes)
    order = _topological(before)
    for box in order:
        rows[box] = max((rows[other] + 1 for other in before[box]), default=0)
    # inputs stay on top, outputs go to the bottom, and the rest comes down to where it is read
    last = max(rows, default=0)
    for box in order:
        if level.boxes[box].kind == "output":
            rows[box] = max(last, 1)
    for box in reversed(order):
        if level.boxes[box].kind in ("node", "graph") and after[box]:
            lowest = min(rows[other] for other in after[box]) - 1
            if len(before[box]) <= len(after[box]):
                rows[box] = max(rows[box], lowest)
    inputs = any(box.kind == "input" for box in level.boxes)
    for box, entry in enumerate(level.boxes):
        if inputs and entry.kind in ("node", "graph") and not rows[box]:
            rows[box] = 1 if all(rows[other] > 1 for other in after[box]) else rows[box]
    return rows


def _topological(before: Sequence[set[int]]) -> list[int]:
    order: list[int] = []
    placed = [False] * len(before)
    while len(order) < len(before):
        ready = [box for box, needs in enumerate(before) if not placed[box] and all(placed[other] for other in needs)]
        for box in ready or [placed.index(False)]:  # of a cycle any box may come first
            placed[box] = True
            order.append(box)
    return order


def _route(level: Level, row_of: Sequence[int], result: Rows) -> None:
    """Adds the points at which streams pass rows, and the pieces between them."""
    count = result.boxes
    for number, wire in enumerate(level.wires):
        start_row = row_of[wire.source.box]
        source = Joint(wire.source.box, wire.source.port, "bottom")
        passing: dict[int, int] = {}
        all_back = all(end.back for end in wire.targets)
        for end in sorted(wire.targets, key=lambda end: row_of[end.box]):
            row = row_of[end.box]
            target = Joint(end.box, end.port, "top")
            if row <= start_row:
                # up again beside the boxes, from the row of the producer to that of the reader
                points = []
                for passed in range(start_row, row - 1, -1):
                    result.rows[passed].append(count)
                    points.append(count)
                    count += 1
                joints = [source, *(Joint(point, -1, side) for point in points for side in _UPWARDS), target]
                pairs = zip(joints[::2], joints[1::2], strict=True)
                result.pieces += [Piece(number, one, other, True) for one, other in pairs]
                continue
            above = source
            for passed in range(start_row + 1, row):
                if passed not in passing:
                    passing[passed] = count
                    result.rows[passed].append(count)
                    result.pieces.append(Piece(number, above, Joint(count, -1, "top"), all_back))
                    count += 1
                above = Joint(passing[passed], -1, "bottom")
            result.pieces.append(Piece(number, above, target, end.back))





def _order(level: Level, result: Rows) -> None:
    """Sorts every row by where its neighbours in the row above are, then below, and keeps what crosses least."""
    place = {cell: position for row in result.rows for position, cell in enumerate(row)}
    row_of = {cell: number for number, row in enumerate(result.rows) for cell in row}
    best, fewest = [list(row) for row in result.rows], _crossings(level, result, place, row_of)
    for sweep in range(_SWEEPS):
        downwards = sweep % 2 == 0
        for row in result.rows if downwards else reversed(result.rows):
            wanted = {cell: _wanted(level, result, cell, place, row_of, downwards) for cell in row}
            row.sort(key=lambda cell: wanted[cell])
            place.update({cell: position for position, cell in enumerate(row)})
        crossings = _crossings(level, result, place, row_of)
        if crossings < fewest:
            best, fewest = [list(row) for row in result.rows], crossings
    result.rows = best


def _wanted(
    level: Level, result: Rows, cell: int, place: Mapping[int, int], row_of: Mapping[int, int], downwards: bool
) -> float:
    near = []
    for piece in result.pieces:
        for own, other in ((piece.start, piece.end), (piece.end, piece.start)):
            if own.cell == cell and row_of[other.cell] == row_of[cell] + (-1 if downwards else 1):
                near.append(place[other.cell] + _fraction(level, other))
    return sum(near) / len(near) if near else float(place[cell])


def _fraction(level: Level, joint: Joint) -> float:
    """Where along a box its port is, from -0.5 to 0.5."""
    if joint.port < 0:
        return 0.0
    box = level.boxes[joint.cell]
    ports = box.tops if joint.side == "top" else box.bottoms
    return (joint.port + 0.5) / len(ports) - 0.5


def _crossings(level: Level, result: Rows, place: Mapping[int, int], row_of: Mapping[int, int]) -> int:
    between: dict[int, list[tuple[float, float]]] = {}
    for piece in result.pieces:
        upper, lower = sorted((piece.start, piece.end), key=lambda joint: row_of[joint.cell])
        if row_of[upper.cell] + 1 == row_of[lower.cell]:
            ends = (place[upper.cell] + _fraction(level, upper), place[lower.cell] + _fraction(level, lower))
            between.setdefault(row_of[upper.cell], []).append(ends)
    return sum(
        (one[0] - other[0]) * (one[1] - other[1]) < 0
        for pieces in between.values()
        for position, one in enumerate(pieces)
        for other in pieces[:position]
    )
