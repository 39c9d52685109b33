"""Which source feeds which input of a graph: one source, several that are synchronised, or a Python iterator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from graphflow import registry
from graphflow.calculator import OptionError
from graphflow.config.checked import CheckedGraph
from graphflow.config.spec import StreamRef
from graphflow.pipeline import Attachment, cannot_run

if TYPE_CHECKING:
    from graphflow.calculators.io.sources import SourceInfo

Source: TypeAlias = str | Path | Iterable[Any]
"""What `graphflow.calculators.io.sources.open_source` takes, or an iterable of frames or (timestamp, frame) pairs."""

SOURCE_NODE: Final = "source"
"""Name of the node that reads the only source; with several they are `source_` and the name of the graph input."""


@dataclass(frozen=True, slots=True)
class Feed:
    """The nodes in front of a graph that read its sources.

    Attributes:
        attachments: for `pipeline.compose`.
        side_packets: what they need, by name.
        sources: what is known of each source, by the graph input it feeds, the leading one first.
        nodes: the names of the nodes that read them, in that order.
    """

    attachments: tuple[Attachment, ...]
    side_packets: Mapping[str, Any]
    sources: Mapping[str, SourceInfo]
    nodes: tuple[str, ...]

    @property
    def live(self) -> bool:
        """Whether any of the sources may drop frames."""
        return any(info.live for info in self.sources.values())

    @property
    def frames(self) -> int | None:
        """How many frames are to be expected, as far as the sources announce it."""
        return min((info.frames for info in self.sources.values() if info.frames is not None), default=None)


NO_FEED: Final = Feed((), {}, {}, ())
"""For a graph that reads its sources itself."""


def frame_input(graph: CheckedGraph) -> str | None:
    """The graph input that takes the frames: the one tagged IMAGE, else the only one; None where there is none.

    Raises:
        GraphConfigError: there are several inputs and none is tagged IMAGE.
    """
    inputs = graph.spec.inputs
    tagged = [entry for entry in inputs if entry.tag == "IMAGE"] or list(inputs)
    if len(tagged) > 1:
        names = ", ".join(str(entry) for entry in inputs)
        raise cannot_run(graph, f"'{graph.spec.name}' has several inputs ({names})", "tag the one for the frames IMAGE")
    others = [entry for entry in inputs if entry not in tagged]
    if others:
        names = ", ".join(str(entry) for entry in others)
        raise cannot_run(graph, f"nothing feeds the inputs {names}", "name a source for each input, such as left=a.mp4")
    return tagged[0].name if tagged else None


def feed(
    graph: CheckedGraph,
    source: Source | Mapping[str, Source],
    *,
    fps: float | None = None,
    max_frames: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> Feed:
    """The nodes that read the sources of a graph.

    Args:
        graph: the graph to feed.
        source: for the input that takes the frames; or a mapping from the names or tags of graph inputs to sources. The
            packets of several are brought together by `Synchronize`; the first one sets the pace.
        fps: stamp frame i of each source with i / fps seconds instead of its own time.
        max_frames: end each source after this many.
        options: further options of the source nodes, by `node.option`.

    Raises:
        GraphConfigError: the graph has no such inputs, or others that nothing feeds.
        SourceError: a source cannot be read; a ValueError.
        graphflow.OptionError: a source has no such option.
    """
    given = {} if fps is None else {"fps": fps}
    given |= {} if max_frames is None else {"max_frames": max_frames}
    named = _by_input(graph, source)
    alone = len(named) == 1
    nodes = {stream: SOURCE_NODE if alone else f"{SOURCE_NODE}_{stream}" for stream in named}
    settings = _settings_by_node(graph, options or {}, tuple(nodes.values()))
    attachments: list[Attachment] = []
    side_packets: dict[str, Any] = {}
    sources: dict[str, SourceInfo] = {}
    for stream, each in named.items():
        node = nodes[stream]
        info = _open(graph, stream, each)
        sides: tuple[tuple[str, str], ...] = ()
        if info.calculator == "IteratorSource":
            sides = (("FRAMES", f"{node}_frames"),)
            side_packets[f"{node}_frames"] = each
        sources[stream] = info
        output = stream if alone else _as_read(node)
        calculator = registry.find(info.calculator)
        for option in settings[node]:
            if option not in calculator.options():
                exists = ", ".join(calculator.options())
                raise OptionError(option, f"{info.calculator} has no option '{option}'; it has: {exists}")
        attachments.append(
            Attachment(
                node,
                calculator,
                {**info.options, **given, **settings[node]},
                outputs=(("IMAGE", output),),
                side_inputs=sides,
                # it may wait for a device or for whoever yields, and must not take a thread from the graph meanwhile
                executor=node if info.live or sides else "",
            )
        )
    if not alone:
        pairs = tuple(("", _as_read(node)) for node in nodes.values()), tuple(("", stream) for stream in nodes)
        attachments.append(Attachment("synchronize", registry.find("Synchronize"), {}, *pairs))
    return Feed(tuple(attachments), side_packets, sources, tuple(nodes.values()))


def split_settings(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of a graph's nodes, and those of the nodes that read its sources, whose names begin with `source`.

    >>> split_settings({"pose/filter.alpha": 1, "source.drop": "never", "source_left.fps": 25})
    ({'pose/filter.alpha': 1}, {'source.drop': 'never', 'source_left.fps': 25})
    """
    ours = {key for key in settings if _is_for_source(key.partition(".")[0])}
    graph = {key: value for key, value in settings.items() if key not in ours}
    return graph, {key: value for key, value in settings.items() if key in ours}


def _is_for_source(node: str) -> bool:
    return node == SOURCE_NODE or node.startswith(f"{SOURCE_NODE}_")


def _by_input(graph: CheckedGraph, source: Source | Mapping[str, Source]) -> dict[str, Source]:
    """The sources by the name of the stream they feed."""
    if not isinstance(source, Mapping):
        stream = frame_input(graph)
        if stream is None:
            raise cannot_run(graph, f"'{graph.spec.name}' has no input for frames", "run it with graphflow.load")
        return {stream: source}
    inputs = graph.spec.inputs
    found: dict[str, Source] = {}
    for name, each in source.items():
        entry = find_input(graph, name)
        if entry is None:
            exists = ", ".join(f"{entry}" for entry in inputs) or "none"
            raise cannot_run(graph, f"'{graph.spec.name}' has no input '{name}'", f"its inputs are: {exists}")
        found[entry.name] = each
    missing = ", ".join(str(entry) for entry in inputs if entry.name not in found)
    if missing:
        raise cannot_run(graph, f"nothing feeds the inputs {missing}", "name a source for each input")
    return found


def find_input(graph: CheckedGraph, name: str) -> StreamRef | None:
    """The graph input of this name or, if there is but one with it, this tag; None without any."""
    inputs = graph.spec.inputs
    named = [entry for entry in inputs if entry.name == name] or [entry for entry in inputs if entry.tag == name]
    return named[0] if len(named) == 1 else None


def _open(graph: CheckedGraph, stream: str, source: Source) -> SourceInfo:
    from graphflow.calculators.io.sources import SourceError, SourceInfo, open_source

    if not isinstance(source, str | Path):
        return SourceInfo("IteratorSource", {}, "the iterator")
    info = open_source(str(source))
    if graph.stream_types.get(stream) is not bytes:
        return info
    if info.calculator != "ImageSource":
        raise SourceError(f"'{graph.spec.name}' decodes image files itself: its source must be images, not {source}")
    return replace(info, calculator="EncodedImageSource")


def _settings_by_node(
    graph: CheckedGraph, options: Mapping[str, Any], nodes: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {node: {} for node in nodes}
    for key, value in options.items():
        node, _, option = key.partition(".")
        if node not in found:
            raise cannot_run(graph, f"no source node '{node}'", f"there is: {', '.join(nodes)}")
        found[node][option] = value
    return found


def _as_read(node: str) -> str:
    return f"{node}/image"
