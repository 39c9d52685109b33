"""Rectangles as render data, and as a measure of how large to draw."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..payloads import ImageSize, NormalizedRect, Rect
from .render_data import Box, ColorOption, Oval, Rectangle, RenderData, Shape


class RectToRenderData(Calculator):
    """Says how rectangles look: their outline, or filled; or the ellipses inside them.

    One that is not turned and lies left of or above the image, or beyond a normalized image, is left out.
    Source: MediaPipe RectToRenderDataCalculator.
    """

    norm_rect = Input("NORM_RECT", NormalizedRect, "one of the four inputs is connected", optional=True)
    rect = Input("RECT", Rect, "in pixels", optional=True)
    norm_rects = Input("NORM_RECTS", list[NormalizedRect], "several", optional=True)
    rects = Input("RECTS", list[Rect], "several, in pixels", optional=True)
    render_data = Output("RENDER_DATA", RenderData, "what to draw")

    filled: bool = Option(False, "whether they are filled")
    color: ColorOption = Option(ColorOption(), "of outline or filling")
    thickness: float = Option(1.0, "of the outline")
    oval: bool = Option(False, "draw the ellipses inside")
    top_left_thickness: float | None = Option(None, "radius of a dot at the corner that is top left before turning")

    def check(self, binding: Binding) -> Iterable[str]:
        if len(binding.inputs) != 1:
            yield f"connect one of NORM_RECT, RECT, NORM_RECTS and RECTS, not {len(binding.inputs)} of them"
        if self.top_left_thickness is not None and (self.filled or self.oval):
            yield "option 'top_left_thickness' is for outlines of rectangles only"

    def process(self, context: Context) -> None:
        single = [context[port] for port in (self.norm_rect, self.rect) if context[port] is not None]
        several = context[self.norm_rects] or context[self.rects] or ()
        shapes = (self._shape(rect) for rect in (*single, *several))
        context[self.render_data] = RenderData(tuple(shape for shape in shapes if shape is not None))

    def _shape(self, rect: NormalizedRect | Rect) -> Shape | None:
        normalized = isinstance(rect, NormalizedRect)
        two = np.float32(2)
        left = float(np.float32(rect.x_center) - np.float32(rect.width) / two)
        top = float(np.float32(rect.y_center) - np.float32(rect.height) / two)
        right, bottom = left + rect.width, top + rect.height
        if rect.rotation == 0.0 and (right < 0 or bottom < 0 or (normalized and (left > 1 or top > 1))):
            return None
        box = Box(left, top, right, bottom, rect.rotation, normalized)
        if self.oval:
            return Oval(box, self.color.rgb, self.thickness, self.filled)
        return Rectangle(box, self.color.rgb, self.thickness, self.filled, top_left_thickness=self.top_left_thickness)


class RectToRenderScale(Calculator):
    """Says how much thicker things are drawn on something as large as a rectangle: its longer side, multiplied.

    Without a rectangle it is the multiplier itself. Source: MediaPipe RectToRenderScaleCalculator.
    """

    norm_rect = Input("NORM_RECT", NormalizedRect, "around what is drawn")
    image_size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels")
    render_scale = Output("RENDER_SCALE", float, "for the input of that name of `LandmarksToRenderData`")

    multiplier: float = Option(0.01, "1 / the size, in pixels, that the thickness is made for")
    process_timestamp_bounds: bool = Option(False, "emit at timestamps without a rectangle too")

    def process(self, context: Context) -> None:
        rect = context[self.norm_rect]
        if rect is None:
            context[self.render_scale] = float(np.float32(self.multiplier))
            return
        size = context[self.image_size]
        if size is None:
            raise ValueError("IMAGE_SIZE must have a packet wherever NORM_RECT has one")
        longer = max(np.float32(rect.width) * np.float32(size[0]), np.float32(rect.height) * np.float32(size[1]))
        context[self.render_scale] = float(longer * np.float32(self.multiplier))
