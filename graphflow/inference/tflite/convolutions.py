"""Converters of the operators that slide a window: convolutions, transposed convolutions, pooling."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import tflite

from .activation import activated
from .builder import GraphBuilder, onnx_shape
from .reader import Operator

# Padding of TensorFlow Lite's C options structs, which custom operators store: 0 unknown, 1 SAME, 2 VALID.
_STRUCT_PADDING = {1: tflite.Padding.SAME, 2: tflite.Padding.VALID}


def same_padding(size: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """Return the zeros TFLite's SAME padding puts before and after an axis of `size` elements.

    Where the total is odd, the extra zero comes after: a stride of 2 on an even size pads (0, 1), not (1, 0).

    >>> same_padding(224, kernel=3, stride=2)
    (0, 1)
    """
    output = -(-size // stride)
    total = max((output - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def _pads(
    padding: int,
    sizes: tuple[int, int],
    kernel: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int] = (1, 1),
) -> list[int]:
    """Return ONNX pads (top, left, bottom, right)."""
    if padding == tflite.Padding.VALID:
        return [0, 0, 0, 0]
    top, bottom = same_padding(sizes[0], kernel[0], strides[0], dilations[0])
    left, right = same_padding(sizes[1], kernel[1], strides[1], dilations[1])
    return [top, left, bottom, right]


def _strides(operator: Operator) -> tuple[int, int]:
    return operator.options["stride_h"], operator.options["stride_w"]


def _bias(build: GraphBuilder, operator: Operator, position: int) -> list[str]:
    if len(operator.inputs) <= position or operator.inputs[position] < 0:
        return []
    return [build.parameter(operator, position)]


def convert_convolution(build: GraphBuilder, operator: Operator) -> None:
    """CONV_2D (weights OHWI) and DEPTHWISE_CONV_2D (weights 1HWO) -> Conv with weights OIHW."""
    _, height, width, channels = build.shape(operator.inputs[0])
    _, *size, depth = build.constant(operator, 1).shape
    if operator.kind == "DEPTHWISE_CONV_2D":
        order, group = (3, 0, 1, 2), channels
    else:
        order, group = (0, 3, 1, 2), channels // depth
    strides = _strides(operator)
    dilations = (operator.options["dilation_h_factor"], operator.options["dilation_w_factor"])
    result = build.add(
        "Conv",
        [build.value(operator, 0), build.parameter(operator, 1, order), *_bias(build, operator, 2)],
        operator.outputs[0],
        kernel_shape=size,
        strides=list(strides),
        dilations=list(dilations),
        pads=_pads(operator.options["padding"], (height, width), (size[0], size[1]), strides, dilations),
        group=group,
    )
    build.bind(operator.outputs[0], activated(build, operator, result))


def convert_transposed_convolution(build: GraphBuilder, operator: Operator) -> None:
    """TRANSPOSE_CONV (output shape, weights OHWI, input, optional bias) -> ConvTranspose."""
    strides = _strides(operator)
    # The schema's operator names its output size; SAME pads what a forward convolution from there would.
    _transpose(build, operator, data=2, weights=1, bias=3, strides=strides, padding=operator.options["padding"])


def convert_transposed_convolution_with_bias(build: GraphBuilder, operator: Operator) -> None:
    """Convolution2DTransposeBias, MediaPipe's custom operator (input, weights OHWI, bias) -> ConvTranspose."""
    if len(operator.custom_options) < 12:
        build.fail(operator, "its options (padding, stride width, stride height) are missing")
    padding, stride_w, stride_h = struct.unpack_from("<iii", operator.custom_options)
    if padding not in _STRUCT_PADDING or stride_w < 1 or stride_h < 1:
        build.fail(operator, f"padding {padding} with strides {stride_h}x{stride_w} has no meaning")
    _transpose(
        build, operator, data=0, weights=1, bias=2, strides=(stride_h, stride_w), padding=_STRUCT_PADDING[padding]
    )


def _transpose(
    build: GraphBuilder,
    operator: Operator,
    *,
    data: int,
    weights: int,
    bias: int,
    strides: tuple[int, int],
    padding: int,
) -> None:
    _, *size, _ = build.constant(operator, weights).shape
    _, in_height, in_width, _ = build.shape(operator.inputs[data])
    _, height, width, _ = build.shape(operator.outputs[0])
    pads = _pads(padding, (height, width), (size[0], size[1]), strides)
    reached = [
        stride * (count - 1) + extent - before - after
        for stride, count, extent, before, after in zip(
            strides, (in_height, in_width), size, pads[:2], pads[2:], strict=True
        )
    ]
    missing = [height - reached[0], width - reached[1]]
    if not all(0 <= rest < stride for rest, stride in zip(missing, strides, strict=True)):
        build.fail(operator, f"output {height}x{width} cannot come from input {in_height}x{in_width}")
    result = build.add(
        "ConvTranspose",
        [build.value(operator, data), build.parameter(operator, weights, (3, 0, 1, 2)), *_bias(build, operator, bias)],
        operator.outputs[0],
        kernel_shape=size,
        strides=list(strides),
        pads=pads,
        output_padding=missing,
    )
    build.bind(operator.outputs[0], activated(build, operator, result))


def convert_pooling(build: GraphBuilder, operator: Operator) -> None:
    """MAX_POOL_2D and AVERAGE_POOL_2D (padding never counts); an average over the whole image becomes global."""
    _, height, width, _ = build.shape(operator.inputs[0])
    size = (operator.options["filter_height"], operator.options["filter_width"])
    strides = _strides(operator)
    pads = _pads(operator.options["padding"], (height, width), size, strides)
    data = build.value(operator, 0)
    window: dict[str, Any] = {"kernel_shape": list(size), "strides": list(strides), "pads": pads}
    if operator.kind == "MAX_POOL_2D":
        result = build.add("MaxPool", [data], operator.outputs[0], **window)
    elif size == (height, width) and not any(pads):
        result = build.add("GlobalAveragePool", [data], operator.outputs[0])
    else:
        result = build.add("AveragePool", [data], operator.outputs[0], count_include_pad=0, **window)
    build.bind(operator.outputs[0], activated(build, operator, result))


def convert_resize_bilinear(build: GraphBuilder, operator: Operator) -> None:
    """RESIZE_BILINEAR in its three conventions -> Resize(linear)."""
    source = onnx_shape(build.shape(operator.inputs[0]))
    target = onnx_shape(build.shape(operator.outputs[0]))
    if operator.options.get("align_corners"):
        mode = "align_corners"
    else:
        mode = "half_pixel" if operator.options.get("half_pixel_centers") else "asymmetric"
    inputs = [build.value(operator, 0), ""]
    if all(goal % size == 0 for goal, size in zip(target, source, strict=True)):
        # Whole factors are given as such: ONNX Runtime's blocked-layout kernel takes no sizes.
        scales = np.array([goal // size for goal, size in zip(target, source, strict=True)], dtype=np.float32)
        inputs.append(build.graph.constant(scales, "scales"))
    else:
        inputs += ["", build.graph.constant(np.array(target, dtype=np.int64), "sizes")]
    result = build.add("Resize", inputs, operator.outputs[0], mode="linear", coordinate_transformation_mode=mode)
    build.bind_interpolated(operator.outputs[0], result)
