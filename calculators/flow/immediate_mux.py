"""ImmediateMux: several streams as one, whatever comes first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphflow import Calculator, Context, Input, Option, Output
from graphflow import timestamp as ts
from graphflow.context import Binding, Connection


class ImmediateMux(Calculator):
    """Passes the packets of all inputs on one output, and drops what is older than the last one passed.

    Of packets at one timestamp the first input's wins. Made for the policy `immediate`, where the order of arrival
    decides what is dropped; with `default` nothing is but ties. A second output gets a `true` for every packet that
    arrived, dropped ones included, so that a limiter hears of both. Source: MediaPipe ImmediateMuxCalculator.
    """

    inputs = Input("*", doc="streams of one type, with packets at different timestamps")
    outputs = Output("*", doc="the merged stream; then, if connected, a `true` for each packet that arrived")

    process_timestamp_bounds: bool = Option(
        False, "whether time that passes without a packet is passed on, and older packets are dropped after it"
    )

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        self.timestamp_offset = None if self.process_timestamp_bounds else 0
        self.dropped = 0

    def check(self, binding: Binding) -> Iterable[str]:
        if not 1 <= len(binding.outputs) <= 2:
            yield f"it has one or two outputs, not {len(binding.outputs)}"

    def output_types(self, binding: Binding) -> Mapping[Connection, Any]:
        return dict(zip(binding.outputs[1:], (bool,), strict=False))

    def open(self, context: Context) -> None:
        self._bound = ts.PRESTREAM
        self._arrivals_bound = ts.PRESTREAM

    def process(self, context: Context) -> None:
        arrived = False
        for index in range(context.count(self.inputs)):
            packet = context.packet(self.inputs, index)
            if packet.empty:
                continue
            arrived = True
            if packet.timestamp >= self._bound:
                context.emit_packet(self.outputs, packet)
                self._bound = ts.next_allowed_in_stream(packet.timestamp)
            else:
                self.dropped += 1
            if context.count(self.outputs) > 1 and not context.is_closed(self.outputs, 1):
                at = max(context.timestamp, self._arrivals_bound)
                context.emit(self.outputs, True, at, 1)
                self._arrivals_bound = ts.next_allowed_in_stream(at)
        if self.process_timestamp_bounds:
            if not arrived and context.timestamp >= self._bound:
                self._pass_time(context)
        else:
            settled = ts.next_allowed_in_stream(context.timestamp)
            self._arrivals_bound = max(self._arrivals_bound, settled)

    def _pass_time(self, context: Context) -> None:
        settled = ts.next_allowed_in_stream(context.timestamp)
        for index in range(context.count(self.outputs)):
            if settled == ts.ONE_OVER_POSTSTREAM:
                context.close_output(self.outputs, index)
            else:
                self._bound = settled
                self._arrivals_bound = max(self._arrivals_bound, settled)
                context.set_bound(self.outputs, self._bound if index == 0 else self._arrivals_bound, index)
