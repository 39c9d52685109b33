"""`graphflow run`: a graph between a source and the files it writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import typer

from graphflow import config, pipeline
from graphflow.calculator import Calculator, OptionError
from graphflow.cli.outputs import WRITTEN, OutputFiles
from graphflow.cli.preview import PreviewWindow
from graphflow.cli.prints import located_prints
from graphflow.cli.progress import FetchBar, RunProgress
from graphflow.cli.record import recording_attachment, replay_feed
from graphflow.cli.reporting import FAILED, INTERRUPTED, WRONG_USAGE, UsageError, report, say, show_warnings
from graphflow.cli.settings import parse_settings
from graphflow.cli.signals import TERMINATED, Interruptions
from graphflow.cli.statistics import print_statistics
from graphflow.cli.watch import start_watching, tell_failure
from graphflow.config.checked import CheckedGraph
from graphflow.context import Context
from graphflow.errors import GraphCancelled, GraphConfigError, GraphflowError
from graphflow.feeding import NO_FEED, Feed, Source, feed, find_input, split_settings
from graphflow.ports import Input, SideInput
from graphflow.resources import RESOURCES, Resources
from graphflow.runtime import Graph, Latencies, TraceFile
from graphflow.services import LIVE
from graphflow.swapping import SwappableRun

_TALLY: Final = "run_tally"
_REFRESH_SECONDS: Final = 0.1

_GRACE_SECONDS: Final = 5.0
"""After SIGTERM frames on their way may take so long; then they are dropped."""

_PATIENCE_SECONDS: Final = 3.0
"""What calculators have to return once frames are dropped."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What the user typed."""

    graph: str
    sources: Sequence[str] = ()
    outputs: Sequence[Path] = ()
    saves: Sequence[Path] = ()
    fps: float | None = None
    max_frames: int | None = None
    threads: int | None = None
    settings: Sequence[str] = ()
    params: Sequence[str] = ()
    graph_path: Sequence[Path] = ()
    side_packets: Sequence[str] = ()
    show: bool = False
    trace: Path | None = None
    stats: bool = False
    recording: Path | None = None
    recorded_streams: Sequence[str] = ()
    replayed: Path | None = None
    replayed_streams: Sequence[str] = ()
    watch: bool = False


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
    settings, source_settings = split_settings(parse_settings(request.settings, "--set"))
    params = parse_settings(request.params, "--param")
    side_packets = parse_settings(request.side_packets, "--side-packet")
    if request.fps is not None and not request.fps > 0:
        raise UsageError(f"--fps must be positive, not {request.fps:g}")

    def load() -> CheckedGraph:
        checked = config.load(request.graph, params=params, overrides=settings, graph_path=request.graph_path)
        fetch_models(checked)
        return checked

    checked = config.load(request.graph, params=params, overrides=settings, graph_path=request.graph_path)
    fed = feed_graph(checked, request, source_settings)
    files = OutputFiles(checked, request.graph, request.outputs, request.saves, fed)
    fetch_models(checked)
    tally = Tally()
    window = PreviewWindow(checked.spec.name) if request.show else None
    sinks = _sinks(request, checked, fed, files, window)
    own = {**side_packets, **fed.side_packets, _TALLY: tally, WRITTEN: files.counts}
    if window is not None:
        own |= window.side_packets
    listening = _Listening(request)
    nodes = [attachment.name for attachment in fed.attachments]
    progress = RunProgress(checked.spec.name, _total(request, fed), live=fed.live)
    started = time.monotonic()
    with located_prints() as prints:
        try:
            run = _start(request, checked, fed, sinks, own, listening, load)
        except OptionError as error:
            raise UsageError(str(error)) from error
        except GraphConfigError:
            raise
        except GraphflowError as error:
            hint = "paths, numbers and flags can be given as --side-packet NAME=VALUE"
            raise UsageError(f"'{request.graph}' cannot be run from the command line: {error}; {hint}") from error
        prints.belong_to(run.running_calls)
        interruptions = _watch(run, tally, progress, nodes, window)
    seconds = time.monotonic() - started
    listening.say(run, seconds)
    if run.error is not None and not (interruptions.count and isinstance(run.error, GraphCancelled)):
        report(run.error)
        kept = files.written(with_counts=True)
        if kept:
            say(f"what came before is in {kept}")
        raise typer.Exit(WRONG_USAGE if not tally.frames and _is_source_error(run.error) else FAILED)
    for note in getattr(run.error, "__notes__", ()):  # who did not return
        say(f"error: {note.removeprefix('also: ')}")
    typer.echo(_summary(tally, seconds, run.dropped(nodes), files.written(), bool(interruptions.count)))
    if not (request.outputs or request.saves or request.show or request.recording) and checked.spec.outputs:
        typer.echo(_presence(tally))
    if interruptions.count:
        raise typer.Exit(TERMINATED if interruptions.terminated else INTERRUPTED)


def _sinks(
    request: RunRequest, checked: CheckedGraph, fed: Feed, files: OutputFiles, window: PreviewWindow | None
) -> list[pipeline.Attachment]:
    """The nodes behind the graph."""
    sinks = files.attachments(checked, fed, keep_audio=request.fps is None)
    if request.recording is not None:
        sinks.append(recording_attachment(checked, request.recording, request.recorded_streams, WRITTEN))
        files.expect(request.recording)
    if window is not None:
        sinks.append(window.attachment(checked, request.graph))
    return [*sinks, _tally_attachment(checked, fed, only_picture=bool(request.outputs and not request.saves))]


def _start(
    request: RunRequest,
    checked: CheckedGraph,
    fed: Feed,
    sinks: Sequence[pipeline.Attachment],
    side_packets: Mapping[str, Any],
    listening: _Listening,
    load: Callable[[], CheckedGraph],
) -> pipeline.Run | SwappableRun:
    """The run, going on in the background."""

    def prepare(graph: CheckedGraph) -> Graph:
        made = Graph(graph, num_threads=request.threads, prune=True)
        made.set_service(RESOURCES, Resources([*request.graph_path, checked.spec.folder]))
        made.set_service(LIVE, fed.live)
        listening.listen(made)
        return made

    if not request.watch:
        return pipeline.Run(prepare(pipeline.compose(checked, fed.attachments, sinks)), side_packets)
    if listening.asked or not fed.sources:
        raise UsageError("--watch goes with a source (-i), and without --trace and --stats")
    run = SwappableRun(checked, fed, sinks, prepare, side_packets, tell_failure)
    start_watching(run, checked, load)
    return run


class _Listening:
    """What `--trace` and `--stats` take down."""

    def __init__(self, request: RunRequest) -> None:
        self._trace = _trace(request)
        self._latencies = Latencies() if request.stats else None
        self.asked = bool(self._trace or self._latencies)

    def listen(self, graph: Graph) -> None:
        for listener in (self._trace, self._latencies):
            if listener is not None:
                graph.listen(listener)

    def say(self, run: pipeline.Run | SwappableRun, seconds: float) -> None:
        if self._latencies is not None and isinstance(run, pipeline.Run):
            print_statistics(run.graph.statistics(), self._latencies.seconds, seconds)
        if self._trace is not None:
            trace = self._trace
            say(f"the trace could not be written whole: {trace.error}" if trace.error else f"trace: {trace.path}")


def _trace(request: RunRequest) -> TraceFile | None:
    """The file a trace goes to, where one is asked for."""
    if request.trace is None:
        return None
    try:
        return TraceFile(request.trace)
    except OSError as error:
        raise UsageError(f"--trace {request.trace}: {error.strerror}") from error


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


def feed_graph(checked: CheckedGraph, request: RunRequest, source_settings: Mapping[str, Any]) -> Feed:
    """What reads the sources that the user named.

    Raises:
        UsageError: they cannot be read, or do not fit the graph.
    """
    from graphflow.calculators.io.sources import KINDS, SourceError

    if request.replayed is not None:
        try:
            return replay_feed(checked, request.replayed, request.replayed_streams, request.max_frames)
        except SourceError as error:
            raise UsageError(str(error)) from error
    if not checked.spec.inputs:
        if request.sources:
            raise UsageError(f"'{request.graph}' takes no frames from outside: leave out -i")
        return NO_FEED
    if not request.sources:
        raise UsageError(f"say what to run '{request.graph}' on: -i SOURCE, which is {KINDS}")
    try:
        named = _named_sources(checked, request.sources)
        return feed(checked, named, fps=request.fps, max_frames=request.max_frames, options=source_settings)
    except (SourceError, OptionError) as error:
        raise UsageError(str(error)) from error


def _named_sources(checked: CheckedGraph, texts: Sequence[str]) -> str | dict[str, Source]:
    """`left=a.mp4` as a pair, where the graph has an input `left`; a single source may come without a name."""
    pairs: dict[str, Source] = {}
    for text in texts:
        name, equals, source = text.partition("=")
        if equals and find_input(checked, name) is not None:
            pairs[name] = source
        elif len(texts) == 1:
            return text
        else:
            exists = ", ".join(entry.name for entry in checked.spec.inputs)
            raise UsageError(f"-i {text}: say which input each of the sources is for: NAME=SOURCE, NAME of {exists}")
    return pairs


def _is_source_error(error: BaseException) -> bool:
    from graphflow.calculators.io.sources import SourceError

    return isinstance(error.__cause__, SourceError)


def fetch_models(checked: CheckedGraph) -> None:
    """Fetches those models of a graph that are not on this machine yet, showing progress."""
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


def _tally_attachment(checked: CheckedGraph, fed: Feed, only_picture: bool) -> pipeline.Attachment:
    """The node that counts what comes out."""
    data, picture = pipeline.data_outputs(checked), pipeline.picture_output(checked)
    tick: tuple[tuple[str, str], ...] = tuple(("TICK", name) for name in list(fed.sources)[:1])
    counted = (picture,) if only_picture and picture else data
    if not tick and not counted:  # a graph that reads and writes files itself
        tick = tuple(("TICK", name) for name in pipeline.ending_streams(checked)[:1])
    values = (*tick, *(("VALUE", name) for name in counted))
    return pipeline.Attachment("tally", _TallyKeeper, {}, values, side_inputs=(("TALLY", _TALLY),))


def _watch(
    run: pipeline.Run | SwappableRun,
    tally: Tally,
    progress: RunProgress,
    nodes: Sequence[str],
    window: PreviewWindow | None,
) -> Interruptions:
    """Shows progress until the run is over; how it was interrupted."""
    interruptions, heeded = Interruptions(), 0
    terminated_at = None
    with progress, interruptions:
        while not run.wait(_REFRESH_SECONDS if window is None else window.refresh()):
            progress.update(tally.frames, run.dropped(nodes))
            if window is not None and window.closed:
                run.finish()
            if terminated_at is not None and time.monotonic() - terminated_at > _GRACE_SECONDS:
                run.cancel(_PATIENCE_SECONDS)  # whoever sends SIGTERM soon sends SIGKILL
            if interruptions.count == heeded:
                continue
            heeded = interruptions.count
            if interruptions.terminated and terminated_at is None:
                terminated_at = time.monotonic()
            if heeded == 1:
                say("finishing the frames on their way; Ctrl-C again drops them")
                run.finish()
            else:
                run.cancel(_PATIENCE_SECONDS if heeded == 2 else 0)
        progress.finished(tally.frames, run.dropped(nodes))
    return interruptions


def _total(request: RunRequest, fed: Feed) -> int | None:
    announced = [count for count in (request.max_frames, fed.frames) if count is not None]
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
