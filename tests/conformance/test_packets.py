"""Every packet of the recorded cases survives the way in and back out."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conformance.packets import to_json, to_value
from graphflow.calculators.payloads import Classification, Detection, NormalizedRect

UNREADABLE = ("vector<proto>", "vector<proto:mediapipe.Anchor>")


def _compare(shared: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("compare", shared / "conformance/framework/compare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _packets(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from case["side_packets"].values()
    yield from (operation["packet"] for operation in case["script"] if operation["op"] == "add")
    for records in case["expect"]["outputs"].values():
        yield from (record for record in records if not record.get("empty"))
    yield from case["expect"]["side_outputs"].values()


def test_every_recorded_packet_round_trips(shared: Path) -> None:
    compare, seen = _compare(shared), set()
    for path in sorted((shared / "conformance/framework/cases").glob("*.json")):
        for packet in _packets(json.loads(path.read_text())):
            if packet["type"] in UNREADABLE:
                continue
            seen.add(packet["type"])
            if packet["type"].startswith("image") and "fill" in packet["value"]:
                image, expected = to_value(packet), packet["value"]
                assert image.shape[:2] == (expected["height"], expected["width"])
                assert (image == expected["fill"]).all()
                continue
            written = to_json(to_value(packet), packet["type"])
            assert compare.kind(written["type"]) == compare.kind(packet["type"]), path.name
            assert compare.same(written["value"], packet["value"], 1e-7), (path.name, packet["type"])
    assert len(seen) >= 18


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        (True, None, {"type": "bool", "value": True}),
        (3, "uint", {"type": "uint", "value": 3}),
        (float("nan"), None, {"type": "float", "value": "NaN"}),
        ([], "vector<float>", {"type": "vector<float>", "value": []}),
        ([], None, {"type": "vector<proto>", "value": []}),
        ([1.0, 2.0], None, {"type": "vector<float>", "value": [1.0, 2.0]}),
        (np.eye(4, dtype=np.float32)[:1].reshape(4), None, {"type": "vector<float>", "value": [1.0, 0.0, 0.0, 0.0]}),
        (
            np.float32([[0.5, 0.25, 1.0, 2.0]]),
            "vector<proto:mediapipe.Anchor>",
            {
                "type": "vector<proto:mediapipe.Anchor>",
                "value": [{"x_center": 0.5, "y_center": 0.25, "w": 1.0, "h": 2.0}],
            },
        ),
        (
            [Classification(1, 0.5, "fist")],
            None,
            {
                "type": "proto:mediapipe.ClassificationList",
                "value": {"classification": [{"index": 1, "score": 0.5, "label": "fist"}]},
            },
        ),
        (
            np.zeros((1, 2), np.float32),
            "image",
            {"type": "image", "value": {"format": "VEC32F1", "width": 2, "height": 1, "data": [0.0, 0.0]}},
        ),
        (Detection(None, detection_id=7), None, {"type": "proto:mediapipe.Detection", "value": {"detection_id": "7"}}),
    ],
)
def test_values_that_need_a_word_of_help(value: Any, hint: str | None, expected: dict[str, Any]) -> None:
    assert to_json(value, hint) == expected


def test_a_hint_of_another_type_does_not_hide_the_type() -> None:
    written = to_json(NormalizedRect(0.5, 0.5, 1.0, 1.0), "proto:mediapipe.Rect")
    assert written["type"] == "proto:mediapipe.NormalizedRect"


@pytest.mark.parametrize("packet", [{"type": "proto:mediapipe.Nothing", "value": {}}, {"type": "opaque"}])
def test_an_unknown_type_is_an_error(packet: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no value for packets of type"):
        to_value(packet)
