"""Run one calculator on packets, in a test, with one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphflow import timestamp as ts
from graphflow.calculator import Calculator, Stop
from graphflow.context import Binding, Connection, Context
from graphflow.packet import Packet
from graphflow.ports import ANY_TAG, Input, Output, Port, SideInput, SideOutput

Packets = Iterable[tuple[int, Any]]


def run_calculator(
    calculator: type[Calculator],
    inputs: Mapping[str, Packets] | None = None,
    options: Mapping[str, Any] | None = None,
    side_inputs: Mapping[str, Any] | None = None,
    outputs: Iterable[str] | None = None,
) -> dict[str, list[tuple[int, Any]]]:
    """Runs a calculator over packets with the default input policy, a source until it stops; returns what it emitted.

    Args:
        calculator: the class, as `registry.find` or an import gives it.
        inputs: for each connection `TAG`, `TAG:index` or `index` ("" and "0" are the first untagged one) its packets as
            (timestamp, value) pairs in order. What is not named is not connected.
        options: the options a graph would give.
        side_inputs: side packets by connection, named as the inputs are.
        outputs: the connections of outputs to connect; default every declared one, once.

    Returns:
        for each connected output the (timestamp, value) pairs in the order of emission; side outputs likewise, at
        timestamp UNSET.
    """
    instance = calculator(options)
    fed = {_key(name): list(packets) for name, packets in (inputs or {}).items()}
    sides = {_key(name): value for name, value in (side_inputs or {}).items()}
    declared = [port for port in instance.ports() if isinstance(port, Output | SideOutput)]
    if outputs is None:
        wanted = [(port.tag, 0) for port in declared if port.tag != ANY_TAG]
        if any(port.tag == ANY_TAG for port in declared):
            own = {port.tag for port in instance.ports() if isinstance(port, Input)}
            wanted += [key for key in fed if key[0] not in own]
    else:
        wanted = [_key(name) for name in outputs]
    binding = Binding(
        _connect(instance, Input, fed),
        _connect(instance, Output, wanted),
        _connect(instance, SideInput, sides),
        _connect(instance, SideOutput, wanted),
    )
    problems = [str(problem) for problem in instance.check(binding)]
    if problems:
        raise ValueError("; ".join(problems))
    results: dict[str, list[tuple[int, Any]]] = {
        _name(connection): [] for connection in (*binding.outputs, *binding.side_outputs)
    }
    side_values = [sides[(c.tag, c.index)] for c in binding.side_inputs]
    services = {service.key: service.create() for service in calculator.services if service.create}
    context = Context(binding, side_values, calculator.__name__, services)

    def step(call: Any, timestamp: int, packets: list[Packet]) -> None:
        context.begin(timestamp, packets)
        try:
            call(context)
        finally:
            for connection, emitted in zip(binding.outputs, context.emitted, strict=True):
                results[_name(connection)].extend((packet.timestamp, packet.value) for packet in emitted)
            for slot, value in context.side_emitted.items():
                results[_name(binding.side_outputs[slot])].append((ts.UNSET, value))

    step(instance.open, ts.UNSTARTED, [])
    columns = [dict(fed[(c.tag, c.index)]) for c in binding.inputs]
    try:
        for timestamp in sorted({timestamp for column in columns for timestamp in column}):
            packets = [Packet(column.get(timestamp), timestamp) for column in columns]
            step(instance.process, timestamp, packets)
        while binding.outputs and not binding.inputs:  # a source
            step(instance.process, ts.UNSTARTED, [])
    except Stop:
        pass
    step(instance.close, ts.DONE, [])
    return results


def _key(name: str) -> tuple[str, int]:
    tag, _, index = name.partition(":")
    if tag.isdigit():
        return "", int(tag)
    return tag, int(index or 0)


def _name(connection: Connection) -> str:
    if not connection.tag:
        return str(connection.index) if connection.index else ""
    return f"{connection.tag}:{connection.index}" if connection.index else connection.tag


def _connect(instance: Calculator, kind: type[Port], keys: Iterable[tuple[str, int]]) -> tuple[Connection, ...]:
    ports = {port.tag: port for port in instance.ports() if type(port) is kind}
    found = []
    for tag, index in sorted(keys):
        port = ports.get(tag) or ports.get(ANY_TAG)
        if port is None:
            if kind in (Output, SideOutput):
                continue
            raise ValueError(f"{type(instance).__name__} has no input '{tag}'")
        found.append(Connection(tag, index, f"{tag.lower()}_{index}", port))
    return tuple(found)
