"""Scripts in simulated time: what arrives, step by step, and when a recording node runs on it and with what."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import graphflow
from graphflow import Calculator, Context, Input, Option, Output, SideInput, SideOutput
from graphflow import timestamp as ts

Run = tuple[int, tuple[Any, ...]]
"""One call of the node: its timestamp, and the value of each input, None where there was none."""
CLOSE: Run = (ts.DONE, ())
"""The node's last call."""
_SPECIAL = {name: value for value, name in ts.NAMES.items()}


@dataclass
class Log:
    """Where a recording node writes its calls, and by which a test can hold it inside one."""

    runs: list[Run] = field(default_factory=list)
    holding: bool = False
    entered: threading.Event = field(default_factory=threading.Event)
    leave: threading.Event = field(default_factory=threading.Event)

    def take(self) -> list[Run]:
        """The calls since the last time."""
        taken = self.runs[:]
        del self.runs[: len(taken)]
        return taken


class Record(Calculator):
    """Writes down each call."""

    data = Input("*")
    log = SideInput("LOG", Log)
    bounds: bool = Option(False, "whether it also runs where time is settled without a packet")

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.process_timestamp_bounds = self.bounds

    def process(self, context: Context) -> None:
        log: Log = context[self.log]
        log.runs.append((context.timestamp, tuple(context[self.data])))
        if log.holding:
            log.entered.set()
            assert log.leave.wait(timeout=10)

    def close(self, context: Context) -> None:
        context[self.log].runs.append(CLOSE)


class ProvideLate(Calculator):
    """Provides the log as a side packet, once it is let go."""

    log = SideInput("LOG", Log)
    late = SideOutput("", Log)

    def open(self, context: Context) -> None:
        log: Log = context[self.log]
        log.entered.set()
        assert log.leave.wait(timeout=10)
        context[self.late] = log


class Exam(Calculator):
    """Returns only when it is let go, packet by packet."""

    let_go: ClassVar[list[threading.Event]] = []
    gone: ClassVar[list[threading.Event]] = []

    number = Input("", int)
    passed = Output("", int)

    def process(self, context: Context) -> None:
        number = context[self.number]
        assert self.let_go[number].wait(timeout=10)
        if number != 1:  # one of them emits nothing
            context[self.passed] = number
        self.gone[number].set()


@dataclass(frozen=True)
class Case:
    """A script for one node with an input policy.

    A step is `a 10` (a packet on `a` at 10; its value is its timestamp, or what follows: `a 10=3`), `a >=10` (nothing
    more on `a` before 10) or `a end`. `a 10 hold` does not let the node return from the call the step causes, until
    `release`. Each step comes with the runs it causes; what still runs when all inputs end is `at_end`.
    """

    name: str
    policy: str
    inputs: str
    steps: Sequence[tuple[str, list[Run]]]
    at_end: list[Run] = field(default_factory=lambda: [CLOSE])
    bounds: bool = False
    graph_options: str = ""

    def yaml(self) -> str:
        names = ", ".join(self.inputs)
        return f"""
graph: Script
inputs: [{names}]
side_inputs: {{LOG: log}}
nodes:
  node:
    calculator: "{Path(__file__)}:Record"
    inputs: [{names}]
    side_inputs: {{LOG: log}}
    options: {{bounds: {str(self.bounds).lower()}}}
    input_policy: {self.policy}
{self.graph_options}
"""


def play(case: Case, num_threads: int = 2) -> tuple[list[tuple[str, list[Run]]], list[Run]]:
    """The runs that each step of a case really causes, and those at the end."""
    graph = graphflow.load(case.yaml(), num_threads=num_threads)
    log = new_log(graph)
    graph.start({"log": log})
    steps: list[tuple[str, list[Run]]] = []
    try:
        for step, _ in case.steps:
            words = step.split()
            if words[-1] == "hold":
                log.holding = True
            if words == ["release"]:
                log.holding = False
                log.leave.set()
            else:
                perform(graph, words[0], words[1])
            if log.holding:
                assert log.entered.wait(timeout=10)
            else:
                graph.wait_until_idle()
            steps.append((step, log.take()))
    finally:
        log.leave.set()
        graph.close_all_inputs()
        graph.wait_until_done()
    return steps, log.take()


def new_log(graph: graphflow.Graph) -> Log:
    """A log of the class the node takes: the registry loads this file as a module of its own."""
    log: Log = next(port for port in graph.checked.nodes[0].calculator.ports() if port.tag == "LOG").type()
    return log


def perform(graph: graphflow.Graph, stream: str, what: str) -> None:
    """One arrival: `10`, `10=value`, `>=10` or `end`."""
    if what == "end":
        graph.close_input(stream)
    elif what.startswith(">="):
        graph.set_bound(stream, _number(what[2:]))
    else:
        at, _, value = what.partition("=")
        graph.add_packet(stream, _number(value or at), _number(at))


def _number(text: str) -> int:
    return _SPECIAL[text] if text in _SPECIAL else int(text)


def diagram(case: Case) -> str:
    """A case as a timing diagram: a column for each step, a row for each input, and the runs below.

    `@20 a20` is a run at timestamp 20 with a's packet of 20; an input that is not named had none. `…` says that the
    node stays busy until its next run.
    """
    columns = [step.split() for step, _ in case.steps] + [["all", "end"]]
    caused = [runs for _, runs in case.steps] + [case.at_end]
    ended = {words[0] for words in columns if words[1:] == ["end"]}
    cells: list[list[str]] = []
    for words, runs in zip(columns, caused, strict=True):
        reached = [name for name in case.inputs if words[0] == name or (words[0] == "all" and name not in ended)]
        arrivals = [_arrival(words) if name in reached else "" for name in case.inputs]
        shown = [_shown(run, case.inputs) for run in runs]
        if words[-1] == "hold":
            shown[-1] += " …"
        cells.append(arrivals + shown)
    depth = max(len(column) for column in cells)
    rows = [
        [*case.inputs, "node runs", *[""] * (depth - len(case.inputs) - 1)],
        *[column + [""] * (depth - len(column)) for column in cells],
    ]
    widths = [max(len(cell) for cell in column) for column in rows]
    lines = []
    for index, row in enumerate(zip(*rows, strict=True)):
        fill = "─" if index < len(case.inputs) else " "
        line = row[0].ljust(widths[0]) + " " + fill
        for cell, width in zip(row[1:], widths[1:], strict=True):
            line += (cell + " " if cell else "").ljust(width + 1, fill) + fill
        lines.append(line.rstrip())
    return "\n".join(lines)


def _arrival(words: list[str]) -> str:
    return f" {words[1]}" if words[1] != "end" else " ┤"


def _shown(run: Run, inputs: str) -> str:
    timestamp, values = run
    if run == CLOSE:
        return " close"
    packets = [f"{name}{value}" for name, value in zip(inputs, values, strict=True) if value is not None]
    return " ".join([f" @{ts.describe(timestamp)}", *packets])
