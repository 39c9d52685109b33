"""PReLU in the blocked layout: the CPU provider's own kernel forces a change of layout before and after it."""

from __future__ import annotations

import numpy as np

from ..onnx_graph import OnnxGraph
from .convolution_nodes import pointwise


def blocked_prelu(graph: OnnxGraph) -> int:
    """Replace every per-channel PRelu by depthwise 1x1 convolutions; returns how many.

    With s = sign(1 - a), prelu(z) = z + s * relu(s * (a - 1) * z) for every slope a: where z > 0 the relu gives
    nothing, where z < 0 it gives |a - 1| * |z|. The provider runs both convolutions in the blocked layout, with the
    Relu and the Add fused into them.
    """
    replaced = 0
    for prelu in [node for node in graph.nodes if node.op == "PRelu"]:
        source, alpha = prelu.inputs[0], graph.constants[prelu.inputs[1]]
        shape = graph.shapes[source]
        if len(shape) != 4 or alpha.shape != (shape[1], 1, 1):
            continue
        slope = alpha.reshape(-1, 1)
        sign = np.where(slope <= 1, np.float32(1), np.float32(-1))
        output = prelu.outputs[0]
        inner = pointwise(graph, source, sign * (slope - 1), shape, f"{output}_inner", group=shape[1])
        relu = graph.new_node("Relu", inner.outputs, shape, f"{output}_relu")
        outer = pointwise(graph, relu.outputs[0], sign, shape, f"{output}_outer", group=shape[1])
        total = graph.new_node("Add", [source, outer.outputs[0]], shape, f"{output}_sum")
        total.outputs = [output]
        place = graph.nodes.index(prelu)
        graph.nodes[place : place + 1] = [inner, relu, outer, total]
        replaced += 1
    return replaced
