"""The recorded cases of MediaPipe's calculators, node by node."""

import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conformance.packets import to_json, to_value

from graphflow.config.pbtxt_reader import read_pbtxt


@dataclass(frozen=True)
class RecordedCase:
    """One case file: what went in, the options of its nodes, and what came out."""

    content: dict[str, Any]
    same: Callable[[Any, Any, float], bool]

    def options(self, calculator: str, number: int = 0) -> dict[str, Any]:
        """The options of the n-th node of a calculator."""
        problems: list[Any] = []
        graph = read_pbtxt(self.content["graph"], "case", ".", problems)
        assert problems == []
        return dict([node for node in graph.nodes if node.calculator == f"{calculator}Calculator"][number].options)

    def packets(self, stream: str) -> dict[int, Any]:
        """What was fed into a stream, by timestamp."""
        script = self.content["script"]
        return {step["ts"]: to_value(step["packet"]) for step in script if step.get("stream") == stream}

    def streams(self) -> list[str]:
        """The fed streams, in order."""
        return list(dict.fromkeys(step["stream"] for step in self.content["script"] if "stream" in step))

    def check(self, stream: str, found: list[tuple[int, Any]]) -> None:
        """Compares what was emitted with what MediaPipe emitted, to the case's tolerance."""
        expected = self.content["expect"]["outputs"][stream]
        assert [timestamp for timestamp, _ in found] == [record["ts"] for record in expected]
        for (timestamp, value), record in zip(found, expected, strict=True):
            given = to_json(value, record["type"])["value"]
            assert self.same(given, record["value"], self.content["tolerance"]), (timestamp, given, record["value"])


@pytest.fixture
def recorded(shared: Path) -> Callable[[str], RecordedCase]:
    """Reads a case by name."""
    folder = shared / "conformance/framework"
    spec = importlib.util.spec_from_file_location("recorded_compare", folder / "compare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda name: RecordedCase(json.loads((folder / "cases" / f"{name}.json").read_text()), module.same)
