"""Bounds of every channel of every tensor that hold whatever the image is (interval arithmetic)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..onnx_graph import Node, OnnxGraph
from .convolution_nodes import bias_of, is_depthwise, is_plain, weights_of

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest value of each channel, both float64 [C], infinite where nothing is known."""

    low: FloatArray
    high: FloatArray

    @property
    def constant(self) -> npt.NDArray[np.bool_]:
        """Which channels have one value only."""
        same: npt.NDArray[np.bool_] = self.low == self.high
        return same


def value_ranges(graph: OnnxGraph) -> dict[str, Range]:
    """Return the bounds of all four-dimensional tensors of `graph`, its nodes being in an order they can run in.

    Clipping starts the bounds off: what follows a ReLU6 lies in 0..6 whatever came before. Operators that are not
    known here give anything.
    """
    ranges: dict[str, Range] = {}
    for node in graph.nodes:
        for output in node.outputs:
            shape = graph.shapes.get(output, ())
            if len(shape) == 4:
                ranges[output] = _result(graph, node, ranges) or _anything(shape[1])
    return ranges


def _anything(channels: int) -> Range:
    return Range(np.full(channels, -np.inf), np.full(channels, np.inf))


def _result(graph: OnnxGraph, node: Node, ranges: dict[str, Range]) -> Range | None:
    images = node.inputs if node.op == "Add" else node.inputs[:1]
    if any(len(graph.shapes.get(name, ())) != 4 or name in graph.constants for name in images):
        return None
    known = [ranges.get(name) or _anything(graph.shapes[name][1]) for name in images]
    source = known[0]
    if node.op == "Conv":
        return _convolved(graph, node, source)
    if node.op == "Relu":
        return Range(np.maximum(source.low, 0), np.maximum(source.high, 0))
    if node.op == "Clip" and len(node.inputs) == 3 and all(node.inputs):
        low, high = (float(graph.constants[name]) for name in node.inputs[1:3])
        return Range(np.clip(source.low, low, high), np.clip(source.high, low, high))
    if node.op == "Add" and len({len(found.low) for found in known}) == 1:
        return Range(known[0].low + known[1].low, known[0].high + known[1].high)
    # means and greatest values lie between the values they are of
    if node.op in ("GlobalAveragePool", "MaxPool") or (node.op == "Resize" and node.attributes["mode"] == "linear"):
        return source
    return None


def _convolved(graph: OnnxGraph, node: Node, source: Range) -> Range | None:
    weights = weights_of(graph, node).astype(np.float64)
    low, high = source.low, source.high
    if any(node.attributes["pads"]):
        low, high = np.minimum(low, 0), np.maximum(high, 0)
    if is_depthwise(graph, node):
        taps = weights[:, 0].reshape(len(weights), -1)
        least = _extreme(taps, low[:, np.newaxis], high[:, np.newaxis])
        most = -_extreme(-taps, low[:, np.newaxis], high[:, np.newaxis])
    elif is_plain(node):
        taps = weights.reshape(*weights.shape[:2], -1)
        least = _extreme(taps, low[:, np.newaxis], high[:, np.newaxis])
        most = -_extreme(-taps, low[:, np.newaxis], high[:, np.newaxis])
    else:
        return None
    bias = bias_of(graph, node).astype(np.float64)
    return Range(least + bias, most + bias)


def _extreme(weights: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Return the least sum, for each first index of `weights`, of weights times values between `low` and `high`."""
    worst = np.where(weights > 0, low, high)
    # a weight of zero stops even what is boundless
    products = np.multiply(weights, worst, out=np.zeros_like(weights), where=weights != 0)
    total: FloatArray = products.reshape(len(weights), -1).sum(axis=1)
    return total
