"""FlatColorImage: an image of one colour."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from graphflow import Calculator, Context, Input, Option, OptionGroup, Output, SideOutput
from graphflow.context import Binding

from ..payloads import Image


class Color(OptionGroup):
    """A colour, 0..255 for each channel."""

    r: int = 0
    g: int = 0
    b: int = 0


class FlatColorImage(Calculator):
    """Makes an RGB image of one colour, as large as another image or as the options say.

    Source: MediaPipe FlatColorImageCalculator.
    """

    image = Input("IMAGE", Image, "gives the size; this or output_width and output_height", optional=True)
    color_stream = Input("COLOR", tuple, "r, g, b in 0..255; this or the option color", optional=True)
    flat = Output("IMAGE", Image, "uint8 [H, W, 3]; this or the side output", optional=True)
    flat_side = SideOutput("IMAGE", Image, "uint8 [H, W, 3]", optional=True)

    output_width: int | None = Option(None, "pixels")
    output_height: int | None = Option(None, "pixels")
    color: Color | None = Option(None, "the colour")

    def check(self, binding: Binding) -> Iterable[str]:
        slots = binding.slots
        sized = self.output_width is not None or self.output_height is not None
        if (self.image in slots) == sized:
            yield "the size comes from the input IMAGE or from output_width and output_height"
        if (self.color_stream in slots) == (self.color is not None):
            yield "the colour comes from the input COLOR or from the option color"
        if (self.flat in slots) == (self.flat_side in slots):
            yield "IMAGE goes out as a stream or as a side packet"
        if self.flat_side in slots and (self.output_width is None or self.output_height is None):
            yield "a side packet needs both output_width and output_height"

    def open(self, context: Context) -> None:
        if context.is_connected(self.flat_side):
            context[self.flat_side] = self._painted(context)

    def process(self, context: Context) -> None:
        context[self.flat] = self._painted(context)

    def _painted(self, context: Context) -> Image | None:
        image, color = context[self.image], context[self.color_stream]
        if self.color is not None:
            color = (self.color.r, self.color.g, self.color.b)
        if color is None or (image is None and context.is_connected(self.image)):
            return None
        size = (self.output_height or 0, self.output_width or 0) if image is None else image.shape[:2]
        return np.full((*size, 3), np.clip(color, 0, 255), np.uint8)
