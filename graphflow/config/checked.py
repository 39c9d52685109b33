"""A graph that passed validation: what the runtime runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphflow.calculator import Calculator
from graphflow.config.spec import GraphSpec, NodeSpec, PolicySpec
from graphflow.context import Binding


@dataclass(frozen=True, slots=True)
class CheckedNode:
    """A node with its calculator found, its options valid and its ports connected."""

    spec: NodeSpec
    calculator: type[Calculator]
    binding: Binding
    input_policy: PolicySpec

    def new_calculator(self) -> Calculator:
        """A fresh instance for one run."""
        return self.calculator(self.spec.options)


@dataclass(frozen=True, slots=True)
class CheckedGraph:
    """An expanded, valid graph.

    `nodes` are in topological order, back edges aside; `stream_types` gives the resolved type of every stream, graph
    inputs included.
    """

    spec: GraphSpec
    nodes: tuple[CheckedNode, ...]
    stream_types: Mapping[str, Any]
