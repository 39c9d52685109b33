"""Dense layers on pooled images as 1x1 convolutions: they stay in the blocked layout, and other rewrites see them."""

from __future__ import annotations

import numpy as np

from ..onnx_graph import Node, OnnxGraph
from .convolution_nodes import pointwise


def convolve_pooled(graph: OnnxGraph) -> int:
    """Replace every Gemm on the channels of a 1x1 image by a Conv on that image; returns how many."""
    replaced = 0
    for gemm in [node for node in graph.nodes if node.op == "Gemm"]:
        image = _flattened(graph, gemm.inputs[0])
        if not _is_dense_on_pixel(graph, gemm, image):
            continue
        result, weights = gemm.outputs[0], graph.constants[gemm.inputs[1]]
        layer = pointwise(graph, image, weights, (1, len(weights), 1, 1), f"{result}_pixel")
        layer.inputs += gemm.inputs[2:]
        target = graph.constant(np.array(graph.shapes[result], dtype=np.int64), "shape")
        place = graph.nodes.index(gemm)
        graph.nodes[place : place + 1] = [layer, Node("Reshape", [layer.outputs[0], target], [result])]
        replaced += 1
    graph.prune()
    return replaced


def _flattened(graph: OnnxGraph, name: str) -> str:
    """Return what was reshaped, once or more often, to become `name`."""
    producers = graph.producers()
    while name in producers and producers[name].op == "Reshape":
        name = producers[name].inputs[0]
    return name


def _is_dense_on_pixel(graph: OnnxGraph, gemm: Node, image: str) -> bool:
    if gemm.attributes != {"transB": 1} or gemm.inputs[1] not in graph.constants:
        return False
    outputs, inputs = graph.constants[gemm.inputs[1]].shape
    return graph.shapes[image] == (1, inputs, 1, 1) and all(
        graph.shapes[name] == (outputs,) for name in gemm.inputs[2:]
    )
