"""Layers run together strip by strip: what one makes is read by the next while it is still in the cache.

Between two layers of a chain lies a ring of few rows instead of the whole tensor.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .network import Convolution, Layer, Network, Tensor

# Tensors of more bytes than this do not stay in the second cache beside all else.
_LARGE = 400_000
_BYTES_EACH = 4


@dataclass(eq=False, slots=True)
class Strip:
    """The row `begin` of the output of a layer; without a layer, a row of zeros of `tensor`."""

    layer: Convolution | None
    tensor: Tensor
    begin: int


@dataclass(slots=True)
class Chain:
    """Layers of which each but the first reads what the one before it makes, and nobody else does.

    `rings` are the rows kept of each tensor between two layers, a power of two.
    """

    layers: list[Convolution]
    rings: dict[Tensor, int] = field(default_factory=dict)

    def strips(self) -> list[Strip]:
        """Return what is computed, in order, so that the rows that are read are there, and not overwritten."""
        return _Schedule(self).strips()


def grouped(network: Network) -> list[Layer | Chain]:
    """Return the layers in order, those that gain from it as chains."""
    readers: dict[Tensor, int] = {}
    for layer in network.layers:
        for tensor in layer.reads():
            readers[tensor] = readers.get(tensor, 0) + 1
    kept = set(network.results)
    groups: list[Layer | Chain] = []
    chain: list[Convolution] = []
    for layer in network.layers:
        if not (chain and _follows(chain[-1], layer)):
            groups += _closed(chain)
            chain = []
        if isinstance(layer, Convolution):
            chain.append(layer)
            made = layer.output
            size = made.height * made.width * made.channels * _BYTES_EACH
            if readers.get(made, 0) == 1 and made not in kept and size >= _LARGE:
                continue
            groups += _closed(chain)
            chain = []
        else:
            groups.append(layer)
    return groups + _closed(chain)


def _follows(last: Convolution, layer: Layer) -> bool:
    """Whether a layer reads what the last one made, row by row."""
    if not isinstance(layer, Convolution) or layer.inputs[0] is not last.output or layer.residual is last.output:
        return False
    return layer.depthwise or (layer.weights.shape[2:] == (1, 1) and layer.stride == (1, 1))


def _closed(chain: Sequence[Convolution]) -> list[Layer | Chain]:
    if len(chain) < 2:
        return list(chain)
    whole = Chain(list(chain))
    for layer, following in itertools.pairwise(chain):
        # a strip and the rows that the next window shares with it
        rows = following.weights.shape[2] + following.stride[0]
        whole.rings[layer.output] = 1 << (rows - 1).bit_length()
    return [whole]


class _Schedule:
    def __init__(self, chain: Chain) -> None:
        self.layers = chain.layers
        self.made = [-layer.output.halo[0] if layer.output in chain.rings else 0 for layer in chain.layers]
        self.result: list[Strip] = []

    def strips(self) -> list[Strip]:
        last = len(self.layers) - 1
        for row in range(self.layers[last].output.height):
            self._make(last, row + 1)
        return self.result

    def _make(self, position: int, end: int) -> None:
        """Make the rows of a layer's output up to `end`, one at a time."""
        layer = self.layers[position]
        while self.made[position] < end:
            row = self.made[position]
            inside = 0 <= row < layer.output.height
            if inside and position:
                self._make(position - 1, row * layer.stride[0] - layer.pads[0] + layer.weights.shape[2])
            self.result.append(Strip(layer if inside else None, layer.output, row))
            self.made[position] = row + 1


def members(group: Layer | Chain) -> Iterator[Layer]:
    """The layers of a group."""
    if isinstance(group, Chain):
        yield from group.layers
    else:
        yield group
