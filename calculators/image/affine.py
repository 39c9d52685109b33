"""Warps images through an affine matrix, the same on every OpenCV.

`cv2.warpAffine` is what MediaPipe calls; its results differ between OpenCV 4 and 5. This kernel has OpenCV 4's
arithmetic: positions summed in 1/1024 pixel and cut to 1/32, bilinear weights that are exact at that resolution.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..lazy import njit
from ..payloads import Image
from .warp import Border

_STEP_BITS = 5
_STEPS = 1 << _STEP_BITS
_LAST_STEP = _STEPS - 1
_FINE_BITS = 10
_ROUNDING = (1 << _FINE_BITS) // _STEPS // 2
_FARTHEST = float(2**31 - 1)


def warp_affine(
    image: Image, matrix: npt.NDArray[Any], width: int, height: int, border: Border
) -> npt.NDArray[Any]:
    """Fills an image with what a matrix finds in another one, between its pixels.

    Args:
        image: uint8 or float32, [H, W] or [H, W, channels].
        matrix: [2, 3], from pixels (x, y, 1) of the result to pixels of the image; pixel centres are whole numbers.
        width: columns of the result.
        height: rows of the result.
        border: what lies outside the image.

    Returns:
        [height, width] or [height, width, channels], of the image's dtype.

    Raises:
        ValueError: the image is of another dtype or shape or empty, the size is, or the matrix is not finite.
    """
    if image.dtype not in (np.uint8, np.float32) or image.ndim not in (2, 3) or image.size == 0:
        shape = list(image.shape)
        raise ValueError(f"an image must be uint8 or float32 [H, W] or [H, W, channels], not {image.dtype} {shape}")
    if width <= 0 or height <= 0:
        raise ValueError(f"an image cannot be warped to {width} x {height} pixels")
    coefficients = np.asarray(matrix, np.float64)
    if coefficients.shape != (2, 3) or not np.isfinite(coefficients).all():
        raise ValueError(f"the matrix must be six finite numbers [2, 3], not {coefficients.tolist()}")
    rows, columns, *channels = image.shape
    depth = channels[0] if channels else 1
    pixels = np.ascontiguousarray(image).reshape(-1).view()
    pixels.flags.writeable = False  # one compiled kernel, whether or not the image is read-only
    warped = np.empty((height, width, *channels), image.dtype)
    half = np.float32(0.5 if image.dtype == np.uint8 else 0.0)
    _warp(pixels, rows, columns, depth, coefficients, border == "replicate", half, height, width, warped.reshape(-1))
    return warped


@njit(cache=True, nogil=True, error_model="numpy")
def _warp(
    pixels: npt.NDArray[Any],
    rows: int,
    columns: int,
    depth: int,
    m: npt.NDArray[np.float64],
    replicate: bool,
    half: np.float32,
    height: int,
    width: int,
    out: npt.NDArray[Any],
) -> None:
    along_x = np.empty(width, np.int64)
    along_y = np.empty(width, np.int64)
    for column in range(width):
        along_x[column] = _fine(m[0, 0] * column)
        along_y[column] = _fine(m[1, 0] * column)
    one = np.float32(1)
    zero = np.float32(0)
    step = np.float32(1.0 / _STEPS)
    at = np.uintp(0)  # indices are unsigned, or each would be checked for counting from the end
    for row in range(height):
        start_x = _fine(m[0, 1] * row + m[0, 2]) + _ROUNDING
        start_y = _fine(m[1, 1] * row + m[1, 2]) + _ROUNDING
        for column in range(width):
            place_x = (start_x + along_x[column]) >> (_FINE_BITS - _STEP_BITS)
            place_y = (start_y + along_y[column]) >> (_FINE_BITS - _STEP_BITS)
            x, y = place_x >> _STEP_BITS, place_y >> _STEP_BITS
            outside = x < -1 or y < -1 or x >= columns or y >= rows
            if outside and not replicate:
                for _ in range(depth):
                    out[at] = 0
                    at += np.uintp(1)
                continue
            fx, fy = np.float32(place_x & _LAST_STEP) * step, np.float32(place_y & _LAST_STEP) * step
            w00, w01 = (one - fy) * (one - fx), (one - fy) * fx
            w10, w11 = fy * (one - fx), fy * fx
            if 0 <= x < columns - 1 and 0 <= y < rows - 1:
                p00 = (y * columns + x) * depth
                p01, p10, p11 = p00 + depth, p00 + columns * depth, p00 + (columns + 1) * depth
            else:
                left, right = min(max(x, 0), columns - 1), min(max(x + 1, 0), columns - 1)
                top, bottom = min(max(y, 0), rows - 1), min(max(y + 1, 0), rows - 1)
                p00, p01 = (top * columns + left) * depth, (top * columns + right) * depth
                p10, p11 = (bottom * columns + left) * depth, (bottom * columns + right) * depth
                if not replicate:
                    w00 = w00 if x == left and y == top else zero
                    w01 = w01 if x + 1 == right and y == top else zero
                    w10 = w10 if x == left and y + 1 == bottom else zero
                    w11 = w11 if x + 1 == right and y + 1 == bottom else zero
            q00, q01, q10, q11 = np.uintp(p00), np.uintp(p01), np.uintp(p10), np.uintp(p11)
            for channel in range(np.uintp(depth)):
                upper = np.float32(pixels[q00 + channel]) * w00 + np.float32(pixels[q01 + channel]) * w01
                lower = upper + np.float32(pixels[q10 + channel]) * w10
                # exact for bytes, so that half a level more and cutting off rounds as OpenCV's integers do
                out[at] = lower + np.float32(pixels[q11 + channel]) * w11 + half
                at += np.uintp(1)


@njit(cache=True, nogil=True)
def _fine(pixels: float) -> np.int64:
    return np.int64(np.rint(min(max(pixels * (1 << _FINE_BITS), -_FARTHEST), _FARTHEST)))
