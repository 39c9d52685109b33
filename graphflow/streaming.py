"""`graphflow.stream`: a graph on a source, as an iterator of what it says of each frame."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from graphflow import config
from graphflow.calculator import Calculator
from graphflow.context import Context
from graphflow.feeding import Source, feed, split_settings
from graphflow.pipeline import Attachment, Run, cannot_run, compose, data_outputs
from graphflow.ports import Input, SideInput
from graphflow.resources import RESOURCES, Resources
from graphflow.runtime import Graph
from graphflow.services import LIVE

_LOOKAHEAD: Final = 2
_MAILBOX: Final = "stream_mailbox"


@dataclass(frozen=True, slots=True, eq=False)
class Result(Mapping[str, Any]):
    """What a graph says of one frame: a mapping of the outputs that have a packet, each also an attribute.

    `result.left_hand_landmarks` is None where the hand was not found; `result["left_hand_landmarks"]` is a KeyError.

    Attributes:
        timestamp: microseconds.
        frame: number of the frame, from 0.
        image: the frame itself, uint8 [H, W, 3] RGB, read-only; None at a timestamp without a frame.
        outputs: the values by stream name, None where the output has no packet.
    """

    timestamp: int
    frame: int
    image: Any
    outputs: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        value = self.outputs.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[str]:
        return (key for key, value in self.outputs.items() if value is not None)

    def __len__(self) -> int:
        return sum(value is not None for value in self.outputs.values())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.outputs:
            exists = ", ".join(self.outputs)
            raise AttributeError(f"the result has no '{name}'; it has: timestamp, frame, image, {exists}")
        return self.outputs[name]


def stream(
    graph: str | Path,
    source: Source | Mapping[str, Source],
    *,
    params: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    outputs: Sequence[str] | None = None,
    num_threads: int | None = None,
    max_frames: int | None = None,
    fps: float | None = None,
) -> Generator[Result, None, None]:
    """Runs a graph on a video, images, a camera or an iterable and yields what it says of each frame.

    The graph is read and the source looked at by the call itself; work starts with the first result that is asked for
    and stays a few frames ahead. Closing the iterator, or leaving it to the garbage collector, ends the run.

    ```python
    for result in graphflow.stream("holistic", "video.mp4"):
        if result.pose_landmarks is not None:
            print(result.frame, result.pose_landmarks.xyz[0])
    ```

    Args:
        graph: name of a shipped graph, a path, or the text of one.
        source: `video.mp4`, `photo.png`, `folder/`, `frames/*.jpg`, `camera:0`, `camera:NAME`, `rtsp://…`,
            `sample:astronaut`; an iterable of frames, uint8 [H, W, 3] RGB, or of (microseconds, frame) pairs; for a
            graph with several inputs a mapping from their names to sources, whose frames are synchronised.
        params: values for the graph's parameters.
        overrides: options of single nodes, by `node/path.option`; those of the node that reads the source by
            `source.option`, such as `{"source.drop": "never"}`, or `source_INPUT.option` where there are several.
        outputs: streams to compute, inner ones by their path; default every graph output but pictures.
        num_threads: threads of the graph; default what it says, else one for each core.
        max_frames: end after this many.
        fps: stamp frame i with i / fps seconds instead of its presentation time.

    Raises:
        GraphConfigError: the graph is wrong, or has no such output.
        ValueError: the source cannot be read.
        CalculatorError: while iterating, where the run fails; frames on their way then are lost.
    """
    settings, source_settings = split_settings(overrides or {})
    checked = config.load(graph, params=params, overrides=settings)
    fed = feed(checked, source, fps=fps, max_frames=max_frames, options=source_settings)
    frames = next(iter(fed.sources))
    wanted = data_outputs(checked) if outputs is None else tuple(outputs)
    unknown = [name for name in wanted if name not in checked.stream_types]
    if unknown:
        exists = ", ".join(entry.name for entry in checked.spec.outputs)
        raise cannot_run(checked, f"'{checked.spec.name}' has no stream '{unknown[0]}'", f"its outputs are: {exists}")
    behind = collect(frames, wanted)
    running = Graph(compose(checked, fed.attachments, [behind]), num_threads=num_threads, prune=True)
    running.set_service(LIVE, fed.live)
    running.set_service(RESOURCES, Resources([checked.spec.folder]))
    return results_of(running, fed.side_packets)


def collect(frames: str, streams: Sequence[str]) -> Attachment:
    """The node behind a graph that hands streams to `results_of`, at every timestamp of `frames` or any of them."""
    return Attachment(
        "stream",
        _Collector,
        inputs=(("TICK", frames), *(("VALUE", name) for name in streams)),
        side_inputs=(("MAILBOX", _MAILBOX),),
        # it waits for whoever iterates, and must not take a thread from the graph meanwhile
        executor="stream",
    )


def results_of(graph: Graph, side_packets: Mapping[str, Any]) -> Generator[Result, None, None]:
    """Runs a graph with a `collect` node and yields what that hands over; closing the iterator ends the run.

    Raises:
        GraphflowError: where it cannot start, with the first result; where it fails, after the last.
    """
    mailbox = _Mailbox()
    run = Run(graph, {**side_packets, _MAILBOX: mailbox})
    try:
        # a failed run closes its nodes, the collector with them, when it has ended
        while (result := mailbox.take()) is not None:
            yield result
        run.wait()
        run.raise_error()
    finally:
        mailbox.abandon()
        if not run.wait(0):
            run.cancel()
            run.wait()


class _Mailbox:
    """Results on their way from the graph to whoever iterates; the graph waits while it is full."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._results: deque[Result] = deque()
        self._ended = False

    def put(self, result: Result) -> None:
        with self._changed:
            self._changed.wait_for(lambda: len(self._results) < _LOOKAHEAD or self._ended)
            self._results.append(result)
            self._changed.notify_all()

    def take(self) -> Result | None:
        """The next result; None once there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._results) or self._ended)
            result = self._results.popleft() if self._results else None
            self._changed.notify_all()
            return result

    def end(self) -> None:
        """Nothing more will be put."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Nothing more will be taken: nobody waits for room any more."""
        self.end()


class _Collector(Calculator):
    """Hands the values of each timestamp to the mailbox."""

    tick = Input("TICK", doc="the frames")
    values = Input("VALUE", optional=True, repeated=True, doc="the streams to hand over")
    mailbox = SideInput("MAILBOX", _Mailbox)

    waits = True

    def open(self, context: Context) -> None:
        self._mailbox: _Mailbox = context[self.mailbox]
        self._keys = [connection.name for connection in context.connections(self.values)]
        self._frames = 0

    def process(self, context: Context) -> None:
        image = context[self.tick]
        self._frames += image is not None
        values = dict(zip(self._keys, context[self.values], strict=True))
        self._mailbox.put(Result(context.timestamp, max(self._frames - 1, 0), image, values))

    def close(self, context: Context) -> None:
        self._mailbox.end()
