"""What a run did, call by call: as a trace for a timeline viewer, and as latencies.

A listener is told of every call of every node, on the thread that made it and without the scheduler's lock; it must be
quick, as everything waits for it.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from graphflow import timestamp as ts
from graphflow.config.checked import CheckedNode
from graphflow.runtime.fusion import members_of

_CHUNK = 4096
_HELD = 25
"""How many chunks wait in memory before the first is written: formatting takes longer than noting."""


class Call(NamedTuple):
    """One call of a calculator.

    Attributes:
        node: the node, its place in the order in which nodes run.
        doing: `open`, `process` or `close`.
        timestamp: of the inputs; of a source, of what it emitted first (UNSET where nothing).
        started: by `time.perf_counter_ns`.
        ended: likewise.
        thread: the thread's identifier.
        emitted: for each output of the node, whether a packet went out.
        waiting: packets that waited in the node's fullest queue when the call was over.
        dropped: packets that the calculator has left out so far.
        key: of a node in an instance of a graph, whose instance it is.
        spans: of a step, the calls of its nodes: which one, when it started and when it ended.
    """

    node: int
    doing: str
    timestamp: int
    started: int
    ended: int
    thread: int
    emitted: tuple[bool, ...]
    waiting: int
    dropped: int
    key: Any = None
    spans: Sequence[tuple[int, int, int]] = ()


class Listener(Protocol):
    """Whoever wants to know what a run does."""

    def started(self, nodes: Sequence[CheckedNode]) -> None:
        """A run begins, of these nodes and steps."""

    def called(self, call: Call) -> None:
        """A call is over."""

    def added(self, stream: str, timestamp: int) -> None:
        """A packet was added to a graph input from outside."""

    def ended(self) -> None:
        """The run is over, and no thread of it is left."""


class TraceFile:
    """Writes a trace in the format of Chrome's trace events, which https://ui.perfetto.dev and chrome://tracing open.

    Each thread has its row of calls; arrows lead from the call that emitted a packet to those that read it; counters
    show how many packets wait in front of a node, and how many were dropped. A thread of its own writes the file: the
    last hundred thousand calls when the run is over, however it ends, those before while it goes on.

    Args:
        path: the file to write; what it held is lost.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file = self.path.open("w", encoding="utf-8")
        self._file.write("[\n")
        self._origin = time.perf_counter_ns()
        self._calls: list[Call] = []
        self._chunks: queue.SimpleQueue[list[Call] | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._nodes: Sequence[CheckedNode] = ()
        self._threads: dict[int, int] = {}
        self._names: dict[int, str] = {}
        self._labels: dict[tuple[int, int, str, Any], tuple[str, str]] = {}
        self._counters: dict[tuple[int, str, Any], int] = {}
        self._produced: dict[tuple[str, int, Any], int] = {}
        self._flows = 0
        self.error: OSError | None = None

    def started(self, nodes: Sequence[CheckedNode]) -> None:
        self._nodes = nodes
        self._writer = threading.Thread(target=self._write, name="graphflow-trace", daemon=True)
        self._writer.start()

    def called(self, call: Call) -> None:
        if call.thread not in self._names:
            self._names[call.thread] = threading.current_thread().name
        self._calls.append(call)
        if len(self._calls) >= _CHUNK:
            self._chunks.put(self._calls)
            self._calls = []

    def added(self, stream: str, timestamp: int) -> None:
        """Nothing: a timeline starts with the first call."""

    def ended(self) -> None:
        self._chunks.put(self._calls)
        self._chunks.put(None)
        self._calls = []
        if self._writer is not None:
            self._writer.join()
        try:
            self._file.write('{"name": "process_name", "ph": "M", "pid": 1, "args": {"name": "graphflow"}}\n]\n')
            self._file.close()
        except OSError as error:
            self.error = self.error or error

    def _write(self) -> None:
        held: deque[list[Call]] = deque()
        while True:
            chunk = self._chunks.get()
            if chunk is not None:
                held.append(chunk)
            while held and (chunk is None or len(held) > _HELD):
                self._write_chunk(held.popleft())
            if chunk is None:
                return

    def _write_chunk(self, chunk: list[Call]) -> None:
        if self.error is None:
            try:
                self._file.writelines(line for call in chunk for line in self._lines(call))
                self._file.flush()
            except OSError as error:  # a full disk ends the trace, not the run
                self.error = error

    def _lines(self, call: Call) -> Iterator[str]:
        """The events of one call as lines of JSON, formatted by hand: `json` takes three times as long."""
        if call.thread not in self._threads:
            self._threads[call.thread] = len(self._threads) + 1
            row = {"name": self._names[call.thread]}
            found = {"name": "thread_name", "ph": "M", "pid": 1, "tid": self._threads[call.thread], "args": row}
            yield f"{json.dumps(found)},\n"
        where = f'"pid":1,"tid":{self._threads[call.thread]}'
        args = f'{where},"args":{{"timestamp":"{ts.describe(call.timestamp)}"}}}},\n'
        yield self._span(call, -1, call.started, call.ended) + args
        for member, started, ended in call.spans:
            yield self._span(call, member, started, ended) + args
        if call.doing == "process":
            yield from self._flow_lines(call, self._nodes[call.node], where)
            yield from self._counter(call, "waiting", call.waiting, "queues")
            yield from self._counter(call, "dropped", call.dropped, "drops")

    def _span(self, call: Call, member: int, started: int, ended: int) -> str:
        """The beginning of the event of a call, or of the call of a member of a step."""
        name, kind = self._shown(call, member)
        duration = (ended - started) / 1000
        return f'{{"name":{name},"cat":{kind},"ph":"X","ts":{self._us(started):.3f},"dur":{duration:.3f},'

    def _shown(self, call: Call, member: int) -> tuple[str, str]:
        """The name and the kind that a call, or that of a member of a step, is shown under, as JSON."""
        key = call.node, member, call.doing, call.key
        if key not in self._labels:
            node = self._nodes[call.node]
            members = members_of(node)
            shown = members[member] if member >= 0 else node
            step = shown is node and len(members) > 1
            name = f"step of {len(members)}" if step else shown.spec.name
            name += _of_key(call) + ("" if call.doing == "process" else f" ({call.doing})")
            self._labels[key] = json.dumps(name), json.dumps("step" if step else shown.calculator.__name__)
        return self._labels[key]

    def _flow_lines(self, call: Call, node: CheckedNode, where: str) -> Iterator[str]:
        """Arrows to this call from those that emitted what it read, and the beginnings of those that lead on."""
        common = f'{{"name":"packet","cat":"flow",{where}'
        for entry in node.binding.inputs:
            flow = self._produced.get((entry.name, call.timestamp, call.key))
            if flow is not None and not entry.back_edge:
                # a flow has one beginning and any number of steps
                yield f'{common},"ph":"t","id":{flow},"ts":{self._us(call.started) + 0.001:.3f}}},\n'
        for entry, emitted in zip(node.binding.outputs, call.emitted, strict=True):
            if emitted:
                self._flows += 1
                self._produced[entry.name, call.timestamp, call.key] = self._flows
                yield f'{common},"ph":"s","id":{self._flows},"ts":{self._us(call.ended) - 0.001:.3f}}},\n'
        while len(self._produced) > _CHUNK:
            self._produced.pop(next(iter(self._produced)))

    def _counter(self, call: Call, what: str, value: int, unit: str) -> Iterator[str]:
        if self._counters.get((call.node, what, call.key), 0) != value:
            self._counters[call.node, what, call.key] = value
            name = json.dumps(f"{what}: {self._nodes[call.node].spec.name[:80]}{_of_key(call)}")
            yield f'{{"name":{name},"ph":"C","pid":1,"ts":{self._us(call.ended):.3f},"args":{{"{unit}":{value}}}}},\n'

    def _us(self, moment: int) -> float:
        return (moment - self._origin) / 1000


def _of_key(call: Call) -> str:
    return "" if call.key is None else f" [{call.key}]"


class Latencies:
    """How long each timestamp took from its source, or from being added, to the end of the graph.

    The end is the call of the last node without outputs. `seconds` holds one number for each timestamp that got there.
    """

    def __init__(self) -> None:
        self.seconds = array("d")
        self._began: dict[int, int] = {}
        self._over: dict[int, int] = {}

    def started(self, nodes: Sequence[CheckedNode]) -> None:
        self._sources = {index for index, node in enumerate(nodes) if not node.binding.inputs}
        self._ends = {index for index, node in enumerate(nodes) if node.binding.inputs and not node.binding.outputs}

    def called(self, call: Call) -> None:
        if call.doing != "process":
            return
        if call.node in self._sources:
            self._began.setdefault(call.timestamp, call.ended)
        elif call.node in self._ends:
            began = self._began.get(call.timestamp)
            if began is not None:
                self._over[call.timestamp] = call.ended - began
                while len(self._over) > _CHUNK:
                    self._settle(next(iter(self._over)))

    def added(self, stream: str, timestamp: int) -> None:
        self._began.setdefault(timestamp, time.perf_counter_ns())

    def ended(self) -> None:
        for timestamp in list(self._over):
            self._settle(timestamp)
        self._began.clear()

    def _settle(self, timestamp: int) -> None:
        self.seconds.append(self._over.pop(timestamp) / 1e9)
        self._began.pop(timestamp, None)
