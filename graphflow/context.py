"""What a calculator sees of one invocation: its inputs at a timestamp, and where its outputs go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphflow import timestamp as ts
from graphflow.packet import Packet, freeze
from graphflow.ports import Input, Output, Port, SideInput, SideOutput, accepts, runtime_types, type_name
from graphflow.services import Service


@dataclass(frozen=True, slots=True)
class Connection:
    """One stream or side packet as a node sees it: `TAG:index:name`, and the declared port it belongs to."""

    tag: str
    index: int
    name: str
    port: Port
    back_edge: bool = False

    def __str__(self) -> str:
        return f"{self.tag}:{self.index}:{self.name}" if self.tag else self.name


@dataclass(frozen=True, slots=True)
class Binding:
    """How the ports of one node's calculator are connected: connections by kind, sorted by tag and index."""

    inputs: tuple[Connection, ...] = ()
    outputs: tuple[Connection, ...] = ()
    side_inputs: tuple[Connection, ...] = ()
    side_outputs: tuple[Connection, ...] = ()
    slots: Mapping[Port, tuple[int, ...]] = field(init=False)

    def __post_init__(self) -> None:
        slots: dict[Port, tuple[int, ...]] = {}
        for connections in (self.inputs, self.outputs, self.side_inputs, self.side_outputs):
            for position, connection in enumerate(connections):
                slots[connection.port] = (*slots.get(connection.port, ()), position)
        object.__setattr__(self, "slots", slots)


class Context:
    """One invocation of a calculator.

    `context[port]` reads an input or side input: the value, or None where there is none; a list of those for a port
    that takes many connections. `context[port] = value` emits at the input timestamp. The other methods are for what
    is less common.
    """

    __slots__ = (
        "binding",
        "bounds",
        "closed",
        "emitted",
        "headers",
        "headers_set",
        "node",
        "packets",
        "services",
        "side_emitted",
        "side_values",
        "timestamp",
    )

    def __init__(
        self,
        binding: Binding,
        side_inputs: Sequence[Any] = (),
        node: str = "",
        services: Mapping[str, Any] | None = None,
    ) -> None:
        self.binding = binding
        self.node = node
        self.headers: Sequence[Any] = ()
        self.headers_set: dict[int, Any] = {}
        self.services = {} if services is None else services
        self.timestamp = ts.UNSTARTED
        self.side_values = side_inputs
        self.packets: Sequence[Packet] = ()
        self.emitted: list[list[Packet]] = [[] for _ in binding.outputs]
        self.bounds: dict[int, int] = {}
        self.closed: set[int] = set()
        self.side_emitted: dict[int, Any] = {}

    def begin(self, timestamp: int, packets: Sequence[Packet]) -> None:
        """Prepares the context for the next invocation; called by whoever runs the calculator."""
        self.timestamp = timestamp
        self.packets = packets
        for emitted in self.emitted:
            if emitted:
                emitted.clear()
        if self.bounds:
            self.bounds.clear()
        if self.side_emitted:
            self.side_emitted.clear()

    def __getitem__(self, port: Port) -> Any:
        slots = self.binding.slots.get(port)
        if isinstance(port, Input):
            if port.many:
                return [self.packets[slot].value for slot in slots or ()]
            return self.packets[slots[0]].value if slots and self.packets else None
        if isinstance(port, SideInput):
            if port.many:
                return [self.side_values[slot] for slot in slots or ()]
            return self.side_values[slots[0]] if slots else None
        raise TypeError(f"{port.tag or 'the untagged port'} is an output; only inputs and side inputs can be read")

    def __setitem__(self, port: Port, value: Any) -> None:
        self.emit(port, value)

    def emit(self, port: Port, value: Any, timestamp: int | None = None, index: int = 0) -> None:
        """Emits a value at a timestamp (default: the input timestamp) on connection `index` of an output port.

        A value of None emits nothing, and a port that is not connected takes anything. Arrays become read-only.

        Raises:
            TypeError: the value is not of the port's type.
            ValueError: the timestamp cannot be in a stream.
        """
        slots = self.binding.slots.get(port)
        if value is None or not slots or index >= len(slots):
            return
        if not accepts(runtime_types(port.type), value):
            raise TypeError(
                f"output {self._name(port, index)} takes {type_name(port.type)}, not {type(value).__name__} "
                f"({str(value)[:60]!r})"
            )
        freeze(value)
        if isinstance(port, SideOutput):
            self.side_emitted[slots[index]] = value
            return
        if not isinstance(port, Output):
            raise TypeError(f"{port.tag or 'the untagged port'} is an input; only outputs can be written")
        self.emit_packet(port, Packet(value, self.timestamp if timestamp is None else timestamp), index)

    def emit_packet(self, port: Port, packet: Packet, index: int = 0) -> None:
        """Emits a packet as it is, as pass-throughs do: its value was checked and frozen where it was made.

        An empty packet emits nothing.

        Raises:
            ValueError: the packet's timestamp cannot be in a stream.
        """
        slots = self.binding.slots.get(port)
        if packet.value is None or not slots:
            return
        if not ts.PRESTREAM <= packet.timestamp <= ts.POSTSTREAM:
            raise ValueError(
                f"output {self._name(port, index)}: no packet can be at timestamp {ts.describe(packet.timestamp)}"
            )
        if slots[index] in self.closed:
            raise ValueError(f"output {self._name(port, index)} was closed before this packet")
        self.emitted[slots[index]].append(packet)

    def pass_on(self) -> None:
        """Emits what each input has on the output at the same place, for nodes with as many outputs as inputs."""
        for place, packet in enumerate(self.packets):
            if packet.value is not None:
                self.emitted[place].append(packet)

    def packet(self, port: Port, index: int = 0) -> Packet:
        """The packet behind `context[port]`; an empty one carries the last timestamp that is settled on the stream."""
        slots = self.binding.slots.get(port)
        if not slots or not self.packets:
            return Packet(None)
        return self.packets[slots[index]]

    def set_bound(self, port: Port, timestamp: int, index: int = 0) -> None:
        """Promises that no packet earlier than `timestamp` will follow on an output."""
        slots = self.binding.slots.get(port)
        if slots:
            self.bounds[slots[index]] = max(timestamp, self.bounds.get(slots[index], ts.UNSET))

    def close_output(self, port: Port, index: int = 0) -> None:
        """Ends an output stream early; whatever waits for it need not wait for the end of the run."""
        slots = self.binding.slots.get(port)
        if slots:
            self.closed.add(slots[index])

    def header(self, port: Port, index: int = 0) -> Any:
        """What the producer of an input said about the whole stream before any packet; None where nothing.

        Only for calculators with `reads_headers`, and not across back edges.
        """
        slots = self.binding.slots.get(port)
        return self.headers[slots[index]] if slots and self.headers else None

    def set_header(self, port: Port, value: Any, index: int = 0) -> None:
        """Says something about a whole output stream to the nodes that read it; in `open` only.

        Raises:
            ValueError: the node is open already.
        """
        if self.timestamp != ts.UNSTARTED:
            raise ValueError(f"the header of output {self._name(port, index)} can be set in open only")
        slots = self.binding.slots.get(port)
        if slots and value is not None:
            freeze(value)
            self.headers_set[slots[index]] = value

    def copy_headers(self, source: Port, target: Port) -> None:
        """Says of the connections of an output what was said of those of an input, pair by pair; in `open` only."""
        for index in range(min(self.count(source), self.count(target))):
            self.set_header(target, self.header(source, index), index)

    def service(self, service: Service) -> Any:
        """The shared object behind a service that the calculator lists in `services`; None where there is none."""
        return self.services.get(service.key)

    def is_closed(self, port: Port, index: int = 0) -> bool:
        """Whether the output was closed."""
        slots = self.binding.slots.get(port)
        return slots is not None and slots[index] in self.closed

    def count(self, port: Port) -> int:
        """How many connections the port has in this graph; 0 where an optional port is not connected."""
        return len(self.binding.slots.get(port, ()))

    def is_connected(self, port: Port) -> bool:
        """Whether the graph connects the port."""
        return port in self.binding.slots

    def connections(self, port: Port) -> list[Connection]:
        """The connections of a port, in order."""
        kinds = ((Input, "inputs"), (SideInput, "side_inputs"), (SideOutput, "side_outputs"), (Output, "outputs"))
        for kind, attribute in kinds:
            if isinstance(port, kind):
                return [getattr(self.binding, attribute)[slot] for slot in self.binding.slots.get(port, ())]
        return []

    def _name(self, port: Port, index: int) -> str:
        return str(self.connections(port)[index])
