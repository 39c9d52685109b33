"""`graphflow check`: everything that is wrong with a graph, and what is hardly meant."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from graphflow import config
from graphflow.cli.reporting import WRONG_USAGE, say, with_source_lines
from graphflow.cli.settings import parse_settings
from graphflow.errors import Problem


def check_graph(
    graph: str,
    settings: Sequence[str],
    params: Sequence[str],
    graph_path: Sequence[Path] = (),
    *,
    as_json: bool,
    strict: bool = False,
) -> None:
    """Says that a graph is right, or what is wrong with it; `strict` lets warnings count as mistakes.

    Raises:
        typer.Exit: something is wrong.
        UsageError: a setting cannot be read.
    """
    overrides, given = parse_settings(settings, "--set"), parse_settings(params, "--param")
    found = config.examine(graph, params=given, overrides=overrides, graph_path=graph_path)
    shown = sorted((*found.problems, *found.warnings))
    wrong = bool(found.problems) or (strict and bool(shown))
    if as_json:
        answer = {"ok": not wrong, "problems": [_fields(problem) for problem in shown]}
        typer.echo(json.dumps(answer, indent=2 if shown else None, ensure_ascii=False))
    elif shown:
        counts = [
            _counted(len(problems), noun)
            for problems, noun in ((found.problems, "problem"), (found.warnings, "warning"))
            if problems
        ]
        say(f"{with_source_lines(shown)}\n{', '.join(counts)}")
    if wrong:
        raise typer.Exit(WRONG_USAGE)
    if found.graph is not None and not as_json:
        nodes, streams = _counted(len(found.graph.nodes), "node"), _counted(len(found.graph.stream_types), "stream")
        typer.echo(f"{found.graph.spec.name} is right: {nodes}, {streams}")


def _fields(problem: Problem) -> dict[str, Any]:
    location = problem.location
    fields: dict[str, Any] = {
        "severity": problem.severity,
        "file": location.file,
        "line": location.line,
        "column": location.column,
        "message": problem.message,
        "hint": problem.hint,
    }
    uses = [
        {"node": use.node, "graph": use.graph}
        | {"file": use.location.file, "line": use.location.line, "column": use.location.column}
        for use in problem.uses
    ]
    return fields | ({"uses": uses} if uses else {})


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
