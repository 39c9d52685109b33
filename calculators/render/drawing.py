"""Body, hand and face landmarks and detections drawn onto an image, in the colours people know from MediaPipe's
solutions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from ..lazy import cv2
from ..payloads import Detection, FloatArray, NormalizedLandmarkList
from .face_mesh import FACE_TESSELATION
from .topology import (
    COCO_LANDMARK_COLORS,
    COCO_PATHS,
    FACE_CONTOURS,
    GRAY,
    GREEN,
    HAND_LANDMARK_COLORS,
    HAND_PATHS,
    LEFT_IRIS,
    POSE_LANDMARK_COLORS,
    POSE_PATHS,
    RED,
    RIGHT_IRIS,
    WHITE,
    Color,
    Path,
)

Canvas = npt.NDArray[np.uint8]
"""uint8 [H, W, 3] RGB, drawn into."""

_SHIFT: Final = 3
_SUBPIXELS: Final = 1 << _SHIFT
"""OpenCV takes points in such fractions of a pixel, so that slow movement does not look like steps."""

_FARTHEST_PX: Final = 30_000.0
"""Points outside the image are drawn to, so that lines leave it in the right direction; up to here."""

_REFERENCE_SIDE: Final = 554.0
"""Geometric mean of the sides of a 640 x 480 image, for which the widths are made."""

_OPAQUE_FACE_PX: Final = 240.0
"""The mesh of a face at least so tall or wide is opaque."""

_COCO_COUNT: Final = 17

_IS_FACE_OF_POSE: Final = np.arange(33) < 11

_Points = npt.NDArray[np.int32]


def line_scale(image: Canvas) -> float:
    """How much wider lines are than on a 640 x 480 image; not under 1/2."""
    height, width = image.shape[:2]
    return max(math.sqrt(height * width) / _REFERENCE_SIDE, 0.5)


def draw_pose(
    image: Canvas,
    landmarks: NormalizedLandmarkList,
    threshold: float = 0.5,
    without: Collection[int] = (),
    bones: Color = WHITE,
) -> None:
    """Draws the 33 body landmarks, or COCO's 17: bones white, landmarks orange on the person's left, cyan on the right.

    Args:
        image: uint8 [H, W, 3] RGB; written.
        landmarks: 33 or 17, normalized.
        threshold: landmarks whose visibility or presence is less are left out, with their bones.
        without: indices of landmarks to leave out.
        bones: the colour of bones, RGB.

    Raises:
        ValueError: there are less than 33 landmarks, and not 17.
    """
    if len(landmarks) == _COCO_COUNT:
        draw_skeleton(image, landmarks, COCO_PATHS, COCO_LANDMARK_COLORS, threshold)
        return
    points, seen = _points(image, landmarks, threshold, 33)
    seen[list(without)] = False
    scale = _scale(image, points, 450.0)
    _lines(image, points, seen, POSE_PATHS, bones, _width(2 * scale))
    face, body = seen & _IS_FACE_OF_POSE, seen & ~_IS_FACE_OF_POSE
    _dots(image, points, face, POSE_LANDMARK_COLORS, 2.0 * scale)
    _dots(image, points, body, POSE_LANDMARK_COLORS, 3.0 * scale)


def draw_skeleton(
    image: Canvas,
    landmarks: NormalizedLandmarkList,
    bones: tuple[Path, ...],
    colors: tuple[tuple[Path, Color], ...],
    threshold: float = 0.5,
) -> None:
    """Draws the points of any kind of body: bones white, landmarks in the colours given.

    Args:
        image: uint8 [H, W, 3] RGB; written.
        landmarks: normalized.
        bones: paths over indices of landmarks.
        colors: which landmarks have which colour, RGB; the others are not drawn.
        threshold: landmarks whose visibility or presence is less are left out, with their bones.
    """
    points, seen = _points(image, landmarks, threshold, len(landmarks))
    if not seen.any():
        return
    scale = _scale(image, points[seen], 450.0)
    if bones:
        _lines(image, points, seen, bones, WHITE, _width(2 * scale))
    _dots(image, points, seen, colors, 3.0 * scale)


def draw_hand(image: Canvas, landmarks: NormalizedLandmarkList, threshold: float = 0.5) -> None:
    """Draws the 21 landmarks of a hand, each finger in its own colour; smaller on a hand that is small in the image.

    Arguments and errors as of `draw_pose`, for 21 landmarks.
    """
    points, seen = _points(image, landmarks, threshold, 21)
    scale = _scale(image, points, 150.0)
    for path, color in HAND_PATHS:
        _lines(image, points, seen, (path,), color, _width((3 if color == GRAY else 2) * scale))
    _dots(image, points, seen, HAND_LANDMARK_COLORS, 4.0 * scale)


def draw_face(image: Canvas, landmarks: NormalizedLandmarkList, threshold: float = 0.5) -> None:
    """Draws the face mesh in thin grey and its contours: oval and lips white, left eye green, right eye red.

    Where there are 478 landmarks, the last ten are the irises. On a small face the mesh is fainter, or it would hide
    the face. Arguments and errors as of `draw_pose`, for 468 landmarks or more.
    """
    points, seen = _points(image, landmarks, threshold, 478 if len(landmarks) >= 478 else 468)
    if not seen[:468].any():
        return
    _mesh(image, points[:468], seen[:468])
    scale = _scale(image, points, 220.0)
    irises = len(points) == 478
    for paths, color in FACE_CONTOURS:
        # the lids leave room for what is between them
        _lines(image, points, seen, paths, color, _width((1.0 if irises and color != WHITE else 1.6) * scale))
    for (path,), color in ((LEFT_IRIS, GREEN), (RIGHT_IRIS, RED)):
        if irises and seen[list(path)].all():
            _ring(image, points[list(path[:4])], color, _width(0.6 * scale))


def draw_detection(image: Canvas, detection: Detection) -> None:
    """Draws the box of a detection white and its keypoints red.

    Args:
        image: uint8 [H, W, 3] RGB; written.
        detection: with a box in any format, keypoints, or both.
    """
    corners = np.zeros((0, 2), np.float32)
    if detection.box is not None:
        height, width = image.shape[:2]
        relative = detection.box_format == "relative"
        box = detection.box / (1.0 if relative else np.array([width, height, width, height], np.float32))
        corners = np.array([box[:2], box[:2] + box[2:]], np.float32)
    exact = np.concatenate((corners, detection.keypoints))
    points, seen = _subpixels(image, exact)
    scale = _scale(image, points[seen], 150.0) if seen.any() else 0.0
    if len(corners) and seen[:2].all():
        cv2.rectangle(image, points[0], points[1], WHITE, _width(2 * scale), cv2.LINE_AA, _SHIFT)
    seen[: len(corners)] = False
    _dots(image, points, seen, ((tuple(range(len(points))), RED),), 3.0 * scale)


def shown_in_detail(
    pose: NormalizedLandmarkList, hands: Iterable[NormalizedLandmarkList], faces: Iterable[NormalizedLandmarkList]
) -> set[int]:
    """Body landmarks that only add clutter, since a hand or face drawn in detail shows the same.

    Args:
        pose: 33 landmarks.
        hands: 21 landmarks each; one belongs to the wrist it is nearest to, if it is near.
        faces: 468 landmarks or more each; one belongs to the body whose nose is inside.

    Returns:
        indices of body landmarks: face 0..10, fingers 17..22.
    """
    found: set[int] = set()
    for face in faces:
        low, high = face.xyz[:, :2].min(axis=0), face.xyz[:, :2].max(axis=0)
        if ((pose.xyz[0, :2] >= low) & (pose.xyz[0, :2] <= high)).all():
            found.update(range(11))
    for hand in hands:
        distances = np.linalg.norm(pose.xyz[15:17, :2] - hand.xyz[0, :2], axis=1)
        if distances.min() < np.ptp(hand.xyz[:, :2], axis=0).max():
            side = int(distances.argmin())
            found.update((17 + side, 19 + side, 21 + side))
    return found


def _points(
    image: Canvas, landmarks: NormalizedLandmarkList, threshold: float, count: int
) -> tuple[_Points, npt.NDArray[np.bool_]]:
    """The first `count` landmarks in subpixels [count, 2], and which of them [count] are to be drawn."""
    if len(landmarks) < count:
        raise ValueError(f"expected {count} landmarks, not {len(landmarks)}")
    points, seen = _subpixels(image, landmarks.xyz[:count, :2])
    for confidence in (landmarks.visibility, landmarks.presence):
        if confidence is not None:
            seen &= confidence[:count] >= threshold
    return points, seen


def _subpixels(image: Canvas, normalized: FloatArray) -> tuple[_Points, npt.NDArray[np.bool_]]:
    """Normalized points [N, 2] in subpixels, and which of them are finite."""
    height, width = image.shape[:2]
    # a normalized coordinate of 0 is the left edge of the first pixel, OpenCV's 0 is its middle
    exact = normalized * np.array([width, height], np.float32) - np.float32(0.5)
    finite: npt.NDArray[np.bool_] = np.isfinite(exact).all(axis=1)
    bounded = np.clip(np.nan_to_num(exact), -_FARTHEST_PX, _FARTHEST_PX)
    return np.rint(bounded * _SUBPIXELS).astype(np.int32), finite


def _scale(image: Canvas, points: _Points, full_extent_px: float) -> float:
    """The image's line scale, down to 2/5 of it where the points lie closer together than `full_extent_px`."""
    scale = line_scale(image)
    return min(scale, max(_extent_px(points) / full_extent_px, 0.4 * scale))


def _extent_px(points: _Points) -> float:
    return float(np.ptp(points, axis=0).max()) / _SUBPIXELS


def _mesh(image: Canvas, points: _Points, seen: npt.NDArray[np.bool_]) -> None:
    height, width = image.shape[:2]
    low = np.maximum(points[seen].min(axis=0) // _SUBPIXELS - 2, 0)
    high = np.minimum(points[seen].max(axis=0) // _SUBPIXELS + 3, (width, height))
    if (low >= high).any():
        return
    region = image[low[1] : high[1], low[0] : high[0]]
    drawn = region.copy()
    inside = points - (low * _SUBPIXELS).astype(np.int32)
    _lines(drawn, inside, seen, FACE_TESSELATION, GRAY, _width(0.5 * line_scale(image)))
    opacity = min(_extent_px(points[seen]) / _OPAQUE_FACE_PX, 1.0)
    cv2.addWeighted(drawn, opacity, region, 1.0 - opacity, 0.0, dst=drawn)
    region[:] = drawn


def _width(exact: float) -> int:
    return max(round(exact), 1)


@cache
def _joined(paths: tuple[Path, ...]) -> tuple[npt.NDArray[np.intp], tuple[slice, ...]]:
    """All indices of the paths behind each other, and where each path is among them."""
    ends = itertools.accumulate((len(path) for path in paths), initial=0)
    places = tuple(slice(begin, end) for begin, end in itertools.pairwise(ends))
    return np.concatenate([np.array(path, np.intp) for path in paths]), places


@cache
def _edges(paths: tuple[Path, ...]) -> npt.NDArray[np.intp]:
    """The edges of the paths, [E, 2]."""
    return np.array([edge for path in paths for edge in itertools.pairwise(path)], np.intp)


def _lines(
    image: Canvas,
    points: _Points,
    seen: npt.NDArray[np.bool_],
    paths: tuple[Path, ...],
    color: Color,
    width: int,
) -> None:
    lines: Sequence[_Points]
    if seen.all():
        indices, places = _joined(paths)
        joined = points[indices]
        lines = [joined[place] for place in places]
    else:
        edges = _edges(paths)
        lines = list(points[edges[seen[edges].all(axis=1)]])
    if lines:
        cv2.polylines(image, lines, False, color, width, cv2.LINE_AA, _SHIFT)


def _ring(image: Canvas, points: _Points, color: Color, width: int) -> None:
    """A circle around the middle of points that lie on it."""
    centre = points.mean(axis=0)
    radius = float(np.linalg.norm(points - centre, axis=1).mean())
    cv2.circle(image, np.rint(centre).astype(int).tolist(), round(radius), color, width, cv2.LINE_AA, _SHIFT)


def _dots(
    image: Canvas,
    points: _Points,
    seen: npt.NDArray[np.bool_],
    colors: Iterable[tuple[Path, Color]],
    radius: float,
) -> None:
    """Filled circles with a light rim: lines without length, whose round ends are all there is of them."""
    for growth, rim in ((2.0, True), (0.0, False)):
        for indices, color in colors:
            chosen = [index for index in indices if seen[index]]
            if not chosen:
                continue
            dots = list(np.repeat(points[chosen][:, None], 2, axis=1))
            width = _width(2 * radius + growth)
            cv2.polylines(image, dots, False, WHITE if rim else color, width, cv2.LINE_AA, _SHIFT)
