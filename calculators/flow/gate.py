"""Gate: lets packets through, or not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from graphflow import Calculator, Context, Input, Option, Output, SideInput
from graphflow.context import Binding


class Gate(Calculator):
    """Passes its data while allowed, by a stream, a side packet, or an option.

    Timestamps at which only the control stream has a packet count as decisions too. A gate that a side packet shuts
    closes its outputs at its first input, so that nothing downstream waits for it. Source: MediaPipe GateCalculator.
    """

    fusible = True
    reads_headers = True

    data = Input("", doc="what may pass", repeated=True, optional=True)
    allow_stream = Input("ALLOW", bool, "true lets the packets of the same timestamp pass", optional=True)
    disallow_stream = Input("DISALLOW", bool, "true holds the packets of the same timestamp back", optional=True)
    allow_side = SideInput("ALLOW", bool, "true lets everything pass", optional=True)
    disallow_side = SideInput("DISALLOW", bool, "true holds everything back", optional=True)
    passed = Output("", doc="what passed", repeated=True, optional=True, same_as=data)
    state_change = Output("STATE_CHANGE", bool, "the new state, where it differs from the last one", optional=True)

    empty_packets_as_allow: bool = Option(False, "whether a missing control packet lets the data pass")
    allow: bool = Option(False, "whether data passes when neither stream nor side packet says")
    initial_gate_state: Literal["UNSPECIFIED", "GATE_UNINITIALIZED", "GATE_ALLOW", "GATE_DISALLOW"] = Option(
        "GATE_UNINITIALIZED", "the state before the first decision, for STATE_CHANGE"
    )

    def check(self, binding: Binding) -> Iterable[str]:
        slots = binding.slots
        streams = [port for port in (self.allow_stream, self.disallow_stream) if port in slots]
        sides = [port for port in (self.allow_side, self.disallow_side) if port in slots]
        if len(streams) + len(sides) > 1:
            yield "only one of ALLOW and DISALLOW may be connected, as a stream or as a side packet"
        if len(slots.get(self.data, ())) != len(slots.get(self.passed, ())):
            yield "there must be as many data outputs as data inputs"

    def open(self, context: Context) -> None:
        context.copy_headers(self.data, self.passed)
        self._last = {"GATE_ALLOW": True, "GATE_DISALLOW": False}.get(self.initial_gate_state)
        allow, disallow = context[self.allow_side], context[self.disallow_side]
        self._by_side = context.is_connected(self.allow_side) or context.is_connected(self.disallow_side)
        self._fixed: bool | None = None
        if self._by_side:
            self._fixed = bool(allow) if allow is not None else not bool(disallow)
        elif not (context.is_connected(self.allow_stream) or context.is_connected(self.disallow_stream)):
            self._fixed = self.allow

    def process(self, context: Context) -> None:
        allowed = self._decide(context)
        if self._last is not None and self._last != allowed:
            context[self.state_change] = allowed
        self._last = allowed
        for index in range(context.count(self.data)):
            if allowed:
                packet = context.packet(self.data, index)
                if not packet.empty:
                    context.emit_packet(self.passed, packet, index)
            elif self._by_side:
                context.close_output(self.passed, index)

    def _decide(self, context: Context) -> bool:
        if self._fixed is not None:
            return self._fixed
        allow, disallow = context[self.allow_stream], context[self.disallow_stream]
        if allow is not None:
            return bool(allow)
        if disallow is not None:
            return not disallow
        return self.empty_packets_as_allow
