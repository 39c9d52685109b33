"""The order is the one that `std::partial_sort` of the GNU C++ library leaves; it was printed by a C++ program."""

from __future__ import annotations

import numpy as np
import pytest
from graphflow.calculators.tracking.partial_sort import partial_sort

CASES: list[tuple[list[float], int, list[int]]] = [
    ([1.25], 1, [0]),
    ([0.5], 4, [0]),
    ([0.75], 7, [0]),
    ([1.5], 40, [0]),
    ([0.75, 0.25, 0, 1, 0.25], 1, [3, 1, 2, 0, 4]),
    ([0, 0.25, 0.75, 1.5, 1.25], 4, [3, 4, 2, 1, 0]),
    ([0.75, 1.25, 1.25, 0.75, 0.5], 7, [2, 1, 0, 3, 4]),
    ([1.25, 1.25, 1.25, 1, 0], 40, [1, 0, 2, 3, 4]),
    ([0.25, 0, 1.5, 1, 0.5, 1, 0.75, 1.5], 1, [2, 1, 0, 3, 4, 5, 6, 7]),
    ([0.5, 1.5, 0.25, 1.25, 0.5, 1.25, 1.25, 0.25], 4, [1, 3, 6, 5, 2, 0, 4, 7]),
    ([0, 1.25, 0.25, 1.5, 0.5, 0, 1.5, 1], 7, [6, 3, 1, 7, 4, 2, 0, 5]),
    ([0, 0, 0.5, 0.25, 0, 1.5, 0.75, 1.25], 40, [5, 7, 6, 2, 3, 0, 1, 4]),
    (
        [1, 0.75, 0.75, 1.5, 1, 1.25, 1, 0.25, 1.25, 0.75, 0, 1, 0.75, 0, 1.5, 1.25, 0.75, 0, 0.75, 1.5],
        1,
        [3, 1, 2, 0, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19],
    ),
    (
        [1, 0, 0.25, 0.25, 0, 0.25, 0.5, 1.25, 0, 1, 1.5, 0.75, 1.5, 0.75, 1.5, 0.75, 0, 0, 1.25, 1.5],
        4,
        [14, 12, 19, 10, 4, 1, 2, 5, 8, 3, 6, 11, 9, 13, 0, 15, 16, 17, 18, 7],
    ),
    (
        [0, 0.5, 1.25, 0, 1.5, 0.5, 1.25, 0.5, 0.5, 0.25, 1.5, 0.75, 1.5, 1.25, 0.25, 0.5, 0, 0.75, 1.25, 1.25],
        7,
        [4, 12, 10, 13, 18, 2, 6, 3, 0, 9, 5, 8, 1, 7, 14, 15, 16, 17, 11, 19],
    ),
    (
        [0.25, 1, 0.25, 0.75, 1.25, 1.5, 1.25, 0.75, 0.5, 1.25, 0, 1.25, 0, 0.75, 0, 0.75, 1.25, 0.75, 0.25, 1.25],
        40,
        [5, 4, 16, 19, 9, 11, 6, 1, 15, 7, 17, 3, 13, 8, 18, 0, 2, 10, 12, 14],
    ),
]


@pytest.mark.parametrize(("values", "count", "order"), CASES)
def test_sorted_as_in_cpp(values: list[float], count: int, order: list[int]) -> None:
    assert partial_sort(np.array(values, np.float32), count).tolist() == order


@pytest.mark.parametrize("count", [1, 3, 50, 200])
def test_the_largest_come_first(count: int) -> None:
    values = np.random.default_rng(count).random(100).astype(np.float32)
    order = partial_sort(values, count)
    assert sorted(order.tolist()) == list(range(100))
    np.testing.assert_array_equal(values[order[:count]], np.sort(values)[::-1][:count])


def test_less_than_nothing() -> None:
    with pytest.raises(ValueError, match="-1"):
        partial_sort(np.zeros(3, np.float32), -1)
