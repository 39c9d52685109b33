"""The commands for authors of graphs and calculators; what they do is imported when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from graphflow.cli.arguments import GraphArgument, GraphPathOption, JsonOption, ParamOption, SetOption


def add_commands(app: typer.Typer) -> None:
    """Adds the commands of this module to the program."""
    app.command()(check)


def check(
    graph: GraphArgument,
    settings: SetOption = None,
    params: ParamOption = None,
    graph_path: GraphPathOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings count as mistakes.")] = False,
    json: JsonOption = False,
) -> None:
    """Say everything that is wrong with a graph, with file, line and column; warn of what is hardly meant."""
    from graphflow.cli.check import check_graph

    check_graph(graph, settings or (), params or (), graph_path or (), as_json=json, strict=strict)
