"""1x1 convolutions before an upsampling instead of after it: the same result from a quarter of the pixels."""

from __future__ import annotations

import math

from ..onnx_graph import OnnxGraph
from .convolution_nodes import is_plain, is_pointwise, weights_of


def convolve_before_resize(graph: OnnxGraph) -> int:
    """Swap a bilinear Resize that enlarges with the 1x1 Conv that alone reads it; returns how many were swapped.

    Exact: both are linear, one over pixels and one over channels, and the bilinear weights of a pixel sum to one, so
    that the bias passes too. Only done where the Conv does not widen the image by more than the Resize enlarges it.
    """
    consumers = graph.consumers()
    swapped = 0
    for resize in [node for node in graph.nodes if node.op == "Resize" and node.attributes["mode"] == "linear"]:
        readers = consumers.get(resize.outputs[0], [])
        if len(readers) != 1 or resize.outputs[0] in graph.outputs:
            continue
        convolution = readers[0]
        small, large = graph.shapes[resize.inputs[0]], graph.shapes[resize.outputs[0]]
        # The resizing itself gets dearer with the channels it works on.
        enlarges = math.prod(large[2:]) > math.prod(small[2:])
        if not (enlarges and is_plain(convolution) and is_pointwise(convolution)):
            continue
        channels = weights_of(graph, convolution).shape[0]
        if channels > large[1]:
            continue
        result = convolution.outputs[0]
        narrow = f"{result}_small"
        graph.shapes[narrow] = (small[0], channels, *small[2:])
        convolution.inputs[0], convolution.outputs = resize.inputs[0], [narrow]
        resize.inputs[0], resize.outputs = narrow, [result]
        place = graph.nodes.index(convolution)
        graph.nodes.remove(resize)
        graph.nodes.insert(place, resize)
        swapped += 1
    return swapped
