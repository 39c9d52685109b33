"""Activations fused into TFLite operators."""

from __future__ import annotations

import numpy as np
import tflite

from .builder import GraphBuilder
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
    if kind in _BOUNDS:
        return clipped(build, name, output, *_BOUNDS[kind])
    if kind not in _PLAIN:
        build.fail(operator, f"fused activation {kind} is not supported")
    return build.add(_PLAIN[kind], [name], output)


def clipped(build: GraphBuilder, name: str, output: int, low: float, high: float) -> str:
    """Return `name` limited to low..high, shaped as the tensor `output`."""
    bounds = [build.graph.constant(np.array(bound, dtype=np.float32), "bound") for bound in (low, high)]
    return build.add("Clip", [name, *bounds], output)
