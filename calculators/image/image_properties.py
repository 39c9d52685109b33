"""What an image is, without its pixels."""

from __future__ import annotations

from collections.abc import Iterable

from graphflow import Calculator, Context, Input, Output
from graphflow.context import Binding

from ..payloads import Image, ImageSize


class ImageProperties(Calculator):
    """Tells the size of each image, for calculators that turn normalized coordinates into pixels.

    Source: MediaPipe's ImagePropertiesCalculator.
    """

    fusible = True

    image = Input("IMAGE", Image, "the image; this or IMAGE_CPU", optional=True)
    image_cpu = Input("IMAGE_CPU", Image, "the same under MediaPipe's other name", optional=True)
    size = Output("SIZE", ImageSize, "width, height in pixels")

    def check(self, binding: Binding) -> Iterable[str]:
        if (self.image in binding.slots) == (self.image_cpu in binding.slots):
            yield "connect one of IMAGE and IMAGE_CPU"

    def process(self, context: Context) -> None:
        image = context[self.image]
        if image is None:
            image = context[self.image_cpu]
        if image is not None:
            context[self.size] = (image.shape[1], image.shape[0])
