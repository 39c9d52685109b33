"""Zero padding as a property of the convolution that follows, instead of a node that copies the image."""

from __future__ import annotations

from ..onnx_graph import Node, OnnxGraph


def fold_spatial_padding(graph: OnnxGraph) -> int:
    """Move every Pad of rows and columns into the Convs that read it; returns how many Pads vanished.

    A Pad stays where anything else reads it (a MaxPool pads with minus infinity, not with zeros).
    """
    consumers = graph.consumers()
    folded = 0
    for pad in [node for node in graph.nodes if node.op == "Pad"]:
        before, after = graph.constants[pad.inputs[1]].reshape(2, -1).tolist()
        readers = consumers.get(pad.outputs[0], [])
        spatial_only = len(before) == 4 and not any(before[:2] + after[:2])
        if not spatial_only or pad.outputs[0] in graph.outputs or not all(_reads_image(node, pad) for node in readers):
            continue
        for node in readers:
            node.inputs[0] = pad.inputs[0]
            extra = before[2:] + after[2:]
            node.attributes["pads"] = [a + b for a, b in zip(node.attributes["pads"], extra, strict=True)]
        graph.nodes.remove(pad)
        folded += 1
    return folded


def _reads_image(node: Node, pad: Node) -> bool:
    return node.op == "Conv" and node.inputs[0] == pad.outputs[0]
