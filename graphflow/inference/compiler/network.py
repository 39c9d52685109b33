"""A network as the compiler sees it: layers in execution order over tensors that lie channels last in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Activation:
    """What is done to each value: `relu` makes it 0 at least, `clip` keeps it in 0..`high`, `prelu` scales it below 0.

    The factors of a `prelu`, float32 [channels], are in its layer's `slopes`.
    """

    kind: Literal["none", "relu", "clip", "prelu"] = "none"
    high: float = 0.0


NO_ACTIVATION = Activation()


@dataclass(eq=False, slots=True)
class Tensor:
    """Values of one layer: `height` x `width` x `channels`, of the model's input `planes` [channels, height, width].

    `halo` is how many rows and columns of zeros its readers want around it: top, left, bottom, right.
    """

    height: int
    width: int
    channels: int
    planes: bool = False
    halo: tuple[int, int, int, int] = (0, 0, 0, 0)

    def want_halo(self, top: int, left: int, bottom: int, right: int) -> None:
        """Widen the halo to at least this."""
        before = self.halo
        self.halo = max(before[0], top), max(before[1], left), max(before[2], bottom), max(before[3], right)


@dataclass(eq=False, slots=True)
class Layer:
    """One step of the network: reads `inputs`, writes `output`."""

    inputs: list[Tensor]
    output: Tensor

    def reads(self) -> Iterator[Tensor]:
        """All tensors that have to be there before the layer runs."""
        yield from self.inputs


@dataclass(eq=False, slots=True)
class Convolution(Layer):
    """Sums over a window: `weights` [output channels, input channels, rows, columns], one input channel if `depthwise`.

    What follows is done in this order: `activation`, sum with `residual`, `final` activation. `pads` are the rows and
    columns of zeros before the input: top, left.
    """

    weights: Array
    bias: Array
    stride: tuple[int, int]
    pads: tuple[int, int]
    depthwise: bool
    activation: Activation = NO_ACTIVATION
    slopes: Array | None = None
    residual: Tensor | None = None
    final: Activation = NO_ACTIVATION
    final_slopes: Array | None = None

    def reads(self) -> Iterator[Tensor]:
        yield from self.inputs
        if self.residual is not None:
            yield self.residual


@dataclass(eq=False, slots=True)
class Elementwise(Layer):
    """The sum of one or two inputs, channel by channel (one with fewer channels counts as zero there), activated."""

    activation: Activation = NO_ACTIVATION
    slopes: Array | None = None


@dataclass(eq=False, slots=True)
class MaxPool(Layer):
    """The greatest value of each window of `size` rows and columns, every `stride`."""

    size: tuple[int, int]
    stride: tuple[int, int]


@dataclass(eq=False, slots=True)
class GlobalAverage(Layer):
    """The mean over rows and columns."""


@dataclass(eq=False, slots=True)
class Enlargement(Layer):
    """Bilinear enlargement by a whole factor, samples at the middles of pixels."""

    factor: tuple[int, int]


@dataclass(eq=False, slots=True)
class DepthToSpace(Layer):
    """`block` x `block` pixels made of the channels of one, those of the first row first."""

    block: int


@dataclass(eq=False, slots=True)
class Network:
    """Layers in execution order; `results` are the tensors that have to be whole at the end."""

    inputs: list[Tensor] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    results: list[Tensor] = field(default_factory=list)
