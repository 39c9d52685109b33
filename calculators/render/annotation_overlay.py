"""AnnotationOverlay: render data drawn over an image."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..lazy import cv2
from ..payloads import Image
from .render_data import ColorOption, RenderData
from .shape_drawing import Canvas, draw


class AnnotationOverlay(Calculator):
    """Draws what other nodes want to be seen over a copy of the image, or over a canvas of one colour without one.

    Untagged inputs come first and those tagged VECTOR after them, each in the order of its number, as in MediaPipe.
    An image that nothing is drawn on passes as it is. Source: MediaPipe AnnotationOverlayCalculator.
    """

    image = Input("IMAGE", Image, "uint8 RGB, RGBA, or grey, which comes out as RGB", optional=True)
    image_gpu = Input("IMAGE_GPU", Image, "the same under MediaPipe's other name", optional=True)
    image_any = Input("UIMAGE", Image, "the same under MediaPipe's third name", optional=True)
    data = Input("", RenderData, "what to draw", optional=True, repeated=True)
    lists = Input("VECTOR", list[RenderData], "what to draw, in lists", optional=True, repeated=True)
    annotated = Output("IMAGE", Image, "uint8 RGB or RGBA", optional=True)
    annotated_gpu = Output("IMAGE_GPU", Image, "the same", optional=True)
    annotated_any = Output("UIMAGE", Image, "the same", optional=True)

    canvas_width_px: int | None = Option(None, "columns of the canvas where there is no image")
    canvas_height_px: int | None = Option(None, "rows of the canvas where there is no image")
    canvas_color: ColorOption = Option(ColorOption(), "colour of the canvas where there is no image")
    flip_text_vertically: bool = Option(False, "draw text upside down, for images whose first row is the lowest")
    gpu_uses_top_left_origin: bool = Option(True, "accepted for MediaPipe's graphs; images start at the top left")
    gpu_scale_factor: float = Option(1.0, "accepted for MediaPipe's graphs; drawing is never coarser than the image")

    def check(self, binding: Binding) -> Iterable[str]:
        pairs = (
            (self.image, self.annotated),
            (self.image_gpu, self.annotated_gpu),
            (self.image_any, self.annotated_any),
        )
        images = [port.tag for port, _ in pairs if port in binding.slots]
        outputs = [port.tag for _, port in pairs if port in binding.slots]
        if len(outputs) != 1 or len(images) > 1:
            yield f"connect one output and at most one image, not {len(outputs)} and {len(images)}"
        elif images and images != outputs:
            yield f"the image comes in as {images[0]}, so it goes out as {images[0]}, not as {outputs[0]}"
        if not images and (self.canvas_width_px or 0) * (self.canvas_height_px or 0) <= 0:
            yield "without an image the options 'canvas_width_px' and 'canvas_height_px' give the size of the canvas"
        if not binding.inputs:
            yield "connect something to draw"

    def open(self, context: Context) -> None:
        self._input = next(
            (port for port in (self.image, self.image_gpu, self.image_any) if context.is_connected(port)), None
        )
        outputs = (self.annotated, self.annotated_gpu, self.annotated_any)
        self._output = next(port for port in outputs if context.is_connected(port))

    def process(self, context: Context) -> None:
        image = None if self._input is None else context[self._input]
        if self._input is not None and image is None:
            return
        wanted = [data for data in context[self.data] if data is not None]
        for several in context[self.lists]:
            wanted += several or ()
        if (
            self._input is not None
            and image is not None
            and image.ndim == 3
            and not any(data.shapes for data in wanted)
        ):
            context.emit_packet(self._output, context.packet(self._input))
            return
        canvas = self._canvas(image)
        for data in wanted:
            draw(canvas, data, self.flip_text_vertically)
        context[self._output] = canvas

    def _canvas(self, image: Image | None) -> Canvas:
        if image is None:
            canvas = np.empty((self.canvas_height_px or 0, self.canvas_width_px or 0, 3), np.uint8)
            canvas[:] = self.canvas_color.rgb
            return canvas
        if image.dtype != np.uint8 or (image.ndim != 2 and image.shape[2:] not in ((1,), (3,), (4,))):
            raise ValueError(f"one draws on uint8 RGB, RGBA or grey images, not on {image.dtype} {list(image.shape)}")
        if image.ndim == 2 or image.shape[2] == 1:
            return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), np.uint8)
        return np.array(image, np.uint8, order="C")
