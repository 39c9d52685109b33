"""From a region of an image to the input of a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np

from graphflow import Calculator, Context, Input, Option, OptionGroup, Output
from graphflow.context import Binding

from ..payloads import Image, LetterboxPadding, Matrix4, NormalizedRect, Rect, Tensors
from .region import pad_region, region_of, region_to_image_matrix
from .warp import ValueRange, sample_region


class FloatRange(OptionGroup):
    """What the darkest and the brightest pixel value become."""

    min: float = 0.0
    max: float = 0.0


class IntRange(OptionGroup):
    """What the darkest and the brightest pixel value become, for quantized models."""

    min: int = 0
    max: int = 0


class ImageToTensor(Calculator):
    """Cuts a rotated region out of an image, scales it to a model's input and its values to the model's range.

    Nothing is emitted where a connected rectangle is missing or has no size at all, which is how MediaPipe's graphs
    say "no region". Outside the image the border mode decides. The result equals that of MediaPipe 0.10.21 on a CPU,
    bit for bit, whatever OpenCV is installed.

    Source: MediaPipe's ImageToTensorCalculator with its OpenCV converter.
    """

    image = Input("IMAGE", Image, "uint8 RGB, RGBA (alpha is dropped) or grey")
    norm_rect = Input("NORM_RECT", NormalizedRect, "the region; default the whole image", optional=True)
    rect = Input("RECT", Rect, "the region in pixels", optional=True)
    tensors = Output("TENSORS", Tensors, "one tensor [1, H, W, 3], or [1, H, W, 1] of a grey image")
    matrix = Output("MATRIX", Matrix4, "from coordinates normalized to the tensor to those of the image", optional=True)
    padding = Output("LETTERBOX_PADDING", LetterboxPadding, "what of the tensor is not of the region", optional=True)

    output_tensor_width: int | None = Option(None, "columns of the tensor; default the image's")
    output_tensor_height: int | None = Option(None, "rows of the tensor; default the image's")
    keep_aspect_ratio: bool = Option(False, "grow the region to the tensor's aspect ratio instead of stretching it")
    output_tensor_float_range: FloatRange | None = Option(None, "range of values of a float32 tensor")
    output_tensor_int_range: IntRange | None = Option(None, "range of values of an int8 tensor (uint8 if min >= 0)")
    output_tensor_uint_range: IntRange | None = Option(None, "range of values of a uint8 tensor")
    border_mode: Literal["BORDER_UNSPECIFIED", "BORDER_ZERO", "BORDER_REPLICATE"] = Option(
        "BORDER_REPLICATE", "what lies outside the image: zeros, or its nearest edge pixel"
    )
    gpu_origin: Literal["DEFAULT", "CONVENTIONAL", "TOP_LEFT"] = Option(
        "DEFAULT", "accepted for MediaPipe's graphs; images on a CPU start at the top left"
    )

    _values: ValueRange

    def check(self, binding: Binding) -> Iterable[str]:
        if self.norm_rect in binding.slots and self.rect in binding.slots:
            yield "connect one of NORM_RECT and RECT"
        ranges = (
            ("output_tensor_float_range", self.output_tensor_float_range, -np.inf, np.inf),
            ("output_tensor_int_range", self.output_tensor_int_range, -128, 127),
            ("output_tensor_uint_range", self.output_tensor_uint_range, 0, 255),
        )
        if all(given is None for _, given, _, _ in ranges):
            yield f"set one of the options {', '.join(name for name, *_ in ranges)}"
        for name, given, lowest, highest in ranges:
            if given is not None and not lowest <= given.min < given.max <= highest:
                yield f"option '{name}' must have {lowest} <= min < max <= {highest}, not {given.min}..{given.max}"
        for name in ("output_tensor_width", "output_tensor_height"):
            size = getattr(self, name)
            if size is not None and size <= 0:
                yield f"option '{name}' must be positive, not {size}"

    def open(self, context: Context) -> None:
        integers = self.output_tensor_uint_range or self.output_tensor_int_range
        if self.output_tensor_float_range is not None:
            self._values = ValueRange(self.output_tensor_float_range.min, self.output_tensor_float_range.max)
        elif integers is not None:
            self._values = ValueRange(integers.min, integers.max, np.int8 if integers.min < 0 else np.uint8)

    def process(self, context: Context) -> None:
        image = context[self.image]
        port = self.rect if context.is_connected(self.rect) else self.norm_rect
        rect = context[port]
        if image is None or (rect is None and context.is_connected(port)):
            return
        if rect is not None and rect.width == 0 and rect.height == 0:
            return
        height, width = image.shape[:2]
        tensor_width = self.output_tensor_width or width
        tensor_height = self.output_tensor_height or height
        region = region_of(width, height, rect)
        padding = np.zeros(4, np.float32)
        if self.keep_aspect_ratio:
            region, padding = pad_region(region, tensor_width, tensor_height)
        border: Literal["zero", "replicate"] = "zero" if self.border_mode == "BORDER_ZERO" else "replicate"
        context[self.padding] = padding
        if context.is_connected(self.matrix):
            context[self.matrix] = region_to_image_matrix(region, width, height)
        context[self.tensors] = [sample_region(image, region, tensor_width, tensor_height, self._values, border)]
