"""SwitchDemux and SwitchMux: what a SwitchContainer puts around the nodes it chooses from."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphflow import Calculator, Context, Input, Option, Output, SideInput, SideOutput
from graphflow import timestamp as ts
from graphflow.context import Binding, Connection
from graphflow.packet import Packet

_CHANNEL_TAG = re.compile(r"C([0-9]+)__(.*)")


class _Switch(Calculator):
    """What both ends share: the number of the active channel, and since when.

    Connections of channel 2 have tags that begin with `C2__`. The channel is that of the options until a side packet
    says otherwise, and that until a packet does.
    """

    timestamp_offset = None
    process_timestamp_bounds = True
    input_policy = "immediate"

    select_stream = Input("SELECT", int, "number of the channel, from its timestamp on", optional=True)
    enable_stream = Input("ENABLE", bool, "true for channel 1, false for channel 0", optional=True)
    data = Input("*", doc="any streams", optional=True)
    passed = Output("*", doc="the same", optional=True)
    select_side = SideInput("SELECT", int, "number of the channel for the whole run", optional=True)
    enable_side = SideInput("ENABLE", bool, "true for channel 1, false for channel 0", optional=True)
    side = SideInput("*", doc="any side packets")
    passed_side = SideOutput("*", doc="the same", optional=True)

    select: int | None = Option(None, "number of the channel at the start")
    enable: bool | None = Option(None, "true for channel 1 at the start, false for channel 0")
    synchronize_io: bool = Option(False, "kept for the container, which sets the input policy by it")
    async_selection: bool = Option(False, "kept for the container, which times SELECT by it")
    tick_input_stream: list[str] = Option([], "kept for the container, which times SELECT by these")

    def open(self, context: Context) -> None:
        channel = 0 if self.enable is None else int(self.enable)
        channel = channel if self.select is None else self.select
        self._channel = self._chosen(context[self.enable_side], context[self.select_side], channel)
        # (since when, channel), oldest first
        self._history = [(ts.UNSTARTED, self._channel)]

    def _follow_selection(self, context: Context) -> None:
        """Notes a change of channel at this timestamp."""
        channel = self._chosen(context[self.enable_stream], context[self.select_stream], self._channel)
        if channel != self._channel and self._selection_settled(context) == context.timestamp:
            self._channel = channel
            self._history.append((context.timestamp, channel))

    def _selection_settled(self, context: Context) -> int:
        """Up to when it is known which channel is active."""
        for port in (self.enable_stream, self.select_stream):
            if context.is_connected(port):
                return context.packet(port).timestamp
        return ts.DONE

    @staticmethod
    def _chosen(enable: bool | None, select: int | None, otherwise: int) -> int:
        if select is not None:
            return int(select)
        return otherwise if enable is None else int(enable)


class SwitchDemux(_Switch):
    """Sends each packet to the active one of several channels: FLOAT goes out as C0__FLOAT or as C1__FLOAT.

    Side packets go to all channels, since every channel's nodes are opened. A packet waits until the channel at its
    timestamp is known; one that comes after a later change of channel was acted on is lost. Source: MediaPipe
    SwitchDemuxCalculator.
    """

    reads_headers = True

    def output_types(self, binding: Binding) -> Mapping[Connection, Any]:
        return {**_pairs(binding.outputs, binding.inputs), **_pairs(binding.side_outputs, binding.side_inputs)}

    def open(self, context: Context) -> None:
        super().open(context)
        self._waiting: list[deque[Packet]] = [deque() for _ in range(context.count(self.data))]
        inputs = {(entry.tag, entry.index): position for position, entry in enumerate(context.connections(self.data))}
        # (input, channel) -> output
        self._routes: dict[tuple[int, int], int] = {}
        for position, entry in enumerate(context.connections(self.passed)):
            channel, tag = _channel_of(entry)
            source = inputs.get((tag, entry.index))
            if source is not None:
                self._routes[source, channel] = position
                context.set_header(self.passed, context.header(self.data, source), position)
        sides = dict(zip(_places(context.connections(self.side)), context[self.side], strict=True))
        for position, entry in enumerate(context.connections(self.passed_side)):
            context.emit(self.passed_side, sides.get((_channel_of(entry)[1], entry.index)), index=position)

    def process(self, context: Context) -> None:
        for position, waiting in enumerate(self._waiting):
            packet = context.packet(self.data, position)
            if packet.timestamp == context.timestamp:
                waiting.append(packet)
        self._follow_selection(context)
        settled = self._selection_settled(context)
        for position, waiting in enumerate(self._waiting):
            while waiting and waiting[0].timestamp <= settled:
                packet = waiting.popleft()
                channel = next((channel for since, channel in reversed(self._history) if since <= packet.timestamp), -1)
                _relay(context, self.passed, packet, self._routes.get((position, channel)))
        # MediaPipe forgets earlier channels at once, even where an input is behind
        del self._history[:-1]


class SwitchMux(_Switch):
    """Passes on the streams of the active one of several channels: C0__FLAG or C1__FLAG goes out as FLAG.

    Before it turns to the next channel it waits for the last one to settle; what the inactive ones send is dropped.
    Side packets are those of the channel active at the start. Source: MediaPipe SwitchMuxCalculator.
    """

    def output_types(self, binding: Binding) -> Mapping[Connection, Any]:
        return {
            **_merged(binding.outputs, binding.inputs),
            **_merged(binding.side_outputs, binding.side_inputs),
        }

    def open(self, context: Context) -> None:
        super().open(context)
        self._waiting: list[deque[Packet]] = [deque() for _ in range(context.count(self.data))]
        outputs = {(entry.tag, entry.index): place for place, entry in enumerate(context.connections(self.passed))}
        # channel -> its inputs, each with its output
        self._channels: dict[int, list[tuple[int, int | None]]] = {}
        for position, entry in enumerate(context.connections(self.data)):
            channel, tag = _channel_of(entry)
            self._channels.setdefault(channel, []).append((position, outputs.get((tag, entry.index))))
        sides = dict(zip(_places(context.connections(self.side)), context[self.side], strict=True))
        for position, entry in enumerate(context.connections(self.passed_side)):
            value = sides.get((f"C{self._channel}__{entry.tag}", entry.index))
            context.emit(self.passed_side, value, index=position)

    def process(self, context: Context) -> None:
        self._follow_selection(context)
        for position, waiting in enumerate(self._waiting):
            packet = context.packet(self.data, position)
            if packet.timestamp == context.timestamp:
                waiting.append(packet)
        while not self._finish_oldest(context):
            pass

    def _finish_oldest(self, context: Context) -> bool:
        """Sends what the oldest channel of the history has; true where that channel is the last or not yet over."""
        since, channel = self._history[0]
        last = len(self._history) == 1
        until = ts.next_allowed_in_stream(self._selection_settled(context)) if last else self._history[1][0]
        settled = ts.DONE
        for position, output in self._channels.get(channel, ()):
            waiting = self._waiting[position]
            while waiting and waiting[0].timestamp < until:
                packet = waiting.popleft()
                if packet.timestamp >= since:
                    _relay(context, self.passed, packet, output)
            settled = min(settled, context.packet(self.data, position).timestamp)
        if last or ts.next_allowed_in_stream(settled) < until:
            return True
        for waiting in self._waiting:
            while waiting and waiting[0].timestamp < until:
                waiting.popleft()
        del self._history[0]
        return False


def _relay(context: Context, port: Output, packet: Packet, output: int | None) -> None:
    """Emits a packet, or what an empty one says of time."""
    if output is None:
        return
    if packet.empty:
        context.set_bound(port, ts.next_allowed_in_stream(packet.timestamp), output)
    else:
        context.emit_packet(port, packet, output)


def _channel_of(connection: Connection) -> tuple[int, str]:
    """The channel and the tag outside of `C1__FLAG`; -1 where the tag belongs to no channel."""
    match = _CHANNEL_TAG.fullmatch(connection.tag)
    return (int(match[1]), match[2]) if match else (-1, connection.tag)


def _places(connections: Iterable[Connection]) -> list[tuple[str, int]]:
    return [(entry.tag, entry.index) for entry in connections]


def _pairs(outputs: Sequence[Connection], inputs: Sequence[Connection]) -> dict[Connection, Any]:
    """For each output of a channel the input it carries."""
    sources = dict(zip(_places(inputs), inputs, strict=True))
    paired = {entry: sources.get((_channel_of(entry)[1], entry.index)) for entry in outputs}
    return {output: (source,) for output, source in paired.items() if source is not None}


def _merged(outputs: Sequence[Connection], inputs: Sequence[Connection]) -> dict[Connection, Any]:
    """For each output the inputs of all channels that it may carry."""
    carried: dict[tuple[str, int], list[Connection]] = {}
    for entry in inputs:
        carried.setdefault((_channel_of(entry)[1], entry.index), []).append(entry)
    return {output: tuple(carried.get((output.tag, output.index), ())) for output in outputs}
