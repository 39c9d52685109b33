"""Optimal assignment in Munkres' steps, for the one of several equally good ones that the steps lead to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..lazy import njit

Indices = npt.NDArray[np.int64]
_STAR, _PRIME = 1, 2


def munkres(cost: npt.ArrayLike) -> tuple[Indices, Indices]:
    """The assignment of rows to columns with the least cost, row by row.

    `scipy.optimize.linear_sum_assignment` is faster and finds one as good; where several are, programs that use the
    Python package munkres depend on which one it finds, and this finds the same.

    Args:
        cost: [R, C], finite.

    Returns:
        rows and columns, int64 [min(R, C)] each.

    Raises:
        ValueError: a cost is not finite.

    >>> [each.tolist() for each in munkres([[4, 1], [2, 3]])]
    [[0, 1], [1, 0]]

    Source: Munkres, "Algorithms for the Assignment and Transportation Problems", 1957, as in Bob Pilgrim's description,
    which the package follows.
    """
    given = np.asarray(cost, np.float64)
    if not np.isfinite(given).all():
        raise ValueError("costs must be finite")
    side = max(given.shape, default=0)
    padded = np.zeros((side, side))
    padded[: given.shape[0], : given.shape[1]] = given
    marks = np.zeros((side, side), np.int8)
    if side:
        _solve(padded, marks)
    rows, columns = np.nonzero(marks[: given.shape[0], : given.shape[1]] == _STAR)
    return rows.astype(np.int64), columns.astype(np.int64)


@njit(cache=True, nogil=True)
def _first_in(values: npt.NDArray[np.int8], wanted: int) -> int:
    for place in range(len(values)):
        if values[place] == wanted:
            return place
    return -1


@njit(cache=True, nogil=True)
def _uncovered_zero(
    cost: npt.NDArray[np.float64],
    rows: npt.NDArray[np.bool_],
    columns: npt.NDArray[np.bool_],
    first_row: int,
    first_column: int,
) -> tuple[int, int]:
    """The first row with an uncovered zero from `first_row` on, and the last such zero in it, cyclically."""
    side = len(cost)
    for step in range(side):
        i = (first_row + step) % side
        found = -1
        for across in range(side):
            j = (first_column + across) % side
            if cost[i, j] == 0 and not rows[i] and not columns[j]:
                found = j
        if found >= 0:
            return i, found
    return -1, -1


@njit(cache=True, nogil=True)
def _augment(marks: npt.NDArray[np.int8], row: int, column: int) -> None:
    """Stars the primes and unstars the stars on the alternating path that begins at a prime."""
    side = len(marks)
    path = np.zeros((2 * side + 1, 2), np.int64)
    path[0, 0], path[0, 1] = row, column
    length = 1
    while True:
        starred = _first_in(marks[:, path[length - 1, 1]], _STAR)
        if starred < 0:
            break
        path[length, 0], path[length, 1] = starred, path[length - 1, 1]
        primed = _first_in(marks[starred], _PRIME)
        path[length + 1, 0], path[length + 1, 1] = starred, primed
        length += 2
    for step in range(length):
        i, j = path[step]
        marks[i, j] = 0 if marks[i, j] == _STAR else _STAR
    for i in range(side):
        for j in range(side):
            if marks[i, j] == _PRIME:
                marks[i, j] = 0


@njit(cache=True, nogil=True)
def _solve(cost: npt.NDArray[np.float64], marks: npt.NDArray[np.int8]) -> None:
    side = len(cost)
    rows, columns = np.zeros(side, np.bool_), np.zeros(side, np.bool_)
    for i in range(side):
        smallest = cost[i, 0]
        for j in range(side):
            smallest = min(smallest, cost[i, j])
        for j in range(side):
            cost[i, j] -= smallest
    for i in range(side):
        for j in range(side):
            if cost[i, j] == 0 and not rows[i] and not columns[j]:
                marks[i, j] = _STAR
                rows[i] = columns[j] = True
                break
    while True:
        rows[:] = False
        for j in range(side):
            columns[j] = _first_in(marks[:, j], _STAR) >= 0
        if columns.all():
            return
        i = j = 0
        while True:
            i, j = _uncovered_zero(cost, rows, columns, i, j)
            if i < 0:
                least = np.inf
                for r in range(side):
                    for c in range(side):
                        if not rows[r] and not columns[c] and cost[r, c] < least:
                            least = cost[r, c]
                for r in range(side):
                    for c in range(side):
                        if rows[r]:
                            cost[r, c] += least
                        if not columns[c]:
                            cost[r, c] -= least
                i = j = 0
                continue
            marks[i, j] = _PRIME
            starred = _first_in(marks[i], _STAR)
            if starred < 0:
                _augment(marks, i, j)
                break
            j = starred
            rows[i] = True
            columns[j] = False
