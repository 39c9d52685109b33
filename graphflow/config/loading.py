"""The way from a graph's text to a graph that can run, with every problem on that way reported together."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphflow.config.checked import CheckedGraph
from graphflow.config.expansion import expand_graph
from graphflow.config.graph_folders import GraphFolders
from graphflow.config.library import Source, find_graph
from graphflow.config.liveness import standstills
from graphflow.config.spec import GraphSpec
from graphflow.config.unread import unread
from graphflow.config.validation import check_graph
from graphflow.config.visits import Visits
from graphflow.errors import GraphConfigError, Problem


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of a graph after everything about it was looked at.

    Attributes:
        graph: the graph as it runs; None where something is wrong with it.
        problems: everything that is wrong, each once, in the order of the files.
        warnings: what is hardly meant; looked for where nothing is wrong.
        visits: the graphs it is made of.
    """

    graph: CheckedGraph | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    visits: Visits


def examine(
    source: Source,
    *,
    params: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    graph_path: Iterable[str | os.PathLike[str]] = (),
) -> Findings:
    """Everything that is wrong with a graph and what is hardly meant; arguments as of `load`."""
    problems: list[Problem] = []
    warnings: list[Problem] = []
    visits = Visits()
    checked = None
    try:
        checked = _checked(source, params, overrides, graph_path, problems, visits)
    except GraphConfigError as error:
        problems.extend(error.problems)
    if checked is not None and not problems:
        warnings = [*(warning for graph in visits.graphs for warning in unread(graph)), *standstills(checked)]
    return Findings(None if problems else checked, _each_once(problems, visits), _each_once(warnings, visits), visits)


def load(
    source: Source,
    *,
    params: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    graph_path: Iterable[str | os.PathLike[str]] = (),
) -> CheckedGraph:
    """Reads, expands and checks a graph.

    Args:
        source: a path, the name of a shipped graph, or the text of a graph (YAML or MediaPipe's pbtxt).
        params: values of the graph's parameters.
        overrides: `param`, `node/path.option` or `Calculator.option` (all its nodes) -> value, as `--set` gives them;
            stronger than the file.
        graph_path: folders in which the graphs are that it refers to, by name and however deep; a MediaPipe checkout,
            for instance.

    Raises:
        GraphConfigError: with everything that is wrong, each at its file, line and column.
    """
    problems: list[Problem] = []
    visits = Visits()
    checked = _checked(source, params, overrides, graph_path, problems, visits)
    _raise(problems, visits)
    assert checked is not None, "a graph without problems is checked"
    return checked


def read(source: Source, *, graph_path: Iterable[str | os.PathLike[str]] = ()) -> GraphSpec:
    """The graph as it is written: parameters and subgraphs stay as they are; arguments as of `load`.

    Raises:
        GraphConfigError: there is no such graph, or it cannot be understood.
    """
    problems: list[Problem] = []
    spec = find_graph(source, GraphFolders(graph_path)).read(problems)
    _raise(problems)
    return spec


def expand(
    spec: GraphSpec,
    *,
    params: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    graph_path: Iterable[str | os.PathLike[str]] = (),
) -> GraphSpec:
    """The graph with parameters replaced and subgraphs laid open; arguments as of `load`.

    Raises:
        GraphConfigError: a parameter, an override or a subgraph's interface does not fit.
    """
    problems: list[Problem] = []
    expanded = expand_graph(spec, params or {}, overrides or {}, GraphFolders(graph_path), problems)
    _raise(problems)
    return expanded


def check(spec: GraphSpec) -> CheckedGraph:
    """An expanded graph with its calculators found and everything about it verified.

    Raises:
        GraphConfigError: with everything that is wrong.
    """
    problems: list[Problem] = []
    checked = check_graph(spec, problems)
    _raise(problems)
    assert checked is not None, "a graph without problems is checked"
    return checked


def _checked(
    source: Source,
    params: Mapping[str, Any] | None,
    overrides: Mapping[str, Any] | None,
    graph_path: Iterable[str | os.PathLike[str]],
    problems: list[Problem],
    visits: Visits,
) -> CheckedGraph | None:
    folders = GraphFolders(graph_path)
    spec = find_graph(source, folders).read(problems)
    expanded = expand_graph(spec, params or {}, overrides or {}, folders, problems, visits)
    return check_graph(expanded, problems)


def _raise(problems: list[Problem], visits: Visits | None = None) -> None:
    if problems:
        raise GraphConfigError(_each_once(problems, visits or Visits()))


def _each_once(problems: list[Problem], visits: Visits) -> tuple[Problem, ...]:
    # what is wrong inside a subgraph is wrong once, however often the graph is used
    return tuple(sorted(dict.fromkeys(visits.explained(problems))))
