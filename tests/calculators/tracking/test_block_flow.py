"""Which points move with their neighbours: by example, and as a plain program finds it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from graphflow.calculators.payloads import FloatArray
from graphflow.calculators.tracking.block_flow import BlockSettings, consistency
from graphflow.calculators.tracking.random_picks import SEED

SIZE = (640, 480)
SETTINGS = BlockSettings(100, 1, 3e-3)
TWO_SETS = BlockSettings(100, 2, 3e-3)


def drawn(state: int, count: int) -> tuple[int, int]:
    bucket = 2147483645 // count
    while True:
        state = state * 16807 % 2147483647
        if state - 1 < bucket * count:
            return state, (state - 1) // bucket


def plain(points: FloatArray, flows: FloatArray, settings: BlockSettings) -> FloatArray:
    """The same as the kernel, block by block with lists."""
    width, height = SIZE
    diagonal = math.hypot(width, height)
    usable = [i for i in range(len(points)) if float((flows[i] ** 2).sum()) < (diagonal * 0.2) ** 2]
    bins, kept = dict.fromkeys(usable, 0), dict.fromkeys(usable, 0)
    threshold = np.float32(max(2.0, settings.frac_error * diagonal) ** 2)
    sides = (160, 120)
    for _ in range(max(2, math.floor(math.log(settings.min_block_size / 160) / math.log(0.5) + 1))):
        for shift_y in (0, sides[1] - sides[1] // 3, sides[1] - sides[1] * 2 // 3):
            for shift_x in (0, sides[0] - sides[0] // 3, sides[0] - sides[0] * 2 // 3):
                columns, rows = math.ceil((width + shift_x) / sides[0]), math.ceil((height + shift_y) / sides[1])
                blocks: list[list[int]] = [[] for _ in range(columns * rows)]
                for i in usable:
                    x = int(points[i, 0] + np.float32(0.5) + shift_x) // sides[0]
                    y = int(points[i, 1] + np.float32(0.5) + shift_y) // sides[1]
                    blocks[y * columns + x].append(i)
                least = max(3, int(0.2 * len(usable) / len(blocks)))
                blocks = [block if len(block) >= least else [] for block in blocks]
                least = max(3, int(0.2 * sum(map(len, blocks)) / len(blocks)))
                state = SEED
                for block in blocks:
                    for i in block:
                        bins[i] += 1
                    left, last = block, 0
                    for _set in range(settings.inlier_sets):
                        if not left or len(left) < max(least, len(block) // 5):
                            break
                        best: list[int] = []
                        for _round in range(10):
                            state, pick = drawn(state, len(left))
                            flow = flows[left[pick]]
                            relative = np.float32(0.1) * np.float32(np.sqrt((flow**2).sum()))
                            alike = [
                                i for i in left if ((flows[i] - flow) ** 2).sum() < max(relative * relative, threshold)
                            ]
                            best = alike if len(alike) >= len(best) else best
                        if len(best) < max(3, last // 2):
                            break
                        last = len(best)
                        for i in best:
                            kept[i] += 1
                        left = [i for i in left if i not in best]
        sides = ((sides[0] + 1) // 2, (sides[1] + 1) // 2)
    return np.array([2 * (kept[i] + 1) / bins[i] if kept.get(i) else 0 for i in range(len(points))], np.float32)


def scattered(count: int, seed: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    points = rng.uniform((3.5, 3.5), (635.5, 475.5), (count, 2)).astype(np.float32)
    flows = (points * 0.01 + rng.normal(0, 0.3, (count, 2))).astype(np.float32)
    wrong = rng.random(count) < 0.3
    flows[wrong] += rng.uniform(-60, 60, (int(wrong.sum()), 2)).astype(np.float32)
    return points, flows


@pytest.mark.parametrize("settings", [SETTINGS, TWO_SETS, BlockSettings(30, 1, 0.01)])
@pytest.mark.parametrize("count", [1, 4, 30, 250])
def test_as_a_plain_program(settings: BlockSettings, count: int) -> None:
    points, flows = scattered(count, count)
    np.testing.assert_allclose(
        consistency(points, flows, SIZE, settings), plain(points, flows, settings), rtol=1e-6, atol=0
    )


def test_points_that_move_otherwise() -> None:
    points, _ = scattered(300, 5)
    flows = np.tile(np.array([4, -3], np.float32), (300, 1))
    wrong = np.arange(0, 300, 10)
    flows[wrong] = np.random.default_rng(3).uniform(20, 90, (30, 2))
    weights = consistency(points, flows, SIZE, SETTINGS)
    assert (weights[wrong] < 0.6).all(), "no three neighbours agree but by chance"
    assert (np.delete(weights, wrong) > 1.5).all()


ODD = [
    (np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32)),
    (np.full((5, 2), 100, np.float32), np.full((5, 2), 300, np.float32)),
    (np.full((5, 2), 100, np.float32), np.full((5, 2), np.nan, np.float32)),
    (np.array([[0, 0], [639, 479]], np.float32), np.zeros((2, 2), np.float32)),
]


@pytest.mark.parametrize(("points", "flows"), ODD)
def test_nothing_to_compare(points: FloatArray, flows: FloatArray) -> None:
    np.testing.assert_array_equal(consistency(points, flows, SIZE, SETTINGS), np.zeros(len(points), np.float32))
