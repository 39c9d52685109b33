"""FilterDetection and DetectionUniqueId."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graphflow.calculators.payloads import Detection

from graphflow import registry
from graphflow.testing import run_calculator

BOX = np.float32([0.1, 0.2, 0.3, 0.4])


def detection(**scores: float) -> Detection:
    return Detection(BOX, np.float32(list(scores.values())), np.int32([7] * len(scores)), tuple(scores), detection_id=3)


def kept(given: Detection, options: dict[str, Any], side: dict[str, Any]) -> Any:
    seen = run_calculator(
        registry.find("FilterDetectionCalculator"), {"DETECTION": [(1, given)]}, options, side, ["DETECTION"]
    )
    return {label: round(float(score), 3) for _, left in seen["DETECTION"] for label, score in _scores(left)}


def _scores(left: Detection) -> list[tuple[str, float]]:
    np.testing.assert_array_equal(left.box, BOX)
    assert (len(left.label_ids), left.detection_id) == (0, 0)
    return list(zip(left.labels, left.scores, strict=True))


@pytest.mark.parametrize(
    ("options", "side", "expected"),
    [
        ({}, {}, {"dog": 0.9, "cat": 0.5, "cow": 0.1}),
        ({"min_score": 0.5}, {}, {"dog": 0.9, "cat": 0.5}),
        ({"max_score": 0.5}, {}, {"cat": 0.5, "cow": 0.1}),
        ({"min_score": 0.95}, {}, {}),
        ({}, {"LABELS": ["cat", "fish"]}, {"cat": 0.5}),
        ({}, {"LABELS_CSV": " cat , ,cow"}, {"cat": 0.5, "cow": 0.1}),
        ({}, {"LABEL_MAP": {4: "dog"}}, {"dog": 0.9}),
        ({}, {"LABELS": ["c.*"]}, {"cat": 0.5, "cow": 0.1}),
        ({}, {"LABELS": ["c"]}, {}),
        ({}, {"LABELS": ["*", "dog"]}, {"dog": 0.9}),
        ({}, {"LABELS": []}, {}),
        (
            {"empty_allowed_labels_means_allow_everything": True},
            {"LABELS_CSV": " "},
            {"dog": 0.9, "cat": 0.5, "cow": 0.1},
        ),
    ],
)
def test_filter_detection(options: Any, side: Any, expected: Any) -> None:
    left = kept(detection(cat=0.5, dog=0.9, cow=0.1), options, side)
    assert list(left.items()) == list(expected.items())


def test_filter_detections_gives_a_list_in_any_case() -> None:
    inputs = {"DETECTIONS": [(1, [detection(cat=0.5), detection(dog=0.1)]), (2, [])]}
    seen = run_calculator(registry.find("FilterDetection"), inputs, {"min_score": 0.3}, outputs=["DETECTIONS"])
    assert [(t, [each.labels for each in left]) for t, left in seen["DETECTIONS"]] == [(1, [("cat",)]), (2, [])]


def test_filter_detection_refuses_an_empty_list_where_told() -> None:
    with pytest.raises(ValueError, match="fail_on_empty_labels"):
        kept(detection(cat=0.5), {"fail_on_empty_labels": True}, {"LABELS": []})
    with pytest.raises(ValueError, match="connect DETECTION or DETECTIONS"):
        run_calculator(registry.find("FilterDetection"), {"DETECTION": []}, outputs=["DETECTIONS"])


def test_detections_are_numbered() -> None:
    inputs = {"DETECTIONS": [(1, [detection(cat=0.5)] * 2), (2, []), (3, [detection(cow=1.0)])]}
    seen = run_calculator(registry.find("DetectionUniqueIdCalculator"), inputs, outputs=["DETECTIONS"])
    assert [(t, [each.detection_id for each in found]) for t, found in seen["DETECTIONS"]] == [
        (1, [1, 2]),
        (2, []),
        (3, [3]),
    ]
    assert seen["DETECTIONS"][0][1][0].labels == ("cat",)
    with pytest.raises(ValueError, match="connect DETECTIONS or DETECTION_LIST"):
        run_calculator(registry.find("DetectionUniqueId"), inputs, outputs=["DETECTION_LIST"])
