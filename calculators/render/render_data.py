"""RenderData: what is to be drawn over an image, as shapes without an image.

Coordinates are pixels, or fractions of width and height where `normalized` says so; thickness is in pixels.
Source: MediaPipe's RenderData message, with one shape here for all marks there that differ in nothing but their place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from graphflow import OptionGroup

Color: TypeAlias = tuple[int, int, int]
"""Red, green, blue in 0..255."""

Numbers: TypeAlias = npt.NDArray[np.float64]


class ColorOption(OptionGroup):
    """A colour as graphs write it: `color { r: 255 g: 0 b: 0 }`."""

    r: int = 0
    g: int = 0
    b: int = 0

    @property
    def rgb(self) -> Color:
        """The colour as it is drawn."""
        return self.r, self.g, self.b


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle by its edges, turned around its middle by `rotation` (radians, clockwise)."""

    left: float
    top: float
    right: float
    bottom: float
    rotation: float = 0.0
    normalized: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Filled circles.

    Attributes:
        xy: float64 [N, 2].
        colors: one colour for all, or int [N, 3].
        thickness: the radius; one for all, or float64 [N].
        normalized: whether xy is.
    """

    xy: Numbers
    colors: Color | npt.NDArray[np.int64]
    thickness: float | Numbers = 1.0
    normalized: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Lines of one colour; with `arrows` their ends have tips.

    Attributes:
        ends: float64 [N, 4]: x, y of the start, x, y of the end.
        color: of all.
        thickness: of all.
        normalized: whether ends are.
        arrows: whether they are arrows.
    """

    ends: Numbers
    color: Color
    thickness: float = 1.0
    normalized: bool = False
    arrows: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class GradientLines:
    """Lines that pass from one colour to another.

    Attributes:
        ends: float64 [N, 4]: x, y of the start, x, y of the end.
        colors: int [N, 2, 3]: colour of the start, colour of the end.
        thickness: of all.
        normalized: whether ends are.
    """

    ends: Numbers
    colors: npt.NDArray[np.int64]
    thickness: float = 1.0
    normalized: bool = False


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle, its outline or filled.

    `corner_radius` rounds the corners of one that is not turned; None for plain ones. `top_left_thickness` puts a dot
    of that radius at the corner that is top left before turning, so that one sees how it is turned.
    """

    box: Box
    color: Color
    thickness: float = 1.0
    filled: bool = False
    corner_radius: float | None = None
    top_left_thickness: float | None = None


@dataclass(frozen=True, slots=True)
class Oval:
    """The ellipse inside a box, its outline or filled."""

    box: Box
    color: Color
    thickness: float = 1.0
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text in one of OpenCV's Hershey fonts.

    Attributes:
        text: ASCII.
        left: where it begins, or its middle with `center_horizontally`.
        baseline: where its letters stand, or their middle with `center_vertically`.
        color: of the letters.
        thickness: of the strokes.
        font_height: in pixels, or as a fraction of the image's height where normalized.
        font_face: OpenCV's number of the font, 0..7.
        outline: colour of the outline around the letters, where they have one.
        outline_thickness: of that outline; 0 without.
    """

    text: str
    left: float
    baseline: float
    color: Color
    thickness: float = 1.0
    font_height: float = 8.0
    normalized: bool = False
    font_face: int = 0
    center_horizontally: bool = False
    center_vertically: bool = False
    outline: Color = (0, 0, 0)
    outline_thickness: float = 0.0


Shape: TypeAlias = Points | Lines | GradientLines | Rectangle | Oval | Text


@dataclass(frozen=True, slots=True, eq=False)
class RenderData:
    """Shapes in the order in which they are drawn; `scene_class` says what kind of thing they show."""

    shapes: tuple[Shape, ...] = ()
    scene_class: str = ""
