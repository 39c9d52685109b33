"""Where each tensor of a network is in the memory of a run: places are taken again when nobody reads them any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .chains import Chain, members
from .layout import Layout
from .network import Layer, Network, Tensor

# Values between the starts of tensors: a cache line.
_ALIGNMENT = 16


def place(
    network: Network, groups: Sequence[Layer | Chain], layouts: Mapping[Tensor, Layout]
) -> tuple[dict[Tensor, int], int]:
    """Return the first value of every tensor, and how many values the memory has.

    Tensors never share memory while both are needed; results are needed to the end, inputs from the start.
    """
    last: dict[Tensor, int] = dict.fromkeys(network.inputs, 0)
    first: dict[Tensor, int] = dict.fromkeys(network.inputs, -1)
    for step, group in enumerate(groups):
        for layer in members(group):
            first[layer.output] = step
            last[layer.output] = step
            for tensor in layer.reads():
                last[tensor] = step
    for tensor in network.results:
        last[tensor] = len(groups)
    starts: dict[Tensor, int] = {}
    # the large ones first: small ones fit between
    for tensor in sorted(first, key=lambda tensor: -layouts[tensor].size):
        beside = sorted(
            (starts[other], starts[other] + _rounded(layouts[other].size))
            for other in starts
            if first[other] <= last[tensor] and first[tensor] <= last[other]
        )
        start = 0
        for begin, end in beside:
            if begin - start >= _rounded(layouts[tensor].size):
                break
            start = max(start, end)
        starts[tensor] = start
    return starts, max(starts[tensor] + _rounded(layouts[tensor].size) for tensor in starts)


def _rounded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
