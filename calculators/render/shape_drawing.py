"""Shapes drawn into an image as MediaPipe's AnnotationRenderer draws them.

Pixels are hard-edged, and coordinates are whole pixels, so that a picture is the one people know from MediaPipe's own
graphs: the same one, pixel for pixel, with OpenCV 4; OpenCV 5 has other letters.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..lazy import cv2, njit
from .render_data import Box, Color, GradientLines, Lines, Numbers, Oval, Points, Rectangle, RenderData, Shape, Text

Canvas: TypeAlias = npt.NDArray[np.uint8]
"""uint8 [H, W, 3] RGB or [H, W, 4] RGBA, drawn into; alpha becomes 0 where something is drawn, as in MediaPipe."""

_Pixels: TypeAlias = npt.NDArray[np.int64]

_THICKEST: Final = 32767
_FARTHEST_PX: Final = 1 << 20
"""OpenCV computes with fractions of pixels in integers; what lies farther out keeps its direction well enough."""

_TIP: Final = 0.2
"""Length of an arrow's tip, as a part of the arrow."""

_CORNER_LINE_TYPE: Final = 4

# cap line + base line of OpenCV's Hershey fonts, by number
_FONT_UNITS: Final = {0: 21, 1: 9, 2: 21, 3: 21, 4: 21, 5: 13, 6: 21, 7: 21}


def draw(image: Canvas, data: RenderData, flip_text: bool = False) -> None:
    """Draws shapes in their order; what is not finite is left out.

    Args:
        image: uint8 [H, W, 3] RGB or [H, W, 4] RGBA, contiguous; written.
        data: what to draw.
        flip_text: whether text stands upside down, for images whose first row is the lowest.
    """
    for shape in data.shapes:
        _draw_shape(image, shape, flip_text)


def _draw_shape(image: Canvas, shape: Shape, flip_text: bool) -> None:
    match shape:
        case Points():
            _draw_points(image, shape)
        case Lines():
            _draw_lines(image, shape)
        case GradientLines():
            _draw_gradient_lines(image, shape)
        case Rectangle():
            _draw_rectangle(image, shape)
        case Oval():
            _draw_oval(image, shape)
        case Text():
            _draw_text(image, shape, flip_text)


def pixels(image: Canvas, coordinates: Numbers, normalized: bool) -> _Pixels:
    """The pixels that coordinates [N, 2 k] (x, y, x, y, …) mean; normalized ones are rounded, others cut off."""
    if normalized:
        size = np.tile((image.shape[1], image.shape[0]), coordinates.shape[1] // 2)
        exact = coordinates * size
        whole = np.copysign(np.floor(np.abs(exact) + 0.5), exact)  # halves away from 0
    else:
        whole = np.trunc(coordinates)
    found: _Pixels = np.clip(whole, -_FARTHEST_PX, _FARTHEST_PX).astype(np.int64)
    return found


def _thickness(exact: float) -> int:
    return min(max(math.floor(exact + 0.5), 1), _THICKEST) if math.isfinite(exact) else 1


def _draw_points(image: Canvas, shape: Points) -> None:
    finite = np.isfinite(shape.xy).all(axis=1)
    centres = pixels(image, shape.xy[finite], shape.normalized).tolist()
    varied = isinstance(shape.colors, np.ndarray)
    colors = shape.colors[finite].tolist() if isinstance(shape.colors, np.ndarray) else shape.colors
    sized = isinstance(shape.thickness, np.ndarray)
    sizes = shape.thickness[finite].tolist() if isinstance(shape.thickness, np.ndarray) else []
    radius = 0 if isinstance(shape.thickness, np.ndarray) else _thickness(shape.thickness)
    for number, centre in enumerate(centres):
        color = colors[number] if varied else colors
        cv2.circle(image, centre, _thickness(sizes[number]) if sized else radius, color, -1)


def _draw_lines(image: Canvas, shape: Lines) -> None:
    ends = shape.ends[np.isfinite(shape.ends).all(axis=1)]
    if not len(ends):
        return
    lines = pixels(image, ends, shape.normalized).reshape(-1, 2, 2)
    if shape.arrows:
        lines = np.concatenate([_arrow(line) for line in lines])
    cv2.polylines(image, list(lines.astype(np.int32)), False, shape.color, _thickness(shape.thickness))


def _arrow(line: _Pixels) -> _Pixels:
    """The three lines of an arrow, [3, 2, 2]."""
    start, end = line.astype(np.float64)
    along = (end - start) * _TIP  # as long as the tip
    across = np.array([-along[1], along[0]])
    left, right = end - along + across, end - along - across
    tips = np.copysign(np.floor(np.abs((left, right)) + 0.5), (left, right)).astype(np.int64)
    return np.array([line, (tips[0], line[1]), (tips[1], line[1])])


def _draw_gradient_lines(image: Canvas, shape: GradientLines) -> None:
    finite = np.isfinite(shape.ends).all(axis=1)
    size = (0, 0, image.shape[1], image.shape[0])
    thickness = _thickness(shape.thickness)
    for ends, colors in zip(
        pixels(image, shape.ends[finite], shape.normalized).tolist(),
        shape.colors[finite].astype(np.float64),
        strict=True,
    ):
        inside, start, end = cv2.clipLine(size, tuple(ends[:2]), tuple(ends[2:]))
        if inside:
            _gradient_line(image, start[0], start[1], end[0], end[1], colors, thickness)


@njit(cache=True, nogil=True)
def _gradient_line(image: Canvas, x: int, y: int, end_x: int, end_y: int, colors: Numbers, thickness: int) -> None:
    """A square at each pixel of a line of edge-connected pixels; start and end lie in the image.

    The line is the one OpenCV's LineIterator walks with connectivity 4.
    """
    height, width, channels = image.shape
    step_x, step_y = (1 if end_x >= x else -1), (1 if end_y >= y else -1)
    long_side, short_side = abs(end_x - x), abs(end_y - y)
    steep = short_side > long_side
    if steep:
        long_side, short_side = short_side, long_side
    count = long_side + short_side + 1
    error = 0
    for i in range(count):
        share = i / count
        for row in range(y, min(y + thickness, height)):
            for column in range(x, min(x + thickness, width)):
                for channel in range(min(channels, 3)):
                    mixed = colors[0, channel] * (1.0 - share) + colors[1, channel] * share
                    image[row, column, channel] = np.uint8(min(max(np.rint(mixed), 0.0), 255.0))
                if channels == 4:
                    image[row, column, 3] = 0
        sideways = error < 0
        error -= 2 * short_side
        if sideways:
            error += 2 * (long_side + short_side)
        if sideways == steep:
            x += step_x
        else:
            y += step_y


def _edges(image: Canvas, box: Box) -> list[int] | None:
    """Left, top, right, bottom in pixels; None where the box is not finite."""
    edges = np.array([[box.left, box.top, box.right, box.bottom]], np.float64)
    if not (np.isfinite(edges).all() and math.isfinite(box.rotation)):
        return None
    found: list[int] = pixels(image, edges, box.normalized)[0].tolist()
    return found


def _draw_rectangle(image: Canvas, shape: Rectangle) -> None:
    edges = _edges(image, shape.box)
    if edges is None:
        return
    left, top, right, bottom = edges
    thickness = _thickness(shape.thickness)
    # from the lower left, clockwise; OpenCV rounds halves to even
    corners = np.rint(
        cv2.boxPoints(
            (
                ((left + right) / 2, (top + bottom) / 2),
                (right - left, bottom - top),
                math.degrees(shape.box.rotation),
            )
        )
    ).astype(np.int32)
    if shape.corner_radius is not None:
        _draw_rounded(image, edges, shape, _thickness(shape.corner_radius) if shape.corner_radius >= 0.5 else 0)
    elif shape.box.rotation == 0.0:
        area: Any = (left, top, right - left, bottom - top)
        cv2.rectangle(image, area, shape.color, -1 if shape.filled else thickness)
    elif shape.filled:
        cv2.fillConvexPoly(image, corners, shape.color)
    else:
        cv2.polylines(image, [corners], True, shape.color, thickness)
    if shape.top_left_thickness is not None:
        radius = _thickness(shape.top_left_thickness)
        cv2.ellipse(image, corners[1].tolist(), (radius, radius), 0.0, 0, 360, shape.color, -1)


def _draw_rounded(image: Canvas, edges: list[int], shape: Rectangle, radius: int) -> None:
    left, top, right, bottom = edges
    color: Color = shape.color
    arcs = (
        ((left + radius, top + radius), 180.0),
        ((right - radius, top + radius), 270.0),
        ((right - radius, bottom - radius), 0.0),
        ((left + radius, bottom - radius), 90.0),
    )
    if shape.filled:
        for first, second in (
            ((left + radius, top), (right - radius, bottom)),
            ((left, top + radius), (right, bottom - radius)),
        ):
            cv2.rectangle(image, first, second, color, -1)
    else:
        thickness = _thickness(shape.thickness)
        for start, end in (
            ((left + radius, top), (right - radius, top)),
            ((right, top + radius), (right, bottom - radius)),
            ((left + radius, bottom), (right - radius, bottom)),
            ((left, top + radius), (left, bottom - radius)),
        ):
            cv2.line(image, start, end, color, thickness, _CORNER_LINE_TYPE)
    for centre, turned in arcs:
        drawn = -1 if shape.filled else _thickness(shape.thickness)
        cv2.ellipse(image, centre, (radius, radius), turned, 0, 90, color, drawn, _CORNER_LINE_TYPE)


def _draw_oval(image: Canvas, shape: Oval) -> None:
    edges = _edges(image, shape.box)
    if edges is None:
        return
    left, top, right, bottom = edges
    axes = max(int((right - left) / 2), 0), max(int((bottom - top) / 2), 0)
    centre = int((left + right) / 2), int((top + bottom) / 2)
    thickness = -1 if shape.filled else _thickness(shape.thickness)
    cv2.ellipse(image, centre, axes, math.degrees(shape.box.rotation), 0, 360, shape.color, thickness)


@functools.cache
def _has_stroked_text() -> bool:
    """Whether a thicker text is one around the other; OpenCV's outline fonts, from 5 on, make it a wider one."""
    return int(cv2.__version__.partition(".")[0]) < 5


def _draw_text(image: Canvas, shape: Text, flip: bool) -> None:
    place = np.array([[shape.left, shape.baseline]], np.float64)
    if not np.isfinite(place).all() or not math.isfinite(shape.font_height):
        return
    x, y = pixels(image, place, shape.normalized)[0].tolist()
    height = math.floor(shape.font_height * image.shape[0] + 0.5) if shape.normalized else int(shape.font_height)
    thickness = _thickness(shape.thickness)
    scale = (height - (thickness + 1) / 2) / _FONT_UNITS[shape.font_face]
    (width, tall), _ = cv2.getTextSize(shape.text, shape.font_face, scale, thickness)
    if shape.center_horizontally:
        x -= width // 2
    if shape.center_vertically:
        y += tall // 2
    if shape.outline_thickness > 0 and _has_stroked_text():
        outline = _thickness(shape.thickness + 2.0 * shape.outline_thickness)
        cv2.putText(image, shape.text, (x, y), shape.font_face, scale, shape.outline, outline, 8, flip)
    elif shape.outline_thickness > 0:
        far = _thickness(shape.outline_thickness)
        for across, down in itertools.product((-far, 0, far), repeat=2):
            place_of_copy = (x + across, y + down)
            cv2.putText(image, shape.text, place_of_copy, shape.font_face, scale, shape.outline, thickness, 8, flip)
    cv2.putText(image, shape.text, (x, y), shape.font_face, scale, shape.color, thickness, 8, flip)
