"""MakePair: two streams as one of pairs."""

from __future__ import annotations

from collections.abc import Iterable

from graphflow import Calculator, Context, Input, Output
from graphflow.context import Binding


class MakePair(Calculator):
    """Pairs the values two streams have at a timestamp; None stands for the one that is missing.

    Source: MediaPipe MakePairCalculator.
    """

    fusible = True

    inputs = Input("", doc="two streams", repeated=True)
    pair = Output("", tuple, "the two values")

    def check(self, binding: Binding) -> Iterable[str]:
        if len(binding.inputs) != 2:
            yield f"it pairs two inputs, not {len(binding.inputs)}"

    def process(self, context: Context) -> None:
        context[self.pair] = tuple(context[self.inputs])
