"""SidePacketToStream: side packets on a stream, at a chosen time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from graphflow import Calculator, Context, Input, Output, SideInput, Stop
from graphflow import timestamp as ts
from graphflow.context import Binding

_FIXED: Final = {"AT_PRESTREAM": ts.PRESTREAM, "AT_POSTSTREAM": ts.POSTSTREAM, "AT_ZERO": 0}
_TICKED: Final = ("AT_TICK", "AT_FIRST_TICK")


class SidePacketToStream(Calculator):
    """Emits side packets, each on the output of its number; the outputs' tag says when.

    Only one of the tags can be used, with as many outputs as side packets. Source: MediaPipe
    SidePacketToStreamCalculator.
    """

    values = SideInput("*", doc="what is emitted")
    timestamp = SideInput("TIMESTAMP", int, "for AT_TIMESTAMP", optional=True)
    tick = Input("TICK", doc="for AT_TICK and AT_FIRST_TICK", optional=True)
    at_prestream = Output("AT_PRESTREAM", doc="before everything", repeated=True, optional=True, same_as=values)
    at_poststream = Output("AT_POSTSTREAM", doc="after everything", repeated=True, optional=True, same_as=values)
    at_zero = Output("AT_ZERO", doc="at timestamp 0", repeated=True, optional=True, same_as=values)
    at_tick = Output("AT_TICK", doc="at every packet of TICK", repeated=True, optional=True, same_as=values)
    at_first_tick = Output("AT_FIRST_TICK", doc="at TICK's first packet", repeated=True, optional=True, same_as=values)
    at_timestamp = Output("AT_TIMESTAMP", doc="at TIMESTAMP", repeated=True, optional=True, same_as=values)

    def check(self, binding: Binding) -> Iterable[str]:
        tags = sorted({entry.tag for entry in binding.outputs})
        if len(tags) != 1:
            yield f"connect outputs of one tag, not of {len(tags)} ({', '.join(tags) or 'none'})"
        ticked = any(tag in _TICKED for tag in tags)
        if ticked != (self.tick in binding.slots):
            yield "the input TICK goes with the outputs AT_TICK and AT_FIRST_TICK, and with no other"
        if (self.at_timestamp in binding.slots) != (self.timestamp in binding.slots):
            yield "the side input TIMESTAMP goes with the output AT_TIMESTAMP, and with no other"
        values = len(binding.slots.get(self.values, ()))
        if values != len(binding.outputs):
            yield f"{values} side packets need as many outputs, not {len(binding.outputs)}"

    def open(self, context: Context) -> None:
        self._output = next(port for port in self.ports() if isinstance(port, Output) and context.is_connected(port))

    def process(self, context: Context) -> None:
        if not context.is_connected(self.tick):
            raise Stop
        if context.is_closed(self._output):
            return
        self._emit(context, context.timestamp)
        if self._output is self.at_first_tick:
            for index in range(context.count(self._output)):
                context.close_output(self._output, index)

    def close(self, context: Context) -> None:
        if self._output is self.at_timestamp:
            self._emit(context, context[self.timestamp])
        elif self._output.tag in _FIXED:
            self._emit(context, _FIXED[self._output.tag])

    def _emit(self, context: Context, timestamp: int) -> None:
        for index, value in enumerate(context[self.values]):
            context.emit(self._output, value, timestamp, index)
