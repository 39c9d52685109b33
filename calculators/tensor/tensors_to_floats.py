"""Scores out of a model's output tensor."""

from __future__ import annotations

from collections.abc import Iterable

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from .sigmoid import Activation, activate
from .tensors import TensorsOrOne, first_values


class TensorsToFloats(Calculator):
    """Turns the first tensor into one number or a list of numbers.

    Source: MediaPipe's TensorsToFloatsCalculator.
    """

    fusible = True

    tensors = Input("TENSORS", TensorsOrOne, "float32; only the first is used")
    number = Output("FLOAT", float, "the only number of the tensor; this or FLOATS", optional=True)
    numbers = Output("FLOATS", list[float], "all numbers of the tensor", optional=True)

    activation: Activation = Option("NONE", "applied to each number")

    def check(self, binding: Binding) -> Iterable[str]:
        if (self.number in binding.slots) == (self.numbers in binding.slots):
            yield "connect one of FLOAT and FLOATS"

    def process(self, context: Context) -> None:
        tensors = context[self.tensors]
        if tensors is None:
            return
        values = activate(first_values(tensors), self.activation)
        if context.is_connected(self.numbers):
            context[self.numbers] = values.tolist()
        elif values.size == 1:
            context[self.number] = float(values[0])
        else:
            raise ValueError(f"FLOAT takes a tensor of one number, not of {values.size}; use FLOATS")
