"""The numbers are those that the GNU C++ library draws; they were printed by a C++ program."""

from __future__ import annotations

import pytest
from graphflow.calculators.tracking.random_picks import picks

DRAWN = {
    1: [0, 0, 0, 0, 0, 0, 0, 0],
    2: [0, 0, 1, 1, 1, 0, 0, 0],
    7: [0, 0, 4, 6, 6, 1, 0, 0],
    300: [15, 30, 197, 259, 279, 53, 31, 14],
    499: [25, 51, 328, 432, 464, 88, 53, 24],
}


@pytest.mark.parametrize("count", DRAWN)
def test_drawn_as_in_cpp(count: int) -> None:
    assert picks(count, 8).tolist() == DRAWN[count]


def test_nothing_to_pick_from() -> None:
    with pytest.raises(ValueError, match="one of 0"):
        picks(0, 3)
