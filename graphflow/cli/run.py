"""`graphflow run`: a graph between a source and the files it writes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from graphflow import config, pipeline
from graphflow.calculator import Calculator
from graphflow.cli.progress import FetchBar, RunProgress
from graphflow.cli.reporting import FAILED, INTERRUPTED, WRONG_USAGE, UsageError, report, say, show_warnings
from graphflow.cli.settings import parse_settings
from graphflow.config.checked import CheckedGraph
from graphflow.context import Context
from graphflow.errors import GraphCancelled, GraphflowError
from graphflow.ports import Input, SideInput
from graphflow.resources import RESOURCES, Resources
from graphflow.runtime import Graph
from graphflow.services import LIVE

if TYPE_CHECKING:
    from graphflow.calculators.io.sources import SourceInfo

_TALLY: Final = "run_tally"
_REFRESH_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What the user typed."""

    graph: str
    source: str | None = None
    output: Path | None = None
    save: Path | None = None
    fps: float | None = None
    max_frames: int | None = None
    threads: int | None = None
    settings: Sequence[str] = ()
    params: Sequence[str] = ()
    graph_path: Sequence[Path] = ()
    side_packets: Sequence[str] = ()


@dataclass(slots=True)
class Tally:
    """How many frames came out at the end, and in how many of them each output was present."""

    frames: int = 0
    present: dict[str, int] = field(default_factory=dict)


def run_graph(request: RunRequest) -> None:
    """Runs the graph, showing progress, and says at the end what was done.

    Raises:
        UsageError: the arguments do not fit each other, the source, or the graph.
        GraphflowError: the graph is wrong, or a model cannot be had.
        typer.Exit: the run failed or was interrupted; that was reported.
    """
    show_warnings()
    overrides = parse_settings(request.settings, "--set")
    params = parse_settings(request.params, "--param")
    side_packets = parse_settings(request.side_packets, "--side-packet")
    if request.fps is not None and not request.fps > 0:
        raise UsageError(f"--fps must be positive, not {request.fps:g}")
    checked = config.load(request.graph, params=params, overrides=overrides, graph_path=request.graph_path)
    frames = pipeline.frame_input(checked)
    info = _open_source(request, checked, frames)
    _check_outputs(request, checked)
    _fetch_models(checked)
    files = _Files([path for path in (request.output, request.save) if path is not None])
    tally = Tally()
    composed = _composed(request, checked, frames, info, tally)
    graph = Graph(composed, num_threads=request.threads, prune=True)
    graph.set_service(RESOURCES, Resources([*request.graph_path, checked.spec.folder]))
    graph.set_service(LIVE, info is not None and info.live)
    started = time.monotonic()
    try:
        run = pipeline.Run(graph, {**side_packets, _TALLY: tally})
    except GraphflowError as error:
        hint = "paths, numbers and flags can be given as --side-packet NAME=VALUE"
        raise UsageError(f"'{request.graph}' cannot be run from the command line: {error}; {hint}") from error
    source_node = composed.nodes[0].spec.name if info else None
    progress = RunProgress(checked.spec.name, _total(request, info), live=bool(info and info.live))
    interrupted = _watch(run, tally, progress, source_node)
    seconds = time.monotonic() - started
    dropped = _dropped(graph, source_node)
    if run.error is not None and not (interrupted and isinstance(run.error, GraphCancelled)):
        report(run.error)
        kept = files.written()
        if kept:
            say(f"what came before is in {kept}")
        raise typer.Exit(WRONG_USAGE if not tally.frames and _is_source_error(run.error) else FAILED)
    typer.echo(_summary(tally, seconds, dropped, files.written(), interrupted))
    if not (request.output or request.save) and checked.spec.outputs:
        typer.echo(_presence(tally))
    if interrupted:
        raise typer.Exit(INTERRUPTED)


class _Files:
    """The files of a run, and which of them it has written rather than an earlier one."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._before = {path: _changed_ns(path) for path in paths}

    def written(self) -> str:
        """Those that were written, for people."""
        found = [str(path) for path, before in self._before.items() if _changed_ns(path) not in (None, before)]
        return " and ".join(found)


def _changed_ns(path: Path) -> int | None:
    """When a file that has something in it was changed last; None where there is none."""
    file = path.expanduser()
    return file.stat().st_mtime_ns if file.is_file() and file.stat().st_size else None


class _TallyKeeper(Calculator):
    """Counts at the end of the graph."""

    ticks = Input("TICK", optional=True)
    values = Input("VALUE", optional=True, repeated=True)
    tally = SideInput("TALLY", Tally)

    def open(self, context: Context) -> None:
        self._tally: Tally = context[self.tally]
        self._keys = [connection.name for connection in context.connections(self.values)]
        self._tally.present.update(dict.fromkeys(self._keys, 0))
        self._counts_all = not context.is_connected(self.ticks)

    def process(self, context: Context) -> None:
        for key, value in zip(self._keys, context[self.values], strict=True):
            self._tally.present[key] += value is not None
        self._tally.frames += self._counts_all or context[self.ticks] is not None


def _open_source(request: RunRequest, checked: CheckedGraph, frames: str | None) -> SourceInfo | None:
    from graphflow.calculators.io.sources import KINDS, SourceError, open_source

    if frames is None:
        if request.source is not None:
            raise UsageError(f"'{request.graph}' takes no frames from outside: leave out -i")
        return None
    if request.source is None:
        raise UsageError(f"say what to run '{request.graph}' on: -i SOURCE, which is {KINDS}")
    try:
        info = open_source(request.source)
    except SourceError as error:
        raise UsageError(str(error)) from error
    if checked.stream_types.get(frames) is not bytes:
        return info
    if info.calculator != "ImageSource":
        raise UsageError(f"'{request.graph}' decodes image files itself: -i must be images, not {request.source}")
    return replace(info, calculator="EncodedImageSource")


def _is_source_error(error: BaseException) -> bool:
    from graphflow.calculators.io.sources import SourceError

    return isinstance(error.__cause__, SourceError)


def _check_outputs(request: RunRequest, checked: CheckedGraph) -> None:
    """Finds out before the work, not after it, that a file cannot be written."""
    from graphflow.calculators.io.output_file import check_folder
    from graphflow.calculators.io.video_writer import VIDEO_OUTPUT_ENDINGS

    if request.output is not None and pipeline.picture_output(checked) is None:
        exists = ", ".join(pipeline.data_outputs(checked)) or "none"
        raise UsageError(f"'{request.graph}' has no pictures for -o {request.output}; outputs for --save: {exists}")
    if request.save is not None and not pipeline.data_outputs(checked):
        raise UsageError(f"'{request.graph}' has no outputs for --save {request.save}, only pictures: use -o")
    targets = (("-o", request.output, VIDEO_OUTPUT_ENDINGS), ("--save", request.save, (".jsonl",)))
    for option, path, endings in targets:
        if path is None:
            continue
        if path.suffix.lower() not in endings:
            raise UsageError(f"{option} {path}: the name must end in {', '.join(endings)}")
        if request.source is not None and path.exists() and Path(request.source).expanduser().exists():
            same = path.samefile(Path(request.source).expanduser())
            if same:
                raise UsageError(f"{option} {path} is the source itself: name another file")
        try:
            check_folder(path.expanduser())
        except OSError as error:
            raise UsageError(f"{option}: {error}") from error


def _fetch_models(checked: CheckedGraph) -> None:
    from graphflow.inference import ModelStore

    store = ModelStore()
    known = set(store.names())
    needed = sorted({name for name in _model_options(checked) if name in known})
    with FetchBar() as bar:
        store.fetch(needed, bar)


def _model_options(checked: CheckedGraph) -> list[str]:
    named = []
    for node in checked.nodes:
        declared = node.calculator.options().get("model")
        value = node.spec.options.get("model", declared.default) if declared else None
        if isinstance(value, str):
            named.append(value)
    return named


def _composed(
    request: RunRequest, checked: CheckedGraph, frames: str | None, info: SourceInfo | None, tally: Tally
) -> CheckedGraph:
    from graphflow import registry

    data, picture = pipeline.data_outputs(checked), pipeline.picture_output(checked)
    tick: tuple[tuple[str, str], ...] = (("TICK", frames),) if frames else ()
    sources, sinks = [], []
    if info is not None and frames is not None:
        sources.append(pipeline.read_from(info, frames, fps=request.fps, max_frames=request.max_frames))
    if request.save is not None:
        results = (*tick, *((name.upper(), name) for name in data))
        sinks.append(
            pipeline.Attachment("results", registry.find("ResultsWriter"), {"path": str(request.save)}, results)
        )
    if request.output is not None and picture is not None:
        options = {"path": str(request.output)}
        sinks.append(pipeline.Attachment("video", registry.find("VideoWriter"), options, inputs=(("IMAGE", picture),)))
    counted = [picture] if request.output and not request.save and picture else data
    if not tick and not counted:  # a graph that reads and writes files itself
        tick = tuple(("TICK", name) for name in pipeline.ending_streams(checked)[:1])
    values = (*tick, *(("VALUE", name) for name in counted))
    sinks.append(pipeline.Attachment("tally", _TallyKeeper, {}, values, side_inputs=(("TALLY", _TALLY),)))
    return pipeline.compose(checked, sources, sinks)


def _watch(run: pipeline.Run, tally: Tally, progress: RunProgress, source_node: str | None) -> bool:
    """Shows progress until the run is over; whether it was interrupted."""
    interruptions = 0
    with progress:
        while True:
            try:
                if run.wait(_REFRESH_SECONDS):
                    progress.finished(tally.frames, _dropped(run.graph, source_node))
                    return interruptions > 0
                progress.update(tally.frames, _dropped(run.graph, source_node))
            except KeyboardInterrupt:
                interruptions += 1
                if interruptions == 1:
                    say("finishing the frames on their way; Ctrl-C again drops them")
                    run.finish()
                else:
                    run.cancel()


def _dropped(graph: Graph, source_node: str | None) -> int:
    return graph.statistics()[source_node].dropped if source_node else 0


def _total(request: RunRequest, info: SourceInfo | None) -> int | None:
    announced = [count for count in (request.max_frames, info.frames if info else None) if count is not None]
    return min(announced, default=None)


def _summary(tally: Tally, seconds: float, dropped: int, written: str, interrupted: bool) -> str:
    rate = f" ({tally.frames / seconds:.1f} fps)" if seconds > 0 else ""
    parts = [f"{_count(tally.frames, 'frame')} in {seconds:.1f} s{rate}"]
    if dropped:
        parts.append(f"{dropped} dropped")
    text = ", ".join(parts) + (f", written to {written}" if written else "")
    return f"interrupted after {text}" if interrupted else text


def _presence(tally: Tally) -> str:
    """A line for each output: in how many frames it was found."""
    width = max((len(key) for key in tally.present), default=0)
    lines = [f"  {key:<{width}}  {count:>6} of {tally.frames} frames" for key, count in tally.present.items()]
    return "\n".join([*lines, "Nothing was written: -o overlay.mp4 draws it, --save results.jsonl keeps the numbers."])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
