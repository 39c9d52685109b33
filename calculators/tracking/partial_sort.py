"""Sorts the largest of some numbers, and leaves the others where the GNU C++ library's `std::partial_sort` leaves them.

MediaPipe takes corners in that order, equal ones among them, and what comes first keeps others near it away.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..lazy import njit


@njit(cache=True, nogil=True)
def _sift(values: Any, order: Any, hole: Any, size: Any, item: Any) -> Any:
    """Puts an item into a heap with the smallest value on top, at an empty place: down to the leaves, and up again."""
    top, child = hole, hole
    while child < (size - 1) // 2:
        child = 2 * (child + 1)
        if values[order[child]] > values[order[child - 1]]:
            child -= 1
        order[hole] = order[child]
        hole = child
    if size % 2 == 0 and child == (size - 2) // 2:
        order[hole] = order[2 * child + 1]
        hole = 2 * child + 1
    while hole > top and values[order[(hole - 1) // 2]] > values[item]:
        order[hole] = order[(hole - 1) // 2]
        hole = (hole - 1) // 2
    order[hole] = item


@njit(cache=True, nogil=True)
def _partial_sort(values: Any, count: Any, order: Any) -> None:
    for place in range(count // 2 - 1, -1, -1):
        _sift(values, order, place, count, order[place])
    for place in range(count, len(values)):
        if count and values[order[place]] > values[order[0]]:
            item = order[place]
            order[place] = order[0]
            _sift(values, order, 0, count, item)
    for place in range(count - 1, 0, -1):
        item = order[place]
        order[place] = order[0]
        _sift(values, order, 0, place, item)


def partial_sort(values: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.int64]:
    """Indices of the values, the `count` largest first in falling order: int64 [N].

    Raises:
        ValueError: the count is negative.
    """
    if count < 0:
        raise ValueError(f"cannot sort {count} values")
    order = np.arange(len(values), dtype=np.int64)
    _partial_sort(np.ascontiguousarray(values), min(count, len(values)), order)
    return order
