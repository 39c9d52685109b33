"""Activations fused into TFLite operators."""

from __future__ import annotations

import math

import numpy as np
import tflite

from .builder import GraphBuilder
from .quantization import carried_range
from .reader import Operator

_BOUNDS = {
    tflite.ActivationFunctionType.RELU6: (0.0, 6.0),
    tflite.ActivationFunctionType.RELU_N1_TO_1: (-1.0, 1.0),
}
_PLAIN = {tflite.ActivationFunctionType.RELU: "Relu", tflite.ActivationFunctionType.TANH: "Tanh"}


def activated(build: GraphBuilder, operator: Operator, name: str) -> str:
    """Return `name` after the activation that `operator` carries, `name` itself where it carries none."""
    kind = operator.options.get("activation", tflite.ActivationFunctionType.NONE)
    output = operator.outputs[0]
    if kind == tflite.ActivationFunctionType.NONE:
        return name
    if _is_saturation(build, operator, kind):
        return name
    if kind in _BOUNDS:
        return clipped(build, name, output, *_BOUNDS[kind])
    if kind not in _PLAIN:
        build.fail(operator, f"fused activation {kind} is not supported")
    return build.add(_PLAIN[kind], [name], output)


def _is_saturation(build: GraphBuilder, operator: Operator, kind: int) -> bool:
    """Whether the integers of a quantised result stand for nothing outside the activation's bounds anyway."""
    index = operator.outputs[0]
    quantization = build.quantization(index)
    if quantization is None or not (kind in _BOUNDS or kind == tflite.ActivationFunctionType.RELU):
        return False
    low, high = _BOUNDS.get(kind, (0.0, math.inf))
    least, greatest = carried_range(quantization, build.model.tensors[index].dtype)
    # TFLite rounds the bounds to steps of the quantisation, as ours do where they cut
    step = float(quantization.scale[0]) / 2
    return low - step < least and greatest < high + step


def clipped(build: GraphBuilder, name: str, output: int, low: float, high: float) -> str:
    """Return `name` limited to low..high, shaped as the tensor `output`."""
    bounds = [build.graph.constant(np.array(bound, dtype=np.float32), "bound") for bound in (low, high)]
    return build.add("Clip", [name, *bounds], output)
