"""`graphflow draw`: a picture of a graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer

from graphflow import config
from graphflow.cli.reporting import UsageError
from graphflow.cli.settings import parse_settings
from graphflow.drawing import dot_text, html_page, mermaid_text, picture, svg_picture
from graphflow.errors import GraphConfigError

_WRITERS: Final = {
    ".html": html_page,
    ".svg": svg_picture,
    ".mmd": mermaid_text,
    ".dot": dot_text,
}


def draw_graph(
    graph: str, output: Path, depth: int, settings: Sequence[str], params: Sequence[str], graph_path: Sequence[Path]
) -> None:
    """Draws a graph into a file, of the kind its ending says; subgraphs are laid open `depth` levels deep.

    Raises:
        UsageError: the ending is of no kind of picture, or a setting cannot be read.
        GraphConfigError: the graph is wrong.
        OSError: the file cannot be written.
    """
    writer = _WRITERS.get(output.suffix.lower())
    if writer is None:
        raise UsageError(f"{output}: the ending says what to draw, and must be {', '.join(_WRITERS)}")
    overrides, given = parse_settings(settings, "--set"), parse_settings(params, "--param")
    found = config.examine(graph, params=given, overrides=overrides, graph_path=graph_path)
    if found.graph is None:
        raise GraphConfigError(found.problems)
    output.write_text(writer(picture(found), depth), encoding="utf-8")
    number = len(found.graph.nodes)
    typer.echo(f"drew {output}: {found.graph.spec.name}, {number} node{'s' if number != 1 else ''}")
