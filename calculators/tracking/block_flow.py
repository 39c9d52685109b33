"""Sorts out points that move otherwise than those around them: one motion for each block of overlapping grids."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..lazy import njit
from ..payloads import FloatArray, ImageSize
from .random_picks import SEED, draw

_BLOCK: Final = 0.25
_OVERLAPS: Final = 3
_MAX_MAGNITUDE: Final = 0.2
_MIN_INLIERS: Final = 3
_MIN_INLIERS_OF_MEAN: Final = np.float32(0.2)
_ABSOLUTE_ERROR: Final = 2.0
_RELATIVE_ERROR: Final = np.float32(0.1)
_ROUNDS: Final = 10


@dataclass(frozen=True)
class BlockSettings:
    """Which blocks there are, and when points of a block move alike.

    Attributes:
        min_block_size: pixels; blocks are halved down to about this size, at least once.
        inlier_sets: how many motions a block may have.
        frac_error: how far motions may differ, as a part of the frame's diagonal; at least 2 pixels, a tenth of the
            motion at least.
    """

    min_block_size: int
    inlier_sets: int
    frac_error: float


def consistency(points: FloatArray, flows: FloatArray, frame_size: ImageSize, settings: BlockSettings) -> FloatArray:
    """How well each point moves with those around it: float32 [N], 0 where it does not, about 2 where always.

    Every block that has enough points picks some of them at random, and keeps those that move as the one that most
    agree with. A point's value tells in how many of its blocks it was kept. Source: MediaPipe
    RegionFlowComputation::ComputeBlockBasedFlow.

    Args:
        points, flows: float32 [N, 2], pixels.
        frame_size: width, height in pixels.
        settings: as described there.
    """
    width, height = frame_size
    diagonal = math.hypot(width, height)
    block_width, block_height = max(1, int(_BLOCK * width)), max(1, int(_BLOCK * height))
    halvings = math.log(settings.min_block_size / max(block_width, block_height)) / math.log(0.5) + 1
    error = max(_ABSOLUTE_ERROR, settings.frac_error * diagonal)
    slow = np.flatnonzero((flows.astype(np.float64) ** 2).sum(1) < (diagonal * _MAX_MAGNITUDE) ** 2)
    weights = np.zeros(len(points), np.float32)
    if len(slow):
        of_slow = np.zeros(len(slow), np.float32)
        _consistency(
            points[slow],
            flows[slow],
            width,
            height,
            block_width,
            block_height,
            max(2, math.floor(halvings)),
            np.float32(error * error),
            settings.inlier_sets,
            of_slow,
        )
        weights[slow] = of_slow
    return weights


@njit(cache=True, nogil=True)
def _consistency(
    points: Any,
    flows: Any,
    width: Any,
    height: Any,
    block_width: Any,
    block_height: Any,
    levels: Any,
    sq_error: Any,
    inlier_sets: Any,
    weights: Any,
) -> None:
    count = len(points)
    kept = np.zeros(count, np.int64)
    bins = np.zeros(count, np.int64)
    block = np.empty(count, np.int64)
    members = np.empty(count, np.int64)
    for _ in range(levels):
        for overlap_y in range(_OVERLAPS):
            shift_y = 0 if overlap_y == 0 else block_height - block_height * overlap_y // _OVERLAPS
            for overlap_x in range(_OVERLAPS):
                shift_x = 0 if overlap_x == 0 else block_width - block_width * overlap_x // _OVERLAPS
                columns = (width + shift_x + block_width - 1) // block_width
                rows = (height + shift_y + block_height - 1) // block_height
                sizes = np.zeros(columns * rows, np.int64)
                for i in range(count):
                    x = int(points[i, 0] + np.float32(0.5) + shift_x) // block_width
                    y = int(points[i, 1] + np.float32(0.5) + shift_y) // block_height
                    block[i] = min(y, rows - 1) * columns + min(x, columns - 1)
                    sizes[block[i]] += 1
                least = max(_MIN_INLIERS, int(_MIN_INLIERS_OF_MEAN * count / len(sizes)))
                total = 0
                for size in sizes:
                    total += size if size >= least else 0
                least_left = max(_MIN_INLIERS, int(_MIN_INLIERS_OF_MEAN * total / len(sizes)))
                state = np.int64(SEED)
                for b in range(len(sizes)):
                    if sizes[b] < least:
                        continue
                    size = 0
                    for i in range(count):
                        if block[i] == b:
                            members[size] = i
                            bins[i] += 1
                            size += 1
                    state = _keep(flows, members, size, least_left, sq_error, inlier_sets, state, kept)
        block_width, block_height = (block_width + 1) // 2, (block_height + 1) // 2
    for i in range(count):
        if kept[i]:
            weights[i] = np.float32(2.0) * (kept[i] + 1) / bins[i]


@njit(cache=True, nogil=True)
def _keep(
    flows: Any, members: Any, count: Any, least: Any, sq_error: Any, inlier_sets: Any, state: Any, kept: Any
) -> Any:
    """Counts the points of one block that move alike; the members left over are tried again, for further sets."""
    best, current = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    size, last = count, 0
    for _ in range(inlier_sets):
        if size < max(least, count // 5) or size == 0:
            break
        most = 0
        for _round in range(_ROUNDS):
            state, pick = draw(state, size)
            x, y = flows[members[pick], 0], flows[members[pick], 1]
            relative = _RELATIVE_ERROR * np.float32(math.sqrt(x * x + y * y))
            threshold = max(relative * relative, sq_error)
            agreeing = 0
            for i in range(size):
                dx, dy = flows[members[i], 0] - x, flows[members[i], 1] - y
                current[i] = dx * dx + dy * dy < threshold
                agreeing += current[i]
            if agreeing >= most:
                most = agreeing
                best, current = current, best
        if most < max(_MIN_INLIERS, last // 2):
            break
        last, left = most, 0
        for i in range(size):
            if best[i]:
                kept[members[i]] += 1
            else:
                members[left] = members[i]
                left += 1
        size = left
    return state
