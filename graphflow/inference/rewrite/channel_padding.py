"""Channel counts the CPU provider likes: narrow tensors are widened with channels that hold zeros."""

from __future__ import annotations

import itertools

import numpy as np

from ..onnx_graph import Node, OnnxGraph
from .channel_groups import ChannelGroups
from .convolution_nodes import FloatArray, bias_of, is_depthwise, is_plain, is_pointwise, set_weights, weights_of

# The widest block of the provider's channel layout (AVX-512); narrower ones divide it.
_BLOCK = 16


def pad_channels(graph: OnnxGraph) -> int:
    """Widen all tensors whose channel count the provider serves badly; returns how many tensors were widened.

    Widened to a multiple of 16 are tensors of fewer than 16 channels, of a count that is not a multiple of 8, and those
    that a convolution of `select_channels_by_convolution` connects: where it only adds channels of zeros, and its
    input has them already, it vanishes. Other counts fill the blocks of every processor well enough.
    Only tensors are widened that plain convolutions make and read, directly or through operators that treat channels
    one by one: their weights get zeros for the added channels.
    """
    groups = ChannelGroups(graph)
    growing = groups.connected({name for node in graph.nodes if _selects(graph, node) for name in _ends(node)})
    widths: dict[str, int] = {}
    for name in itertools.chain.from_iterable(groups.free()):
        channels = graph.shapes[name][1]
        if channels % _BLOCK and (channels < _BLOCK or channels % 8 or name in growing):
            widths[name] = -(-channels // _BLOCK) * _BLOCK
    for node in list(graph.nodes):
        _widen_constants(graph, node, widths)
        if _selects(graph, node) and graph.shapes[node.inputs[0]][1] <= graph.shapes[node.outputs[0]][1]:
            _drop_where_equally_wide(graph, node, widths)
    for name, width in widths.items():
        batch, _, height, columns = graph.shapes[name]
        graph.shapes[name] = (batch, width, height, columns)
    return len(widths)


def _widen_constants(graph: OnnxGraph, node: Node, widths: dict[str, int]) -> None:
    inner, outer = widths.get(node.inputs[0]), widths.get(node.outputs[0])
    if node.op == "PRelu" and inner is not None:
        alpha = graph.constants[node.inputs[1]]
        node.inputs[1] = graph.constant(_filled(alpha, (inner, 1, 1)), "alpha")
    if node.op != "Conv" or (inner is None and outer is None):
        return
    depthwise = is_depthwise(graph, node)
    weights, bias = weights_of(graph, node), bias_of(graph, node)
    rows, columns = outer or weights.shape[0], (inner or weights.shape[1]) if not depthwise else 1
    if depthwise:
        node.attributes["group"] = rows
    set_weights(graph, node, _filled(weights, (rows, columns, *weights.shape[2:])), _filled(bias, (rows,)))


def _filled(array: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    return np.pad(array, [(0, wide - narrow) for wide, narrow in zip(shape, array.shape, strict=True)])


def _ends(node: Node) -> tuple[str, str]:
    return node.inputs[0], node.outputs[0]


def _selects(graph: OnnxGraph, node: Node) -> bool:
    """Whether a 1x1 Conv copies its input's first channels, adding channels of zeros or leaving out the last."""
    if not (is_plain(node) and is_pointwise(node)):
        return False
    weights = weights_of(graph, node)[:, :, 0, 0]
    narrow, wide = graph.shapes[node.inputs[0]][1], graph.shapes[node.outputs[0]][1]
    copied = np.zeros_like(weights)
    np.fill_diagonal(copied[:wide, :narrow], 1)
    return bool((weights == copied).all()) and not bias_of(graph, node).any()


def _drop_where_equally_wide(graph: OnnxGraph, node: Node, widths: dict[str, int]) -> None:
    source, result = _ends(node)
    if widths.get(source, graph.shapes[source][1]) == widths.get(result, graph.shapes[result][1]):
        graph.replace_value(result, source)
        graph.nodes.remove(node)
