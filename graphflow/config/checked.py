"""A graph that passed validation: what the runtime runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from graphflow.calculator import Calculator
from graphflow.config.spec import GraphSpec, NodeSpec, PolicySpec
from graphflow.context import Binding, Context


class Runnable(Protocol):
    """What the runtime asks of whatever does the work of a node: a `Calculator`, or several of them as one step."""

    @property
    def timestamp_offset(self) -> int | None: ...
    @property
    def process_timestamp_bounds(self) -> bool: ...
    @property
    def dropped(self) -> int: ...
    def open(self, context: Context) -> None: ...
    def process(self, context: Context) -> None: ...
    def close(self, context: Context) -> None: ...
    def reset(self, context: Context) -> None: ...


@dataclass(frozen=True, slots=True)
class CheckedNode:
    """A node with its calculator found, its options valid and its ports connected.

    `instance` is the graph that a `ForEach` runs for each key.
    """

    spec: NodeSpec
    calculator: type[Calculator]
    binding: Binding
    input_policy: PolicySpec
    instance: CheckedGraph | None = None

    def new_calculator(self) -> Calculator:
        """A fresh instance for one run."""
        return self.calculator(self.spec.options)

    def new_runnable(self) -> Runnable:
        """What does the node's work in one run."""
        return self.new_calculator()


@dataclass(frozen=True, slots=True)
class CheckedGraph:
    """An expanded, valid graph.

    `nodes` are in topological order, back edges aside; `stream_types` gives the resolved type of every stream, graph
    inputs included.
    """

    spec: GraphSpec
    nodes: tuple[CheckedNode, ...]
    stream_types: Mapping[str, Any]
