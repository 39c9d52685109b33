"""Images read plane by plane, as convolutions take them, instead of laid out anew at each run."""

from __future__ import annotations

from ..onnx_graph import OnnxGraph
from ..store import PLANES_SUFFIX

_NCHW_FROM_NHWC = [0, 3, 1, 2]


def read_planes(graph: OnnxGraph) -> int:
    """Make every image input that is only transposed to planes one of planes; returns how many became such.

    The input's new name ends in `PLANES_SUFFIX`, by which a session knows how to hand it over.
    """
    consumers = graph.consumers()
    changed = 0
    for position, name in enumerate(graph.inputs):
        readers = consumers.get(name, [])
        if not all(node.op == "Transpose" and node.attributes["perm"] == _NCHW_FROM_NHWC for node in readers):
            continue
        if not readers or name in graph.outputs or any(node.outputs[0] in graph.outputs for node in readers):
            continue
        for node in readers:
            graph.replace_value(node.outputs[0], name)
            graph.nodes.remove(node)
        graph.rename_input(position, name + PLANES_SUFFIX, graph.shapes[readers[0].outputs[0]])
        changed += 1
    return changed
