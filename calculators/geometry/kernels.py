"""Numba kernels over points: letterboxes, projections, bounds.

Points are float32 [N, 3] (x, y, z on the scale of x) or [N, 2]. Every step rounds to float32 where MediaPipe's C++
holds a float, so that results agree to the last bit but for the libraries' sine and cosine. Division by zero gives
infinity, as it does there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ..lazy import njit
from ..payloads import FloatArray, ImageSize, LetterboxPadding, Matrix4, NormalizedRect

SMALLEST_POSITIVE = float(np.finfo(np.float32).tiny)
"""Where MediaPipe begins some searches for a largest coordinate (`numeric_limits<float>::min()`)."""

LOWEST = float(np.finfo(np.float32).min)
"""Where it begins the others (`numeric_limits<float>::lowest()`)."""

_HALF = np.float32(0.5)
_ONE = np.float32(1.0)
_LARGEST = np.finfo(np.float32).max


@njit(cache=True, nogil=True, error_model="numpy")
def _bounds(points: FloatArray, smallest_max: Any) -> tuple[Any, Any, Any, Any]:
    x_min, y_min = _LARGEST, _LARGEST
    x_max, y_max = np.float32(smallest_max), np.float32(smallest_max)
    for i in range(points.shape[0]):
        x, y = points[i, 0], points[i, 1]
        x_min = x if x < x_min else x_min
        x_max = x if x_max < x else x_max
        y_min = y if y < y_min else y_min
        y_max = y if y_max < y else y_max
    return x_min, y_min, x_max, y_max


def remove_letterbox(points: FloatArray, padding: LetterboxPadding) -> FloatArray:
    """Points normalized by a letterboxed image, normalized by the image inside the letterbox.

    Args:
        points: float32 [N, 3] or [N, 2], normalized.
        padding: float32 [4], left, top, right, bottom as fractions of the letterboxed image.

    Raises:
        ValueError: an array has another shape.
    """
    moved = np.empty_like(_checked_points(points))
    _remove_letterbox(points, _checked_padding(padding), moved)
    return moved


@njit(cache=True, nogil=True, error_model="numpy")
def _remove_letterbox(points: FloatArray, padding: FloatArray, moved: FloatArray) -> None:
    left, top = padding[0], padding[1]
    width, height = _ONE - (left + padding[2]), _ONE - (top + padding[3])
    if points.shape[1] == 3 and moved.shape[1] == 3:  # so that the compiler knows, and takes vector instructions
        for i in range(points.shape[0]):
            moved[i, 0] = (points[i, 0] - left) / width
            moved[i, 1] = (points[i, 1] - top) / height
            moved[i, 2] = points[i, 2] / width
    else:
        for i in range(points.shape[0]):
            moved[i, 0] = (points[i, 0] - left) / width
            moved[i, 1] = (points[i, 1] - top) / height


def remove_letterbox_of_box(box: FloatArray, padding: LetterboxPadding) -> FloatArray:
    """`remove_letterbox` for a box, float32 [4]: xmin, ymin, width, height."""
    moved = np.empty_like(_checked_box(box))
    _remove_letterbox_of_box(box, _checked_padding(padding), moved)
    return moved


@njit(cache=True, nogil=True, error_model="numpy")
def _remove_letterbox_of_box(box: FloatArray, padding: FloatArray, moved: FloatArray) -> None:
    width, height = _ONE - (padding[0] + padding[2]), _ONE - (padding[1] + padding[3])
    moved[0], moved[1] = (box[0] - padding[0]) / width, (box[1] - padding[1]) / height
    moved[2], moved[3] = box[2] / width, box[3] / height


def project_from_rect(points: FloatArray, rect: NormalizedRect, rotation_rad: float | None = None) -> FloatArray:
    """Points normalized by a rotated rectangle, normalized by the image the rectangle lies in.

    Right for rectangles that are square in pixels; for others use `rect_matrix` and `project_by_matrix`.

    Args:
        points: float32 [N, 3], normalized by the rectangle.
        rect: the rectangle, normalized by the image.
        rotation_rad: in place of the rectangle's own rotation.

    Raises:
        ValueError: the array has another shape.
    """
    rotation = rect.rotation if rotation_rad is None else rotation_rad
    projected = np.empty_like(_checked_points(points))
    _project_from_rect(points, rect.x_center, rect.y_center, rect.width, rect.height, rotation, projected)
    return projected


@njit(cache=True, nogil=True, error_model="numpy")
def _project_from_rect(
    points: FloatArray,
    x_center: float,
    y_center: float,
    width: float,
    height: float,
    rotation: float,
    projected: FloatArray,
) -> None:
    cosine, sine = math.cos(np.float32(rotation)), math.sin(np.float32(rotation))
    for i in range(points.shape[0]):
        x, y = points[i, 0] - _HALF, points[i, 1] - _HALF
        projected[i, 0] = (cosine * x - sine * y) * np.float32(width) + np.float32(x_center)
        projected[i, 1] = (sine * x + cosine * y) * np.float32(height) + np.float32(y_center)
        if points.shape[1] == 3:
            projected[i, 2] = points[i, 2] * np.float32(width)


def project_by_matrix(points: FloatArray, matrix: Matrix4) -> FloatArray:
    """Points moved by a 4x4 matrix; z is scaled by the length that one unit of x has afterwards.

    Args:
        points: float32 [N, 3], or [N, 2] with z taken as zero.
        matrix: float32 [4, 4], row-major, for column vectors.

    Raises:
        ValueError: an array has another shape.
    """
    projected = np.empty_like(_checked_points(points))
    _project_by_matrix(points, _checked_matrix(matrix), projected)
    return projected


@njit(cache=True, nogil=True, error_model="numpy")
def _project_by_matrix(points: FloatArray, matrix: FloatArray, projected: FloatArray) -> None:
    # the difference of two projected points, as there: not always matrix[0, 0] after rounding
    step_x = np.float64((matrix[0, 0] + matrix[0, 3]) - matrix[0, 3])
    step_y = np.float64((matrix[1, 0] + matrix[1, 3]) - matrix[1, 3])
    z_scale = np.float32(math.sqrt(step_x * step_x + step_y * step_y))
    with_z = points.shape[1] == 3
    for i in range(points.shape[0]):
        x, y = points[i, 0], points[i, 1]
        first, second = x * matrix[0, 0] + y * matrix[0, 1], x * matrix[1, 0] + y * matrix[1, 1]
        if with_z:
            z = points[i, 2]
            first, second = first + z * matrix[0, 2], second + z * matrix[1, 2]
            projected[i, 2] = z_scale * z
        projected[i, 0], projected[i, 1] = first + matrix[0, 3], second + matrix[1, 3]


def project_box_by_matrix(box: FloatArray, matrix: Matrix4) -> FloatArray:
    """The upright box around a box moved by a 4x4 matrix; float32 [4]: xmin, ymin, width, height."""
    around = np.empty_like(_checked_box(box))
    _project_box_by_matrix(box, _checked_matrix(matrix), around)
    return around


@njit(cache=True, nogil=True, error_model="numpy")
def _project_box_by_matrix(box: FloatArray, matrix: FloatArray, around: FloatArray) -> None:
    x_min, y_min, x_max, y_max = _LARGEST, _LARGEST, -_LARGEST, -_LARGEST
    for corner in range(4):
        x = box[0] + box[2] if corner in (1, 2) else box[0]
        y = box[1] + box[3] if corner in (2, 3) else box[1]
        projected_x = x * matrix[0, 0] + y * matrix[0, 1] + matrix[0, 3]
        projected_y = x * matrix[1, 0] + y * matrix[1, 1] + matrix[1, 3]
        x_min = projected_x if projected_x < x_min else x_min
        x_max = projected_x if x_max < projected_x else x_max
        y_min = projected_y if projected_y < y_min else y_min
        y_max = projected_y if y_max < projected_y else y_max
    around[0], around[1], around[2], around[3] = x_min, y_min, x_max - x_min, y_max - y_min


def rect_matrix(rect: NormalizedRect, image_size: ImageSize, rotation_rad: float | None = None) -> Matrix4:
    """The matrix from coordinates normalized by a rotated rectangle to those normalized by its image.

    Args:
        rect: the rectangle, normalized by the image.
        image_size: width, height in pixels.
        rotation_rad: in place of the rectangle's own rotation.

    Source: MediaPipe `calculators/tensor/image_to_tensor_utils`, rotated sub-rectangle to rectangle transform.
    """
    rotation = rect.rotation if rotation_rad is None else rotation_rad
    width, height = image_size
    matrix = np.zeros((4, 4), np.float32)
    _rect_matrix(rect.x_center, rect.y_center, rect.width, rect.height, rotation, width, height, matrix)
    return matrix


@njit(cache=True, nogil=True, error_model="numpy")
def _rect_matrix(
    x_center: float,
    y_center: float,
    width: float,
    height: float,
    rotation: float,
    image_width: int,
    image_height: int,
    matrix: FloatArray,
) -> None:
    across, down = np.float32(image_width), np.float32(image_height)
    a, b = np.float32(width) * across, np.float32(height) * down
    e, f = np.float32(x_center) * across, np.float32(y_center) * down
    c, d = math.cos(np.float32(rotation)), math.sin(np.float32(rotation))
    g, h = _ONE / across, _ONE / down
    matrix[0, 0], matrix[0, 1], matrix[0, 3] = a * c * g, -b * d * g, (-_HALF * a * c + _HALF * b * d + e) * g
    matrix[1, 0], matrix[1, 1], matrix[1, 3] = a * d * h, b * c * h, (-_HALF * b * c - _HALF * a * d + f) * h
    matrix[2, 2], matrix[3, 3] = a * g, _ONE


def rotate(points: FloatArray, rotation_rad: float) -> FloatArray:
    """Points turned around the origin in the x-y plane, clockwise where y points down; float32 [N, 3]."""
    turned = np.empty_like(_checked_points(points))
    _rotate(points, rotation_rad, turned)
    return turned


@njit(cache=True, nogil=True, error_model="numpy")
def _rotate(points: FloatArray, rotation: float, turned: FloatArray) -> None:
    cosine, sine = math.cos(np.float32(rotation)), math.sin(np.float32(rotation))
    for i in range(points.shape[0]):
        turned[i, 0] = cosine * points[i, 0] - sine * points[i, 1]
        turned[i, 1] = sine * points[i, 0] + cosine * points[i, 1]
        if points.shape[1] == 3:
            turned[i, 2] = points[i, 2]


def surrounding_box(points: FloatArray, smallest_max: float) -> FloatArray:
    """The upright box around points, float32 [4]: xmin, ymin, width, height; what is not a number counts for nothing.

    `smallest_max` is what the search for the largest value begins with: MediaPipe begins with `SMALLEST_POSITIVE` in
    some places and with `LOWEST` in others, which shows when all points are left of or above the image.

    Raises:
        ValueError: the array is not float32 [N, 2] or [N, 3].
    """
    box = np.empty(4, np.float32)
    _surrounding_box(_checked_points(points), smallest_max, box)
    return box


@njit(cache=True, nogil=True, error_model="numpy")
def _surrounding_box(points: FloatArray, smallest_max: float, box: FloatArray) -> None:
    x_min, y_min, x_max, y_max = _bounds(points, smallest_max)
    box[0], box[1], box[2], box[3] = x_min, y_min, x_max - x_min, y_max - y_min


def surrounding_rect(points: FloatArray) -> tuple[float, float, float, float]:
    """Centre and size of the upright rectangle around points, as `surrounding_box` from `LOWEST` on."""
    return _surrounding_rect(_checked_points(points))


@njit(cache=True, nogil=True, error_model="numpy")
def _surrounding_rect(points: FloatArray) -> tuple[Any, Any, Any, Any]:
    x_min, y_min, x_max, y_max = _bounds(points, -_LARGEST)
    return (x_min + x_max) * _HALF, (y_min + y_max) * _HALF, x_max - x_min, y_max - y_min


def _checked_points(points: FloatArray) -> FloatArray:
    if points.ndim != 2 or points.shape[1] not in (2, 3) or points.dtype != np.float32:
        raise ValueError(f"points must be float32 [N, 2] or [N, 3], not {_described(points)}")
    return points


def _checked_padding(padding: LetterboxPadding) -> FloatArray:
    if padding.shape != (4,) or padding.dtype != np.float32:
        raise ValueError(f"letterbox padding must be float32 [4], not {_described(padding)}")
    return padding


def _checked_box(box: FloatArray) -> FloatArray:
    if box.shape != (4,) or box.dtype != np.float32:
        raise ValueError(f"a box must be float32 [4], not {_described(box)}")
    return box


def _checked_matrix(matrix: Matrix4) -> FloatArray:
    if matrix.shape != (4, 4) or matrix.dtype != np.float32:
        raise ValueError(f"a projection matrix must be float32 [4, 4], not {_described(matrix)}")
    return matrix


def _described(array: npt.NDArray[np.generic]) -> str:
    return f"{array.dtype} {list(array.shape)}"
