"""Runs a recorded case without the scheduler: one calculator after another, each over all its packets.

What a calculator computes is told apart from when the scheduler runs it. Only graphs without back edges work so.
"""

from __future__ import annotations

import functools
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

from graphflow.calculators.payloads import Detection, ImageSize

from graphflow import Calculator, Context, Input, Output, registry
from graphflow.config.pbtxt_reader import read_pbtxt
from graphflow.config.spec import NodeSpec
from graphflow.testing import run_calculator

from .packets import to_json, to_value

Streams = dict[str, list[tuple[int, Any]]]


class ImageProperties(Calculator):
    image = Input("IMAGE")
    size = Output("SIZE", ImageSize)

    def process(self, context: Context) -> None:
        height, width = context[self.image].shape[:2]
        context[self.size] = (width, height)


class MergeDetectionsToVector(Calculator):
    detections = Input(type=Detection, repeated=True)
    merged = Output(type=list[Detection])

    def process(self, context: Context) -> None:
        context[self.merged] = [detection for detection in context[self.detections] if detection is not None]


STAND_INS: dict[str, type[Calculator]] = {
    "ImagePropertiesCalculator": ImageProperties,
    "MergeDetectionsToVectorCalculator": MergeDetectionsToVector,
}
"""What feeds the calculators under test, so that these tests depend on no other family."""


def load_case(shared: Path, name: str) -> dict[str, Any]:
    """A case, without the script steps its records appeared at."""
    case: dict[str, Any] = json.loads((shared / "conformance/framework/cases" / f"{name}.json").read_text())
    for records in case["expect"]["outputs"].values():
        for record in records:
            record.pop("step", None)
    return case


def differences(shared: Path, case: dict[str, Any], streams: Streams) -> list[str]:
    """What differs between a case's expectation and the streams of a run that did not fail."""
    outputs: dict[str, list[dict[str, Any]]] = {}
    for stream, expected in case["expect"]["outputs"].items():
        hint = next((record["type"] for record in expected if not record.get("empty")), None)
        outputs[stream] = [{"ts": timestamp, **to_json(value, hint)} for timestamp, value in streams.get(stream, [])]
    observed = {"outputs": outputs, "side_outputs": {}, "error": None, "op_errors": []}
    found: list[str] = _comparison(shared).compare(case, observed)
    return found


def run_chain(case: dict[str, Any]) -> Streams:
    """All streams of a case's graph, by name. Raises what the first calculator that fails raises."""
    problems: list[Any] = []
    graph = read_pbtxt(case["graph"], case["name"], "", problems)
    assert not problems, problems
    streams: Streams = {ref.name: [] for ref in graph.inputs}
    for operation in case["script"]:
        if operation["op"] == "add":
            streams[operation["stream"]].append((operation["ts"], to_value(operation["packet"])))
    side = {name: to_value(packet) for name, packet in case["side_packets"].items()}
    waiting = list(graph.nodes)
    while waiting:
        node = next(node for node in waiting if all(ref.name in streams for ref in node.inputs))
        waiting.remove(node)
        _run_node(node, streams, side)
    return streams


def _run_node(node: NodeSpec, streams: Streams, side: dict[str, Any]) -> None:
    calculator = STAND_INS.get(node.calculator) or registry.find(node.calculator)
    connections = {f"{ref.tag}:{ref.index}": ref.name for ref in node.outputs}
    emitted = run_calculator(
        calculator,
        {f"{ref.tag}:{ref.index}": streams[ref.name] for ref in node.inputs},
        node.options,
        {f"{ref.tag}:{ref.index}": side[ref.name] for ref in node.side_inputs},
        connections,
    )
    for name, packets in emitted.items():
        tag, _, index = name.partition(":")
        key = f":{tag}" if tag.isdigit() else f"{tag}:{index or 0}"
        streams[connections[key]] = packets


@functools.cache
def _comparison(shared: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("recorded_comparison", shared / "conformance/framework/compare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
