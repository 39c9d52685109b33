"""From a graph's name, file or text to a graph that can be run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from graphflow import config
from graphflow.runtime import Graph


def load(
    source: str | Path,
    *,
    params: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    num_threads: int | None = None,
    prune: bool = False,
    graph_path: Iterable[str | Path] = (),
) -> Graph:
    """Reads, expands and checks a graph.

    Args:
        source: the name of a shipped graph (`holistic`), a path to a `.yaml` or `.pbtxt` file, or the text itself.
        params: values for the graph's parameters.
        overrides: options of single nodes, by `node/path.option`.
        num_threads: threads of the default executor; default what the graph says, else one for each core.
        prune: compute only what observers and nodes without outputs read.
        graph_path: folders in which the graphs are that it refers to; a MediaPipe checkout, for instance.

    Raises:
        GraphConfigError: the graph is wrong; its `problems` list everything that is.
    """
    checked = config.load(source, params=params, overrides=overrides, graph_path=graph_path)
    return Graph(checked, num_threads=num_threads, prune=prune)
