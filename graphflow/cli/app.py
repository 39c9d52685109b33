"""The commands as a user types them; what they do is imported when they run, so that help comes at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from graphflow.cli import authoring, fit, running
from graphflow.cli.arguments import GraphArgument, GraphPathOption, JsonOption, ParamOption, SetOption
from graphflow.cli.reporting import report


class _Commands(TyperGroup):
    """A group of commands whose errors become one message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (Exception, KeyboardInterrupt) as error:
            code = report(error)
            if code is None:  # typer's own, which it reports best
                raise
            raise typer.Exit(code) from None


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Run dataflow graphs on videos, images and cameras: body, hands and face landmarks, or a graph of your own.",
    epilog="Exit codes: 0 done, 1 failed, 2 the graph or the arguments are wrong, 130 interrupted, 143 terminated.",
)
models_app = typer.Typer(no_args_is_help=True, help="The models: which there are, where they are, fetch them.")
app.add_typer(models_app, name="models")
authoring.add_commands(app)
fit.add_commands(app)
running.add_commands(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits; `arguments` default to those of the process."""
    app(args=list(sys.argv[1:] if arguments is None else arguments), prog_name="graphflow")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"graphflow {version('graphflow')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Say which version this is.")
    ] = False,
) -> None:
    pass


@app.command()
def run(
    graph: GraphArgument,
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            "-i",
            metavar="SOURCE",
            help="A video, an image, a folder, a glob, camera:0, camera:NAME, rtsp://…, or sample:astronaut; "
            "INPUT=SOURCE for a graph with several inputs, once for each.",
        ),
    ] = None,
    outputs: Annotated[
        list[Path] | None,
        typer.Option("--output", "-o", metavar="VIDEO", help="Write the annotated video: .mp4, …; may be repeated."),
    ] = None,
    saves: Annotated[
        list[Path] | None,
        typer.Option(
            "--save",
            metavar="RESULTS",
            help="Write what was found: .jsonl, .csv, .parquet, .npz, .coco.json, .openpose, .rrd; may be repeated.",
        ),
    ] = None,
    fps: Annotated[
        float | None, typer.Option("--fps", help="Stamp frame i with i / FPS seconds instead of its presentation time.")
    ] = None,
    max_frames: Annotated[int | None, typer.Option("--max-frames", min=1, help="End after so many frames.")] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Threads; default one for each core.")] = None,
    settings: SetOption = None,
    params: ParamOption = None,
    graph_path: GraphPathOption = None,
    side_packets: Annotated[
        list[str] | None,
        typer.Option(
            "--side-packet", metavar="NAME=VALUE", help="Give the graph a side packet: a path, a number; repeatable."
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Show the annotated picture in a window; q closes it.")] = False,
    trace: Annotated[
        Path | None,
        typer.Option(
            "--trace", metavar="TRACE.json", help="Write a timeline of all calls, for https://ui.perfetto.dev."
        ),
    ] = None,
    stats: Annotated[bool, typer.Option("--stats", help="Say where the time went, and how late results came.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on with what a file of the graph says whenever it is saved.")
    ] = False,
) -> None:
    """Run a graph on a video, images or a camera."""
    from graphflow.cli.run import RunRequest, run_graph

    folders, given = graph_path or (), (settings or (), params or ())
    request = RunRequest(
        graph, sources or (), outputs or (), saves or (), fps, max_frames, threads, *given, folders, side_packets or ()
    )
    run_graph(replace(request, show=show, trace=trace, stats=stats, watch=watch))


@app.command()
def convert(
    graph: GraphArgument,
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The file to write: .yaml or .pbtxt.")],
    graph_path: GraphPathOption = None,
) -> None:
    """Write a graph as YAML, or as pbtxt for MediaPipe; comments are not kept."""
    from graphflow.cli.convert import convert_graph

    convert_graph(graph, target, graph_path or ())


@app.command()
def expand(
    graph: GraphArgument,
    settings: SetOption = None,
    params: ParamOption = None,
    graph_path: GraphPathOption = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print how it runs: steps of nodes, and what is left out.")
    ] = False,
    wanted: Annotated[
        list[str] | None, typer.Option("--for", metavar="STREAM", help="With --plan: only what this stream needs.")
    ] = None,
) -> None:
    """Print a graph with its parameters replaced and its subgraphs laid open."""
    from graphflow.cli.convert import expand_graph

    expand_graph(graph, settings or (), params or (), graph_path or (), plan, wanted or ())


@app.command(name="eval")
def eval_(
    graph: GraphArgument,
    data: Annotated[Path, typer.Option("--data", metavar="ANNOTATIONS", help="The truth: a COCO keypoint file.")],
    images: Annotated[Path, typer.Option("--images", metavar="DIR", help="The folder of the annotated images.")],
    compare: Annotated[
        list[str] | None, typer.Option("--compare", metavar="GRAPH", help="Score this graph beside; may be repeated.")
    ] = None,
    settings: SetOption = None,
    params: ParamOption = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Use the first so many images only.")] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="SVG", help="Plot accuracy over threshold and for each joint.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Write the table for a page of documentation.")] = False,
    json: JsonOption = False,
) -> None:
    """Score graphs on annotated images: PCK, PCP, PDJ, end-point error, OKS, COCO's AP and AR, and speed."""
    from graphflow.cli.eval import EvalRequest, evaluate

    graphs = list(dict.fromkeys([graph, *(compare or ())]))
    given = params or (), settings or (), limit, plot
    evaluate(EvalRequest(graphs, data, images, *given, as_json=json, as_markdown=markdown))


@app.command(name="list")
def list_(
    what: Annotated[
        str | None, typer.Argument(metavar="[WHAT]", help="graphs, subgraphs, calculators or models; default all.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the graphs, calculators and models there are."""
    from graphflow.cli.listing import list_everything

    list_everything(what, as_json=json)


@app.command()
def describe(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A graph, a calculator, or ./file.py:Class.")],
    json: JsonOption = False,
) -> None:
    """Explain a graph or a calculator: inputs, outputs, options, and how to write it in YAML."""
    from graphflow.cli.describe import describe_name

    describe_name(name, as_json=json)


@models_app.command(name="list")
def list_models(json: JsonOption = False) -> None:
    """List the models by name, and which of them are on this machine."""
    from graphflow.cli import models

    models.list_models(as_json=json)


@models_app.command()
def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Default: all that come with MediaPipe's wheel.")
    ] = None,
) -> None:
    """Fetch models that are not on this machine yet."""
    from graphflow.cli import models

    models.fetch_models(names or ())


@models_app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What graphs shall call it.")],
    url: Annotated[str, typer.Option("--url", help="Where the .tflite or .onnx file is.")],
    sha256: Annotated[str, typer.Option("--sha256", metavar="HASH", help="SHA-256 of the file.")],
    card: Annotated[
        Path | None, typer.Option("--card", metavar="CARD", help="What it takes and gives: a .yaml file.")
    ] = None,
) -> None:
    """Make a model known by name: any graph may use it, and it is fetched and checked when one does."""
    from graphflow.cli import models

    models.add_model(name, url, sha256, card)


@models_app.command()
def path(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Default: the folder of all models.")] = None,
) -> None:
    """Print the file of a model, fetching it if need be."""
    from graphflow.cli import models

    models.show_path(name)


@models_app.command()
def info(name: Annotated[str, typer.Argument(metavar="NAME")], json: JsonOption = False) -> None:
    """Say what is known of a model: origin, digest, size, shapes."""
    from graphflow.cli import models

    models.show_info(name, as_json=json)
