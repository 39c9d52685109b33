"""Runs a recorded framework case on graphflow, as its README prescribes, and writes down what was observed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from graphflow import CalculatorError, GraphConfigError, GraphflowError, config
from graphflow import timestamp as ts
from graphflow.packet import Packet
from graphflow.runtime import Graph

from .packets import to_json, to_value

TIMESTAMPS = {name: value for value, name in ts.NAMES.items()}
Observation = dict[str, Any]


def run_case(
    case: dict[str, Any],
    num_threads: int | None = None,
    fuse: bool = True,
    built: Callable[[Graph], None] = lambda graph: None,
) -> Observation:
    """The observation of a case, in the layout of its `expect`; `built` is shown the graph before it runs."""
    seen: Observation = {
        "outputs": {entry["stream"]: [] for entry in case.get("observe", [])},
        "side_outputs": {},
        "op_errors": [],
        "error": None,
    }
    try:
        graph = Graph(config.load(case["graph"]), num_threads=num_threads, fuse=fuse)
    except GraphConfigError as error:
        seen["error"] = _error("init", error)
        return seen
    built(graph)
    run = _Run(case, graph, seen)
    try:
        for entry in case.get("observe", []):
            graph.observe(entry["stream"], run.recorder(entry["stream"]), bounds=entry.get("bounds", False))
    except GraphflowError as error:
        seen["error"] = _error("observe", error)
        return seen
    try:
        graph.start({name: to_value(packet) for name, packet in case.get("side_packets", {}).items()})
        if run.stepwise:
            graph.wait_until_idle()
    except GraphflowError as error:
        seen["error"] = _error("start", error)
        run.finish()
        return seen
    run.play()
    try:
        graph.wait_until_done()
    except GraphflowError as error:
        seen["error"] = _error("run", error)
    else:
        for name in case.get("side_outputs", []):
            value = graph.side_packet(name)
            hint = case["expect"]["side_outputs"].get(name, {}).get("type")
            seen["side_outputs"][name] = {} if value is None else to_json(value, hint)
    return seen


class _Run:
    """The scripted part of a case."""

    def __init__(self, case: dict[str, Any], graph: Graph, seen: Observation) -> None:
        self.case, self.graph, self.seen = case, graph, seen
        self.stepwise = case.get("pacing", "step") == "step"
        self.step = -1

    def recorder(self, stream: str) -> Callable[[Packet], None]:
        hints = {record["ts"]: record.get("type") for record in self.case["expect"]["outputs"].get(stream, [])}
        records = self.seen["outputs"][stream]

        def record(packet: Packet) -> None:
            at: int | str = ts.NAMES.get(packet.timestamp, packet.timestamp)
            body = {"empty": True} if packet.empty else to_json(packet.value, hints.get(at))
            records.append({"ts": at, **body, **({"step": self.step} if self.stepwise else {})})

        return record

    def play(self) -> None:
        for number, operation in enumerate(self.case["script"]):
            self.step = number
            try:
                self._perform(operation)
            except GraphflowError as error:
                self.seen["op_errors"].append({**_error("op", error), "step": number})
                continue
            if self.stepwise:
                try:
                    self.graph.wait_until_idle()
                except GraphflowError as error:
                    self.seen["op_errors"].append({**_error("idle", error), "step": number})
                    break
        self.step = len(self.case["script"])
        try:
            for name in self.case.get("close_order", []):
                self.graph.close_input(name)
                self.graph.wait_until_idle()
        except GraphflowError:
            pass  # the last wait reports it too
        self.graph.close_all_sources()

    def finish(self) -> None:
        """Winds down a run that failed at its start."""
        with contextlib.suppress(GraphflowError):
            self.graph.close_all_sources()
            self.graph.wait_until_done()

    def _perform(self, operation: dict[str, Any]) -> None:
        match operation["op"]:
            case "add":
                at = operation["ts"]
                wait = self.case.get("add_mode") != "ADD_IF_NOT_FULL"
                value = to_value(operation["packet"])
                self.graph.add_packet(operation["stream"], value, TIMESTAMPS.get(at, at), wait=wait)
            case "close":
                self.graph.close_input(operation["stream"])
            case "close_all":
                self.graph.close_all_sources()
            case "idle":
                self.graph.wait_until_idle()


def _error(phase: str, error: GraphflowError) -> dict[str, Any]:
    code = error.code if isinstance(error, CalculatorError) else "OTHER"
    return {"phase": phase, "code": "OTHER" if code == "UNKNOWN" else code, "message": str(error)}
