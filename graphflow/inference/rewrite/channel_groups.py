"""Which tensors must have equal channel counts, because operators that keep channels apart lie between them."""

from __future__ import annotations

from ..onnx_graph import Node, OnnxGraph
from .convolution_nodes import is_depthwise, is_plain

# Operators that treat channels one by one and give zeros for zeros.
_CHANNELWISE = frozenset({"Add", "GlobalAveragePool", "HardSwish", "MaxPool", "PRelu", "Relu", "Resize", "Tanh"})


class ChannelGroups:
    """The tensors of `graph` in sets that must keep equal channel counts (union-find).

    A set ends where plain convolutions write or read it. Where anything else does, its channel count is bound.
    """

    def __init__(self, graph: OnnxGraph) -> None:
        self._graph = graph
        self._parent: dict[str, str] = {}
        self._bound: set[str] = set()
        for node in graph.nodes:
            self._add(node)
        self._bound.update(graph.inputs, graph.outputs)

    def free(self) -> list[list[str]]:
        """Return the groups whose channel count may change."""
        bound = {self._root(name) for name in self._bound}
        groups: dict[str, list[str]] = {}
        for name in self._parent:
            if self._root(name) not in bound:
                groups.setdefault(self._root(name), []).append(name)
        return list(groups.values())

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
            self._bound.update(name for name in (*node.inputs, *node.outputs) if name)

    def _root(self, name: str) -> str:
        parent = self._parent.setdefault(name, name)
        if parent != name:
            self._parent[name] = self._root(parent)
        return self._parent[name]

    def _join(self, first: str, second: str) -> None:
        if self._graph.shapes[first][1] == self._graph.shapes[second][1]:
            self._parent[self._root(first)] = self._root(second)
        else:
            self._bound.update((first, second))


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
