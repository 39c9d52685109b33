"""Samples a rotated region of an image into a model's input, in one pass, the same on every OpenCV.

`cv2.warpPerspective` is what MediaPipe calls here, and its results differ between OpenCV 4 and 5 by up to 3 of 255,
which tracking amplifies from frame to frame. This kernel has OpenCV 4's fixed-point arithmetic: positions rounded to
1/32 pixel, bilinear weights that are exact at that resolution, one rounding at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..lazy import njit
from ..payloads import Image
from .region import Region, sampling_matrix

Border: TypeAlias = Literal["zero", "replicate"]
"""What lies outside the image: zeros, or the nearest pixel of its edge."""

_STEP_BITS = 5
_STEPS = 1 << _STEP_BITS
_LAST_STEP = _STEPS - 1
_HALF = _STEPS * _STEPS // 2
_LOWEST, _HIGHEST = float(-(2**31)), float(2**31 - 1)
_WORD = 4


@dataclass(frozen=True)
class ValueRange:
    """What the pixel values 0..255 become when they are scaled linearly.

    Attributes:
        low: what 0 becomes.
        high: what 255 becomes.
        dtype: float32, or uint8 or int8 for quantized models, rounded half to even and clamped.

    Source: `GetValueRangeTransformation` of MediaPipe and `cv::Mat::convertTo` with fused multiply-add, which the
    recorded tensors show: the product is not rounded before the sum.
    """

    low: float
    high: float
    dtype: npt.DTypeLike = np.float32

    @cached_property
    def scale(self) -> float:
        """How much one level of a pixel is; a float32."""
        return float((np.float32(self.high) - np.float32(self.low)) / np.float32(255))

    @cached_property
    def offset(self) -> float:
        """`low` as a float32."""
        return float(np.float32(self.low))

    @cached_property
    def table(self) -> npt.NDArray[Any]:
        """[256]: what each pixel value becomes."""
        values = (np.arange(256) * self.scale + self.offset).astype(np.float32)
        if np.issubdtype(self.dtype, np.integer):
            limits = np.iinfo(np.dtype(self.dtype))
            values = np.clip(np.rint(values), limits.min, limits.max)
        table = values.astype(self.dtype)
        table.flags.writeable = False
        return table


def sample_region(
    image: Image, region: Region, tensor_width: int, tensor_height: int, values: ValueRange, border: Border
) -> npt.NDArray[Any]:
    """Fills a tensor with a region of an image.

    Args:
        image: uint8 [H, W, 3] RGB, [H, W, 4] RGBA (alpha is dropped) or [H, W] grey.
        region: the rotated rectangle that becomes the tensor; may reach outside the image.
        tensor_width: columns of the tensor.
        tensor_height: rows of the tensor.
        values: what the pixel values become.
        border: what lies outside the image.

    Returns:
        [1, tensor_height, tensor_width, 3], or [..., 1] for a grey image, of the range's dtype. In memory it is one
        plane after the other, as models on ONNX Runtime read it.

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
    if pixels.size < _WORD:
        pixels = np.resize(pixels, _WORD)
    pixels.flags.writeable = False  # one compiled kernel, whether or not the image is read-only
    depth = 1 if channels == 1 else 3
    planes = np.empty((1, depth, tensor_height, tensor_width), np.float32)
    matrix = sampling_matrix(region, tensor_width, tensor_height)
    whole = np.issubdtype(values.dtype, np.integer)
    scale, offset = (1.0, 0.0) if whole else (values.scale, values.offset)
    _sample(pixels, height, width, channels, matrix, border == "replicate", scale, offset, planes[0])
    if whole:
        planes = values.table[planes.astype(np.uint8)]
    return planes.transpose(0, 2, 3, 1)


@njit(cache=True, nogil=True, error_model="numpy")
def _sample(
    pixels: npt.NDArray[np.uint8],
    height: int,
    width: int,
    channels: int,
    matrix: npt.NDArray[np.float64],
    replicate: bool,
    scale: float,
    offset: float,
    planes: npt.NDArray[np.float32],
) -> None:
    # Row by row in short loops over scratch, each of one kind of work, so that all but the reading of pixels becomes
    # vector instructions.
    depth, rows, columns = planes.shape
    # OpenCV computes positions from the left end of blocks of this width; their rounding depends on it.
    block = min(1024 // min(16, rows), columns)
    xs = np.empty(columns, np.int32)
    ys = np.empty(columns, np.int32)
    nw, ne = np.empty(columns, np.uint32), np.empty(columns, np.uint32)
    sw, se = np.empty(columns, np.uint32), np.empty(columns, np.uint32)
    for row in range(rows):
        for start in range(0, columns, block):
            end = min(start + block, columns)
            _positions(matrix, start, row, xs[start:end], ys[start:end])
        if _lie_inside(xs, ys, height, width, channels):
            _read_inside(pixels, width, channels, xs, ys, nw, ne, sw, se)
        else:
            _read_anywhere(pixels, height, width, channels, replicate, xs, ys, nw, ne, sw, se)
        for channel in range(depth):
            _blend(nw, ne, sw, se, xs, ys, channel, scale, offset, planes[channel, row])


@njit(cache=True, nogil=True, error_model="numpy")
def _positions(
    m: npt.NDArray[np.float64], start: int, row: int, xs: npt.NDArray[np.int32], ys: npt.NDArray[np.int32]
) -> None:
    """Where the tensor pixels from `start` on of a row lie in the image, in steps of 1/32 pixel."""
    x0 = m[0] * start + m[1] * row + m[2]
    y0 = m[3] * start + m[4] * row + m[5]
    w0 = m[6] * start + m[7] * row + m[8]
    for i in range(len(xs)):
        w = w0 + m[6] * i
        w = _STEPS / w if w != 0.0 else 0.0
        xs[i] = np.int32(np.rint(min(max((x0 + m[0] * i) * w, _LOWEST), _HIGHEST)))
        ys[i] = np.int32(np.rint(min(max((y0 + m[3] * i) * w, _LOWEST), _HIGHEST)))


@njit(cache=True, nogil=True)
def _lie_inside(xs: npt.NDArray[np.int32], ys: npt.NDArray[np.int32], height: int, width: int, channels: int) -> bool:
    """Whether all four pixels around each position are in the image and can be read as words."""
    left, top = right, bottom = xs[0], ys[0]
    for i in range(len(xs)):
        left, right = min(left, xs[i]), max(right, xs[i])
        top, bottom = min(top, ys[i]), max(bottom, ys[i])
    x, y = (right >> _STEP_BITS) + 1, (bottom >> _STEP_BITS) + 1
    last = (y * width + x) * channels + _WORD
    return bool(left >= 0 and top >= 0 and x < width and y < height and last <= height * width * channels)


@njit(cache=True, nogil=True)
def _read_inside(
    pixels: npt.NDArray[np.uint8],
    width: int,
    channels: int,
    xs: npt.NDArray[np.int32],
    ys: npt.NDArray[np.int32],
    nw: npt.NDArray[np.uint32],
    ne: npt.NDArray[np.uint32],
    sw: npt.NDArray[np.uint32],
    se: npt.NDArray[np.uint32],
) -> None:
    right, down = np.uintp(channels), np.uintp(width * channels)
    for i in range(len(xs)):
        at = np.uintp(((ys[i] >> _STEP_BITS) * width + (xs[i] >> _STEP_BITS)) * channels)
        nw[i] = _word(pixels, at)
        ne[i] = _word(pixels, at + right)
        sw[i] = _word(pixels, at + down)
        se[i] = _word(pixels, at + down + right)


@njit(cache=True, nogil=True)
def _read_anywhere(
    pixels: npt.NDArray[np.uint8],
    height: int,
    width: int,
    channels: int,
    replicate: bool,
    xs: npt.NDArray[np.int32],
    ys: npt.NDArray[np.int32],
    nw: npt.NDArray[np.uint32],
    ne: npt.NDArray[np.uint32],
    sw: npt.NDArray[np.uint32],
    se: npt.NDArray[np.uint32],
) -> None:
    last_x, last_y = np.int32(width - 1), np.int32(height - 1)
    zero, one, bits = np.int32(0), np.int32(1), np.int32(_STEP_BITS)
    for i in range(len(xs)):  # first where the pixels are, then what they are
        x, y = xs[i] >> bits, ys[i] >> bits
        left, right = min(max(x, zero), last_x), min(max(x + one, zero), last_x)
        top, bottom = min(max(y, zero), last_y), min(max(y + one, zero), last_y)
        nw[i], ne[i] = (top * width + left) * channels, (top * width + right) * channels
        sw[i], se[i] = (bottom * width + left) * channels, (bottom * width + right) * channels
    for corner in (nw, ne, sw, se):
        for i in range(len(xs)):
            corner[i] = _last_word(pixels, corner[i])
    if replicate:
        return
    for i in range(len(xs)):
        x, y = xs[i] >> bits, ys[i] >> bits
        left, right = zero <= x <= last_x, zero <= x + one <= last_x
        top, bottom = zero <= y <= last_y, zero <= y + one <= last_y
        nw[i] *= left & top
        ne[i] *= right & top
        sw[i] *= left & bottom
        se[i] *= right & bottom


@njit(cache=True, nogil=True)
def _word(pixels: npt.NDArray[np.uint8], at: np.uintp) -> np.uint32:
    """The bytes of one pixel and perhaps of the next; the compiler makes one instruction of it.

    Indices are unsigned, or each would be checked for counting from the end.
    """
    return (
        np.uint32(pixels[at])
        | (np.uint32(pixels[at + np.uintp(1)]) << np.uint32(8))
        | (np.uint32(pixels[at + np.uintp(2)]) << np.uint32(16))
        | (np.uint32(pixels[at + np.uintp(3)]) << np.uint32(24))
    )


@njit(cache=True, nogil=True)
def _last_word(pixels: npt.NDArray[np.uint8], at: Any) -> np.uint32:
    """`_word` that does not read past the end of the image."""
    place: Any = np.intp(at)
    start = min(place, len(pixels) - _WORD)
    return _word(pixels, np.uintp(start)) >> np.uint32(8 * (place - start))


@njit(cache=True, nogil=True)
def _blend(
    nw: npt.NDArray[np.uint32],
    ne: npt.NDArray[np.uint32],
    sw: npt.NDArray[np.uint32],
    se: npt.NDArray[np.uint32],
    xs: npt.NDArray[np.int32],
    ys: npt.NDArray[np.int32],
    channel: int,
    scale: float,
    offset: float,
    out: npt.NDArray[np.float32],
) -> None:
    """The weighted mean of four pixels, rounded to a level once, and the level scaled."""
    shift, byte = np.uint32(8 * channel), np.uint32(255)
    steps, last_step = np.int32(_STEPS), np.int32(_LAST_STEP)
    half, twice = np.int32(_HALF), np.int32(2 * _STEP_BITS)
    for i in range(len(xs)):
        fx, fy = xs[i] & last_step, ys[i] & last_step
        gx, gy = steps - fx, steps - fy
        top = np.int32((nw[i] >> shift) & byte) * gx + np.int32((ne[i] >> shift) & byte) * fx
        bottom = np.int32((sw[i] >> shift) & byte) * gx + np.int32((se[i] >> shift) & byte) * fx
        level = (top * gy + bottom * fy + half) >> twice
        out[i] = np.float32(np.float64(level) * scale + offset)
