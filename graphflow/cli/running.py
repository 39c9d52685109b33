"""The commands around runs, besides `run` itself; what they do is imported when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graphflow.cli.arguments import GraphArgument, GraphPathOption, JsonOption, ParamOption, SetOption

MaxFramesOption = Annotated[int | None, typer.Option("--max-frames", min=1, help="End after so many frames.")]
ThreadsOption = Annotated[int | None, typer.Option("--threads", min=1, help="Threads; default one for each core.")]


def add_commands(app: typer.Typer) -> None:
    """Adds the commands of this module to the program."""
    for command in (record, replay, doctor):
        app.command()(command)


def record(
    graph: GraphArgument,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The recording: .gfrec.")],
    sources: Annotated[
        list[str] | None, typer.Option("--input", "-i", metavar="SOURCE", help="As for 'graphflow run'.")
    ] = None,
    streams: Annotated[
        str,
        typer.Option(
            "--streams", metavar="A,B", help="What to store; default the graph's inputs, and its outputs but pictures."
        ),
    ] = "",
    fps: Annotated[
        float | None, typer.Option("--fps", help="Stamp frame i with i / FPS seconds instead of its presentation time.")
    ] = None,
    max_frames: MaxFramesOption = None,
    threads: ThreadsOption = None,
    settings: SetOption = None,
    params: ParamOption = None,
    graph_path: GraphPathOption = None,
) -> None:
    """Run a graph and store streams of it, any inner ones too, bit for bit."""
    from graphflow.cli.run import RunRequest, run_graph

    names = tuple(name.strip() for name in streams.split(",") if name.strip())
    run_graph(
        RunRequest(
            graph, sources or (), fps=fps, max_frames=max_frames, threads=threads, settings=settings or (),
            params=params or (), graph_path=graph_path or (), recording=output, recorded_streams=names,
        )
    )  # fmt: skip


def replay(
    recording: Annotated[Path, typer.Argument(metavar="RECORDING", help="A .gfrec file.")],
    graph: GraphArgument,
    streams: Annotated[
        list[str] | None,
        typer.Option(
            "--stream", metavar="INPUT=STREAM", help="Feed an input from a stream of another name; may be repeated."
        ),
    ] = None,
    outputs: Annotated[
        list[Path] | None, typer.Option("--output", "-o", metavar="VIDEO", help="As for 'graphflow run'.")
    ] = None,
    saves: Annotated[
        list[Path] | None, typer.Option("--save", metavar="RESULTS", help="As for 'graphflow run'.")
    ] = None,
    max_frames: MaxFramesOption = None,
    threads: ThreadsOption = None,
    settings: SetOption = None,
    params: ParamOption = None,
    graph_path: GraphPathOption = None,
) -> None:
    """Run a graph on streams that 'graphflow record' stored, whatever the graph is and wherever they came from."""
    from graphflow.cli.run import RunRequest, run_graph

    run_graph(
        RunRequest(
            graph, (), outputs or (), saves or (), max_frames=max_frames, threads=threads, settings=settings or (),
            params=params or (), graph_path=graph_path or (), replayed=recording, replayed_streams=streams or (),
        )
    )  # fmt: skip


def doctor(json: JsonOption = False) -> None:
    """Say what this machine has for graphflow: versions, decoders, providers, models, cameras, windows."""
    from graphflow.cli.doctor import examine

    examine(as_json=json)
