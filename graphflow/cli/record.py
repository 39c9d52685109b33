"""`graphflow record` and `graphflow replay`: streams of a run into a file, and out of it into a graph."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphflow import pipeline, registry
from graphflow.cli.reporting import UsageError
from graphflow.config.checked import CheckedGraph
from graphflow.feeding import SOURCE_NODE, Feed, find_input

if TYPE_CHECKING:
    from graphflow.recording import Recording


def recording_attachment(
    graph: CheckedGraph, path: Path, streams: Sequence[str], written: str
) -> pipeline.Attachment:
    """The node that records streams of a graph.

    Args:
        graph: the graph whose streams to record.
        path: the file.
        streams: their names, inner ones by their path; none: the graph's inputs, and its outputs but pictures.
        written: the side packet that counts what was written.

    Raises:
        UsageError: there is no such stream, or the file cannot be written.
    """
    from graphflow.calculators.io.output_file import check_folder
    from graphflow.recording import ENDING

    if path.suffix != ENDING:
        raise UsageError(f"-o {path}: the name of a recording must end in {ENDING}")
    try:
        check_folder(path.expanduser())
    except OSError as error:
        raise UsageError(f"-o: {error}") from error
    names = list(streams) or [*(entry.name for entry in graph.spec.inputs), *pipeline.data_outputs(graph)]
    for name in names:
        if name not in graph.stream_types:
            near = difflib.get_close_matches(name, graph.stream_types, n=1)
            exists = ", ".join(graph.stream_types)
            hint = f"did you mean '{near[0]}'?" if near else f"there is: {exists}"
            raise UsageError(f"no stream '{name}' in '{graph.spec.name}'; {hint}")
    return pipeline.Attachment(
        "recording",
        registry.find("RecordingWriter"),
        {"path": str(path), "graph": graph.spec.name},
        tuple(("STREAM", name) for name in names),
        side_inputs=(("WRITTEN", written),),
    )


def replay_feed(graph: CheckedGraph, path: Path, names: Sequence[str], max_frames: int | None) -> Feed:
    """What feeds the inputs of a graph from a recording.

    Args:
        graph: the graph to feed.
        path: the recording.
        names: `input=stream` where they are called differently; other inputs are fed from the stream of their name.
        max_frames: end after so many timestamps.

    Raises:
        UsageError: the recording lacks a stream that the graph needs.
        SourceError: it cannot be read; a ValueError.
    """
    from graphflow.calculators.io.recordings import open_recording
    from graphflow.calculators.io.sources import SourceInfo

    recording = open_recording(path)
    given = _given(graph, names)
    streams = {entry.name: given.get(entry.name, entry.name) for entry in graph.spec.inputs}
    _check(graph, path, recording, streams)
    outputs = tuple(("STREAM", name) for name in streams)
    options: dict[str, Any] = {"path": str(path), "streams": list(streams.values())}
    if max_frames is not None:
        options["max_frames"] = max_frames
    reader = pipeline.Attachment(SOURCE_NODE, registry.find("RecordingSource"), options, outputs=outputs)
    info = SourceInfo("RecordingSource", options, str(path), len(recording.timestamps()))
    return Feed((reader,), {}, dict.fromkeys(streams, info), (SOURCE_NODE,))


def _given(graph: CheckedGraph, names: Sequence[str]) -> dict[str, str]:
    given = {}
    for text in names:
        name, equals, stream = text.partition("=")
        entry = find_input(graph, name)
        if not equals or entry is None:
            exists = ", ".join(entry.name for entry in graph.spec.inputs)
            raise UsageError(f"--stream takes INPUT=STREAM, not '{text}'; the inputs are: {exists}")
        given[entry.name] = stream
    return given


def _check(graph: CheckedGraph, path: Path, recording: Recording, streams: dict[str, str]) -> None:
    if not streams:
        raise UsageError(f"'{graph.spec.name}' has no inputs to replay {path} into")
    for name, stream in streams.items():
        if stream not in recording.streams:
            exists = ", ".join(recording.streams)
            raise UsageError(
                f"{path} has no stream '{stream}' for the input '{name}'; it has: {exists}; --stream {name}=… names one"
            )
