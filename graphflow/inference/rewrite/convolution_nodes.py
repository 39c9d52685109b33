"""Questions about, and makings of, the Conv nodes that the rewrites work on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..onnx_graph import Node, OnnxGraph

FloatArray = npt.NDArray[np.float32]


def is_depthwise(graph: OnnxGraph, node: Node) -> bool:
    """Whether a Conv has one filter for each channel."""
    channels = graph.shapes[node.inputs[0]][1]
    return bool(
        node.op == "Conv" and node.attributes["group"] == channels and weights_of(graph, node).shape[0] == channels
    )


def is_plain(node: Node) -> bool:
    """Whether a Conv mixes all channels (no groups)."""
    return bool(node.op == "Conv" and node.attributes["group"] == 1)


def is_pointwise(node: Node) -> bool:
    """Whether a Conv looks at one pixel at a time: 1x1, stride 1, no padding."""
    attributes = node.attributes
    return bool(
        node.op == "Conv"
        and attributes["kernel_shape"] == [1, 1]
        and attributes["strides"] == [1, 1]
        and not any(attributes["pads"])
    )


def weights_of(graph: OnnxGraph, node: Node) -> FloatArray:
    """Return the weights [O, I / groups, H, W] of a Conv."""
    return graph.constants[node.inputs[1]]


def bias_of(graph: OnnxGraph, node: Node) -> FloatArray:
    """Return the bias [O] of a Conv, zeros where it has none."""
    if len(node.inputs) > 2:
        return graph.constants[node.inputs[2]]
    return np.zeros(weights_of(graph, node).shape[0], dtype=np.float32)


def set_weights(graph: OnnxGraph, node: Node, weights: FloatArray, bias: FloatArray) -> None:
    """Give a Conv new constants; others that share its old ones keep those."""
    node.inputs[1:] = [graph.constant(weights, f"{node.inputs[1]}_new"), graph.constant(bias, "bias")]


def pointwise(
    graph: OnnxGraph, source: str, weights: FloatArray, shape: tuple[int, ...], hint: str, group: int = 1
) -> Node:
    """Make (without placing it) a 1x1 Conv without bias; `weights` is [O, I / group]."""
    attributes: dict[str, Any] = {
        "kernel_shape": [1, 1],
        "strides": [1, 1],
        "dilations": [1, 1],
        "pads": [0, 0, 0, 0],
        "group": group,
    }
    name = graph.constant(weights[:, :, np.newaxis, np.newaxis], f"{hint}_weights")
    return graph.new_node("Conv", [source, name], shape, hint, **attributes)
