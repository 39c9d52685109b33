"""Channel counts the CPU provider likes: narrow tensors are widened with channels that hold zeros."""

from __future__ import annotations

import numpy as np

from ..onnx_graph import Node, OnnxGraph
from .convolution_nodes import FloatArray, bias_of, is_depthwise, is_plain, is_pointwise, set_weights, weights_of

# The widest block of the provider's channel layout (AVX-512); narrower ones divide it.
_BLOCK = 16

# Operators that treat channels one by one and give zeros for zeros.
_CHANNELWISE = frozenset({"Add", "GlobalAveragePool", "HardSwish", "MaxPool", "PRelu", "Relu", "Resize", "Tanh"})


def pad_channels(graph: OnnxGraph) -> int:
    """Widen all tensors whose channel count the provider serves badly; returns how many tensors were widened.

    Widened to a multiple of 16 are tensors of fewer than 16 channels, of a count that is not a multiple of 8, and those
    that a convolution of `select_channels_by_convolution` connects: where it only adds channels of zeros, and its
    input has them already, it vanishes. Other counts fill the blocks of every processor well enough.
    Only tensors are widened that plain convolutions make and read, directly or through operators that treat channels
    one by one: their weights get zeros for the added channels.
    """
    groups = _ChannelGroups(graph)
    growing = groups.connected({name for node in graph.nodes if _selects(graph, node) for name in _ends(node)})
    widths: dict[str, int] = {}
    for name in groups.paddable():
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


class _ChannelGroups:
    """Tensors that must keep equal channel counts, as sets joined by the operators between them (union-find)."""

    def __init__(self, graph: OnnxGraph) -> None:
        self._graph = graph
        self._parent: dict[str, str] = {}
        self._fixed: set[str] = set()
        for node in graph.nodes:
            self._add(node)
        self._fixed.update(graph.inputs, graph.outputs)

    def paddable(self) -> list[str]:
        """Return the tensors whose whole group may be widened."""
        fixed = {self._root(name) for name in self._fixed}
        return [name for name in self._parent if self._root(name) not in fixed]

    def connected(self, names: set[str]) -> set[str]:
        """Return all tensors of the groups that `names` belong to."""
        roots = {self._root(name) for name in names}
        return {name for name in self._parent if self._root(name) in roots}

    def _add(self, node: Node) -> None:
        graph = self._graph
        source, result = node.inputs[0], node.outputs[0]
        self._root(source)
        self._root(result)
        if is_plain(node) and not is_depthwise(graph, node):
            return
        if is_depthwise(graph, node) or (node.op == "Clip" and _keeps_zero(graph, node)) or _pads_space(graph, node):
            self._join(source, result)
        elif node.op in _CHANNELWISE and all(_is_tensor(graph, name) for name in _tensors_of(node)):
            for name in _tensors_of(node):
                self._join(name, result)
        else:
            self._fixed.update(name for name in (*node.inputs, *node.outputs) if name)

    def _root(self, name: str) -> str:
        parent = self._parent.setdefault(name, name)
        if parent != name:
            self._parent[name] = self._root(parent)
        return self._parent[name]

    def _join(self, first: str, second: str) -> None:
        if self._graph.shapes[first][1] == self._graph.shapes[second][1]:
            self._parent[self._root(first)] = self._root(second)
        else:
            self._fixed.update((first, second))


def _tensors_of(node: Node) -> list[str]:
    """Return the inputs of a channelwise node that are images, leaving out parameters."""
    return node.inputs if node.op == "Add" else node.inputs[:1]


def _is_tensor(graph: OnnxGraph, name: str) -> bool:
    return name not in graph.constants and len(graph.shapes[name]) == 4


def _keeps_zero(graph: OnnxGraph, clip: Node) -> bool:
    low, high = (float(graph.constants[name]) for name in clip.inputs[1:3])
    return low <= 0 <= high


def _pads_space(graph: OnnxGraph, node: Node) -> bool:
    if node.op != "Pad" or len(graph.shapes[node.inputs[0]]) != 4:
        return False
    before, after = graph.constants[node.inputs[1]].reshape(2, 4)
    return not any((*before[:2], *after[:2]))


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
