import json

import numpy as np
import pytest
from graphflow.calculators.io.float_text import rows_to_json


def shortest(rows: np.ndarray) -> list[list[float]]:
    """What numpy takes for the shortest decimals of float32, which is another program's answer."""
    return [[float(str(value)) for value in row] for row in rows]


@pytest.mark.parametrize(
    "numbers",
    [
        np.random.default_rng(1).random(3000) - 0.3,
        np.random.default_rng(2).normal(size=3000) * 1e-6,
        np.random.default_rng(3).uniform(1e3, 9.9e6, 3000),
        np.random.default_rng(4).integers(0, 2**32, 30000, dtype=np.uint32).view(np.float32),
        [0.1, 0.5, 1, 10, 100, 9999999, 0.99999994, 1.0000001, 2e-13, 123456.79, 3e-39, 1e-45, 3.4e38, 0, -0.0],
    ],
)
def test_numbers_are_the_shortest_that_read_back(numbers: np.ndarray) -> None:
    column = np.asarray(numbers, np.float32)
    column = column[np.isfinite(column)]
    inside = (np.abs(column) < 1e7) & ((np.abs(column) >= 2e-13) | (column == 0))
    for part in (column[inside], column[~inside]):  # the kernel's range and what numpy writes
        rows = part.reshape(-1, 1)
        read = json.loads(rows_to_json(rows))
        assert read == shortest(rows)
        assert (np.array(read, np.float32).reshape(-1, 1) == rows).all()


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (np.zeros((0, 3), np.float32), "[]"),
        (np.array([[1, 2.5], [-0.25, 0]], np.float32), "[[1,2.5],[-0.25,0]]"),
        (np.array([[1, np.nan, np.inf]], np.float32), "[[1.0,null,null]]"),
        (np.arange(6, dtype=np.float32).reshape(2, 3).T, "[[0,3],[1,4],[2,5]]"),
    ],
)
def test_layout(rows: np.ndarray, text: str) -> None:
    assert rows_to_json(rows) == text


@pytest.mark.parametrize("wrong", [np.zeros(3, np.float32), np.zeros((1, 3))])
def test_other_arrays_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"float32 \[N, K\]"):
        rows_to_json(wrong)
