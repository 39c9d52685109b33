"""ToImage and FromImage: MediaPipe's two kinds of image, which are one here."""

from __future__ import annotations

from collections.abc import Iterable

from graphflow import Calculator, Context, Input, Output
from graphflow.context import Binding

from ..payloads import Image


class ToImage(Calculator):
    """Passes the image of the one input that is connected; there is no difference between the kinds here.

    Source: MediaPipe ToImageCalculator.
    """

    image = Input("IMAGE", Image, "an image; this, or one of the two other names", optional=True)
    image_cpu = Input("IMAGE_CPU", Image, "an image", optional=True)
    image_gpu = Input("IMAGE_GPU", Image, "an image", optional=True)
    passed = Output("IMAGE", Image, "the same")

    def check(self, binding: Binding) -> Iterable[str]:
        if len(binding.inputs) != 1:
            yield f"connect one of IMAGE, IMAGE_CPU and IMAGE_GPU, not {len(binding.inputs)} of them"

    def process(self, context: Context) -> None:
        for port in (self.image, self.image_cpu, self.image_gpu):
            if context.is_connected(port):
                context.emit_packet(self.passed, context.packet(port))


class FromImage(Calculator):
    """Passes an image under the names of MediaPipe's other kinds.

    Source: MediaPipe FromImageCalculator.
    """

    image = Input("IMAGE", Image, "an image")
    image_cpu = Output("IMAGE_CPU", Image, "the same", optional=True)
    image_gpu = Output("IMAGE_GPU", Image, "the same", optional=True)
    source_on_gpu = Output("SOURCE_ON_GPU", bool, "false: images are in the main memory", optional=True)

    def process(self, context: Context) -> None:
        packet = context.packet(self.image)
        context.emit_packet(self.image_cpu, packet)
        context.emit_packet(self.image_gpu, packet)
        context[self.source_on_gpu] = False
