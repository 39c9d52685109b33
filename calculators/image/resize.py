"""Scales masks, the same on every OpenCV."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..lazy import njit
from ..payloads import FloatArray


def resize_mask(mask: FloatArray, width: int, height: int) -> FloatArray:
    """The mask in another size: bilinear, without averaging where it shrinks.

    The arithmetic is that of `cv2.resize` with INTER_LINEAR, where nothing else is built in: with Intel's IPP it is off
    by up to 1e-5.

    Args:
        mask: float32 [H, W].
        width: columns of the result.
        height: rows of the result.

    Returns:
        float32 [height, width]; the mask itself where it has that size.

    Raises:
        ValueError: the mask is not float32 [H, W], or one of the sizes is empty.
    """
    if mask.dtype != np.float32 or mask.ndim != 2:
        raise ValueError(f"a mask must be float32 [H, W], not {mask.dtype} {list(mask.shape)}")
    if mask.size == 0 or width <= 0 or height <= 0:
        raise ValueError(f"a mask of {mask.shape[1]} x {mask.shape[0]} cannot become one of {width} x {height}")
    if mask.shape == (height, width):
        return mask
    source = np.ascontiguousarray(mask).view()
    source.flags.writeable = False  # one compiled kernel, whether or not the mask is read-only
    columns, column_weights = _taps(mask.shape[1], width)
    rows, row_weights = _taps(mask.shape[0], height)
    resized = np.empty((height, width), np.float32)
    _resize(source, columns, column_weights, rows, row_weights, resized)
    return resized


def _taps(source: int, target: int) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """For each target pixel the two source pixels it lies between, [target, 2], and the weight of the second."""
    scale = 1.0 / (target / source)  # twice rounded, as in OpenCV
    places = ((np.arange(target) + 0.5) * scale - 0.5).astype(np.float32)
    before = np.floor(places)
    first = before.astype(np.int64)
    return np.clip(np.stack((first, first + 1), axis=1), 0, source - 1), places - before


@njit(cache=True, nogil=True)
def _resize(
    mask: FloatArray,
    columns: npt.NDArray[np.int64],
    column_weights: FloatArray,
    rows: npt.NDArray[np.int64],
    row_weights: FloatArray,
    resized: FloatArray,
) -> None:
    one = np.float32(1)
    height, width = resized.shape
    stretched = np.empty((mask.shape[0], width), np.float32)
    for y in range(mask.shape[0]):
        for x in range(width):
            weight = column_weights[x]
            stretched[y, x] = mask[y, columns[x, 0]] * (one - weight) + mask[y, columns[x, 1]] * weight
    for y in range(height):
        weight = row_weights[y]
        above, below = stretched[rows[y, 0]], stretched[rows[y, 1]]
        for x in range(width):
            resized[y, x] = above[x] * (one - weight) + below[x] * weight
