"""Converters of the operators that find positions in tensors and pick what is there, as decoders at a network's end do.

Positions and counts, int32 in TFLite, are int64 in the ONNX graph, as ONNX's own operators want them.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from .builder import GraphBuilder, onnx_axis, onnx_shape
from .reader import Operator


def convert_arg_max(build: GraphBuilder, operator: Operator) -> None:
    """ARG_MAX -> ArgMax; of equal ones the first wins in both, and scales keep the order of integers."""
    shape, output = build.shape(operator.inputs[0]), operator.outputs[0]
    axis = int(build.constant(operator, 1).reshape(-1)[0]) % len(shape)
    left = tuple(size for position, size in enumerate(shape) if position != axis)
    data = build.as_tflite(build.stored(operator, 0), shape)
    result = build.graph.add("ArgMax", [data], left, f"tensor{output}", axis=axis, keepdims=0)
    build.bind_stored(output, build.from_tflite(result, left))


def convert_cast(build: GraphBuilder, operator: Operator) -> None:
    """CAST between real numbers and plain integers; to integers both cut off the fraction."""
    output = operator.outputs[0]
    target = build.model.tensors[output].dtype
    if target.kind not in "fiu" or build.quantization(operator.inputs[0]) or build.quantization(output):
        build.fail(operator, f"a cast to {target} is not supported")
    element = TensorProto.FLOAT if target.kind == "f" else TensorProto.INT64
    build.bind(output, build.add("Cast", [build.value(operator, 0)], output, to=element))


def convert_floor_division(build: GraphBuilder, operator: Operator) -> None:
    """FLOOR_DIV of integers: ONNX's Div cuts towards zero, which is the same where nothing is negative."""
    output = operator.outputs[0]
    divisor = build.constant(operator, 1)
    if divisor.dtype.kind not in "iu" or (divisor <= 0).any():
        build.fail(operator, "only division of positions by a positive number is supported")
    rank = len(build.shape(output))
    remainder, whole = build.broadcast_value(operator, 0, rank), build.broadcast_value(operator, 1, rank)
    # a - (a mod b) is a multiple of b, whatever the sign of a
    rest = build.add("Mod", [remainder, whole], output)
    build.bind(output, build.add("Div", [build.add("Sub", [remainder, rest], output), whole], output))


def convert_gather(build: GraphBuilder, operator: Operator) -> None:
    """GATHER along one axis -> Gather."""
    if operator.options.get("batch_dims"):
        build.fail(operator, "gathering with batch dimensions is not supported")
    source, target = build.shape(operator.inputs[0]), build.shape(operator.outputs[0])
    data = build.as_tflite(build.moving(operator, 0), source)
    indices = build.as_tflite(build.stored(operator, 1), build.shape(operator.inputs[1]))
    axis = operator.options.get("axis", 0) % len(source)
    result = build.graph.add("Gather", [data, indices], target, f"tensor{operator.outputs[0]}", axis=axis)
    build.bind_moved(operator, build.from_tflite(result, target))


def convert_gather_nd(build: GraphBuilder, operator: Operator) -> None:
    """GATHER_ND: the rows of indices name elements in TFLite's layout -> GatherND."""
    source, target = build.shape(operator.inputs[0]), build.shape(operator.outputs[0])
    data = build.as_tflite(build.moving(operator, 0), source)
    indices = build.as_tflite(build.stored(operator, 1), build.shape(operator.inputs[1]))
    result = build.graph.add("GatherND", [data, indices], target, f"tensor{operator.outputs[0]}")
    build.bind_moved(operator, build.from_tflite(result, target))


def convert_pack(build: GraphBuilder, operator: Operator) -> None:
    """PACK: join tensors along a new axis -> Unsqueeze and Concat."""
    target = build.shape(operator.outputs[0])
    axis = operator.options.get("axis", 0) % len(target)
    single = tuple(1 if position == axis else size for position, size in enumerate(target))
    parts = []
    for position, index in enumerate(operator.inputs):
        part = build.as_tflite(build.moving(operator, position), build.shape(index))
        parts.append(build.from_tflite(build.reshaped(part, single), single))
    result = build.graph.add(
        "Concat",
        parts,
        onnx_shape(target),
        f"tensor{operator.outputs[0]}",
        axis=onnx_axis(axis, len(target)),
    )
    build.bind_moved(operator, result)


def convert_unpack(build: GraphBuilder, operator: Operator) -> None:
    """UNPACK: take a tensor apart along an axis that vanishes -> one Gather for each part."""
    source = build.shape(operator.inputs[0])
    axis = operator.options.get("axis", 0) % len(source)
    data = build.as_tflite(build.moving(operator, 0), source)
    for position, output in enumerate(operator.outputs):
        target = build.shape(output)
        index = build.graph.constant(np.array(position, dtype=np.int64), "part")
        part = build.graph.add("Gather", [data, index], target, f"tensor{output}", axis=axis)
        build.bind_moved(operator, build.from_tflite(part, target), position)
