"""From a graph's name, file or text to a graph that can be run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from graphflow import config
from graphflow.resources import RESOURCES, Resources
from graphflow.runtime import Graph
from graphflow.warm_up import without_collections


def load(
    source: str | Path,
    *,
    params: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    num_threads: int | None = None,
    prune: bool = False,
    fuse: bool = True,
    graph_path: Iterable[str | Path] = (),
) -> Graph:
    """Reads, expands and checks a graph.

    Args:
        source: the name of a shipped graph (`holistic`), a path to a `.yaml` or `.pbtxt` file, or the text itself.
        params: values for the graph's parameters.
        overrides: options of single nodes, by `node/path.option`.
        num_threads: threads of the default executor; default what the graph says, else one for each core.
        prune: compute only what observers and nodes without outputs read.
        fuse: run short calls in one step with their neighbours; no result depends on it.
        graph_path: folders in which the graphs are that it refers to, and the files that its nodes name; a MediaPipe
            checkout, for instance.

    Raises:
        GraphConfigError: the graph is wrong; its `problems` list everything that is.
    """
    graph_path = tuple(graph_path)
    with without_collections():
        checked = config.load(source, params=params, overrides=overrides, graph_path=graph_path)
    graph = Graph(checked, num_threads=num_threads, prune=prune, fuse=fuse)
    graph.set_service(RESOURCES, Resources([*graph_path, checked.spec.folder]))
    return graph
