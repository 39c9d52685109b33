"""The part of an image a model looks at: a rotated rectangle in pixels, and its place in the model's input."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from ..lazy import njit
from ..payloads import LetterboxPadding, Matrix4, NormalizedRect, Rect

_Float: TypeAlias = np.float32
_float = np.float32


class Region(NamedTuple):
    """A rotated rectangle in pixels of the image: centre, size, rotation in radians clockwise; float32 values."""

    x_center: _Float
    y_center: _Float
    width: _Float
    height: _Float
    rotation: _Float


def region_of(width: int, height: int, rect: NormalizedRect | Rect | None) -> Region:
    """The region a rectangle means in an image of `width` x `height` pixels; None means all of it.

    Source: `GetRoi` of MediaPipe's ImageToTensorCalculator.

    Raises:
        ValueError: the rectangle has NaN in it, or no positive size.
    """
    if rect is None:
        rect = NormalizedRect(0.5, 0.5, 1.0, 1.0)
    columns, rows = (_float(width), _float(height)) if isinstance(rect, NormalizedRect) else (_float(1), _float(1))
    region = Region(
        _float(rect.x_center) * columns,
        _float(rect.y_center) * rows,
        _float(rect.width) * columns,
        _float(rect.height) * rows,
        _float(rect.rotation),
    )
    if any(np.isnan(value) for value in region):
        raise ValueError(f"the region of interest has NaN in it: {rect}")
    if region.width <= 0 or region.height <= 0:
        raise ValueError(f"the region of interest must have a positive width and height: {rect}")
    return region


def pad_region(region: Region, tensor_width: int, tensor_height: int) -> tuple[Region, LetterboxPadding]:
    """Grows a region to the aspect ratio of a tensor, so that filling the tensor does not distort it.

    Returns:
        the grown region, and what of the tensor the growth takes: float32 [4] left, top, right, bottom, as fractions.

    Source: `PadRoi` of MediaPipe's ImageToTensorCalculator.
    """
    tensor_aspect = _float(tensor_height) / _float(tensor_width)
    region_aspect = region.height / region.width
    one, half = _float(1), _float(0.5)
    if tensor_aspect > region_aspect:
        vertical = (one - region_aspect / tensor_aspect) * half
        return region._replace(height=region.width * tensor_aspect), _padding(_float(0), vertical)
    horizontal = (one - tensor_aspect / region_aspect) * half
    return region._replace(width=region.height / tensor_aspect), _padding(horizontal, _float(0))


def _padding(horizontal: _Float, vertical: _Float) -> LetterboxPadding:
    return np.array([horizontal, vertical, horizontal, vertical], np.float32)


def region_to_image_matrix(region: Region, width: int, height: int) -> Matrix4:
    """The transform of points normalized to the region into points normalized to the image of `width` x `height`.

    Returns:
        float32 [4, 4]; z is scaled as x.

    Source: `GetRotatedSubRectToRectTransformMatrix` of MediaPipe.
    """
    matrix = np.zeros((4, 4), np.float32)
    _fill_region_matrix(*region, _float(width), _float(height), matrix)
    return matrix


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_region_matrix(
    x: _Float, y: _Float, a: _Float, b: _Float, rotation: _Float, columns: _Float, rows: _Float, out: Matrix4
) -> None:
    # The order of the products is MediaPipe's: each is rounded to float32.
    c, d = np.cos(rotation), np.sin(rotation)
    half, one = np.float32(0.5), np.float32(1)
    g, h = one / columns, one / rows
    out[0, 0] = a * c * g
    out[0, 1] = -b * d * g
    out[0, 3] = (-half * a * c + half * b * d + x) * g
    out[1, 0] = a * d * h
    out[1, 1] = b * c * h
    out[1, 3] = (-half * b * c - half * a * d + y) * h
    out[2, 2] = a * g
    out[3, 3] = one


def sampling_matrix(region: Region, tensor_width: int, tensor_height: int) -> npt.NDArray[np.float64]:
    """The projective transform of tensor pixels into image pixels that fills a tensor with a region.

    Computed in the steps, the precision and the order of `cv2.boxPoints`, `cv2.getPerspectiveTransform` and the
    inversion in `cv2.warpPerspective` (OpenCV 4), because a sampling position that falls on the border between two
    steps of 1/32 pixel is decided by the last bit.

    Returns:
        float64 [9], row-major.
    """
    out = np.empty(9, np.float64)
    # As in MediaPipe: to degrees in float32, the division in double, and the result stored as float32.
    degrees = _float(np.float64(region.rotation * _float(180)) / np.pi)
    _fill_sampling_matrix(
        region.x_center,
        region.y_center,
        region.width,
        region.height,
        degrees,
        _float(tensor_width),
        _float(tensor_height),
        out,
    )
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_sampling_matrix(
    x: _Float,
    y: _Float,
    width: _Float,
    height: _Float,
    degrees: _Float,
    tensor_width: _Float,
    tensor_height: _Float,
    out: npt.NDArray[np.float64],
) -> None:
    angle = np.float64(degrees) * np.pi / 180.0
    b = np.float32(np.cos(angle)) * np.float32(0.5)
    a = np.float32(np.sin(angle)) * np.float32(0.5)
    two, zero = np.float32(2), np.float32(0)
    source = np.empty((4, 2), np.float32)
    source[0, 0] = x - a * height - b * width
    source[0, 1] = y + b * height - a * width
    source[1, 0] = x + a * height - b * width
    source[1, 1] = y - b * height - a * width
    source[2, 0] = two * x - source[0, 0]
    source[2, 1] = two * y - source[0, 1]
    source[3, 0] = two * x - source[1, 0]
    source[3, 1] = two * y - source[1, 1]
    target_x = (zero, zero, tensor_width, tensor_width)
    target_y = (tensor_height, zero, zero, tensor_height)

    system = np.zeros((8, 8), np.float64)
    forward = np.empty(9, np.float64)
    for i in range(4):
        sx, sy, tx, ty = source[i, 0], source[i, 1], target_x[i], target_y[i]
        system[i, 0] = system[i + 4, 3] = sx
        system[i, 1] = system[i + 4, 4] = sy
        system[i, 2] = system[i + 4, 5] = 1.0
        system[i, 6] = -sx * tx
        system[i, 7] = -sy * tx
        system[i + 4, 6] = -sx * ty
        system[i + 4, 7] = -sy * ty
        forward[i] = tx
        forward[i + 4] = ty
    if _solve(system, forward):
        forward[8] = 1.0
        _invert(forward, out)
    else:  # OpenCV leaves the matrix empty, which samples the image's corner everywhere
        out[:] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _solve(system: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> bool:
    """Gaussian elimination with OpenCV's pivoting and order of operations; the solution replaces `values`."""
    n = len(system)
    for i in range(n):
        pivot = i
        for j in range(i + 1, n):
            if abs(system[j, i]) > abs(system[pivot, i]):
                pivot = j
        if abs(system[pivot, i]) < 100.0 * 2.220446049250313e-16:
            return False
        if pivot != i:
            for j in range(i, n):
                system[i, j], system[pivot, j] = system[pivot, j], system[i, j]
            values[i], values[pivot] = values[pivot], values[i]
        d = -1.0 / system[i, i]
        for j in range(i + 1, n):
            alpha = system[j, i] * d
            for k in range(i + 1, n):
                system[j, k] += alpha * system[i, k]
            values[j] += alpha * values[i]
    for i in range(n - 1, -1, -1):
        rest = values[i]
        for k in range(i + 1, n):
            rest -= system[i, k] * values[k]
        values[i] = rest / system[i, i]
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _invert(m: npt.NDArray[np.float64], out: npt.NDArray[np.float64]) -> None:
    """The inverse of a 3 x 3 matrix by Cramer's rule, as OpenCV has it; zero where there is none."""
    determinant = (
        m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6])
    )
    if determinant == 0.0:
        out[:] = 0.0
        return
    d = 1.0 / determinant
    out[0] = (m[4] * m[8] - m[5] * m[7]) * d
    out[1] = (m[2] * m[7] - m[1] * m[8]) * d
    out[2] = (m[1] * m[5] - m[2] * m[4]) * d
    out[3] = (m[5] * m[6] - m[3] * m[8]) * d
    out[4] = (m[0] * m[8] - m[2] * m[6]) * d
    out[5] = (m[2] * m[3] - m[0] * m[5]) * d
    out[6] = (m[3] * m[7] - m[4] * m[6]) * d
    out[7] = (m[1] * m[6] - m[0] * m[7]) * d
    out[8] = (m[0] * m[4] - m[1] * m[3]) * d
