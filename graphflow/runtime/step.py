"""A step: several nodes that run as one, in a straight line, with no queue and no lock between them.

To the scheduler a step is a node like any other; this is what stands in its calculator's place. Compiled with the rest
of the inner loop.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from graphflow import timestamp as ts
from graphflow.calculator import Calculator, Stop
from graphflow.config.checked import CheckedNode
from graphflow.context import Context
from graphflow.packet import Packet


@dataclass(frozen=True)
class Route:
    """How one member of a step is connected: places in the step's row of packets, and outputs of the step.

    Attributes:
        inputs: the place of each input.
        outputs: the place of each output.
        leaving: the step's output for each output of the member, -1 where only the step itself reads it.
        side_inputs: the step's side input for each side input of the member.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    leaving: tuple[int, ...]
    side_inputs: tuple[int, ...]


class MemberError(Exception):
    """A member of a step raised: which one, and, as the cause, what."""

    def __init__(self, member: CheckedNode, raised: BaseException) -> None:
        super().__init__(str(raised))
        self.member = member
        self.raised = raised


class Member:
    """One node of a step: its calculator, its context, and what it has done."""

    def __init__(self, checked: CheckedNode, route: Route) -> None:
        self.checked = checked
        self.route = route
        self.inputs = list(route.inputs)
        self.outputs = list(route.outputs)
        self.calculator: Calculator | None = None
        self.context = Context(checked.binding)
        self.runs = 0
        self.busy_ns = 0
        self.closed = False


class Step:
    """Runs its members one after another at each timestamp; each sees just what it would see as a node of its own.

    Where `spans` is a list, each member's call is noted there: its place, its start and its end.

    Args:
        members: the nodes, producers before consumers.
        routes: how each is connected.
        places: the length of the row of packets; the step's own inputs come first in it.
    """

    timestamp_offset = 0
    process_timestamp_bounds = False

    def __init__(self, members: Sequence[CheckedNode], routes: Sequence[Route], places: int) -> None:
        self.members = [Member(checked, route) for checked, route in zip(members, routes, strict=True)]
        self._places = places
        self._ended: set[int] = set()
        self.spans: list[tuple[int, int, int]] | None = None

    @property
    def dropped(self) -> int:
        """What all members have left out."""
        return sum(member.calculator.dropped for member in self.members if member.calculator)

    def open(self, context: Context) -> None:
        """Opens the members in order, each with the headers of those before it."""
        headers: dict[int, object] = dict(enumerate(context.headers))
        for member in self.members:
            member.calculator = member.checked.new_calculator()
            route = member.route
            own = Context(
                member.checked.binding,
                [context.side_values[slot] for slot in route.side_inputs],
                member.checked.spec.name,
                context.services,
            )
            own.headers = [headers.get(place) for place in route.inputs]
            member.context = own
            member.closed = False
            own.begin(ts.UNSTARTED, ())
            self._call(member, "open")
            for position, header in own.headers_set.items():
                headers[route.outputs[position]] = header
                if route.leaving[position] >= 0:
                    context.headers_set[route.leaving[position]] = header
        self._ended.clear()

    def process(self, context: Context) -> None:
        """Runs the members that have a packet at the context's timestamp."""
        timestamp = context.timestamp
        nothing = Packet(None, timestamp)
        row = [*context.packets, *[nothing] * (self._places - len(context.packets))]
        stopped: Stop | None = None
        now = time.perf_counter_ns()
        for place, member in enumerate(self.members):
            inputs = [row[place] for place in member.inputs]
            for packet in inputs:
                if packet.value is not None:
                    break
            else:
                continue
            calculator = member.calculator
            if calculator is None or member.closed:
                continue
            own = member.context
            own.begin(timestamp, inputs)
            try:
                calculator.process(own)
            except Stop as stop:
                stopped = stop
            except BaseException as error:
                raise MemberError(member.checked, error) from error
            member.runs += 1
            before = now
            now = time.perf_counter_ns()
            member.busy_ns += now - before
            if self.spans is not None:
                self.spans.append((place, before, now))
            for position, emitted in enumerate(own.emitted):
                if emitted:
                    packet = emitted[0]
                    if packet.timestamp != timestamp or len(emitted) > 1:
                        raise MemberError(member.checked, _unfit(member, emitted, timestamp))
                    row[member.outputs[position]] = packet
                    leaving = member.route.leaving[position]
                    if leaving >= 0:
                        context.emitted[leaving].append(packet)
            if own.closed:
                self._end(member, context)
        if stopped is not None:
            raise stopped

    def _end(self, member: Member, context: Context) -> None:
        """A member has closed outputs: whoever of the step reads nothing else any more is done, too."""
        for position in member.context.closed:
            self._ended.add(member.outputs[position])
            if member.route.leaving[position] >= 0:
                context.closed.add(member.route.leaving[position])
        for other in self.members:
            if not other.closed and self._ended.issuperset(other.inputs):
                other.closed = True
                other.context.begin(ts.DONE, ())
                self._call(other, "close")
                other.context.closed.update(range(len(other.outputs)))
                self._end(other, context)

    def close(self, context: Context) -> None:
        """Closes the members that are open."""
        for member in self.members:
            if not member.closed and member.calculator is not None:
                member.closed = True
                member.context.begin(ts.DONE, ())
                self._call(member, "close")

    def reset(self, context: Context) -> None:
        """Returns every member to the state after `open`."""
        if self._ended:  # some members are closed for good: everything anew
            self.open(context)
            return
        for member in self.members:
            member.context.closed.clear()
            member.context.begin(ts.UNSTARTED, ())
            self._call(member, "reset")

    def _call(self, member: Member, method: str) -> None:
        started = time.perf_counter_ns()
        try:
            getattr(member.calculator, method)(member.context)
        except BaseException as error:
            raise MemberError(member.checked, error) from error
        if any(member.context.emitted):
            raise MemberError(member.checked, _unfit(member, max(member.context.emitted, key=len), None))
        if method != "reset":
            member.runs += 1
        member.busy_ns += time.perf_counter_ns() - started


def _unfit(member: Member, emitted: list[Packet], timestamp: int | None) -> Exception:
    """What is wrong with packets that a calculator emitted although it says that it is fusible."""
    told = ", ".join(ts.describe(packet.timestamp) for packet in emitted)
    when = "outside process" if timestamp is None else f"at timestamp {ts.describe(timestamp)}"
    return ValueError(
        f"{member.checked.calculator.__name__} declares itself fusible, which means one packet for each output, at the "
        f"input timestamp, in process; but {when} it emitted packets at: {told}; set fusible = False"
    )
