"""The commands for authors of graphs and calculators; what they do is imported when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graphflow.cli.arguments import GraphArgument, GraphPathOption, JsonOption, ParamOption, SetOption

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A name such as WristHeight or wrist_height.")]
FolderOption = Annotated[
    Path, typer.Option("--folder", metavar="FOLDER", help="Write into this folder; default the working directory.")
]

new_app = typer.Typer(no_args_is_help=True, help="Write the beginning of a graph, a calculator or a plugin.")


def add_commands(app: typer.Typer) -> None:
    """Adds the commands of this module to the program."""
    for command in (check, schema, draw):
        app.command()(command)
    app.add_typer(new_app, name="new")


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


def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there instead of to the terminal.")
    ] = None,
    folder: Annotated[
        Path, typer.Option("--folder", metavar="FOLDER", help="Whose own graphs and calculators to include, too.")
    ] = Path(),
    files: Annotated[
        list[Path] | None,
        typer.Option("--with", metavar="FILE.py", help="Include the calculators of this file; may be repeated."),
    ] = None,
) -> None:
    """Write the JSON Schema of graphs, for completion in editors: every calculator, option and subgraph there is."""
    from graphflow.cli.schema import write_schema

    write_schema(output, folder, files or ())


def draw(
    graph: GraphArgument,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The picture: .html, .svg, .mmd or .dot.")
    ],
    depth: Annotated[
        int | None,
        typer.Option("--depth", min=0, help="Lay subgraphs open so deep; default 0, in .html what is clicked on."),
    ] = None,
    settings: SetOption = None,
    params: ParamOption = None,
    graph_path: GraphPathOption = None,
) -> None:
    """Draw a graph: as a page to explore, a picture, or text for Mermaid or Graphviz."""
    from graphflow.cli.draw import draw_graph

    draw_graph(graph, output, depth or 0, settings or (), params or (), graph_path or ())


@new_app.command(name="graph")
def new_graph(name: NameArgument, folder: FolderOption = Path()) -> None:
    """Write NAME.yaml, a graph to begin with, and the schema for completion in editors."""
    from graphflow.cli.new import write_graph

    write_graph(name, folder)


@new_app.command(name="calculator")
def new_calculator(
    name: NameArgument,
    folder: FolderOption = Path(),
    function: Annotated[bool, typer.Option("--function", help="As a function, where there is no state.")] = False,
) -> None:
    """Write NAME.py with a calculator, a test of it, and a graph that uses it."""
    from graphflow.cli.new import write_calculator

    write_calculator(name, folder, as_function=function)


@new_app.command(name="plugin")
def new_plugin(name: NameArgument, folder: FolderOption = Path()) -> None:
    """Write a package whose calculators are found by name once it is installed."""
    from graphflow.cli.new import write_plugin

    write_plugin(name, folder)
