"""Compares a number with a threshold."""

from __future__ import annotations

from collections.abc import Iterable

from graphflow import Calculator, Context, Input, Option, Output, SideInput
from graphflow.context import Binding


class Thresholding(Calculator):
    """Says whether a number is over a threshold; one that equals it is not."""

    fusible = True

    value = Input("FLOAT", float)
    threshold_stream = Input("THRESHOLD", float, "holds until the next one arrives", optional=True)
    threshold_side = SideInput("THRESHOLD", float, optional=True)
    flag = Output("FLAG", bool, "whether it is over", optional=True)
    accept = Output("ACCEPT", bool, "true where it is over, else nothing", optional=True)
    reject = Output("REJECT", bool, "false where it is not, else nothing", optional=True)
    threshold: float | None = Option(None, "in place of the inputs; 0 where there is neither")

    def check(self, binding: Binding) -> Iterable[str]:
        sources = (
            self.threshold is not None,
            self.threshold_stream in binding.slots,
            self.threshold_side in binding.slots,
        )
        if sum(sources) > 1:
            yield "the threshold comes from one place: the option, the input stream or the side input"

    def open(self, context: Context) -> None:
        side = context[self.threshold_side]
        self._threshold = side if side is not None else self.threshold or 0.0

    def process(self, context: Context) -> None:
        value, threshold = context[self.value], context[self.threshold_stream]
        if threshold is not None:
            self._threshold = threshold
        if value is None:
            raise ValueError("THRESHOLD without FLOAT at the same timestamp")
        over = bool(value > self._threshold)
        context[self.flag] = over
        if over:
            context[self.accept] = True
        else:
            context[self.reject] = False
