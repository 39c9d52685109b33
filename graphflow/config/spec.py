"""A graph as it was written: nodes, streams and options with their places in the file, not yet checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from graphflow.errors import Location


class _Unreadable:
    def __repr__(self) -> str:
        return "unreadable"


UNREADABLE: Final = _Unreadable()
"""Stands in options for a value that could not be read; that is reported where it is found, and nowhere else."""


def is_readable(value: Any) -> bool:
    """Whether `UNREADABLE` is nowhere in a value."""
    if isinstance(value, Mapping):
        return all(is_readable(entry) for entry in value.values())
    if isinstance(value, list):
        return all(is_readable(entry) for entry in value)
    return value is not UNREADABLE


@dataclass(frozen=True, slots=True)
class StreamRef:
    """One use of a stream or side packet: `TAG:index:name` in MediaPipe's words. `tag` is "" where untagged."""

    tag: str
    index: int
    name: str
    location: Location = field(default=Location(), compare=False)
    back_edge: bool = False

    def __str__(self) -> str:
        return f"{self.tag}:{self.index}:{self.name}" if self.tag else self.name


@dataclass(frozen=True, slots=True)
class PolicySpec:
    """The input policy of a node: its name (`default`, `immediate`, …) and options."""

    name: str = "default"
    options: Mapping[str, Any] = field(default_factory=dict)
    location: Location = field(default=Location(), compare=False)


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node. After expansion its name is the path through the subgraphs, such as `pose/detection/decode`.

    Before expansion `when` may be `$param` or `not $param`, strings may hold `$param`, and `deferred` holds the text of
    numeric fields that are written so. `unconnected` says of inputs that expansion took away (by `TAG:index`) why.
    `contained` are the nodes a `SwitchContainer` chooses from, or the one that a `ForEach` runs; they have no
    connections of their own. `instance` is, after expansion, the graph that a `ForEach` runs for each key.
    `option_values` says which options come from the graph's parameters where those are set, by the path of each.
    `comment` is what the lines above the node say, for people to be shown where there is no `doc`.
    """

    name: str
    calculator: str
    inputs: tuple[StreamRef, ...] = ()
    outputs: tuple[StreamRef, ...] = ()
    side_inputs: tuple[StreamRef, ...] = ()
    side_outputs: tuple[StreamRef, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    option_locations: Mapping[str, Location] = field(default_factory=dict, compare=False)
    input_policy: PolicySpec | None = None
    executor: str = ""
    max_in_flight: int = 1
    queue_size: int | None = None
    source_layer: int = 0
    doc: str = ""
    location: Location = field(default=Location(), compare=False)
    folder: str = field(default="", compare=False)
    when: bool | str = True
    deferred: Mapping[str, str] = field(default_factory=dict)
    field_locations: Mapping[str, Location] = field(default_factory=dict, compare=False)
    unconnected: Mapping[str, str] = field(default_factory=dict, compare=False)
    contained: tuple[NodeSpec, ...] = ()
    instance: GraphSpec | None = None
    option_values: Mapping[str, str] = field(default_factory=dict)
    comment: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ExecutorSpec:
    """A named pool of threads that nodes may be assigned to; "" is the default one."""

    name: str
    num_threads: int = 0
    type: str = ""
    location: Location = field(default=Location(), compare=False)
    deferred: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GraphSpec:
    """A whole graph, or the body of a subgraph.

    `num_threads` None or 0 lets the runtime choose; `max_queue_size` -1 lifts the limit. A parameter whose default is
    `graphflow.ports.REQUIRED` must be given; one named `*` says that more may be given than are declared. What each is
    for (`param_docs`) is what the comment behind it says; its place is that of the field `params.NAME`. `syntax`
    decides what MediaPipe lets pass in its own files: graph outputs without a producer, undeclared side packets.
    After expansion `laid_open` are the nodes that stood for graphs, under their paths and with their streams renamed,
    and `interfaces` what came into each by the names inside.
    """

    name: str
    inputs: tuple[StreamRef, ...] = ()
    outputs: tuple[StreamRef, ...] = ()
    side_inputs: tuple[StreamRef, ...] = ()
    side_outputs: tuple[StreamRef, ...] = ()
    nodes: tuple[NodeSpec, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    doc: str = ""
    num_threads: int | None = None
    max_queue_size: int = 100
    report_deadlock: bool = False
    executors: tuple[ExecutorSpec, ...] = ()
    input_policy: PolicySpec | None = None
    location: Location = field(default=Location(), compare=False)
    folder: str = field(default="", compare=False)
    syntax: Literal["yaml", "pbtxt"] = "yaml"
    laid_open: tuple[NodeSpec, ...] = field(default=(), compare=False)
    interfaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    param_docs: Mapping[str, str] = field(default_factory=dict, compare=False)
    deferred: Mapping[str, str] = field(default_factory=dict)
    field_locations: Mapping[str, Location] = field(default_factory=dict, compare=False)
