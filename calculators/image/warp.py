"""Samples a rotated region of an image into a model's input, in one pass, the same on every OpenCV.

`cv2.warpPerspective` is what MediaPipe calls here, and its results differ between OpenCV 4 and 5 by up to 3 of 255,
which tracking amplifies from frame to frame. This kernel has OpenCV 4's fixed-point arithmetic: positions rounded to
1/32 pixel, bilinear weights that are exact at that resolution, one rounding at the end.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..lazy import njit
from ..payloads import Image
from .region import Region, sampling_matrix

Border: TypeAlias = Literal["zero", "replicate"]
"""What lies outside the image: zeros, or the nearest pixel of its edge."""

ValueTable: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.uint8] | npt.NDArray[np.int8]
"""[256]: what each pixel value becomes in the tensor."""

_Four: TypeAlias = tuple[Any, Any, Any, Any]  # numpy scalars, which the kernel's dispatcher takes for ints

_STEP_BITS = 5
_STEPS = 1 << _STEP_BITS
_LAST_STEP = _STEPS - 1
_HALF = _STEPS * _STEPS // 2
_LOWEST, _HIGHEST = float(-(2**31)), float(2**31 - 1)


def value_table(low: float, high: float, dtype: npt.DTypeLike = np.float32) -> ValueTable:
    """What the pixel values 0..255 become when they are scaled linearly to `low`..`high`.

    Args:
        low: what 0 becomes.
        high: what 255 becomes.
        dtype: float32, or uint8 or int8 for quantized models, rounded half to even and clamped.

    Source: `GetValueRangeTransformation` of MediaPipe and `cv::Mat::convertTo` with fused multiply-add, which the
    recorded tensors show: the product is not rounded before the sum.
    """
    scale = (np.float32(high) - np.float32(low)) / np.float32(255)
    values = (np.arange(256) * np.float64(scale) + np.float64(np.float32(low))).astype(np.float32)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        values = np.clip(np.rint(values), limits.min, limits.max)
    table = values.astype(dtype)
    table.flags.writeable = False
    return table


def sample_region(
    image: Image, region: Region, tensor_width: int, tensor_height: int, table: ValueTable, border: Border
) -> npt.NDArray[Any]:
    """Fills a tensor with a region of an image.

    Args:
        image: uint8 [H, W, 3] RGB, [H, W, 4] RGBA (alpha is dropped) or [H, W] grey.
        region: the rotated rectangle that becomes the tensor; may reach outside the image.
        tensor_width: columns of the tensor.
        tensor_height: rows of the tensor.
        table: what each pixel value becomes.
        border: what lies outside the image.

    Returns:
        [1, tensor_height, tensor_width, 3], or [..., 1] for a grey image, of the table's dtype.

    Raises:
        ValueError: the image is not uint8 of one of these shapes, or is empty.
    """
    pixels = image[:, :, np.newaxis] if image.ndim == 2 else image
    if image.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or pixels.size == 0:
        raise ValueError(
            f"an image must be uint8 [H, W, 3], [H, W, 4] or [H, W], not {image.dtype} {list(image.shape)}"
        )
    height, width, channels = pixels.shape
    pixels = np.ascontiguousarray(pixels).reshape(-1).view()
    pixels.flags.writeable = False  # one compiled kernel, whether or not the image is read-only
    depth = 1 if channels == 1 else 3
    out = np.empty(tensor_height * tensor_width * depth, table.dtype)
    matrix = sampling_matrix(region, tensor_width, tensor_height)
    replicate = border == "replicate"
    _sample(pixels, height, width, channels, matrix, replicate, table, tensor_height, tensor_width, depth, out)
    return out.reshape(1, tensor_height, tensor_width, depth)


@njit(cache=True, nogil=True, error_model="numpy")
def _sample(
    pixels: npt.NDArray[np.uint8],
    height: int,
    width: int,
    channels: int,
    matrix: npt.NDArray[np.float64],
    replicate: bool,
    table: ValueTable,
    rows: int,
    columns: int,
    depth: int,
    out: npt.NDArray[Any],
) -> None:
    # OpenCV computes positions from the left end of blocks of this width; their rounding depends on it.
    block = min(1024 // min(16, rows), columns)
    xs = np.empty(block, np.int64)
    ys = np.empty(block, np.int64)
    stride = width * channels
    for row in range(rows):
        for start in range(0, columns, block):
            count = min(block, columns - start)
            _positions(matrix, start, row, count, xs, ys)
            for i in range(count):
                x, y = xs[i] >> _STEP_BITS, ys[i] >> _STEP_BITS
                fx, fy = xs[i] & _LAST_STEP, ys[i] & _LAST_STEP
                w11 = fx * fy
                w10 = fy * _STEPS - w11
                w01 = fx * _STEPS - w11
                w00 = _STEPS * _STEPS - w01 - w10 - w11
                if 0 <= x < width - 1 and 0 <= y < height - 1:
                    p00 = y * stride + x * channels
                    p01 = p00 + channels
                    p10 = p00 + stride
                    p11 = p10 + channels
                else:
                    left, right = min(max(x, 0), width - 1), min(max(x + 1, 0), width - 1)
                    top, bottom = min(max(y, 0), height - 1), min(max(y + 1, 0), height - 1)
                    p00 = top * stride + left * channels
                    p01 = top * stride + right * channels
                    p10 = bottom * stride + left * channels
                    p11 = bottom * stride + right * channels
                    if not replicate:
                        w00 = w00 if x == left and y == top else 0
                        w01 = w01 if x + 1 == right and y == top else 0
                        w10 = w10 if x == left and y + 1 == bottom else 0
                        w11 = w11 if x + 1 == right and y + 1 == bottom else 0
                at = np.uintp((row * columns + start + i) * depth)
                corners = (np.uintp(p00), np.uintp(p01), np.uintp(p10), np.uintp(p11))
                weights = (np.uint32(w00), np.uint32(w01), np.uint32(w10), np.uint32(w11))
                out[at] = table[_blend(pixels, corners, weights, np.uintp(0))]
                if depth == 3:
                    out[at + np.uintp(1)] = table[_blend(pixels, corners, weights, np.uintp(1))]
                    out[at + np.uintp(2)] = table[_blend(pixels, corners, weights, np.uintp(2))]


@njit(cache=True, nogil=True)
def _blend(pixels: npt.NDArray[np.uint8], corners: _Four, weights: _Four, channel: np.uintp) -> np.uintp:
    # Indices are unsigned, or each would be checked for counting from the end.
    return np.uintp(
        (
            weights[0] * pixels[corners[0] + channel]
            + weights[1] * pixels[corners[1] + channel]
            + weights[2] * pixels[corners[2] + channel]
            + weights[3] * pixels[corners[3] + channel]
            + np.uint32(_HALF)
        )
        >> np.uint32(2 * _STEP_BITS)
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _positions(
    m: npt.NDArray[np.float64],
    start: int,
    row: int,
    count: int,
    xs: npt.NDArray[np.int64],
    ys: npt.NDArray[np.int64],
) -> None:
    """Where the tensor pixels `start`.. of a row lie in the image, in steps of 1/32 pixel."""
    x0 = m[0] * start + m[1] * row + m[2]
    y0 = m[3] * start + m[4] * row + m[5]
    w0 = m[6] * start + m[7] * row + m[8]
    for i in range(count):
        w = w0 + m[6] * i
        w = _STEPS / w if w != 0.0 else 0.0
        xs[i] = np.int64(np.rint(min(max((x0 + m[0] * i) * w, _LOWEST), _HIGHEST)))
        ys[i] = np.int64(np.rint(min(max((y0 + m[3] * i) * w, _LOWEST), _HIGHEST)))
