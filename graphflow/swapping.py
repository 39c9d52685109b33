"""A run whose graph can be replaced while packets flow: the source before it and the sinks behind it go on."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from graphflow import timestamp as ts
from graphflow.config.checked import CheckedGraph
from graphflow.config.spec import StreamRef
from graphflow.errors import GraphCancelled, GraphflowError
from graphflow.feeding import Feed
from graphflow.packet import Packet
from graphflow.pipeline import Attachment, cannot_run, compose
from graphflow.runtime import Graph
from graphflow.runtime.running_calls import RunningCall
from graphflow.streaming import collect, results_of


class SwappableRun:
    """A source, a graph and sinks as three graphs, of which the one in the middle can be replaced.

    The new graph is started and its nodes are opened before the old one gives up its place; frames wait meanwhile, or a
    live source drops them. The old graph works off what it has. State is not taken over: a counter begins anew.

    Args:
        checked: the first graph.
        fed: what reads the sources.
        sinks: the nodes behind the graph.
        prepare: makes a graph of a checked one, with its threads and services.
        side_packets: for the sources, the graphs and the sinks, by name.
        tell: takes what went wrong with a graph that was running.

    Raises:
        GraphflowError: as `Graph.start`.
    """

    def __init__(
        self,
        checked: CheckedGraph,
        fed: Feed,
        sinks: Sequence[Attachment],
        prepare: Callable[[CheckedGraph], Graph],
        side_packets: Mapping[str, Any],
        tell: Callable[[BaseException], None],
    ) -> None:
        self.error: BaseException | None = None
        self._prepare = prepare
        self._side_packets = side_packets
        self._tell = tell
        self._ended = threading.Event()
        self._finishing = False
        self._changed = threading.Condition()
        self._inputs = tuple(fed.sources)
        self._read = sorted({name for sink in sinks for _, name in sink.inputs} - set(self._inputs))
        self._first = checked
        self._sinks = Graph(compose(_streams_only(checked, [*self._inputs, *self._read]), (), sinks))
        behind = collect(self._inputs[0], self._inputs)
        self._source = Graph(compose(_streams_only(checked, self._inputs), fed.attachments, [behind]))
        self._sinks.start(self._needed(self._sinks))
        self._graph: Graph | None = None
        self._missing: list[str] = []
        self._take_over(*self._started(checked))
        self._pump_thread = threading.Thread(target=self._pump, name="graphflow-pump", daemon=True)
        self._pump_thread.start()

    def swap(self, checked: CheckedGraph) -> None:
        """Puts another graph in the place of the one that runs.

        Raises:
            GraphConfigError: it has other inputs, or gives out another type where a sink reads.
            GraphflowError: it cannot start; the old one runs on.
        """
        if {entry.name for entry in checked.spec.inputs} != set(self._inputs):
            now = ", ".join(entry.name for entry in checked.spec.inputs) or "none"
            raise cannot_run(checked, f"the graph's inputs are now {now}", "stop the run and start it anew for that")
        before = self._first.stream_types
        for name in self._read:
            kind = checked.stream_types.get(name, before[name])
            if kind != before[name]:
                raise cannot_run(checked, f"'{name}' is of another type now", "stop the run and start it anew for that")
        new = self._started(checked)
        with self._changed:
            old, self._graph = self._graph, None
            if old is not None:
                self._end(old)
            self._take_over(*new)
            self._changed.notify_all()

    @property
    def failed(self) -> bool:
        """Whether the graph has failed, and frames wait for another one."""
        return self._graph is None and not self._ended.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """As `pipeline.Run.wait`."""
        return self._ended.wait(timeout)

    def finish(self) -> None:
        """As `pipeline.Run.finish`."""
        self._finishing = True
        with self._changed:
            self._changed.notify_all()
        with contextlib.suppress(GraphflowError):
            self._source.close_all_sources()

    def cancel(self, patience_s: float | None = None) -> None:
        """As `pipeline.Run.cancel`."""
        self._finishing = True
        for graph in (self._source, self._graph, self._sinks):
            if graph is not None:
                with contextlib.suppress(GraphflowError):
                    graph.cancel(patience_s)

    def dropped(self, nodes: Sequence[str]) -> int:
        """As `pipeline.Run.dropped`."""
        try:
            statistics = self._source.statistics()
        except GraphflowError:  # not started yet
            return 0
        return sum(statistics[node].dropped for node in nodes)

    def running_calls(self) -> list[RunningCall]:
        """As `pipeline.Run.running_calls`."""
        graph = self._graph
        return graph.running_calls() if graph is not None else []

    def _started(self, checked: CheckedGraph) -> tuple[Graph, list[str]]:
        """A graph that is open, and the names of those streams that it lacks."""
        graph = self._prepare(checked)
        lacking = [name for name in self._read if name not in checked.stream_types]
        for name in self._read:
            if name not in lacking:
                graph.observe(name, lambda packet, name=name: self._pass_on(name, packet), bounds=True)  # type: ignore[misc]
        graph.start(self._needed(graph))
        graph.wait_until_idle()  # raises where a node cannot open
        return graph, lacking

    def _take_over(self, graph: Graph, missing: list[str]) -> None:
        self._graph, self._missing = graph, missing

    def _needed(self, graph: Graph) -> dict[str, Any]:
        read = {entry.name for node in graph.checked.nodes for entry in node.binding.side_inputs}
        return {name: value for name, value in self._side_packets.items() if name in read}

    def _pass_on(self, stream: str, packet: Packet) -> None:
        if not ts.MIN <= packet.timestamp < ts.MAX:
            return
        # what is wrong with the sinks is found out by whoever feeds them the next frame
        with contextlib.suppress(GraphflowError):
            if packet.empty:
                self._sinks.set_bound(stream, packet.timestamp + 1)
            else:
                self._sinks.add_packet(stream, packet.value, packet.timestamp)

    def _pump(self) -> None:
        """Carries frames from the source to the graph, whichever it is, and to the sinks."""
        try:
            for result in results_of(self._source, self._needed(self._source)):
                timestamp, frames = result.timestamp, result.outputs
                for name, value in frames.items():
                    if value is not None:
                        self._sinks.add_packet(name, value, timestamp)
                    else:
                        self._sinks.set_bound(name, timestamp + 1)
                self._feed(timestamp, frames)
                if self._finishing:
                    self._source.close_all_sources()
            with self._changed:
                graph, self._graph = self._graph, None
                if graph is not None:
                    self._end(graph)
            self._sinks.close_all_inputs()
        except BaseException as error:  # whatever it is, it belongs to whoever asked for the run
            self.error = error
            self.cancel(1.0)
        try:
            self._sinks.wait_until_done()
        except BaseException as error:
            self.error = self.error or error
        self._ended.set()

    def _feed(self, timestamp: int, frames: Mapping[str, Any]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._graph is not None or self._finishing)
            graph = self._graph
            if graph is None:
                return
            try:
                for name, value in frames.items():
                    if value is not None:
                        graph.add_packet(name, value, timestamp)
                    else:
                        graph.set_bound(name, timestamp + 1)
                for name in self._missing:
                    self._sinks.set_bound(name, timestamp + 1)
            except GraphflowError:
                self._graph = None
                self._end(graph)  # tells the error, with all that belongs to it

    def _end(self, graph: Graph) -> None:
        with contextlib.suppress(GraphflowError):
            graph.close_all_inputs()
        try:
            graph.wait_until_done()
        except GraphCancelled:
            if not self._finishing:
                raise
        except GraphflowError as error:
            self._tell(error)


def _streams_only(graph: CheckedGraph, names: Sequence[str]) -> CheckedGraph:
    """A graph without nodes that has streams of another one as its inputs."""
    inputs = tuple(StreamRef(name.upper(), 0, name) for name in names)
    spec = replace(graph.spec, inputs=inputs, outputs=(), side_inputs=(), nodes=())
    types = {name: graph.stream_types[name] for name in names}
    return CheckedGraph(spec, (), types)


def changed_files(graph: CheckedGraph) -> dict[str, int]:
    """The files that a graph was made of, its own, those of its subgraphs and calculators, and when each was saved."""
    files = {node.spec.location.file for node in graph.nodes} | {graph.spec.location.file}
    for node in graph.nodes:
        module = sys.modules.get(node.calculator.__module__)
        files.add(str(getattr(module, "__file__", "")))
    found = {}
    for file in files:
        with contextlib.suppress(OSError):
            found[file] = os.stat(file).st_mtime_ns
    return found
