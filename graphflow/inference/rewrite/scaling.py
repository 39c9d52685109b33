"""Per-channel scale-and-shift layers (depthwise 1x1 convolutions) as part of the convolution before or after them."""

from __future__ import annotations

import numpy as np

from ..onnx_graph import Node, OnnxGraph
from .convolution_nodes import bias_of, is_depthwise, is_plain, is_pointwise, set_weights, weights_of


def fold_scaling(graph: OnnxGraph) -> int:
    """Fold depthwise 1x1 Convs into a neighbouring Conv; returns how many vanished.

    Into the one before where nothing else reads that; else into all the ones after, if none of them pads: at a border
    the shift would be added to the padding's zeros too.
    """
    folded = 0
    for scale in [node for node in graph.nodes if is_pointwise(node) and is_depthwise(graph, node)]:
        if scale.outputs[0] in graph.outputs:
            continue
        consumers = graph.consumers()
        source = graph.producers().get(scale.inputs[0])
        readers = consumers.get(scale.outputs[0], [])
        if source is not None and source.op == "Conv" and consumers[scale.inputs[0]] == [scale]:
            _fold_backward(graph, source, scale)
        elif readers and all(_takes_scaling(graph, node, scale) for node in readers):
            for node in readers:
                _fold_forward(graph, scale, node)
        else:
            continue
        graph.nodes.remove(scale)
        folded += 1
    return folded


def _takes_scaling(graph: OnnxGraph, node: Node, scale: Node) -> bool:
    return (
        node.op == "Conv"
        and node.inputs[0] == scale.outputs[0]
        and not any(node.attributes["pads"])
        and (is_plain(node) or is_depthwise(graph, node))
    )


def _fold_backward(graph: OnnxGraph, source: Node, scale: Node) -> None:
    factor, shift = weights_of(graph, scale).reshape(-1), bias_of(graph, scale)
    weights = weights_of(graph, source) * factor[:, np.newaxis, np.newaxis, np.newaxis]
    set_weights(graph, source, weights, bias_of(graph, source) * factor + shift)
    source.outputs = list(scale.outputs)


def _fold_forward(graph: OnnxGraph, scale: Node, node: Node) -> None:
    factor, shift = weights_of(graph, scale).reshape(-1), bias_of(graph, scale)
    weights = weights_of(graph, node)
    if is_plain(node):
        shifted = np.einsum("oihw,i->o", weights.astype(np.float64), shift)
        scaled = weights * factor[np.newaxis, :, np.newaxis, np.newaxis]
    else:
        shifted = weights.sum(axis=(1, 2, 3), dtype=np.float64) * shift
        scaled = weights * factor[:, np.newaxis, np.newaxis, np.newaxis]
    set_weights(graph, node, scaled, (bias_of(graph, node) + shifted).astype(np.float32))
    node.inputs[0] = scale.inputs[0]
