"""The errors graphflow raises, and the located problems they carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a graph file; `line` and `column` count from 1, 0 where the graph was built in code."""

    file: str = "<graph>"
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Use:
    """A node that stands for a graph: its path in the graph that is loaded, the graph, and where it is written."""

    node: str
    graph: str
    location: Location

    def __str__(self) -> str:
        return f"{self.location} ({self.node})"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a graph: where, what, and what exists or helps instead.

    A `"warning"` is no mistake but hardly meant. In the file of a subgraph, `uses` are the nodes that lead there, from
    the graph that is loaded inwards.
    """

    location: Location
    message: str
    hint: str = ""
    severity: Literal["error", "warning"] = "error"
    uses: tuple[Use, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        word = "warning: " if self.severity == "warning" else ""
        return f"{self.location}: {word}{self.message}" + (f" — {self.hint}" if self.hint else "")


class GraphflowError(Exception):
    """The root of every error graphflow raises on purpose."""


class GraphConfigError(GraphflowError):
    """A graph cannot be built or started; `problems` lists everything that was found wrong, in file order.

    >>> error = GraphConfigError([Problem(Location("g.yaml", 3, 5), "no stream 'imag'", "did you mean 'image'?")])
    >>> print(error)
    g.yaml:3:5: no stream 'imag' — did you mean 'image'?
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class CalculatorError(GraphflowError):
    """A run failed: which node of which graph, at what timestamp (microseconds) and why.

    `code` is the status MediaPipe reports for the same failure (INVALID_ARGUMENT, UNAVAILABLE, …), UNKNOWN where a
    calculator raised an exception of its own.
    """

    def __init__(
        self,
        message: str,
        *,
        graph: str = "",
        node: str = "",
        location: Location | None = None,
        timestamp: int | None = None,
        code: str = "UNKNOWN",
    ) -> None:
        self.graph = graph
        self.node = node
        self.location = location
        self.timestamp = timestamp
        self.code = code
        super().__init__(message)


class GraphCancelled(GraphflowError):  # noqa: N818 - what happened, not a mistake
    """The run was ended by `Graph.cancel()`."""

    def __init__(self, message: str = "the run was cancelled") -> None:
        super().__init__(message)


class ModelError(GraphflowError):
    """A model cannot be had or used: unknown name, failed fetch, tampered or truncated file, unsupported operator."""
