"""Numba kernels over rotated rectangles: from key points and hands, transformed, compared.

As in `kernels`, every step rounds to float32 where MediaPipe's C++ holds a float, and computes in double where it does.
Rectangles go in and come out as numbers, since a rectangle is five of them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..lazy import njit
from ..payloads import FloatArray, ImageSize, NormalizedRect, Rect

_TWO = np.float32(2.0)
_THREE = np.float32(3.0)
_HALF = np.float32(0.5)
_ONE = np.float32(1.0)
_LARGEST = np.finfo(np.float32).max
_TINY = np.finfo(np.float32).tiny
_QUARTER_TURN = np.float32(math.pi * 0.5)
_PALM = np.array([0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18], np.int64)


@njit(cache=True, nogil=True, error_model="numpy")
def _normalize_radians(angle: Any) -> Any:
    turn = 2 * math.pi
    return np.float32(np.float64(angle) - turn * np.floor((np.float64(angle) + math.pi) / turn))


def keypoints_rotation(keypoints: FloatArray, start: int, end: int, target_rad: float, image_size: ImageSize) -> float:
    """How far the vector from one key point to another is turned from where it should point, in -pi ... pi.

    Args:
        keypoints: float32 [K, 2], normalized.
        start: index of the point the vector begins at.
        end: index of the point it ends at.
        target_rad: the angle the vector has in an unrotated object, counterclockwise from the x axis.
        image_size: width, height in pixels.
    """
    return float(_keypoints_rotation(keypoints, start, end, target_rad, image_size[0], image_size[1]))


@njit(cache=True, nogil=True, error_model="numpy")
def _keypoints_rotation(
    keypoints: FloatArray, start: int, end: int, target: float, image_width: int, image_height: int
) -> Any:
    width, height = np.float32(image_width), np.float32(image_height)
    x = keypoints[end, 0] * width - keypoints[start, 0] * width
    y = keypoints[end, 1] * height - keypoints[start, 1] * height
    return _normalize_radians(np.float32(target) - math.atan2(-y, x))


def square_around_keypoint(
    keypoints: FloatArray, center: int, scale: int, image_size: ImageSize
) -> tuple[float, float, float, float]:
    """Centre and size, normalized, of the square in pixels around one key point that another lies on the edge of.

    Source: MediaPipe AlignmentPointsRectsCalculator.
    """
    return _square_around_keypoint(keypoints, center, scale, image_size[0], image_size[1])


@njit(cache=True, nogil=True, error_model="numpy")
def _square_around_keypoint(
    keypoints: FloatArray, center: int, scale: int, image_width: int, image_height: int
) -> tuple[Any, Any, Any, Any]:
    width, height = np.float32(image_width), np.float32(image_height)
    x, y = keypoints[center, 0] * width, keypoints[center, 1] * height
    x_scale, y_scale = keypoints[scale, 0] * width, keypoints[scale, 1] * height
    size = math.sqrt((x_scale - x) * (x_scale - x) + (y_scale - y) * (y_scale - y)) * _TWO
    return x / width, y / height, size / width, size / height


def hand_from_pose(keypoints: FloatArray, image_size: ImageSize) -> tuple[float, float, float, float, float]:
    """Centre, size and rotation, normalized, of a hand known by the pose's wrist, pinky and index finger.

    Args:
        keypoints: float32 [>= 3, 2], normalized: wrist, pinky, index finger.
        image_size: width, height in pixels.

    Source: MediaPipe HandDetectionsFromPoseToRectsCalculator.
    """
    return _hand_from_pose(keypoints, image_size[0], image_size[1])


@njit(cache=True, nogil=True, error_model="numpy")
def _hand_from_pose(keypoints: FloatArray, image_width: int, image_height: int) -> tuple[Any, Any, Any, Any, Any]:
    width, height = np.float32(image_width), np.float32(image_height)
    x_wrist, y_wrist = keypoints[0, 0] * width, keypoints[0, 1] * height
    x_middle = (_TWO * (keypoints[2, 0] * width) + keypoints[1, 0] * width) / _THREE
    y_middle = (_TWO * (keypoints[2, 1] * height) + keypoints[1, 1] * height) / _THREE
    x, y = x_middle - x_wrist, y_middle - y_wrist
    size = math.sqrt(x * x + y * y) * _TWO
    rotation = _normalize_radians(_QUARTER_TURN - math.atan2(-y, x))
    return x_middle / width, y_middle / height, size / width, size / height, rotation


def hand_from_landmarks(landmarks: FloatArray, image_size: ImageSize) -> tuple[float, float, float, float, float]:
    """Centre, size and rotation, normalized, of the rectangle around a palm, upright along the hand.

    Args:
        landmarks: float32 [N, 3], normalized: 21 hand landmarks, of which the palm and the lower finger joints count,
            or those 12 alone.
        image_size: width, height in pixels.

    Source: MediaPipe HandLandmarksToRectCalculator.
    """
    palm = landmarks[_PALM] if len(landmarks) == 21 else landmarks
    return _hand_from_palm(palm, image_size[0], image_size[1])


@njit(cache=True, nogil=True, error_model="numpy")
def _hand_from_palm(palm: FloatArray, image_width: int, image_height: int) -> tuple[Any, Any, Any, Any, Any]:
    width, height = np.float32(image_width), np.float32(image_height)
    x_fingers = (((palm[4, 0] + palm[8, 0]) / _TWO) + palm[6, 0]) / _TWO * width
    y_fingers = (((palm[4, 1] + palm[8, 1]) / _TWO) + palm[6, 1]) / _TWO * height
    rotation = _normalize_radians(
        _QUARTER_TURN - math.atan2(-(y_fingers - palm[0, 1] * height), x_fingers - palm[0, 0] * width)
    )
    back = _normalize_radians(-rotation)
    # maxima begin at the smallest positive float, as in MediaPipe: for a hand left of or above the image it shows
    x_min, y_min, x_max, y_max = _LARGEST, _LARGEST, _TINY, _TINY
    for i in range(palm.shape[0]):
        x, y = palm[i, 0], palm[i, 1]
        x_max = x if x_max < x else x_max
        y_max = y if y_max < y else y_max
        x_min = x if x < x_min else x_min
        y_min = y if y < y_min else y_min
    x_middle, y_middle = (x_max + x_min) / _TWO, (y_max + y_min) / _TWO
    x_min, y_min, x_max, y_max = _LARGEST, _LARGEST, _TINY, _TINY
    for i in range(palm.shape[0]):
        x_flat, y_flat = (palm[i, 0] - x_middle) * width, (palm[i, 1] - y_middle) * height
        x = x_flat * math.cos(back) - y_flat * math.sin(back)
        y = x_flat * math.sin(back) + y_flat * math.cos(back)
        x_max = x if x_max < x else x_max
        y_max = y if y_max < y else y_max
        x_min = x if x < x_min else x_min
        y_min = y if y < y_min else y_min
    x_turned, y_turned = (x_max + x_min) / _TWO, (y_max + y_min) / _TWO
    x_center = x_turned * math.cos(rotation) - y_turned * math.sin(rotation) + width * x_middle
    y_center = x_turned * math.sin(rotation) + y_turned * math.cos(rotation) + height * y_middle
    return x_center / width, y_center / height, (x_max - x_min) / width, (y_max - y_min) / height, rotation


_NO_TURN = math.nan

KEEP_SIDES, SQUARE_LONG, SQUARE_SHORT = 0, 1, 2
"""What `transform_rect` makes of the sides: itself, a square of the longer one, a square of the shorter one."""


def transform_rect(
    rect: NormalizedRect,
    image_size: ImageSize,
    scale: tuple[float, float],
    shift: tuple[float, float],
    turn_rad: float | None,
    sides: int,
) -> NormalizedRect:
    """A rectangle shifted along its own sides, made square and scaled.

    Args:
        rect: the rectangle, normalized.
        image_size: width, height in pixels.
        scale: factors of width and height.
        shift: along width and height, as fractions of them.
        turn_rad: turned by this for the shift; None not at all. The rectangle keeps its rotation, as in MediaPipe.
        sides: KEEP_SIDES, SQUARE_LONG or SQUARE_SHORT; square in pixels.

    Source: MediaPipe RectTransformationCalculator.
    """
    across, down = image_size
    x, y, width, height = _transform_rect(
        rect.x_center, rect.y_center, rect.width, rect.height, rotation := rect.rotation,
        _NO_TURN if turn_rad is None else turn_rad, across, down, scale[0], scale[1], shift[0], shift[1], sides,
    )  # fmt: skip
    return NormalizedRect(x, y, width, height, rotation, rect.rect_id)


def transform_pixel_rect(
    rect: Rect, scale: tuple[float, float], shift: tuple[float, float], turn_rad: float | None, sides: int
) -> Rect:
    """`transform_rect` in pixels; centre and size are cut to whole ones."""
    turn = _NO_TURN if turn_rad is None else turn_rad
    sizes = (rect.width, rect.height, rect.rotation, turn, 1, 1)
    x, y, width, height = _transform_rect(0.0, 0.0, *sizes, *scale, *shift, sides)
    x_center = int(np.float32(rect.x_center) + np.float32(x))
    y_center = int(np.float32(rect.y_center) + np.float32(y))
    return Rect(x_center, y_center, int(width), int(height), rect.rotation, rect.rect_id)


@njit(cache=True, nogil=True, error_model="numpy")
def _transform_rect(
    x_center: float,
    y_center: float,
    rect_width: float,
    rect_height: float,
    rect_rotation: float,
    turn: float,
    image_width: int,
    image_height: int,
    scale_x: float,
    scale_y: float,
    shift_x: float,
    shift_y: float,
    sides: int,
) -> tuple[Any, Any, Any, Any]:
    across, down = np.float32(image_width), np.float32(image_height)
    x, y = np.float32(x_center), np.float32(y_center)
    width, height, rotation = np.float32(rect_width), np.float32(rect_height), np.float32(rect_rotation)
    along, aside = np.float32(shift_x), np.float32(shift_y)
    if not math.isnan(turn):
        rotation = _normalize_radians(np.float32(rect_rotation + turn))
    if rotation == 0:
        x, y = x + width * along, y + height * aside
    else:
        cosine, sine = math.cos(rotation), math.sin(rotation)
        x += (across * width * along * cosine - down * height * aside * sine) / across
        y += (across * width * along * sine + down * height * aside * cosine) / down
    if sides != 0:
        first, second = width * across, height * down
        side = max(first, second) if sides == 1 else min(first, second)
        width, height = side / across, side / down
    return x, y, width * np.float32(scale_x), height * np.float32(scale_y)


def centers_overlap(first: NormalizedRect, second: NormalizedRect, image_size: ImageSize, min_iou: float) -> bool:
    """Whether two rectangles overlap by at least `min_iou` of their union; rotations count for nothing.

    MediaPipe takes the centre for the upper left corner here, which only matters where sizes differ.
    """
    return _centers_overlap(
        first.x_center, first.y_center, first.width, first.height,
        second.x_center, second.y_center, second.width, second.height,
        image_size[0], image_size[1], min_iou,
    )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def _centers_overlap(
    x1: float, y1: float, w1: float, h1: float, x2: float, y2: float, w2: float, h2: float,
    image_width: int, image_height: int, min_iou: float,
) -> bool:  # fmt: skip
    width, height = np.float32(image_width), np.float32(image_height)
    left1, top1 = np.float32(x1) * width, np.float32(y1) * height
    left2, top2 = np.float32(x2) * width, np.float32(y2) * height
    right1, bottom1 = left1 + np.float32(w1) * width, top1 + np.float32(h1) * height
    right2, bottom2 = left2 + np.float32(w2) * width, top2 + np.float32(h2) * height
    area1, area2 = (right1 - left1) * (bottom1 - top1), (right2 - left2) * (bottom2 - top2)
    left, top = max(left1, left2), max(top1, top2)
    right, bottom = min(right1, right2), min(bottom1, bottom2)
    # an empty intersection's corners are the extremes there: its area is infinite, and so is the union
    shared = np.float32(np.inf) if left > right or top > bottom else (right - left) * (bottom - top)
    return not shared < (area1 + area2 - shared) * np.float32(min_iou)


def rects_close(
    previous: NormalizedRect,
    current: NormalizedRect,
    image_size: ImageSize,
    max_degrees: float,
    max_translation: float,
    max_scale: float,
) -> bool:
    """Whether a rectangle has turned, moved and grown little; moves and growth relative to the current one's sides."""
    return _rects_close(
        previous.x_center, previous.y_center, previous.width, previous.height, previous.rotation,
        current.x_center, current.y_center, current.width, current.height, current.rotation,
        image_size[0], image_size[1], max_degrees, max_translation, max_scale,
    )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def _rects_close(
    x1: float, y1: float, w1: float, h1: float, rotation1: float,
    x2: float, y2: float, w2: float, h2: float, rotation2: float,
    image_width: int, image_height: int, max_degrees: float, max_translation: float, max_scale: float,
) -> bool:  # fmt: skip
    width, height = np.float32(image_width), np.float32(image_height)
    cosine, sine = math.cos(-np.float32(rotation2)), math.sin(-np.float32(rotation2))
    across1, down1 = np.float32(x1) * width, np.float32(y1) * height
    across2, down2 = np.float32(x2) * width, np.float32(y2) * height
    width1, height1 = np.float32(w1) * width, np.float32(h1) * height
    width2, height2 = np.float32(w2) * width, np.float32(h2) * height
    half_turn = np.float32(180.0)
    degrees1 = np.float32(np.float64(np.float32(rotation1)) / math.pi * 180.0)
    degrees2 = np.float32(np.float64(np.float32(rotation2)) / math.pi * 180.0)
    turned = degrees1 - degrees2
    if turned > half_turn:
        turned -= _TWO * half_turn
    if turned < -half_turn:
        turned += _TWO * half_turn
    x_moved = abs((across1 * cosine - down1 * sine) - (across2 * cosine - down2 * sine))
    y_moved = abs((across1 * sine + down1 * cosine) - (across2 * sine + down2 * cosine))
    return not (
        abs(turned) > np.float32(max_degrees)
        or x_moved > width2 * np.float32(max_translation)
        or y_moved > height2 * np.float32(max_translation)
        or abs(width1 - width2) > width2 * np.float32(max_scale)
        or abs(height1 - height2) > height2 * np.float32(max_scale)
    )


def points_inside(points: FloatArray, rect: NormalizedRect, image_size: ImageSize, margin: float) -> bool:
    """Whether all points lie inside a rotated rectangle that is larger by a margin, a fraction of its sides.

    Args:
        points: float32 [N, 2 or 3], normalized.
        rect: the rectangle, normalized.
        image_size: width, height in pixels.
        margin: negative to shrink the rectangle.
    """
    across, down = image_size
    return _points_inside(
        points, rect.x_center, rect.y_center, rect.width, rect.height, rect.rotation, across, down, margin
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _points_inside(
    points: FloatArray, x_center: float, y_center: float, rect_width: float, rect_height: float, rotation: float,
    image_width: int, image_height: int, margin: float,
) -> bool:  # fmt: skip
    width, height = np.float32(image_width), np.float32(image_height)
    cosine, sine = math.cos(-np.float32(rotation)), math.sin(-np.float32(rotation))
    across, down = np.float32(x_center) * width, np.float32(y_center) * height
    x_rect, y_rect = across * cosine - down * sine, across * sine + down * cosine
    half_width = np.float32(rect_width) * width * (_ONE + np.float32(margin)) * _HALF
    half_height = np.float32(rect_height) * height * (_ONE + np.float32(margin)) * _HALF
    left, right, top, bottom = x_rect - half_width, x_rect + half_width, y_rect - half_height, y_rect + half_height
    for i in range(points.shape[0]):
        across, down = points[i, 0] * width, points[i, 1] * height
        x, y = across * cosine - down * sine, across * sine + down * cosine
        if not (left < x < right and top < y < bottom):
            return False
    return True


def iou(first: NormalizedRect, second: NormalizedRect) -> float:
    """Intersection over union of two rectangles, rotations left out; 0 where there is no area.

    Source: MediaPipe `util/rectangle_util`.
    """
    return float(
        _iou(
            first.x_center, first.y_center, first.width, first.height,
            second.x_center, second.y_center, second.width, second.height,
        )
    )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def _iou(x1: float, y1: float, w1: float, h1: float, x2: float, y2: float, w2: float, h2: float) -> Any:
    left1, top1 = np.float32(x1 - w1 / 2.0), np.float32(y1 - h1 / 2.0)
    left2, top2 = np.float32(x2 - w2 / 2.0), np.float32(y2 - h2 / 2.0)
    right1, bottom1 = left1 + np.float32(w1), top1 + np.float32(h1)
    right2, bottom2 = left2 + np.float32(w2), top2 + np.float32(h2)
    left, top, right, bottom = max(left1, left2), max(top1, top2), min(right1, right2), min(bottom1, bottom2)
    if left1 > right1 or top1 > bottom1 or left2 > right2 or top2 > bottom2 or left > right or top > bottom:
        return np.float32(0.0)
    shared = (right - left) * (bottom - top)
    union = (right1 - left1) * (bottom1 - top1) + (right2 - left2) * (bottom2 - top2) - shared
    return shared / union if union > 0 else np.float32(0.0)
