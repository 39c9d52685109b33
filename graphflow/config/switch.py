"""SwitchContainer: one node of several, chosen while the graph runs, laid open as a graph of its own.

In YAML the nodes are listed under `nodes`, in the order in which SELECT numbers them; they get the connections of the
container. All of them are opened, and only the chosen one is fed:

    smoothing:
      calculator: SwitchContainer
      inputs: {LANDMARKS: landmarks}
      side_inputs: {ENABLE: smooth}
      outputs: {LANDMARKS: smooth_landmarks}
      options: {enable: true}
      nodes:
        keep: {calculator: PassThrough}
        smooth: {calculator: LandmarksSmoothing, options: {one_euro_filter: {beta: 80.0}}}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from graphflow.config.spec import GraphSpec, NodeSpec, PolicySpec, StreamRef, is_readable
from graphflow.config.suggestions import did_you_mean
from graphflow.errors import Location, Problem

SWITCH: Final = "SwitchContainer"
"""The calculator name of a node that is a choice of nodes."""

_SELECTORS = ("SELECT", "ENABLE")
_OPTIONS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "select": ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "enable": ("true or false", lambda value: isinstance(value, bool)),
    "synchronize_io": ("true or false", lambda value: isinstance(value, bool)),
    "async_selection": ("true or false", lambda value: isinstance(value, bool)),
    "tick_input_stream": ("a list of inputs, TAG or TAG:index", lambda value: isinstance(value, str | list)),
}


def switch_graph(node: NodeSpec, problems: list[Problem]) -> GraphSpec:
    """The graph that a `SwitchContainer` node stands for: a demultiplexer, its nodes, and a multiplexer.

    SELECT (a number) or ENABLE (0 or 1), as a stream, a side packet or an option, chooses the node; a stream of them is
    put on the time of the data by a `PacketSequencer` first. Options are those of MediaPipe's SwitchContainerOptions.

    Args:
        node: the node, its parameters replaced.
        problems: receives wrong options, and selectors that exclude each other.
    """
    return _Switch(node, problems).graph()


class _Switch:
    def __init__(self, node: NodeSpec, problems: list[Problem]) -> None:
        self.node = node
        self.problems = problems
        self.options = self._checked_options()
        self._names: set[str] = set()
        self._side_names: set[str] = set()
        self.inputs = _interior(node.inputs, self._names)
        self.outputs = _interior(node.outputs, self._names)
        self.side_inputs = _interior(node.side_inputs, self._side_names)
        self.side_outputs = _interior(node.side_outputs, self._side_names)
        self._check_selectors()

    def graph(self) -> GraphSpec:
        node = self.node
        selectors = tuple(_tagged(self.inputs, _SELECTORS))
        side_selectors = tuple(_tagged(self.side_inputs, _SELECTORS))
        data = tuple(_untagged(self.inputs, _SELECTORS))
        sides = tuple(_untagged(self.side_inputs, _SELECTORS))
        timed = [replace(ref, name=_unused(f"{ref.name}_timed", self._names), back_edge=False) for ref in selectors]
        taken = {inner.name for inner in node.contained}
        sequencers = [
            self._made(
                _unused(f"{ref.tag.lower()}_timing", taken),
                "PacketSequencer",
                inputs=(replace(ref, tag="INPUT"), *self._ticks(data)),
                outputs=(replace(on_time, tag="OUTPUT"),),
                input_policy=None if self.options.get("async_selection") else PolicySpec(location=node.location),
            )
            for ref, on_time in zip(selectors, timed, strict=True)
        ]
        channels = range(len(node.contained))
        demux = self._made(
            _unused("demux", taken),
            "SwitchDemux",
            inputs=(*timed, *data),
            outputs=_channels(data, channels),
            side_inputs=(*side_selectors, *sides),
            side_outputs=_channels(sides, channels),
            options=self.options,
            input_policy=PolicySpec(location=node.location) if self.options.get("synchronize_io") else None,
        )
        mux = self._made(
            _unused("mux", taken),
            "SwitchMux",
            inputs=(*timed, *_channels(self.outputs, channels)),
            outputs=self.outputs,
            side_inputs=(*side_selectors, *_channels(self.side_outputs, channels)),
            side_outputs=self.side_outputs,
            options=self.options,
        )
        contained = [
            replace(
                inner,
                inputs=(*inner.inputs, *_of_channel(data, channel)),
                outputs=(*inner.outputs, *_of_channel(self.outputs, channel)),
                side_inputs=(*inner.side_inputs, *_of_channel(sides, channel)),
                side_outputs=(*inner.side_outputs, *_of_channel(self.side_outputs, channel)),
            )
            for channel, inner in enumerate(node.contained)
        ]
        return GraphSpec(
            SWITCH,
            inputs=self.inputs,
            outputs=self.outputs,
            side_inputs=self.side_inputs,
            side_outputs=self.side_outputs,
            nodes=(*sequencers, demux, *contained, mux),
            location=node.location,
            folder=node.folder,
        )

    def _made(self, name: str, calculator: str, **fields: Any) -> NodeSpec:
        node = self.node
        return NodeSpec(name, calculator, location=node.location, folder=node.folder, **fields)

    def _ticks(self, data: Iterable[StreamRef]) -> Iterable[StreamRef]:
        """The streams that say how far time has come for SELECT: all, or those the options name."""
        named = self.options.get("tick_input_stream") or []
        wanted = {_place(text) for text in ([named] if isinstance(named, str) else named)}
        chosen = [ref for ref in data if not wanted or (ref.tag, ref.index) in wanted]
        return (replace(ref, tag="TICK", index=index) for index, ref in enumerate(chosen))

    def _checked_options(self) -> dict[str, Any]:
        node, valid = self.node, {}
        for name, value in node.options.items():
            location = node.option_locations.get(name, node.field_locations.get("options", node.location))
            if name not in _OPTIONS:
                self._report(location, f"{SWITCH} has no option '{name}'", did_you_mean(name, _OPTIONS, "options"))
                continue
            kind, fits = _OPTIONS[name]
            if fits(value):
                valid[name] = value
            elif is_readable(value):
                self._report(location, f"option '{name}' must be {kind}, not {value!r}")
        return valid

    def _check_selectors(self) -> None:
        node = self.node
        if not node.contained:
            self._report(node.location, f"{SWITCH} has no nodes to choose from", "list them under 'nodes'")
        for interface in (self.inputs, self.side_inputs):
            chosen_by = list(_tagged(interface, _SELECTORS))
            if len(chosen_by) > 1:
                self._report(chosen_by[1].location, "SELECT and ENABLE exclude each other", "keep one of them")
        if "select" in self.options and "enable" in self.options:
            location = node.option_locations.get("enable", node.location)
            self._report(location, "options 'select' and 'enable' exclude each other", "keep one of them")

    def _report(self, location: Location, message: str, hint: str = "") -> None:
        self.problems.append(Problem(location, f"node '{self.node.name}': {message}", hint))


def _interior(refs: tuple[StreamRef, ...], names: set[str]) -> tuple[StreamRef, ...]:
    """The container's interface under names that are distinct inside."""
    return tuple(replace(ref, name=_unused(ref.name.rpartition("/")[2], names)) for ref in refs)


def _unused(name: str, taken: set[str]) -> str:
    """`name`, numbered where it is taken."""
    number, unused = 2, name
    while unused in taken:
        unused, number = f"{name}_{number}", number + 1
    taken.add(unused)
    return unused


def _of_channel(refs: Iterable[StreamRef], channel: int) -> Iterable[StreamRef]:
    return (replace(ref, name=f"c{channel}__{ref.name}", back_edge=False) for ref in refs)


def _channels(refs: tuple[StreamRef, ...], channels: Iterable[int]) -> tuple[StreamRef, ...]:
    """The streams of all channels, as demultiplexer and multiplexer tag them."""
    return tuple(
        replace(ref, tag=f"C{channel}__{ref.tag}") for channel in channels for ref in _of_channel(refs, channel)
    )


def _tagged(refs: Iterable[StreamRef], tags: tuple[str, ...]) -> Iterable[StreamRef]:
    return (ref for ref in refs if ref.tag in tags)


def _untagged(refs: Iterable[StreamRef], tags: tuple[str, ...]) -> Iterable[StreamRef]:
    return (ref for ref in refs if ref.tag not in tags)


def _place(text: str) -> tuple[str, int]:
    tag, _, index = text.partition(":")
    return tag, int(index) if index.isdigit() else 0
