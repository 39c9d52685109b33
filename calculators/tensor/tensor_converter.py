"""Whole images and matrices as model inputs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, OptionGroup, Output
from graphflow.context import Binding

from ..payloads import FloatArray, Image, Tensors


class TensorFloatRange(OptionGroup):
    """What the darkest and the brightest pixel value become."""

    min: float = 0.0
    max: float = 0.0


class TensorConverter(Calculator):
    """Turns an image as it is, or a matrix, into a tensor; `ImageToTensor` is what cuts and scales.

    Source: MediaPipe's TensorConverterCalculator.
    """

    image = Input("IMAGE", Image, "uint8 or float32 image; this or MATRIX", optional=True)
    matrix = Input("MATRIX", np.ndarray, "float32 [R, C]", optional=True)
    tensors = Output("TENSORS", Tensors, "one tensor: [1, H, W, channels], or [1, R, C, 1]")

    zero_center: bool = Option(True, "pixel values become -1..1, otherwise 0..1")
    use_custom_normalization: bool = Option(False, "pixel values become value / custom_div - custom_sub")
    custom_div: float = Option(-1.0, "see use_custom_normalization")
    custom_sub: float = Option(-1.0, "see use_custom_normalization")
    flip_vertically: bool = Option(False, "the last row first")
    gpu_origin: Literal["DEFAULT", "CONVENTIONAL", "TOP_LEFT"] | None = Option(
        None, "accepted for MediaPipe's graphs; images on a CPU start at the top left"
    )
    max_num_channels: Literal[1, 3, 4] = Option(3, "drop the channels after the so many")
    row_major_matrix: bool = Option(False, "matrices are laid out row by row, otherwise column by column")
    use_quantized_tensors: Literal[False] = Option(False, "quantized tensors are not supported")
    output_tensor_float_range: TensorFloatRange | None = Option(None, "what pixel values become, instead of the above")

    def check(self, binding: Binding) -> Iterable[str]:
        if (self.image in binding.slots) == (self.matrix in binding.slots):
            yield "connect one of IMAGE and MATRIX"
        if self.flip_vertically and self.gpu_origin is not None:
            yield "set one of 'flip_vertically' and 'gpu_origin'"
        if self.use_custom_normalization and not (self.custom_div > 0 and self.custom_sub >= 0):
            yield "'use_custom_normalization' needs a positive 'custom_div' and a 'custom_sub' of at least 0"
        given = self.output_tensor_float_range
        if given is not None and not given.min < given.max:
            yield f"option 'output_tensor_float_range' must have min < max, not {given.min}..{given.max}"

    def process(self, context: Context) -> None:
        image, matrix = context[self.image], context[self.matrix]
        if image is not None:
            context[self.tensors] = [self._of_image(image)]
        elif matrix is not None:
            laid_out = matrix if self.row_major_matrix else matrix.T
            numbers = np.array(laid_out, np.float32, order="C", copy=True)
            context[self.tensors] = [numbers.reshape(1, *matrix.shape, 1)]

    def _of_image(self, image: npt.NDArray[Any]) -> FloatArray:
        if image.dtype not in (np.uint8, np.float32):
            raise ValueError(f"an image must be uint8 or float32, not {image.dtype}")
        low, high = self._range()
        scale = (high - low) / np.float32(255)
        pixels = np.atleast_3d(image)[:: -1 if self.flip_vertically else 1, :, : self.max_num_channels]
        tensor: FloatArray = np.multiply(pixels, scale, dtype=np.float32)
        tensor += low
        return tensor.reshape(1, *tensor.shape)

    def _range(self) -> tuple[np.float32, np.float32]:
        if self.use_custom_normalization:
            return np.float32(-self.custom_sub), np.float32(-self.custom_sub + 255.0 / self.custom_div)
        if self.output_tensor_float_range is not None:
            return np.float32(self.output_tensor_float_range.min), np.float32(self.output_tensor_float_range.max)
        return np.float32(-1 if self.zero_center else 0), np.float32(1)
