"""PReLU in the blocked layout: the CPU provider's own kernel forces a change of layout before and after it."""

from __future__ import annotations

import numpy as np

from ..onnx_graph import Node, OnnxGraph
from .convolution_nodes import FloatArray, bias_of, is_depthwise, is_pointwise, pointwise, set_weights, weights_of


def blocked_prelu(graph: OnnxGraph) -> int:
    """Replace every per-channel PRelu by depthwise 1x1 convolutions; returns how many.

    With s = sign(1 - a), prelu(z) = z + s * relu(s * (a - 1) * z) for every slope a: where z > 0 the relu gives
    nothing, where z < 0 it gives |a - 1| * |z|. The provider runs both convolutions in the blocked layout, with the
    Relu and the Add fused into them.

    A scale-and-shift behind the PRelu goes into the second of them, and its scale into the convolution before, where
    nothing else reads what lies between.
    """
    replaced = 0
    for prelu in [node for node in graph.nodes if node.op == "PRelu"]:
        source, alpha = prelu.inputs[0], graph.constants[prelu.inputs[1]]
        shape = graph.shapes[source]
        if len(shape) != 4 or alpha.shape != (shape[1], 1, 1):
            continue
        slope = alpha.reshape(-1, 1)
        sign = np.where(slope <= 1, np.float32(1), np.float32(-1))
        inner_weights, outer_weights = sign * (slope - 1), sign
        output, shift = prelu.outputs[0], None
        scaling = _scaling_behind(graph, prelu)
        if scaling is not None:
            factor, shift = weights_of(graph, scaling).reshape(-1, 1), scaling.inputs[2:]
            _scale(graph, graph.producers()[source], factor)
            # a channel scaled by zero is its shift alone
            inner_weights = np.divide(inner_weights, factor, out=np.zeros_like(inner_weights), where=factor != 0)
            outer_weights = outer_weights * factor
            output = scaling.outputs[0]
            graph.nodes.remove(scaling)
        inner = pointwise(graph, source, inner_weights, shape, f"{output}_inner", group=shape[1])
        relu = graph.new_node("Relu", inner.outputs, shape, f"{output}_relu")
        outer = pointwise(graph, relu.outputs[0], outer_weights, shape, f"{output}_outer", group=shape[1])
        outer.inputs += shift or []
        total = graph.new_node("Add", [source, outer.outputs[0]], shape, f"{output}_sum")
        total.outputs = [output]
        place = graph.nodes.index(prelu)
        graph.nodes[place : place + 1] = [inner, relu, outer, total]
        replaced += 1
    return replaced


def _scaling_behind(graph: OnnxGraph, prelu: Node) -> Node | None:
    """Return the depthwise 1x1 Conv that alone reads `prelu`, which alone reads a Conv."""
    consumers = graph.consumers()
    source, result = prelu.inputs[0], prelu.outputs[0]
    before, readers = graph.producers().get(source), consumers.get(result, [])
    if before is None or before.op != "Conv" or consumers[source] != [prelu] or len(readers) != 1:
        return None
    if source in graph.outputs or result in graph.outputs or not is_pointwise(readers[0]):
        return None
    return readers[0] if is_depthwise(graph, readers[0]) else None


def _scale(graph: OnnxGraph, convolution: Node, factor: FloatArray) -> None:
    weights = weights_of(graph, convolution) * factor[:, :, np.newaxis, np.newaxis]
    set_weights(graph, convolution, weights, bias_of(graph, convolution) * factor.reshape(-1))
