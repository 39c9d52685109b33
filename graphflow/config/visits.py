"""Which graphs a graph is made of, and through which nodes one gets to each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from graphflow.config.spec import GraphSpec
from graphflow.errors import Location, Problem, Use


@dataclass(slots=True)
class Visits:
    """What expansion met: every graph as it is written, once, and the nodes that stand for graphs by their path."""

    graphs: list[GraphSpec] = field(default_factory=list)
    entered: dict[str, tuple[GraphSpec, Location]] = field(default_factory=dict)

    def begin(self, spec: GraphSpec) -> None:
        """Notes the graph that is loaded."""
        self.graphs.append(spec)

    def enter(self, path: str, subgraph: GraphSpec, location: Location) -> None:
        """Notes that the node at `path`, written at `location`, stands for a graph."""
        self.entered[path] = (subgraph, location)
        if all(subgraph is not known for known in self.graphs):
            self.graphs.append(subgraph)

    def around(self, path: str) -> str:
        """The node next around `path` that stands for a graph; "" for the graph that is loaded."""
        while path:
            path = path.rpartition("/")[0]
            if path in self.entered:
                break
        return path

    def uses(self, path: str) -> tuple[Use, ...]:
        """The nodes that lead to the inside of the node at `path`, from outside inwards."""
        parts = path.split("/")
        paths = ["/".join(parts[: end + 1]) for end in range(len(parts))]
        known = [(path, *self.entered[path]) for path in paths if path in self.entered]
        return tuple(Use(path, graph.name, location) for path, graph, location in known)

    def explained(self, problems: Iterable[Problem]) -> list[Problem]:
        """The problems, those in the files of subgraphs with the uses that lead there."""
        return [replace(problem, uses=self._uses_behind(problem)) for problem in problems]

    def _uses_behind(self, problem: Problem) -> tuple[Use, ...]:
        file = problem.location.file
        if not self.graphs or file == self.graphs[0].location.file:
            return ()
        paths = [path for path, (graph, _) in self.entered.items() if graph.location.file == file]
        # where the graph is used several times, the message names the node that it is about by its path
        meant = [path for path in paths if f"'{path}/" in problem.message]
        return self.uses((meant or paths)[0]) if paths else problem.uses
