"""Padding and slicing of channels as 1x1 convolutions, which stay in the blocked layout and fuse with an Add."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..onnx_graph import Node, OnnxGraph
from .convolution_nodes import FloatArray, pointwise


def select_channels_by_convolution(graph: OnnxGraph, operators: Sequence[str] = ("Pad", "Slice")) -> int:
    """Replace what adds or takes away channels by a 1x1 Conv whose weights are zeros and ones; returns how many."""
    replaced = 0
    for place, node in enumerate(graph.nodes):
        first, last = channel_shift(graph, node)
        if node.op not in operators or (first, last) == (0, 0):
            continue
        shape = graph.shapes[node.outputs[0]]
        weights: FloatArray = np.eye(shape[1], graph.shapes[node.inputs[0]][1], k=-first, dtype=np.float32)
        selection = pointwise(graph, node.inputs[0], weights, shape, node.outputs[0])
        selection.outputs = node.outputs
        graph.nodes[place] = selection
        replaced += 1
    return replaced


def channel_shift(graph: OnnxGraph, node: Node) -> tuple[int, int]:
    """Return how many channels a node puts before and after its input's, negative for a Slice, (0, 0) for any other."""
    if node.op == "Pad":
        before, after = graph.constants[node.inputs[1]].reshape(2, -1).tolist()
        if len(before) == 4 and not any([before[0], *before[2:], after[0], *after[2:]]):
            return before[1], after[1]
    if node.op == "Slice" and len(node.inputs) == 5:
        starts, ends, axes, steps = (graph.constants[name].tolist() for name in node.inputs[1:5])
        shape = graph.shapes[node.inputs[0]]
        if axes == [1] and steps == [1] and len(shape) == 4:
            return -starts[0], ends[0] - shape[1]
    return 0, 0
