from typing import Any

import pytest
from graphflow.calculators.io.synchronize import Synchronize

from graphflow.testing import run_calculator


def aligned(streams: list[list[int]], **options: Any) -> list[list[tuple[int, int]]]:
    """What comes out of packets whose values are their own timestamps, in milliseconds."""
    inputs = {str(index): [(1000 * time, time) for time in times] for index, times in enumerate(streams)}
    found = run_calculator(Synchronize, inputs, options, outputs=list(inputs))
    outputs = [found[name if name != "0" else ""] for name in inputs]
    return [[(timestamp // 1000, value) for timestamp, value in output] for output in outputs]


@pytest.mark.parametrize(
    ("streams", "expected"),
    [
        # the same times
        ([[0, 40, 80], [0, 40, 80]], [[(0, 0), (40, 40), (80, 80)], [(0, 0), (40, 40), (80, 80)]]),
        # a little apart
        ([[0, 40, 80], [7, 44, 89]], [[(0, 0), (40, 40), (80, 80)], [(0, 7), (40, 44), (80, 89)]]),
        # the second is faster: what is nearest; then slower: used twice
        ([[0, 40, 80], [0, 20, 38, 60, 85]], [[(0, 0), (40, 40), (80, 80)], [(0, 0), (40, 38), (80, 85)]]),
        ([[0, 40, 80], [10, 70]], [[(0, 0), (40, 40), (80, 80)], [(0, 10), (40, 70), (80, 70)]]),
        # one starts late and ends early
        ([[0, 100, 200, 300], [190, 210]], [[(200, 200)], [(200, 210)]]),
        ([[0, 40], []], [[], []]),
        # three
        ([[0, 40], [1, 41], [200]], [[], [], []]),
        ([[0, 40], [1, 41], [2, 45]], [[(0, 0), (40, 40)], [(0, 1), (40, 41)], [(0, 2), (40, 45)]]),
    ],
)
def test_the_nearest_within_the_tolerance(
    streams: list[list[int]], expected: list[list[tuple[int, int]]]
) -> None:
    assert aligned(streams) == expected


def test_alone_where_not_complete() -> None:
    assert aligned([[0, 40], [45]], complete=False, tolerance_us=10_000) == [[(0, 0), (40, 40)], [(40, 45)]]
