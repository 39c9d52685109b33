"""Points counted on a grid, with shares for the cells around."""

from __future__ import annotations

import numpy as np
import pytest
from graphflow.calculators.tracking.grid_density import gather, scatter

SHARES = [
    ((1.0, 2.0), {(2, 1): 1.0}),
    ((1.25, 2.0), {(2, 1): 0.75, (2, 2): 0.25}),
    ((1.5, 2.5), {(2, 1): 0.25, (2, 2): 0.25, (3, 1): 0.25, (3, 2): 0.25}),
    ((0.0, 0.0), {(0, 0): 1.0}),
    ((4.0, 4.0), {(4, 4): 1.0}),
    ((-1.0, 9.0), {(4, 0): 1.0}),
]


@pytest.mark.parametrize(("place", "shares"), SHARES)
def test_shares(place: tuple[float, float], shares: dict[tuple[int, int], float]) -> None:
    expected = np.zeros((5, 5))
    for cell, share in shares.items():
        expected[cell] = share
    grid = scatter(np.array([place]), np.array([2.0]), 5)
    np.testing.assert_allclose(grid, 2 * expected)
    np.testing.assert_allclose(gather(expected, np.array([place])), [(expected**2).sum()])


def test_nothing() -> None:
    assert not scatter(np.zeros((0, 2)), np.zeros(0), 5).any()
    assert gather(np.ones((5, 5)), np.zeros((0, 2))).shape == (0,)


def test_a_constant_stays() -> None:
    places = np.random.default_rng(1).uniform(0, 9, (50, 2))
    np.testing.assert_allclose(gather(np.full((10, 10), 3.0), places), np.full(50, 3.0))
    assert scatter(places, np.ones(50), 10).sum() == pytest.approx(50)
