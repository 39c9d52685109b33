"""PassThrough: every input goes out unchanged."""

from __future__ import annotations

from collections.abc import Iterable

from graphflow import Calculator, Context, Input, Output, SideInput, SideOutput
from graphflow.context import Binding


class PassThrough(Calculator):
    """Copies every input to the output of the same tag and index, and side packets likewise.

    Source: MediaPipe PassThroughCalculator.
    """

    fusible = True
    reads_headers = True

    data = Input("*", doc="anything")
    passed = Output("*", doc="the same", same_as=data)
    side = SideInput("*", doc="anything", optional=True)
    passed_side = SideOutput("*", doc="the same", optional=True, same_as=side)

    def check(self, binding: Binding) -> Iterable[str]:
        inputs = {(entry.tag, entry.index) for entry in binding.inputs}
        outputs = {(entry.tag, entry.index) for entry in binding.outputs}
        if inputs != outputs:
            yield "every input needs an output of the same tag and index, and the other way round"
        sides = {(entry.tag, entry.index) for entry in binding.side_inputs}
        passed = {(entry.tag, entry.index) for entry in binding.side_outputs}
        if passed and sides != passed:
            yield "every side input needs a side output of the same tag and index"

    def open(self, context: Context) -> None:
        context.copy_headers(self.data, self.passed)
        for index, value in enumerate(context[self.side]):
            context.emit(self.passed_side, value, index=index)

    def process(self, context: Context) -> None:
        context.pass_on()  # sorted by tag and index, the outputs stand as the inputs do
