"""How tensors lie in memory: rows of pixels, each of all channels in whole vectors, zeros around."""

from __future__ import annotations

from dataclasses import dataclass

from .network import Tensor


@dataclass(frozen=True, slots=True)
class Layout:
    """Distances in float32 values. `blocks` is the number of vectors a pixel has, `origin` where pixel (0, 0) is.

    A `ring` keeps that many rows, a power of two, row y in place y modulo `ring`; 0 where all rows are kept. An image
    in planes has `pixel` 1, and `channel` is the distance from plane to plane.
    """

    height: int
    width: int
    blocks: int
    pixel: int
    row: int
    channel: int
    origin: int
    size: int
    ring: int = 0


def layout_of(tensor: Tensor, vector: int, ring: int = 0) -> Layout:
    """Return where the values of a tensor are, vectors being `vector` values; with a `ring`, no rows of zeros are."""
    top, left, bottom, right = tensor.halo
    rows, columns = tensor.height + top + bottom, tensor.width + left + right
    if tensor.planes:
        plane = rows * columns
        size = -(-plane * tensor.channels // vector) * vector
        return Layout(tensor.height, tensor.width, 0, 1, columns, plane, top * columns + left, size)
    blocks = -(-tensor.channels // vector)
    pixel = blocks * vector
    row = columns * pixel
    if ring:
        return Layout(tensor.height, tensor.width, blocks, pixel, row, 1, left * pixel, ring * row, ring)
    return Layout(tensor.height, tensor.width, blocks, pixel, row, 1, top * row + left * pixel, rows * row)
