"""TfLiteConverter: a whole image, or a matrix, as the input of a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np

from graphflow import Calculator, Context, Input, Option, OptionGroup, Output
from graphflow.context import Binding

from ..payloads import FloatArray, Image, Tensors


class TensorFloatRange(OptionGroup):
    """What the darkest and the brightest pixel value become."""

    min: float = 0.0
    max: float = 0.0


class TfLiteConverter(Calculator):
    """Turns an image into a tensor of its size, its values scaled, or a matrix into one as it is.

    It drops nothing where MediaPipe's node drops what it has no time for. Source: MediaPipe TfLiteConverterCalculator.
    """

    image = Input("IMAGE", Image, "uint8, or float32; this or MATRIX", optional=True)
    matrix = Input("MATRIX", np.ndarray, "float32 [H, W]; this or IMAGE", optional=True)
    tensors = Output("TENSORS", Tensors, "one tensor, [1, H, W, C], or [H, W, 1] of a matrix")

    zero_center: bool = Option(True, "-1..1 instead of 0..1")
    use_custom_normalization: bool = Option(False, "value / custom_div - custom_sub")
    custom_div: float = Option(-1.0, "see use_custom_normalization")
    custom_sub: float = Option(-1.0, "see use_custom_normalization")
    flip_vertically: bool = Option(False, "the last row first")
    max_num_channels: Literal[1, 3, 4] = Option(3, "channels beyond are dropped")
    row_major_matrix: bool = Option(False, "accepted for MediaPipe's graphs; a matrix here knows its own order")
    use_quantized_tensors: bool = Option(False, "uint8 as it is instead of float32")
    output_tensor_float_range: TensorFloatRange | None = Option(None, "in place of -1..1 or 0..1")

    def check(self, binding: Binding) -> Iterable[str]:
        if (self.image in binding.slots) == (self.matrix in binding.slots):
            yield "connect one of IMAGE and MATRIX"
        if self.use_custom_normalization and not self.custom_div > 0:
            yield f"option 'custom_div' must be positive, not {self.custom_div}"
        limits = self.output_tensor_float_range
        if limits is not None and not limits.min < limits.max:
            yield f"option 'output_tensor_float_range' must have min < max, not {limits.min}..{limits.max}"

    def process(self, context: Context) -> None:
        image, matrix = context[self.image], context[self.matrix]
        if matrix is not None:
            context[self.tensors] = [np.ascontiguousarray(matrix, np.float32)[:, :, None]]
        if image is not None:
            context[self.tensors] = [self._tensor(image)]

    def _tensor(self, image: Image) -> FloatArray:
        pixels = image[:, :, None] if image.ndim == 2 else image
        pixels = pixels[:: -1 if self.flip_vertically else 1, :, : self.max_num_channels][None]
        if self.use_quantized_tensors:
            if image.dtype != np.uint8:
                raise ValueError(f"a quantized tensor is made of uint8 images, not of {image.dtype}")
            quantized: FloatArray = pixels.copy()
            return quantized
        low, high = self._range()
        scale = (np.float32(high) - np.float32(low)) / np.float32(255)
        scaled: FloatArray = pixels.astype(np.float32) * scale
        return scaled + np.float32(low) if low else scaled

    def _range(self) -> tuple[float, float]:
        if self.use_custom_normalization:
            return -self.custom_sub, -self.custom_sub + 255.0 / self.custom_div
        if self.output_tensor_float_range is not None:
            return self.output_tensor_float_range.min, self.output_tensor_float_range.max
        return (-1.0, 1.0) if self.zero_center else (0.0, 1.0)
