"""Channels that hold the same value whatever the image is: folded into what reads them, and computed no more."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..onnx_graph import Node, OnnxGraph
from .channel_groups import ChannelGroups
from .convolution_nodes import bias_of, is_depthwise, is_plain, set_weights, weights_of
from .value_ranges import Range, value_ranges

# The widest block of the provider's channel layout: parts of one cost as much as a whole.
_BLOCK = 16

# Fewer save less time than a change of every sum's rounding is worth.
_WORTHWHILE = 1 / 8


def drop_constant_channels(graph: OnnxGraph, zeros_only: bool = False) -> int:
    """Remove channels whose value follows from the weights alone; returns how many channels of tensors vanished.

    Such are filters that training switched off: a depthwise filter on values of a ReLU6, which lie in 0..6, whose
    greatest sum is not above zero gives zero in the ReLU6 behind it for every image. The filter goes, and with it the
    channel before it and the weights that read it. Exact, since the bounds hold for all images. As
    many stay as fill the last block. Only done where at least an eighth of a tensor's channels go.

    With `zeros_only` other constants than zero stay, so that sums are of the same numbers in the same order.
    """
    ranges = value_ranges(graph)
    readers, producers = graph.consumers(), graph.producers()
    dropped = 0
    for group in ChannelGroups(graph).free():
        exits = [node for name in group for node in readers.get(name, []) if _mixes_channels(graph, node)]
        entries = [producers[name] for name in group if name in producers and _mixes_channels(graph, producers[name])]
        kept = _filling_blocks(~_constant_at(graph, exits, ranges, zeros_only))
        if not exits or not kept.any() or 1 - kept.mean() < _WORTHWHILE:
            continue
        for node in exits:
            _forget_inputs(graph, node, kept, ranges[node.inputs[0]])
        for node in entries:
            set_weights(graph, node, weights_of(graph, node)[kept], bias_of(graph, node)[kept])
        members = set(group)
        for node in graph.nodes:
            if node.outputs[0] in members:
                _forget_parameters(graph, node, kept)
        for name in group:
            batch, channels, height, width = graph.shapes[name]
            graph.shapes[name] = (batch, int(kept.sum()), height, width)
            dropped += channels - int(kept.sum())
    return dropped


def _mixes_channels(graph: OnnxGraph, node: Node) -> bool:
    return is_plain(node) and not is_depthwise(graph, node)


def _constant_at(
    graph: OnnxGraph, exits: list[Node], ranges: dict[str, Range], zeros_only: bool
) -> npt.NDArray[np.bool_]:
    """Return which channels are constant in all that is read, and zero where the reader pads with zeros."""
    constant = np.array(True)
    for node in exits:
        found = ranges.get(node.inputs[0])
        if found is None:
            return np.array(False)
        zeros = zeros_only or any(node.attributes["pads"])
        fits = found.constant & (found.low == 0) if zeros else found.constant
        constant = constant & fits
    return constant


def _filling_blocks(kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return `kept` with the first of the others, so that whole blocks remain."""
    spare = np.flatnonzero(~kept)[: -np.count_nonzero(kept) % _BLOCK]
    filled = kept.copy()
    filled.reshape(-1)[spare] = True
    return filled


def _forget_inputs(graph: OnnxGraph, node: Node, kept: npt.NDArray[np.bool_], source: Range) -> None:
    weights = weights_of(graph, node)
    shift = np.einsum("oihw,i->o", weights[:, ~kept].astype(np.float64), source.low[~kept])
    set_weights(graph, node, weights[:, kept], (bias_of(graph, node) + shift).astype(np.float32))


def _forget_parameters(graph: OnnxGraph, node: Node, kept: npt.NDArray[np.bool_]) -> None:
    if is_depthwise(graph, node) and node.op == "Conv" and node.attributes["group"] == len(kept):
        set_weights(graph, node, weights_of(graph, node)[kept], bias_of(graph, node)[kept])
        node.attributes["group"] = int(kept.sum())
    elif node.op == "PRelu":
        node.inputs[1] = graph.constant(graph.constants[node.inputs[1]][kept], "alpha")
