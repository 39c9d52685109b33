"""Exact rewrites of imported graphs that suit ONNX Runtime's CPU provider; each is a pass over an `OnnxGraph`.

The CPU provider is fast where a chain of nodes stays in its blocked channel layout; each rewrite replaces something
that leaves it by an equal something that does not.
"""

from .channel_padding import pad_channels
from .channel_selection import select_channels_by_convolution
from .constant_channels import drop_constant_channels
from .cpu import rewrite_for_all, rewrite_for_compiler, rewrite_for_cpu
from .dense_layers import convolve_pooled
from .input_planes import read_planes
from .prelu import blocked_prelu
from .resize import convolve_before_resize
from .scaling import fold_scaling
from .spatial_padding import fold_spatial_padding

__all__ = [
    "blocked_prelu",
    "convolve_before_resize",
    "convolve_pooled",
    "drop_constant_channels",
    "fold_scaling",
    "fold_spatial_padding",
    "pad_channels",
    "read_planes",
    "rewrite_for_all",
    "rewrite_for_compiler",
    "rewrite_for_cpu",
    "select_channels_by_convolution",
]
