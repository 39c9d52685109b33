"""Converters of the operators that compute element by element or move elements, and the table of all converters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from .activation import activated, clipped
from .builder import GraphBuilder, onnx_axis, onnx_shape
from .convolutions import (
    convert_convolution,
    convert_pooling,
    convert_resize_bilinear,
    convert_transposed_convolution,
    convert_transposed_convolution_with_bias,
)
from .face_attention import (
    convert_landmarks_to_transform_matrix,
    convert_transform_landmarks,
    convert_transform_tensor,
)
from .positions import (
    convert_arg_max,
    convert_cast,
    convert_floor_division,
    convert_gather,
    convert_gather_nd,
    convert_pack,
    convert_unpack,
)
from .reader import Operator

Converter = Callable[[GraphBuilder, Operator], None]

_ELEMENTWISE = {
    "EXP": "Exp",
    "HARD_SWISH": "HardSwish",
    "LOGISTIC": "Sigmoid",
    "RELU": "Relu",
    "SQRT": "Sqrt",
    "TANH": "Tanh",
}
_BINARY = {"ADD": "Add", "DIV": "Div", "MAXIMUM": "Max", "MINIMUM": "Min", "MUL": "Mul", "SUB": "Sub"}


def _convert_densify(build: GraphBuilder, operator: Operator) -> None:
    """DENSIFY of sparse weights: the reader has unpacked them, only fold."""
    build.fold(operator.outputs[0], build.constant(operator, 0))


def _convert_dequantize(build: GraphBuilder, operator: Operator) -> None:
    """DEQUANTIZE: half-precision or quantised weights are known now; a computed tensor's real numbers are at hand."""
    source, output = operator.inputs[0], operator.outputs[0]
    if not build.is_constant(source):
        build.bind(output, build.value(operator, 0))
        return
    stored, quantization = build.constant(operator, 0), build.quantization(source)
    if quantization is None and stored.dtype.kind != "f":
        build.fail(operator, f"weights of type {stored.dtype} have no scale")
    build.fold(output, stored.astype(np.float32) if quantization is None else quantization.real(stored))


def _convert_quantize(build: GraphBuilder, operator: Operator) -> None:
    """QUANTIZE of real numbers, or from one scale to another."""
    build.bind(operator.outputs[0], build.value(operator, 0))


def _convert_elementwise(build: GraphBuilder, operator: Operator) -> None:
    data, output = build.value(operator, 0), operator.outputs[0]
    if operator.kind == "RELU6":
        build.bind(output, clipped(build, data, output, 0.0, 6.0))
    else:
        build.bind(output, build.add(_ELEMENTWISE[operator.kind], [data], output))


def _convert_binary(build: GraphBuilder, operator: Operator) -> None:
    output = operator.outputs[0]
    rank = len(build.shape(output))
    inputs = [build.broadcast_value(operator, position, rank) for position in (0, 1)]
    build.bind(output, activated(build, operator, build.add(_BINARY[operator.kind], inputs, output)))


def _convert_prelu(build: GraphBuilder, operator: Operator) -> None:
    """PRELU: alpha [1, 1, C] of NHWC becomes [C, 1, 1], which broadcasts over NCHW."""
    alpha = build.constant(operator, 1).astype(np.float32)
    if len(build.shape(operator.inputs[0])) == 4:
        alpha = np.moveaxis(alpha.reshape((1,) * (3 - alpha.ndim) + alpha.shape[-3:]), -1, 0)
    slope = build.graph.constant(alpha, f"alpha{operator.inputs[1]}")
    build.bind(operator.outputs[0], build.add("PRelu", [build.value(operator, 0), slope], operator.outputs[0]))


def _convert_pad(build: GraphBuilder, operator: Operator) -> None:
    before, after = build.constant(operator, 1).T.tolist()
    pads = np.array([*onnx_shape(before), *onnx_shape(after)], dtype=np.int64)
    inputs = [build.value(operator, 0), build.graph.constant(pads, "pads")]
    build.bind(operator.outputs[0], build.add("Pad", inputs, operator.outputs[0], mode="constant"))


def _convert_depth_to_space(build: GraphBuilder, operator: Operator) -> None:
    result = build.add(
        "DepthToSpace",
        [build.value(operator, 0)],
        operator.outputs[0],
        blocksize=operator.options["block_size"],
        mode="DCR",
    )
    build.bind(operator.outputs[0], result)


def _convert_mean(build: GraphBuilder, operator: Operator) -> None:
    shape, output = build.shape(operator.inputs[0]), operator.outputs[0]
    axes = sorted(int(axis) % len(shape) for axis in build.constant(operator, 1).reshape(-1))
    data = build.value(operator, 0)
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    if len(shape) == 4 and axes == [1, 2]:
        mean = build.graph.add("GlobalAveragePool", [data], onnx_shape(kept), f"tensor{output}")
    else:
        mean = build.graph.add(
            "ReduceMean", [data], onnx_shape(kept), f"tensor{output}", axes=[onnx_axis(a, len(shape)) for a in axes]
        )
    build.bind(output, _regrouped(build, mean, kept, build.shape(output)))


def _convert_reshape(build: GraphBuilder, operator: Operator) -> None:
    source, target = build.shape(operator.inputs[0]), build.shape(operator.outputs[0])
    build.bind_moved(operator, _regrouped(build, build.moving(operator, 0), source, target))


def _regrouped(build: GraphBuilder, name: str, source: tuple[int, ...], target: tuple[int, ...]) -> str:
    """Reshape a value between two TFLite shapes: TFLite counts elements channel-last, whatever the graph's layout."""
    if source == target:
        return name
    return build.from_tflite(build.reshaped(build.as_tflite(name, source), target), target)


def _convert_fully_connected(build: GraphBuilder, operator: Operator) -> None:
    if operator.options.get("weights_format"):
        build.fail(operator, "its weights are stored shuffled")
    weights = build.constant(operator, 1)
    source, target = build.shape(operator.inputs[0]), build.shape(operator.outputs[0])
    rows = int(np.prod(source)) // weights.shape[1]
    flat = build.reshaped(build.as_tflite(build.value(operator, 0), source), (rows, weights.shape[1]))
    inputs = [flat, build.parameter(operator, 1)]
    if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
        inputs.append(build.parameter(operator, 2))
    product = build.graph.add("Gemm", inputs, (rows, weights.shape[0]), f"tensor{operator.outputs[0]}", transB=1)
    shaped = build.from_tflite(build.reshaped(product, target), target)
    build.bind(operator.outputs[0], activated(build, operator, shaped))


def _convert_concatenation(build: GraphBuilder, operator: Operator) -> None:
    output = operator.outputs[0]
    axis = onnx_axis(operator.options["axis"], len(build.shape(output)))
    inputs = [build.moving(operator, position) for position in range(len(operator.inputs))]
    build.bind_moved(operator, activated(build, operator, build.add("Concat", inputs, output, axis=axis)))


def _convert_strided_slice(build: GraphBuilder, operator: Operator) -> None:
    if any(operator.options[mask] for mask in ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask")):
        build.fail(operator, "slices that add or drop dimensions are not supported")
    shape, output = build.shape(operator.inputs[0]), operator.outputs[0]
    begins, ends, steps = (build.constant(operator, position).tolist() for position in (1, 2, 3))
    cuts: dict[int, tuple[int, int, int]] = {}
    for axis, size in enumerate(shape):
        if steps[axis] <= 0:
            build.fail(operator, f"a step of {steps[axis]} is not supported")
        begin = None if operator.options["begin_mask"] >> axis & 1 else begins[axis]
        end = None if operator.options["end_mask"] >> axis & 1 else ends[axis]
        cut = slice(begin, end, steps[axis]).indices(size)
        if cut != (0, size, 1):
            cuts[onnx_axis(axis, len(shape))] = cut
    data = build.moving(operator, 0)
    if cuts:
        starts, stops, strides = (np.array(part, dtype=np.int64) for part in zip(*cuts.values(), strict=True))
        parts = {"starts": starts, "ends": stops, "axes": np.array([*cuts], dtype=np.int64), "steps": strides}
        data = build.add("Slice", [data, *(build.graph.constant(part, name) for name, part in parts.items())], output)
    build.bind_moved(operator, data)


CONVERTERS: Mapping[str, Converter] = {
    "ADD": _convert_binary,
    "ARG_MAX": convert_arg_max,
    "AVERAGE_POOL_2D": convert_pooling,
    "CAST": convert_cast,
    "CONCATENATION": _convert_concatenation,
    "CONV_2D": convert_convolution,
    "Convolution2DTransposeBias": convert_transposed_convolution_with_bias,
    "DENSIFY": _convert_densify,
    "DEPTHWISE_CONV_2D": convert_convolution,
    "DEPTH_TO_SPACE": _convert_depth_to_space,
    "DEQUANTIZE": _convert_dequantize,
    "DIV": _convert_binary,
    "EXP": _convert_elementwise,
    "FLOOR_DIV": convert_floor_division,
    "FULLY_CONNECTED": _convert_fully_connected,
    "GATHER": convert_gather,
    "GATHER_ND": convert_gather_nd,
    "HARD_SWISH": _convert_elementwise,
    "LOGISTIC": _convert_elementwise,
    "Landmarks2TransformMatrix": convert_landmarks_to_transform_matrix,
    "MAXIMUM": _convert_binary,
    "MAX_POOL_2D": convert_pooling,
    "MEAN": _convert_mean,
    "MINIMUM": _convert_binary,
    "MUL": _convert_binary,
    "PACK": convert_pack,
    "PAD": _convert_pad,
    "PRELU": _convert_prelu,
    "QUANTIZE": _convert_quantize,
    "RELU": _convert_elementwise,
    "RELU6": _convert_elementwise,
    "RESHAPE": _convert_reshape,
    "RESIZE_BILINEAR": convert_resize_bilinear,
    "SQRT": _convert_elementwise,
    "STRIDED_SLICE": _convert_strided_slice,
    "SUB": _convert_binary,
    "TANH": _convert_elementwise,
    "TRANSPOSE_CONV": convert_transposed_convolution,
    "TransformLandmarks": convert_transform_landmarks,
    "TransformTensorBilinear": convert_transform_tensor,
    "UNPACK": convert_unpack,
}
