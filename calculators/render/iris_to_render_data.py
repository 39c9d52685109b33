"""IrisToRenderData: irises as circles, and the distance of the eyes as text."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, Literal

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output

from ..geometry.iris_depth import IRIS_LANDMARKS, iris_diameter_px
from ..payloads import FloatArray, ImageSize, NormalizedLandmarkList
from .render_data import Box, ColorOption, Oval, Points, RenderData, Shape, Text

_LINE_TO_FONT: Final = 1.5
_TEXT_COLOR: Final = (255, 0, 0)
_TEXT_THICKNESS: Final = 5.0
_CENTRE_TOP_BOTTOM_LEFT_RIGHT: Final = ((0, 2, 4, 3, 1), (5, 7, 9, 6, 8))


class IrisToRenderData(Calculator):
    """Says how irises look: a circle around each, its five landmarks, and how far the eyes are where that is known.

    Source: MediaPipe IrisToRenderDataCalculator.
    """

    iris = Input("IRIS", NormalizedLandmarkList, "10 landmarks, five of each iris")
    image_size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels")
    left_depth = Input("LEFT_IRIS_DEPTH_MM", float, "of the eye left in the image, in millimetres", optional=True)
    right_depth = Input("RIGHT_IRIS_DEPTH_MM", float, "of the other eye, in millimetres", optional=True)
    render_data = Output("RENDER_DATA", RenderData, "what to draw")

    oval_color: ColorOption = Option(ColorOption(), "of the circles")
    landmark_color: ColorOption = Option(ColorOption(), "of the landmarks")
    oval_thickness: float = Option(1.0, "of the circles")
    landmark_thickness: float = Option(1.0, "radius of the landmarks")
    font_height_px: int = Option(50, "in pixels")
    horizontal_offset_px: int = Option(0, "of the text from the left edge, in pixels")
    vertical_offset_px: int = Option(0, "of the text from the edge, downwards, in pixels")
    font_face: int = Option(0, "OpenCV's number of the font")
    location: Literal["TOP_LEFT", "BOTTOM_LEFT"] = Option("TOP_LEFT", "the corner of the text")

    def process(self, context: Context) -> None:
        iris, size = context[self.iris], context[self.image_size]
        if iris is None:
            return
        if len(iris) != IRIS_LANDMARKS or size is None:
            raise ValueError(
                f"IRIS needs {IRIS_LANDMARKS} landmarks and IMAGE_SIZE a packet, not {len(iris)} and {size}"
            )
        shapes: list[Shape] = []
        for indices in _CENTRE_TOP_BOTTOM_LEFT_RIGHT:
            shapes += self._iris(iris.xyz[list(indices)], size)
        depths = (("Left", context[self.left_depth]), ("Right", context[self.right_depth]))
        lines = [
            f"{name} : :{math.floor(depth / 10 + 0.5)} cm"
            for name, depth in depths
            if depth is not None and not math.isinf(depth)
        ]
        context[self.render_data] = RenderData((*shapes, *self._texts(lines, size)))

    def _iris(self, iris: FloatArray, size: ImageSize) -> Iterator[Shape]:
        radius = float(iris_diameter_px(iris, size)) / 2
        x, y = float(iris[0, 0]), float(iris[0, 1])
        across, down = radius / size[0], radius / size[1]
        box = Box(x - across, y - down, x + across, y + down, normalized=True)
        yield Oval(box, self.oval_color.rgb, self.oval_thickness)
        yield Points(iris[:, :2].astype(np.float64), self.landmark_color.rgb, self.landmark_thickness, normalized=True)

    def _texts(self, lines: list[str], size: ImageSize) -> Iterator[Text]:
        line_height = math.ceil(self.font_height_px * _LINE_TO_FONT)
        baseline = self.vertical_offset_px + line_height
        if self.location == "BOTTOM_LEFT":
            baseline = self.vertical_offset_px + size[1] - line_height * len(lines)
        for number, line in enumerate(lines):
            yield Text(
                line,
                float(self.horizontal_offset_px),
                float(baseline + number * line_height),
                _TEXT_COLOR,
                _TEXT_THICKNESS,
                float(self.font_height_px),
                font_face=self.font_face,
            )
