"""Sparse constants: the traversal-order encoding unpacks to what it was packed from."""

import numpy as np
import numpy.typing as npt
import pytest

from graphflow.inference.tflite.sparse import CompressedLevel, DenseLevel, densify


def pack(
    dense: npt.NDArray[np.float32], order: list[int], block_map: list[int], blocks: list[int], compressed: list[bool]
) -> tuple[npt.NDArray[np.float32], list[DenseLevel | CompressedLevel]]:
    """Encode the slow way: walk every coordinate in traversal order, and keep those whose subtree is not all zero."""
    split = dense
    for dimension, size in sorted(zip(block_map, blocks, strict=True), reverse=True):
        shape = (*split.shape[:dimension], split.shape[dimension] // size, size, *split.shape[dimension + 1 :])
        split = np.moveaxis(split.reshape(shape), dimension + 1, split.ndim)
    # The loop above appends the blocks of later dimensions first.
    back = list(range(dense.ndim)) + [dense.ndim + i for i in reversed(range(len(blocks)))]
    walked = np.transpose(np.transpose(split, back), order)
    levels: list[DenseLevel | CompressedLevel] = []
    nodes: list[tuple[int, ...]] = [()]
    for depth, size in enumerate(walked.shape):
        children: list[tuple[int, ...]] = []
        segments, indices = [0], []
        for node in nodes:
            kept = [i for i in range(size) if not compressed[depth] or walked[(*node, i)].any()]
            children += [(*node, i) for i in kept]
            indices += kept
            segments.append(len(indices))
        nodes = children
        level = CompressedLevel(np.array(segments), np.array(indices, dtype=np.int64))
        levels.append(level if compressed[depth] else DenseLevel(size))
    return np.array([walked[node] for node in nodes], dtype=np.float32), levels


CASES = [
    pytest.param((4, 6), [0, 1], [], [], [False, True], id="rows"),
    pytest.param((4, 6), [1, 0], [], [], [False, True], id="columns first"),
    pytest.param((4, 6), [0, 1], [], [], [True, True], id="both compressed"),
    pytest.param((4, 6), [0, 1], [], [], [False, False], id="dense"),
    pytest.param((8, 6), [0, 1, 2], [0], [4], [False, True, False], id="4x1 blocks"),
    pytest.param((8, 6), [0, 1, 2, 3], [0, 1], [4, 2], [True, True, False, False], id="4x2 blocks"),
    pytest.param((8, 6), [1, 0, 3, 2], [0, 1], [4, 2], [False, True, False, False], id="blocks, other order"),
    pytest.param((8, 1, 1, 6), [0, 1, 2, 3, 4], [3], [2], [False, False, False, True, False], id="1x1 convolution"),
]


@pytest.mark.parametrize(("shape", "order", "block_map", "blocks", "compressed"), CASES)
@pytest.mark.parametrize("density", [0.0, 0.2, 1.0])
def test_unpacks_what_was_packed(
    shape: tuple[int, ...],
    order: list[int],
    block_map: list[int],
    blocks: list[int],
    compressed: list[bool],
    density: float,
) -> None:
    rng = np.random.default_rng(7)
    dense = (rng.random(shape) * (rng.random(shape) < density)).astype(np.float32)
    values, levels = pack(dense, order, block_map, blocks, compressed)
    np.testing.assert_array_equal(densify(values, shape, order, block_map, levels), dense)


ROW = CompressedLevel(np.array([0, 1, 2]), np.array([2, 0]))

BROKEN = [
    pytest.param([1.0], (0, 1), (), (DenseLevel(2), ROW), "2 values, the buffer holds 1", id="too few values"),
    pytest.param([1.0, 2.0], (0, 0), (), (DenseLevel(2), ROW), "traversal order", id="order repeats"),
    pytest.param([1.0, 2.0], (0, 1), (), (DenseLevel(2),), "1 levels", id="level missing"),
    pytest.param([1.0, 2.0, 3.0], (0, 1), (), (DenseLevel(3), ROW), "3 segments for 3 parents", id="too few segments"),
    pytest.param(
        [1.0, 2.0],
        (0, 1),
        (),
        (DenseLevel(2), CompressedLevel(np.array([0, 1, 2]), np.array([3, 0]))),
        "index 3 is outside dimension 1",
        id="index outside",
    ),
    pytest.param(
        [1.0, 2.0],
        (0, 1),
        (),
        (DenseLevel(2), CompressedLevel(np.array([0, 1, 9]), np.array([2, 0]))),
        "past the stored indices",
        id="segments past the end",
    ),
]


@pytest.mark.parametrize(("values", "order", "block_map", "levels", "message"), BROKEN)
def test_contradictions_are_refused(
    values: list[float],
    order: tuple[int, ...],
    block_map: tuple[int, ...],
    levels: tuple[DenseLevel | CompressedLevel, ...],
    message: str,
) -> None:
    with pytest.raises(ValueError, match=message):
        densify(np.array(values), (2, 3), order, block_map, levels)
