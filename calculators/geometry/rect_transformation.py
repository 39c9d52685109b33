"""Grows, moves and squares regions of interest."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..payloads import ImageSize, NormalizedRect, Rect
from .rect_kernels import KEEP_SIDES, SQUARE_LONG, SQUARE_SHORT, transform_pixel_rect, transform_rect


class RectTransformation(Calculator):
    """Shifts a rectangle along its sides, makes it square in pixels, and scales it, in this order."""

    fusible = True

    norm_rect = Input("NORM_RECT", NormalizedRect, optional=True)
    norm_rects = Input("NORM_RECTS", list[NormalizedRect], optional=True)
    rect = Input("RECT", Rect, optional=True)
    rects = Input("RECTS", list[Rect], optional=True)
    image_size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels; with NORM_RECT and NORM_RECTS", optional=True)
    transformed = Output(doc="of the input's type")
    scale_x: float = Option(1.0, "factor of the width")
    scale_y: float = Option(1.0, "factor of the height")
    rotation: float | None = Option(None, "radians; turns the shift, not the rectangle, as in MediaPipe")
    rotation_degrees: int | None = Option(None, "the same in degrees")
    shift_x: float = Option(0.0, "along the width, as a fraction of it")
    shift_y: float = Option(0.0, "along the height, as a fraction of it")
    square_long: bool | None = Option(None, "make a square of the longer side")
    square_short: bool | None = Option(None, "make a square of the shorter side")

    def check(self, binding: Binding) -> Iterable[str]:
        inputs = (self.norm_rect, self.norm_rects, self.rect, self.rects)
        if sum(port in binding.slots for port in inputs) != 1:
            yield "exactly one of NORM_RECT, NORM_RECTS, RECT and RECTS must be connected"
        normalized = self.norm_rect in binding.slots or self.norm_rects in binding.slots
        if normalized and self.image_size not in binding.slots:
            yield "NORM_RECT and NORM_RECTS need IMAGE_SIZE"
        if self.rotation is not None and self.rotation_degrees is not None:
            yield "only one of rotation and rotation_degrees may be set"
        if self.square_long is not None and self.square_short is not None:
            yield "only one of square_long and square_short may be set"

    def open(self, context: Context) -> None:
        self._scale, self._shift = (self.scale_x, self.scale_y), (self.shift_x, self.shift_y)
        self._sides = SQUARE_LONG if self.square_long else SQUARE_SHORT if self.square_short else KEEP_SIDES
        self._turn_rad = None if self.rotation is None else float(np.float32(self.rotation))
        if self.rotation_degrees is not None:
            self._turn_rad = math.pi * self.rotation_degrees / 180.0

    def process(self, context: Context) -> None:
        size = context[self.image_size]
        if (rect := context[self.norm_rect]) is not None and size is not None:
            context[self.transformed] = self._transformed(rect, size)
        if (rects := context[self.norm_rects]) is not None and size is not None:
            context[self.transformed] = [self._transformed(each, size) for each in rects]
        if (pixel_rect := context[self.rect]) is not None:
            context[self.transformed] = self._transformed_pixels(pixel_rect)
        if (pixel_rects := context[self.rects]) is not None:
            context[self.transformed] = [self._transformed_pixels(each) for each in pixel_rects]

    def _transformed(self, rect: NormalizedRect, size: ImageSize) -> NormalizedRect:
        return transform_rect(rect, size, self._scale, self._shift, self._turn_rad, self._sides)

    def _transformed_pixels(self, rect: Rect) -> Rect:
        return transform_pixel_rect(rect, self._scale, self._shift, self._turn_rad, self._sides)
