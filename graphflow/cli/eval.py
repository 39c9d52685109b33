"""`graphflow eval`: how good graphs are on annotated images, and how fast."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from graphflow import config
from graphflow.cli.progress import RunProgress
from graphflow.cli.reporting import UsageError, say, show_warnings
from graphflow.cli.settings import parse_settings
from graphflow.config.suggestions import did_you_mean

if TYPE_CHECKING:
    from graphflow.evaluation.annotations import Annotations
    from graphflow.evaluation.scores import Scores


@dataclass(frozen=True, slots=True)
class EvalRequest:
    """What was asked for on the command line; see `graphflow eval --help`."""

    graphs: Sequence[str]
    data: Path
    images: Path
    params: Sequence[str] = ()
    settings: Sequence[str] = ()
    limit: int | None = None
    plot: Path | None = None
    as_json: bool = False
    as_markdown: bool = False


def evaluate(request: EvalRequest) -> None:
    """Scores graphs and writes the scores.

    Raises:
        UsageError: there are no such annotations or images, or the plot cannot be an SVG file.
        GraphflowError: a graph is wrong or fails.
    """
    from graphflow.evaluation.annotations import read_annotations
    from graphflow.evaluation.report import as_json, markdown, plot, table

    show_warnings()
    if request.plot is not None and request.plot.suffix.lower() != ".svg":
        raise UsageError(f"--plot writes SVG: name it {request.plot.with_suffix('.svg')}")
    if not request.images.is_dir():
        raise UsageError(f"--images {request.images} is not a folder")
    try:
        annotations = read_annotations(request.data)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if request.limit:
        annotations = annotations.limited(request.limit)
    found = _scores(request, annotations)
    if request.plot is not None:
        request.plot.write_text(plot(found), "utf-8")
    if request.as_json:
        typer.echo(json.dumps(as_json(found), indent=1))
    elif request.as_markdown:
        typer.echo(markdown(found))
    else:
        from rich.console import Console

        Console().print(table(found))


def _scores(request: EvalRequest, annotations: Annotations) -> dict[str, Scores]:
    from graphflow.evaluation.prediction import Predictor, predict
    from graphflow.evaluation.scores import score

    params = _params_of_each(request.graphs, parse_settings(request.params, "--param"))
    settings = parse_settings(request.settings, "--set")
    coco = _has_coco()
    try:
        predictors = [
            Predictor(graph, annotations.keypoint_names, params=params[graph], overrides=settings)
            for graph in request.graphs
        ]
        with RunProgress(" and ".join(request.graphs), len(annotations.images), live=False) as bar:
            found = predict(predictors, annotations, request.images, lambda done, _: bar.update(done, 0))
    except ValueError as error:
        raise UsageError(str(error)) from None
    named = zip(_short_names(request.graphs), found, strict=True)
    return {name: score(annotations, each, coco=coco) for name, each in named}


def _params_of_each(graphs: Sequence[str], params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """For each graph those parameters that it has; one that no graph has is wrong."""
    known = {graph: config.read(graph).params for graph in graphs}
    names = {name for each in known.values() for name in each}
    for name in params:
        if name not in names:
            raise UsageError(f"--param {name}: no graph has it; {did_you_mean(name, names, 'parameters')}")
    return {graph: {name: value for name, value in params.items() if name in known[graph]} for graph in graphs}


def _short_names(graphs: Sequence[str]) -> list[str]:
    """That of the file, the whole path where two files are called the same."""
    stems = [Path(graph).stem for graph in graphs]
    return [stem if stems.count(stem) == 1 else graph for stem, graph in zip(stems, graphs, strict=True)]


def _has_coco() -> bool:
    from importlib.util import find_spec

    if find_spec("faster_coco_eval") is not None:
        return True
    say("warning: COCO's average precision and recall are left out: pip install 'graphflow[eval]'")
    return False
