"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

GraphArgument = Annotated[
    str, typer.Argument(metavar="GRAPH", help="A shipped graph (see 'graphflow list') or a .yaml or .pbtxt file.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NODE.OPTION=VALUE",
        help="Set an option of one node, an inner one by its path, or of all nodes of a calculator, by its name.",
    ),
]
ParamOption = Annotated[
    list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="Set a parameter of the graph.")
]
GraphPathOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--graph-path", metavar="FOLDER", help="Find graphs that are referred to in this folder too; may be repeated."
    ),
]
