"""A source in front of a graph and sinks behind it, as nodes of one larger graph: decoding, inference, drawing and
encoding overlap under one scheduler, and full queues hold back the source."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from graphflow import config, registry
from graphflow.calculator import Calculator
from graphflow.config.checked import CheckedGraph, CheckedNode
from graphflow.config.spec import ExecutorSpec, NodeSpec, PolicySpec, StreamRef
from graphflow.context import Binding, Connection, Context
from graphflow.errors import GraphConfigError, Location, Problem
from graphflow.ports import ANY_TAG, Input, Output, Port, SideInput, compatible, type_name
from graphflow.runtime import Graph
from graphflow.services import LIVE

if TYPE_CHECKING:
    from graphflow.calculators.io.sources import SourceInfo

QUEUE_SIZE: Final = 4
"""Packets that may wait on a stream: enough to keep every core busy, few enough that frames do not pile up."""

_LOOKAHEAD: Final = 2
_PICTURE_TAGS: Final = ("OVERLAY", "IMAGE", "VIDEO")
_MAILBOX: Final = "stream_mailbox"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A node to put before or behind a graph.

    Attributes:
        name: of the node; given a number where the graph has a node of that name.
        calculator: what does the work.
        options: as a graph would give them.
        inputs: (tag, stream) pairs.
        outputs: (tag, stream) pairs.
        side_inputs: (tag, side packet) pairs.
        executor: a pool of one thread of its own, by name; "" shares the graph's threads.
    """

    name: str
    calculator: type[Calculator]
    options: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[tuple[str, str], ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    side_inputs: tuple[tuple[str, str], ...] = ()
    executor: str = ""


def frame_input(graph: CheckedGraph) -> str | None:
    """The graph input that takes the frames: the one tagged IMAGE, else the only one; None where there is none.

    Raises:
        GraphConfigError: there are several inputs and none is tagged IMAGE.
    """
    inputs = graph.spec.inputs
    tagged = [entry for entry in inputs if entry.tag == "IMAGE"] or list(inputs)
    if len(tagged) > 1:
        names = ", ".join(str(entry) for entry in inputs)
        raise _cannot(graph, f"'{graph.spec.name}' has several inputs ({names})", "tag the one for the frames IMAGE")
    others = [entry for entry in inputs if entry not in tagged]
    if others:
        names = ", ".join(str(entry) for entry in others)
        raise _cannot(graph, f"nothing feeds the inputs {names}", "feed them from Python: graphflow.load, add_packet")
    return tagged[0].name if tagged else None


def data_outputs(graph: CheckedGraph) -> tuple[str, ...]:
    """The graph outputs that are data about a frame rather than pictures of it; each stream's name is its key."""
    return tuple(entry.name for entry in graph.spec.outputs if not _is_picture(graph, entry))


def picture_output(graph: CheckedGraph) -> str | None:
    """The graph output to watch: the one tagged OVERLAY, else the first that carries images; None without any."""
    pictures = [entry for entry in graph.spec.outputs if _is_picture(graph, entry)]
    pictures.sort(key=lambda entry: entry.tag != "OVERLAY")
    return pictures[0].name if pictures else None


def ending_streams(graph: CheckedGraph) -> tuple[str, ...]:
    """The streams that end in the graph itself: the first input of each node that emits nothing, a writer of files."""
    ends = (node.binding for node in graph.nodes if node.binding.inputs and not node.binding.outputs)
    return tuple(binding.inputs[0].name for binding in ends)


def compose(graph: CheckedGraph, sources: Sequence[Attachment] = (), sinks: Sequence[Attachment] = ()) -> CheckedGraph:
    """The graph with nodes before and behind it, its queues kept short.

    A source's output takes the place of the graph input of the same name. The side packets that attached nodes read
    become side inputs of the whole.

    Raises:
        GraphConfigError: an attached node's port and the stream it meets carry different types.
        ValueError: an attached calculator has no such port.
        graphflow.OptionError: its options are wrong.
    """
    taken = {node.spec.name for node in graph.nodes}
    types = dict(graph.stream_types)
    before = [_attached(graph, entry, taken, types) for entry in sources]
    behind = [_attached(graph, entry, taken, types) for entry in sinks]
    fed = {stream for entry in sources for _, stream in entry.outputs}
    side = [name for entry in (*sources, *sinks) for _, name in entry.side_inputs]
    pools = dict.fromkeys(entry.executor for entry in (*sources, *sinks) if entry.executor)
    spec = graph.spec
    composed = replace(
        spec,
        inputs=tuple(entry for entry in spec.inputs if entry.name not in fed),
        side_inputs=(*spec.side_inputs, *(StreamRef("", index, name) for index, name in enumerate(side))),
        nodes=(*(node.spec for node in before), *spec.nodes, *(node.spec for node in behind)),
        executors=(*spec.executors, *(ExecutorSpec(name, 1) for name in pools)),
        max_queue_size=QUEUE_SIZE if spec.max_queue_size < 0 else min(spec.max_queue_size, QUEUE_SIZE),
    )
    return CheckedGraph(composed, (*before, *graph.nodes, *behind), types)


class Run:
    """A started graph and the thread that waits for its end, so that the caller can do something else meanwhile."""

    def __init__(self, graph: Graph, side_packets: Mapping[str, Any] | None = None) -> None:
        """Starts the graph.

        Raises:
            GraphflowError: as `Graph.start`.
        """
        self.graph = graph
        self.error: BaseException | None = None
        self._ended = threading.Event()
        graph.start(side_packets)
        self._waiter = threading.Thread(target=self._wait_until_done, name=f"graphflow-{graph.name}-end", daemon=True)
        self._waiter.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits at most `timeout` seconds; whether the run is over: threads gone, every node closed."""
        return self._ended.wait(timeout)

    def finish(self) -> None:
        """Ends the sources; frames on their way still go through, so that all sinks end at the same one."""
        self.graph.close_all_sources()

    def cancel(self) -> None:
        """Ends the run as soon as the running calculators return; frames on their way are lost."""
        self.graph.cancel()

    def raise_error(self) -> None:
        """Raises what ended the run, if anything did."""
        if self.error is not None:
            raise self.error

    def _wait_until_done(self) -> None:
        try:
            self.graph.wait_until_done()
        except BaseException as error:  # whatever it is, it belongs to whoever asked for the run
            self.error = error
        self._ended.set()


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
    source: str | Path,
    *,
    params: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    outputs: Sequence[str] | None = None,
    num_threads: int | None = None,
    max_frames: int | None = None,
    fps: float | None = None,
) -> Generator[Result, None, None]:
    """Runs a graph on a video, images or a camera and yields what it says of each frame.

    The graph is read and the source looked at by the call itself; work starts with the first result that is asked for
    and stays a few frames ahead. Closing the iterator, or leaving it to the garbage collector, ends the run.

    ```python
    for result in graphflow.stream("holistic", "video.mp4"):
        if result.pose_landmarks is not None:
            print(result.frame, result.pose_landmarks.xyz[0])
    ```

    Args:
        graph: name of a shipped graph, a path, or the text of one.
        source: `video.mp4`, `photo.png`, `folder/`, `frames/*.jpg`, `camera:0`, `rtsp://…`, `sample:astronaut`.
        params: values for the graph's parameters.
        overrides: options of single nodes, by `node/path.option`.
        outputs: streams to compute, inner ones by their path; default every graph output but pictures.
        num_threads: threads of the graph; default what it says, else one for each core.
        max_frames: end after this many.
        fps: stamp frame i with i / fps seconds instead of its presentation time.

    Raises:
        GraphConfigError: the graph is wrong, or has no such output.
        ValueError: the source cannot be read.
        CalculatorError: while iterating, where the run fails; frames on their way then are lost.
    """
    from graphflow.calculators.io.sources import open_source

    checked = config.load(graph, params=params, overrides=overrides)
    frames = frame_input(checked)
    if frames is None:
        raise _cannot(checked, f"'{checked.spec.name}' has no input for frames", "run it with graphflow.load")
    wanted = data_outputs(checked) if outputs is None else tuple(outputs)
    unknown = [name for name in wanted if name not in checked.stream_types]
    if unknown:
        exists = ", ".join(entry.name for entry in checked.spec.outputs)
        raise _cannot(checked, f"'{checked.spec.name}' has no stream '{unknown[0]}'", f"its outputs are: {exists}")
    collector = Attachment(
        "stream",
        _Collector,
        inputs=(("TICK", frames), *(("VALUE", name) for name in wanted)),
        side_inputs=(("MAILBOX", _MAILBOX),),
        # it waits for whoever iterates, and must not take a thread from the graph meanwhile
        executor="stream",
    )
    info = open_source(str(source))
    composed = compose(checked, [read_from(info, frames, fps=fps, max_frames=max_frames)], [collector])
    running = Graph(composed, num_threads=num_threads, prune=True)
    running.set_service(LIVE, info.live)
    return _results(running)


def read_from(info: SourceInfo, output: str, *, fps: float | None = None, max_frames: int | None = None) -> Attachment:
    """The node that reads a source, with its frames on the stream `output`."""
    given = {"fps": fps, "max_frames": max_frames}
    options = {**info.options, **{name: value for name, value in given.items() if value is not None}}
    return Attachment("source", registry.find(info.calculator), options, outputs=(("IMAGE", output),))


def _results(graph: Graph) -> Generator[Result, None, None]:
    mailbox = _Mailbox()
    run = Run(graph, {_MAILBOX: mailbox})
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


def _attached(graph: CheckedGraph, entry: Attachment, taken: set[str], types: dict[str, Any]) -> CheckedNode:
    name, number = entry.name, 2
    while name in taken:
        name, number = f"{entry.name}_{number}", number + 1
    taken.add(name)
    calculator = entry.calculator
    binding = Binding(
        _connections(calculator, Input, entry.inputs),
        _connections(calculator, Output, entry.outputs),
        _connections(calculator, SideInput, entry.side_inputs),
    )
    for connection in binding.inputs:
        _check_type(graph, connection.name, types.get(connection.name, Any), connection.port.type)
    for connection in binding.outputs:
        _check_type(graph, connection.name, connection.port.type, types.get(connection.name, Any))
        types[connection.name] = connection.port.type
    problems = list(calculator(entry.options).check(binding))
    if problems:
        raise _cannot(graph, f"{name}: {'; '.join(problems)}")
    spec = NodeSpec(
        name,
        calculator.__name__,
        tuple(StreamRef(each.tag, each.index, each.name) for each in binding.inputs),
        tuple(StreamRef(each.tag, each.index, each.name) for each in binding.outputs),
        tuple(StreamRef(each.tag, each.index, each.name) for each in binding.side_inputs),
        options=entry.options,
        executor=entry.executor,
        location=Location(f"<{name}>"),
    )
    return CheckedNode(spec, calculator, binding, PolicySpec(calculator.input_policy))


def _connections(
    calculator: type[Calculator], kind: type[Port], pairs: Sequence[tuple[str, str]]
) -> tuple[Connection, ...]:
    ports = {port.tag: port for port in calculator.ports() if type(port) is kind}
    counts: dict[str, int] = {}
    found = []
    for tag, name in pairs:
        port = ports.get(tag) or ports.get(ANY_TAG)
        if port is None:
            raise ValueError(f"{calculator.__name__} has no {kind.__name__.lower()} '{tag}'")
        found.append(Connection(tag, counts.get(tag, 0), name, port))
        counts[tag] = counts.get(tag, 0) + 1
    return tuple(sorted(found, key=lambda connection: (connection.tag, connection.index)))


def _check_type(graph: CheckedGraph, stream_name: str, produced: Any, consumed: Any) -> None:
    if not compatible(produced, consumed):
        raise _cannot(
            graph, f"stream '{stream_name}' carries {type_name(produced)}, but {type_name(consumed)} is read from it"
        )


def _is_picture(graph: CheckedGraph, output: StreamRef) -> bool:
    return output.tag in _PICTURE_TAGS or graph.stream_types.get(output.name) is np.ndarray


def _cannot(graph: CheckedGraph, message: str, hint: str = "") -> GraphConfigError:
    return GraphConfigError([Problem(graph.spec.location, message, hint)])
