"""`graphflow check`: everything that is wrong with a graph."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import typer

from graphflow import config
from graphflow.cli.reporting import WRONG_USAGE, say, with_source_lines
from graphflow.cli.settings import parse_settings
from graphflow.errors import GraphConfigError


def check_graph(
    graph: str, settings: Sequence[str], params: Sequence[str], graph_path: Sequence[Path] = (), *, as_json: bool
) -> None:
    """Says that a graph is right, or what is wrong with it.

    Raises:
        typer.Exit: something is wrong.
        UsageError: a setting cannot be read.
    """
    overrides, given = parse_settings(settings, "--set"), parse_settings(params, "--param")
    try:
        checked = config.load(graph, params=given, overrides=overrides, graph_path=graph_path)
    except GraphConfigError as error:
        if as_json:
            problems = [
                {
                    "file": problem.location.file,
                    "line": problem.location.line,
                    "column": problem.location.column,
                    "message": problem.message,
                    "hint": problem.hint,
                }
                for problem in error.problems
            ]
            typer.echo(json.dumps({"ok": False, "problems": problems}, indent=2, ensure_ascii=False))
        else:
            say(f"{with_source_lines(error.problems)}\n{_counted(len(error.problems), 'problem')}")
        raise typer.Exit(WRONG_USAGE) from None
    if as_json:
        typer.echo(json.dumps({"ok": True, "problems": []}))
        return
    nodes, streams = _counted(len(checked.nodes), "node"), _counted(len(checked.stream_types), "stream")
    typer.echo(f"{checked.spec.name} is right: {nodes}, {streams}")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
