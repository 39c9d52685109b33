"""The way from a graph's text to a graph that can run, with every problem on that way reported together."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from graphflow.config.checked import CheckedGraph
from graphflow.config.expansion import expand_graph
from graphflow.config.graph_folders import GraphFolders
from graphflow.config.library import Source, find_graph
from graphflow.config.spec import GraphSpec
from graphflow.config.validation import check_graph
from graphflow.errors import GraphConfigError, Problem


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
        overrides: `param` or `node/path.option` -> value, as `--set` gives them; stronger than the file.
        graph_path: folders in which the graphs are that it refers to, by name and however deep; a MediaPipe checkout,
            for instance.

    Raises:
        GraphConfigError: with everything that is wrong, each at its file, line and column.
    """
    problems: list[Problem] = []
    folders = GraphFolders(graph_path)
    spec = find_graph(source, folders).read(problems)
    expanded = expand_graph(spec, params or {}, overrides or {}, folders, problems)
    checked = check_graph(expanded, problems)
    _raise(problems)
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


def _raise(problems: list[Problem]) -> None:
    if problems:  # what is wrong inside a subgraph is wrong once, however often the graph is used
        raise GraphConfigError(list(dict.fromkeys(problems)))
