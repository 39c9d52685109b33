"""What is done to the sums of a convolution before they are written, while they are in registers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .emitter import Emitter, Value
from .layout import Layout
from .network import Activation, Array, Convolution


@dataclass(frozen=True, slots=True)
class Epilogue:
    """An activation, the sum with what lies at `residual`, another activation, in this order; each may be nothing."""

    activation: Activation
    residual: Layout | None
    final: Activation

    @property
    def vectors(self) -> int:
        """How many vectors of parameters come before the weights: the bias, and the slopes of each PReLU."""
        return 1 + (self.activation.kind == "prelu") + (self.final.kind == "prelu")

    @property
    def residual_row(self) -> int:
        """Values from one row of the residual to the next."""
        return 0 if self.residual is None else self.residual.row

    @property
    def residual_pixel(self) -> int:
        """Values from one pixel of the residual to the next."""
        return 0 if self.residual is None else self.residual.pixel

    def parameters(self, layer: Convolution) -> Array:
        """Return a layer's parameters before the weights, float32 [vectors, channels]."""
        rows = [layer.bias]
        for activation, slopes in ((self.activation, layer.slopes), (self.final, layer.final_slopes)):
            if activation.kind == "prelu":
                assert slopes is not None, "a PReLU has slopes"
                rows.append(slopes)
        return np.stack(rows)

    def slopes(self, emitter: Emitter, parameters: Value, place: int, step: int) -> tuple[Value | None, Value | None]:
        """Load the slopes of both activations, None for one that has none.

        They are at `place` in the vectors behind the first one, which are `step` values apart.
        """
        found: list[Value | None] = []
        following = 1
        for activation in (self.activation, self.final):
            found.append(None)
            if activation.kind == "prelu":
                found[-1] = emitter.load(parameters, following * step + place)
                following += 1
        return found[0], found[1]

    def result(
        self, emitter: Emitter, total: Value, slopes: tuple[Value | None, Value | None], addend: Value | None
    ) -> Value:
        """What is written for a sum; `addend` is the residual's value there, None where it counts as zero."""
        value = emitter.activated(total, self.activation, slopes[0])
        if addend is not None:
            value = emitter.sum(value, addend)
        return emitter.activated(value, self.final, slopes[1])
