"""Unpacking of sparse constants: the traversal-order encoding of the TFLite schema (`SparsityParameters`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class DenseLevel:
    """A level of the traversal that stores every one of its `size` coordinates."""

    size: int


@dataclass(frozen=True, slots=True)
class CompressedLevel:
    """A level that stores only some coordinates, compressed-sparse-row fashion.

    The children of parent p are `indices[segments[p]:segments[p + 1]]`.
    """

    segments: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int64]


def densify(
    values: npt.NDArray[np.generic],
    shape: tuple[int, ...],
    traversal_order: Sequence[int],
    block_map: Sequence[int],
    levels: Sequence[DenseLevel | CompressedLevel],
) -> npt.NDArray[np.generic]:
    """Return the dense array of `shape` whose stored entries are `values`, zero elsewhere.

    `traversal_order` names the dimension each level walks, outermost first; numbers from `len(shape)` on are the inner
    dimensions of blocks, and `block_map` says which dimension of `shape` each block splits. `levels` are in traversal
    order, as in the schema. Raises ValueError where the description contradicts itself or the values.

    >>> row = CompressedLevel(np.array([0, 1, 2]), np.array([2, 0]))
    >>> densify(np.array([5, 7]), (2, 3), (0, 1), (), (DenseLevel(2), row))
    array([[0, 0, 5],
           [7, 0, 0]])
    """
    rank = len(shape)
    if sorted(traversal_order) != list(range(rank + len(block_map))) or len(levels) != len(traversal_order):
        raise ValueError(
            f"traversal order {list(traversal_order)} and {len(levels)} levels do not describe "
            f"{rank} dimensions and {len(block_map)} blocks"
        )
    parents = np.zeros(1, dtype=np.int64)
    coordinates: list[npt.NDArray[np.int64]] = []
    for level in levels:
        parents, repeats, coordinate = _descend(parents, level)
        coordinates = [np.repeat(outer, repeats) for outer in coordinates]
        coordinates.append(coordinate)
    if len(parents) != values.size:
        raise ValueError(f"the indices describe {len(parents)} values, the buffer holds {values.size}")

    position: list[npt.NDArray[np.int64]] = [np.zeros(values.size, dtype=np.int64)] * rank
    # Blocks are walked inside the dimensions they split, so a block's coordinate is the less significant part.
    for order, coordinate in sorted(zip(traversal_order, coordinates, strict=True), key=lambda pair: pair[0]):
        if order < rank:
            position[order] = coordinate
        else:
            level = levels[list(traversal_order).index(order)]
            if not isinstance(level, DenseLevel):
                raise ValueError(f"block {order - rank} is not stored densely")
            dimension = block_map[order - rank]
            position[dimension] = position[dimension] * level.size + coordinate
    for axis, (index, size) in enumerate(zip(position, shape, strict=True)):
        if index.size and not (int(index.min()) >= 0 and int(index.max()) < size):
            raise ValueError(f"index {int(index.max())} is outside dimension {axis} of size {size}")
    dense = np.zeros(shape, dtype=values.dtype)
    dense[tuple(position)] = values.reshape(-1)
    return dense


def _descend(
    parents: npt.NDArray[np.int64], level: DenseLevel | CompressedLevel
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the children of `parents` at `level`, how many each parent has, and the children's coordinates."""
    if isinstance(level, DenseLevel):
        repeats = np.full(len(parents), level.size, dtype=np.int64)
        coordinate = np.tile(np.arange(level.size, dtype=np.int64), len(parents))
        return np.repeat(parents * level.size, repeats) + coordinate, repeats, coordinate
    if len(parents) and int(parents.max()) + 1 >= len(level.segments):
        raise ValueError(f"{len(level.segments)} segments for {int(parents.max()) + 1} parents")
    starts = level.segments[parents]
    repeats = level.segments[parents + 1] - starts
    if (repeats < 0).any() or (len(repeats) and int((starts + repeats).max()) > len(level.indices)):
        raise ValueError("segments run backwards or past the stored indices")
    first = np.cumsum(repeats) - repeats
    children = np.arange(int(repeats.sum()), dtype=np.int64) + np.repeat(starts - first, repeats)
    return children, repeats, level.indices[children]
