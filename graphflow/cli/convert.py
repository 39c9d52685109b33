"""`graphflow convert` and `graphflow expand`: a graph in another spelling, or with its subgraphs laid open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from graphflow import config
from graphflow.cli.reporting import UsageError
from graphflow.cli.settings import parse_settings
from graphflow.config.checked import CheckedGraph
from graphflow.config.pbtxt_writer import write_pbtxt
from graphflow.config.spec import GraphSpec
from graphflow.config.suggestions import did_you_mean
from graphflow.config.yaml_writer import write_yaml
from graphflow.errors import GraphConfigError, Problem
from graphflow.runtime.plan import make_plan

_YAML, _PBTXT = (".yaml", ".yml"), (".pbtxt",)


def convert_graph(graph: str, target: Path, graph_path: Sequence[Path]) -> None:
    """Writes a graph as YAML or as MediaPipe's pbtxt, as the target's ending says; comments are not kept.

    Raises:
        UsageError: the target's ending is neither, or it is the graph itself.
        GraphConfigError: the graph cannot be read, or says what the other format has no words for.
    """
    if target.suffix.lower() not in (*_YAML, *_PBTXT):
        raise UsageError(f"{target}: the ending says what to write, and must be {', '.join((*_YAML, *_PBTXT))}")
    spec = config.read(graph, graph_path=graph_path)
    if target.exists() and Path(graph).exists() and target.samefile(graph):
        raise UsageError(f"{target} is the graph itself: give another file to write to")
    text = _as_pbtxt(spec) if target.suffix.lower() in _PBTXT else write_yaml(spec)
    target.write_text(text, encoding="utf-8")
    number = len(spec.nodes)
    typer.echo(f"wrote {target}: {spec.name}, {number} node{'s' if number != 1 else ''}")


def expand_graph(
    graph: str,
    settings: Sequence[str],
    params: Sequence[str],
    graph_path: Sequence[Path],
    plan: bool = False,
    wanted: Sequence[str] = (),
) -> None:
    """Prints a graph as YAML with its parameters replaced and its subgraphs laid open; or, with `plan`, how it runs.

    `wanted` are the streams that the plan is for; default all outputs of the graph.

    Raises:
        GraphConfigError: the graph, a parameter or an override is wrong.
        UsageError: a setting cannot be read.
    """
    overrides, given = parse_settings(settings, "--set"), parse_settings(params, "--param")
    if plan or wanted:
        typer.echo(_plan(config.load(graph, params=given, overrides=overrides, graph_path=graph_path), wanted))
        return
    spec = config.read(graph, graph_path=graph_path)
    expanded = config.expand(spec, params=given, overrides=overrides, graph_path=graph_path)
    typer.echo(write_yaml(expanded, expanded=True), nl=False)


def _plan(checked: CheckedGraph, wanted: Sequence[str]) -> str:
    outputs = [entry.name for entry in checked.spec.outputs]
    unknown = [name for name in wanted if name not in checked.stream_types]
    if unknown:
        hint = did_you_mean(unknown[0], outputs, "outputs")
        raise UsageError(f"--for {unknown[0]}: '{checked.spec.name}' has no such stream; {hint}")
    return make_plan(checked, set(wanted or outputs), pruned=True, fused=True).describe()


def _as_pbtxt(spec: GraphSpec) -> str:
    problems: list[Problem] = []
    text = write_pbtxt(spec, problems)
    if problems:
        raise GraphConfigError(problems)
    return text
