"""Draws landmarks, detections and axes onto images, as `mp.solutions.drawing_utils`; colours are BGR, as in OpenCV.

What is drawn may also be a message of MediaPipe itself: only its fields are read.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from .detections import LocationFormat
from .landmarks import LandmarkList, NormalizedLandmarkList

WHITE_COLOR: Final = (224, 224, 224)
BLACK_COLOR: Final = (0, 0, 0)
RED_COLOR: Final = (0, 0, 255)
GREEN_COLOR: Final = (0, 128, 0)
BLUE_COLOR: Final = (255, 0, 0)

_SEEN: Final = 0.5
"""Landmarks whose visibility or presence is less are not drawn."""

_Pixel = tuple[int, int]


@dataclass
class DrawingSpec:
    """How something is drawn.

    Attributes:
        color: blue, green, red in 0..255.
        thickness: of lines and rims in pixels; -1 fills circles.
        circle_radius: in pixels.
    """

    color: tuple[int, int, int] = WHITE_COLOR
    thickness: int = 2
    circle_radius: int = 2


_PLAIN: Final = DrawingSpec()
_RED: Final = DrawingSpec(color=RED_COLOR)
_PLOTTED_LANDMARKS: Final = DrawingSpec(color=RED_COLOR, thickness=5)
_PLOTTED_CONNECTIONS: Final = DrawingSpec(color=BLACK_COLOR, thickness=5)


def draw_landmarks(
    image: npt.NDArray[np.uint8],
    landmark_list: Any,
    connections: Iterable[tuple[int, int]] | None = None,
    landmark_drawing_spec: DrawingSpec | Mapping[int, DrawingSpec] | None = _RED,
    connection_drawing_spec: DrawingSpec | Mapping[tuple[int, int], DrawingSpec] | None = _PLAIN,
    is_drawing_landmarks: bool = True,
) -> None:
    """Draws connections, and landmarks on top of them as dots with a white rim; those off the image are left out.

    Args:
        image: uint8 [H, W, 3] BGR; written.
        landmark_list: a `NormalizedLandmarkList`; None draws nothing.
        connections: pairs of landmark indices to join.
        landmark_drawing_spec: one for all landmarks, or by landmark index; None draws no landmarks.
        connection_drawing_spec: one for all connections, or by connection; None draws no connections.
        is_drawing_landmarks: False draws connections alone.

    Raises:
        ValueError: the image has not three channels, or a connection names a landmark that there is not.
    """
    if not landmark_list:
        return
    _check_image(image)
    points = _points(landmark_list)
    pixels = _pixels(points, image)
    if connection_drawing_spec is not None:
        for connection in _checked(connections, len(points.array)):
            start, end = connection
            if start in pixels and end in pixels:
                line = _spec(connection_drawing_spec, connection)
                cv2.line(image, pixels[start], pixels[end], line.color, line.thickness)
    if is_drawing_landmarks and landmark_drawing_spec:
        for index, pixel in pixels.items():
            dot = _spec(landmark_drawing_spec, index)
            rim = max(dot.circle_radius + 1, int(dot.circle_radius * 1.2))
            cv2.circle(image, pixel, rim, WHITE_COLOR, dot.thickness)
            cv2.circle(image, pixel, dot.circle_radius, dot.color, dot.thickness)


def draw_detection(
    image: npt.NDArray[np.uint8],
    detection: Any,
    keypoint_drawing_spec: DrawingSpec = _RED,
    bbox_drawing_spec: DrawingSpec = _PLAIN,
) -> None:
    """Draws a detection's key points and box; what is off the image is left out or cut.

    Args:
        image: uint8 [H, W, 3] BGR; written.
        detection: a `Detection`.
        keypoint_drawing_spec: for the key points.
        bbox_drawing_spec: for the box.

    Raises:
        ValueError: the image has not three channels, or the detection is not in shares of the image size.
    """
    location = detection.location_data
    if not location:
        return
    _check_image(image)
    if location.format != LocationFormat.RELATIVE_BOUNDING_BOX:
        raise ValueError(f"draw_detection() takes locations in shares of the image size, not format {location.format}")
    height, width = image.shape[:2]
    dot = keypoint_drawing_spec
    for keypoint in location.relative_keypoints:
        pixel = _normalized_to_pixel_coordinates(keypoint.x, keypoint.y, width, height)
        if pixel is not None:
            cv2.circle(image, pixel, dot.circle_radius, dot.color, dot.thickness)
    if not location.HasField("relative_bounding_box"):
        return
    box = location.relative_bounding_box
    start = _pixel_inside(box.xmin, box.ymin, width, height)
    end = _pixel_inside(box.xmin + box.width, box.ymin + box.height, width, height)
    cv2.rectangle(image, start, end, bbox_drawing_spec.color, bbox_drawing_spec.thickness)


def draw_axis(
    image: npt.NDArray[np.uint8],
    rotation: npt.NDArray[Any],
    translation: npt.NDArray[Any],
    focal_length: tuple[float, float] = (1.0, 1.0),
    principal_point: tuple[float, float] = (0.0, 0.0),
    axis_length: float = 0.1,
    axis_drawing_spec: DrawingSpec = _PLAIN,
) -> None:
    """Draws the axes of an object as arrows, x red, y green, z blue.

    Args:
        image: uint8 [H, W, 3] BGR; written.
        rotation: [3, 3], from the object to the camera.
        translation: [3], of the object in the camera's space.
        focal_length: in x and y, of normalized device coordinates (-1..1, y up).
        principal_point: in x and y, likewise.
        axis_length: in the object's unit.
        axis_drawing_spec: its thickness is used.

    Raises:
        ValueError: the image has not three channels.
    """
    _check_image(image)
    height, width = image.shape[:2]
    tips = np.concatenate([np.zeros((1, 3)), np.eye(3)]).astype(np.float32)
    x, y, z = ((rotation @ (axis_length * tips).T).T + translation).T
    depth = z + 1e-5
    x_device = np.clip(-focal_length[0] * x / depth + principal_point[0], -1.0, 1.0)
    y_device = np.clip(-focal_length[1] * y / depth + principal_point[1], -1.0, 1.0)
    columns = ((1 + x_device) * 0.5 * width).astype(np.int32).tolist()
    rows = ((1 - y_device) * 0.5 * height).astype(np.int32).tolist()
    origin, *ends = zip(columns, rows, strict=True)
    for end, color in zip(ends, (RED_COLOR, GREEN_COLOR, BLUE_COLOR), strict=True):
        cv2.arrowedLine(image, origin, end, color, axis_drawing_spec.thickness)


def plot_landmarks(
    landmark_list: Any,
    connections: Iterable[tuple[int, int]] | None = None,
    landmark_drawing_spec: DrawingSpec = _PLOTTED_LANDMARKS,
    connection_drawing_spec: DrawingSpec = _PLOTTED_CONNECTIONS,
    elevation: int = 10,
    azimuth: int = 10,
) -> None:
    """Shows landmarks and connections in three dimensions, in a window of matplotlib.

    Args:
        landmark_list: a `LandmarkList` or `NormalizedLandmarkList`; None shows nothing.
        connections: pairs of landmark indices to join.
        landmark_drawing_spec: colour and thickness of landmarks.
        connection_drawing_spec: colour and thickness of connections.
        elevation: of the viewer in degrees.
        azimuth: of the viewer in degrees.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: a connection names a landmark that there is not.
    """
    if not landmark_list:
        return
    try:
        plt = importlib.import_module("matplotlib.pyplot")
    except ModuleNotFoundError as error:
        raise ImportError("plot_landmarks() needs matplotlib: pip install matplotlib") from error
    points = _points(landmark_list)
    # the plot's axes are depth, across, up
    places = np.column_stack([-points.array[:, 2], points.array[:, 0], -points.array[:, 1]])
    seen = _seen(points)
    plt.figure(figsize=(10, 10))
    axes = plt.axes(projection="3d")
    axes.view_init(elev=elevation, azim=azimuth)
    color = _plot_color(landmark_drawing_spec)
    axes.scatter3D(*places[seen].T, color=color, linewidth=landmark_drawing_spec.thickness)
    color = _plot_color(connection_drawing_spec)
    for start, end in _checked(connections, len(places)):
        if seen[start] and seen[end]:
            axes.plot3D(*places[[start, end]].T, color=color, linewidth=connection_drawing_spec.thickness)
    plt.show()


def _normalized_to_pixel_coordinates(
    normalized_x: float, normalized_y: float, image_width: int, image_height: int
) -> _Pixel | None:
    """The pixel of a normalized point, None where that is off the image; many scripts call this private name."""
    if not (0 <= normalized_x <= 1 and 0 <= normalized_y <= 1):
        return None
    return _pixel_inside(normalized_x, normalized_y, image_width, image_height)


def _pixel_inside(x: float, y: float, width: int, height: int) -> _Pixel:
    """The pixel of a normalized point, or the nearest one that the image has."""
    column, row = math.floor(x * width), math.floor(y * height)
    return min(max(column, 0), width - 1), min(max(row, 0), height - 1)


def _points(landmark_list: Any) -> LandmarkList:
    return landmark_list if isinstance(landmark_list, LandmarkList) else NormalizedLandmarkList(landmark_list.landmark)


def _seen(points: LandmarkList) -> npt.NDArray[np.bool_]:
    seen = np.ones(len(points.array), np.bool_)
    for confidence in (points.visibility, points.presence):
        if confidence is not None:
            seen &= ~(confidence < _SEEN)  # unset is NaN and hides nothing
    return seen


def _pixels(points: LandmarkList, image: npt.NDArray[np.uint8]) -> dict[int, _Pixel]:
    """The pixels of the landmarks that are seen and on the image, by index."""
    height, width = image.shape[:2]
    exact = points.array[:, :2].astype(np.float64)
    shown = _seen(points) & ((exact >= 0) & (exact <= 1)).all(axis=1)
    found = np.minimum(np.floor(exact[shown] * (width, height)).astype(np.int64), (width - 1, height - 1))
    return {index: (x, y) for index, (x, y) in zip(np.flatnonzero(shown).tolist(), found.tolist(), strict=True)}


def _checked(connections: Iterable[tuple[int, int]] | None, count: int) -> Iterable[tuple[int, int]]:
    for connection in connections or ():
        if not all(0 <= index < count for index in connection):
            raise ValueError(f"connection {tuple(connection)} names a landmark that there is not: there are {count}")
        yield connection


def _spec(given: DrawingSpec | Mapping[Any, DrawingSpec], key: Any) -> DrawingSpec:
    return given if isinstance(given, DrawingSpec) else given[key]


def _plot_color(spec: DrawingSpec) -> tuple[float, ...]:
    return tuple(channel / 255 for channel in reversed(spec.color))


def _check_image(image: npt.NDArray[np.uint8]) -> None:
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"drawing takes an image of three channels, BGR, [H, W, 3]; this one is {list(image.shape)}")
