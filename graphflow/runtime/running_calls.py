"""The calls of calculators that have not returned yet: who holds up a run, and since when."""

from __future__ import annotations

from dataclasses import dataclass

from graphflow import timestamp as ts
from graphflow.runtime.node import Action, Task


@dataclass(frozen=True, slots=True)
class RunningCall:
    """A call of a calculator that has not returned yet.

    Attributes:
        node: its name; of a step, which runs several nodes in turn, the names of all.
        place: the node as error messages name it: file, line, name and calculator.
        action: open, process or close.
        timestamp: for process, the input timestamp in microseconds.
        seconds: since the call began.
        thread: `threading.get_ident()` of the thread it runs on.
        waits: whether the calculator says of itself that it waits for something outside of the graph.
        first: whether it is the node's first call of its kind, which may compile kernels.
    """

    node: str
    place: str
    action: str
    timestamp: int | None
    seconds: float
    thread: int
    waits: bool
    first: bool

    def __str__(self) -> str:
        when = "" if self.timestamp is None else f" at timestamp {ts.describe(self.timestamp)}"
        return f"{self.place} has been in {self.action}{when} for {self.seconds:.0f} s"


class Slot:
    """What a thread does now."""

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self.task: Task | None = None


def running_call(thread: int, task: Task, graph: str, now_ns: int) -> RunningCall:
    """What a thread does at a reading of `time.perf_counter_ns`, in words."""
    spec = task.node.checked.spec
    first = task.node.runs <= 1
    place = f"{spec.location}: node '{spec.name}' ({spec.calculator}) of graph '{graph}'"
    timestamp = task.sets[0][0] if task.action is Action.PROCESS and task.sets else None
    waits = bool(getattr(task.node.calculator, "waits", False))
    if timestamp == ts.UNSTARTED:  # a source
        timestamp = None
    seconds = (now_ns - task.started_ns) / 1e9 if task.started_ns else 0.0
    return RunningCall(spec.name, place, task.action.name.lower(), timestamp, seconds, thread, waits, first)
