"""TensorsToSegmentation: a mask out of a model's output tensor."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..image.resize import resize_mask
from ..lazy import njit
from ..payloads import FloatArray, Image, ImageSize
from .tensors import TensorsOrOne, flat_values, tensor_list


class TensorsToSegmentation(Calculator):
    """Turns the first tensor into a mask: how likely each pixel belongs to what the model segments.

    The activation is applied first, the result then scaled to OUTPUT_SIZE.

    Source: MediaPipe's TensorsToSegmentationCalculator with its OpenCV converter.
    """

    tensors = Input("TENSORS", TensorsOrOne, "float32 [H, W, channels] or [1, H, W, channels]", optional=True)
    tensor = Input("TENSOR", np.ndarray, "the same, alone; this or TENSORS", optional=True)
    size = Input("OUTPUT_SIZE", ImageSize, "width, height of the mask; default the tensor's", optional=True)
    mask = Output("MASK", Image, "float32 [H, W]")

    activation: Literal["NONE", "SIGMOID", "SOFTMAX"] = Option(
        "NONE", "what makes the numbers probabilities; SOFTMAX takes two channels, the others one"
    )
    output_layer_index: Literal[0, 1] = Option(1, "the channel whose probability SOFTMAX gives")
    gpu_origin: Literal["DEFAULT", "CONVENTIONAL", "TOP_LEFT"] | None = Option(
        None, "accepted for MediaPipe's graphs; images on a CPU start at the top left"
    )

    def check(self, binding: Binding) -> Iterable[str]:
        if (self.tensors in binding.slots) == (self.tensor in binding.slots):
            yield "connect one of TENSORS and TENSOR"

    def process(self, context: Context) -> None:
        value = context[self.tensors if context.is_connected(self.tensors) else self.tensor]
        if value is None:
            return
        tensors = tensor_list(value)
        if not tensors:
            raise ValueError("TENSORS is an empty list; the first tensor becomes the mask")
        mask = self._activated(tensors[0])
        if context.is_connected(self.size):
            size = context[self.size]
            if size is None:
                raise ValueError(f"no OUTPUT_SIZE at timestamp {context.timestamp}, where there is a tensor")
            mask = resize_mask(mask, *size)
        context[self.mask] = mask

    def _activated(self, tensor: npt.NDArray[Any]) -> FloatArray:
        channels = 2 if self.activation == "SOFTMAX" else 1
        shape = tensor.shape[1:] if tensor.ndim == 4 and tensor.shape[0] == 1 else tensor.shape
        if len(shape) != 3 or shape[2] != channels:
            expected = f"[H, W, {channels}] or [1, H, W, {channels}]"
            raise ValueError(f"{self.activation} takes a tensor {expected}, not {list(tensor.shape)}")
        values = flat_values(tensor)
        if self.activation == "NONE":
            return values.reshape(shape[:2])
        mask = np.empty(shape[:2], np.float32)
        if self.activation == "SIGMOID":
            _sigmoid(values, mask.reshape(-1))
        else:
            _softmax(values, self.output_layer_index, mask.reshape(-1))
        return mask


@njit(cache=True, nogil=True, error_model="numpy")
def _sigmoid(values: FloatArray, mask: FloatArray) -> None:
    for i in range(len(mask)):
        # exp in float32, the rest in double, as MediaPipe has it
        mask[i] = 1.0 / (np.float64(np.float32(math.exp(-values[i]))) + 1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _softmax(values: FloatArray, layer: int, mask: FloatArray) -> None:
    one = np.float32(1)
    for i in range(len(mask)):
        first, second = values[2 * i], values[2 * i + 1]
        greater = second if first < second else first
        smaller = second if second < first else first
        total = one + np.float32(math.exp(smaller - greater))
        mask[i] = np.float32(math.exp(values[2 * i + layer] - greater)) / total
