"""The rewrites that pay, for each that runs graphs, in the order in which they build on each other."""

from __future__ import annotations

from ..onnx_graph import OnnxGraph
from .channel_padding import pad_channels
from .channel_selection import select_channels_by_convolution
from .constant_channels import drop_constant_channels
from .dense_layers import convolve_pooled
from .prelu import blocked_prelu
from .quantized import fold_shifts, is_quantized
from .resize import convolve_before_resize
from .scaling import fold_scaling
from .spatial_padding import fold_spatial_padding


def rewrite_for_all(graph: OnnxGraph) -> None:
    """Rewrite `graph` in place into an equal one that has less to compute, whoever computes it."""
    graph.prune()
    if not is_quantized(graph):
        convolve_pooled(graph)
        drop_constant_channels(graph)


def rewrite_for_cpu(graph: OnnxGraph) -> None:
    """Rewrite `graph` in place into an equal one that ONNX Runtime's CPU provider runs faster."""
    graph.prune()
    if is_quantized(graph):
        fold_shifts(graph)
        return
    fold_spatial_padding(graph)
    fold_scaling(graph)
    convolve_before_resize(graph)
    select_channels_by_convolution(graph)
    convolve_pooled(graph)
    drop_constant_channels(graph)
    pad_channels(graph)
    blocked_prelu(graph)


def rewrite_for_compiler(graph: OnnxGraph) -> None:
    """Rewrite `graph` in place into an equal one that `graphflow.inference.compiler` has kernels for."""
    graph.prune()
    if is_quantized(graph):
        return
    select_channels_by_convolution(graph, ("Slice",))
    convolve_pooled(graph)
    drop_constant_channels(graph, zeros_only=True)
