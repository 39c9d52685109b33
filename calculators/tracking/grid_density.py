"""How many points are around each point, counted on a coarse grid with a share for each of the four cells around."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.floating[Any]]


def scatter(places: Values, values: Values, size: int) -> npt.NDArray[np.float64]:
    """The values added to a grid: float64 [size, size].

    Args:
        places: [N, 2] x, y in 0 ... size - 1; farther ones count at the edge.
        values: [N].
        size: cells on a side.
    """
    grid = np.zeros((size, size))
    for row, column, share in _shares(places, size):
        np.add.at(grid, (row, column), share * values)
    return grid


def gather(grid: npt.NDArray[np.float64], places: Values) -> npt.NDArray[np.float64]:
    """The grid's values at places between its cells: float64 [N]."""
    values = np.zeros(len(places))
    for row, column, share in _shares(places, len(grid)):
        values += share * grid[row, column]
    return values


def _shares(places: Values, size: int) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Values]]:
    place = np.clip(places.astype(np.float64), 0, size - 1)
    near = np.minimum(place.astype(np.int64), size - 2)
    far = place - near
    return [
        (near[:, 1] + y, near[:, 0] + x, (far[:, 0] if x else 1 - far[:, 0]) * (far[:, 1] if y else 1 - far[:, 1]))
        for y in (0, 1)
        for x in (0, 1)
    ]
