"""Detections over time: which are the same thing, as MediaPipe's tests have it, and what comes and goes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from graphflow.calculators.payloads import Detection, NormalizedRect
from graphflow.calculators.tracking.detections_to_timed_boxes import DetectionsToTimedBoxList
from graphflow.calculators.tracking.timed_box import TimedBox
from graphflow.calculators.tracking.tracked_detection import (
    TrackedDetection,
    TrackedDetectionManagerConfig,
    TrackedDetections,
    from_detection,
)
from graphflow.calculators.tracking.tracked_detection_manager import TrackedDetectionManager

from graphflow.testing import run_calculator

DEFAULT = TrackedDetectionManagerConfig()


def rect(x: float, y: float, width: float = 0.5, height: float | None = None, rotation: float = 0.0) -> NormalizedRect:
    return NormalizedRect(x, y, width, width if height is None else height, rotation)


def thing(number: int, box: NormalizedRect, time_ms: int = 0, **scores: float) -> TrackedDetection:
    return TrackedDetection(number, time_ms, time_ms, box, scores=scores)


def detection(number: int, left: float, top: float, width: float, height: float, **scores: float) -> Detection:
    return Detection(
        np.array([left, top, width, height], np.float32),
        np.array(list(scores.values()), np.float32),
        labels=tuple(scores),
        detection_id=number,
    )


SAME = [
    (rect(0.5, 0.5), rect(0.55, 0.5), True),
    (rect(0.5, 0.5), rect(0.75, 0.55), False),
    (rect(0.5, 0.5, 0.5), rect(0.5, 0.5, 0.25), False),
    (rect(0.5, 0.5, 0.5), rect(0.5, 0.5, 0.3), True),
    (rect(0.2, 0.2, 0.1), rect(0.8, 0.8, 0.1), False),
    (rect(0.5, 0.5, 0.0), rect(0.5, 0.5, 0.0), False),
    (rect(0.5, 0.5, 0.5, rotation=1.0), rect(0.5, 0.5, 0.5), True),
]


@pytest.mark.parametrize(("one", "other", "same"), SAME)
def test_the_same_thing(one: NormalizedRect, other: NormalizedRect, same: bool) -> None:
    assert thing(0, one).is_same_as(thing(1, other), DEFAULT) == same
    assert thing(1, other).is_same_as(thing(0, one), DEFAULT) == same


def test_what_counts_as_the_same_is_an_option() -> None:
    one, other = thing(0, rect(0.5, 0.5, 0.5)), thing(1, rect(0.5, 0.5, 0.25))
    assert one.is_same_as(other, TrackedDetectionManagerConfig(is_same_detection_max_area_ratio=4.5))
    strict = TrackedDetectionManagerConfig(is_same_detection_min_overlap_ratio=0.95)
    assert not thing(0, rect(0.5, 0.5)).is_same_as(thing(1, rect(0.55, 0.5)), strict)


def test_the_better_score_of_each_label() -> None:
    found = thing(0, rect(0.5, 0.5), a=1.0, b=2.0, c=3.0)
    found.merge_scores([("a", 0.0), ("b", 3.0), ("d", 4.0)])
    assert found.scores == {"a": 1.0, "b": 3.0, "c": 3.0, "d": 4.0}


def test_to_a_detection_and_back() -> None:
    given = detection(7, 0.1, 0.2, 0.3, 0.4, cat=0.5, dog=0.75)
    found = from_detection(given, 12)
    assert (found.unique_id, found.initial_ms, found.updated_ms, found.previous_id) == (7, 12, 12, -1)
    again = found.to_detection()
    np.testing.assert_allclose(again.box, given.box, atol=1e-6)
    assert again.labels == ("dog", "cat")
    assert again.scores.tolist() == [0.75, 0.5]
    assert again.detection_id == 7
    found.previous_id = 3
    assert found.to_detection().detection_id == 3


def test_the_upright_box_around_a_rotated_one() -> None:
    found = thing(1, rect(0.5, 0.5, 0.4, 0.2, math.pi / 2)).to_detection()
    np.testing.assert_allclose(found.box, (0.4, 0.3, 0.2, 0.4), atol=1e-6)


def test_a_new_detection_replaces_an_old_one() -> None:
    things = TrackedDetections(DEFAULT)
    assert things.add(thing(1, rect(0.5, 0.5), 10, cat=0.4)) == []
    assert things.add(thing(2, rect(0.9, 0.9, 0.1), 10)) == []
    assert things.add(thing(3, rect(0.52, 0.5), 20, dog=0.6)) == [1]
    kept = {each.unique_id: each for each in things.all()}
    assert sorted(kept) == [2, 3]
    assert kept[3].previous_id == 1
    assert kept[3].scores == {"cat": 0.4, "dog": 0.6}
    assert things.add(thing(4, rect(0.5, 0.52), 30)) == [3]
    assert next(each for each in things.all() if each.unique_id == 4).previous_id == 1, "the first number stays"


def test_things_that_meet_are_one() -> None:
    things = TrackedDetections(DEFAULT)
    things.add(thing(1, rect(0.2, 0.2, 0.2), 10, cat=0.4))
    things.add(thing(2, rect(0.8, 0.8, 0.2), 20, dog=0.5))
    assert things.update(1, rect(0.5, 0.5, 0.2), 40) == []
    assert things.update(2, rect(0.51, 0.5, 0.2), 30) == [], "they are not known for the same time"
    assert things.update(2, rect(0.51, 0.5, 0.2), 40) == [1]
    (left,) = things.all()
    assert (left.unique_id, left.previous_id) == (2, 1)
    assert left.scores == {"cat": 0.4, "dog": 0.5}
    assert things.update(1, rect(0.5, 0.5), 50) == []


def test_the_later_one_stays_whichever_moves() -> None:
    things = TrackedDetections(DEFAULT)
    things.add(thing(1, rect(0.2, 0.2, 0.2), 10))
    things.add(thing(2, rect(0.8, 0.8, 0.2), 20))
    things.update(2, rect(0.5, 0.5, 0.2), 40)
    assert things.update(1, rect(0.5, 0.5, 0.2), 40) == [1]
    assert [each.unique_id for each in things.all()] == [2]


def test_old_and_out_of_view() -> None:
    things = TrackedDetections(DEFAULT)
    for number, box, time_ms in (
        (1, rect(0.5, 0.5, 0.2), 10),
        (2, rect(0.2, 0.2, 0.2), 50),
        (3, rect(1.2, 0.5, 0.2), 50),
        (4, rect(1.05, 0.5, 0.2), 50),
    ):
        things.add(thing(number, box, time_ms))
    assert things.remove_not_updated_since(50) == [1]
    assert things.remove_out_of_view() == [3]
    assert [each.unique_id for each in things.all()] == [2, 4]


def box(number: int, left: float, top: float, right: float, bottom: float, time_ms: int) -> TimedBox:
    return TimedBox(left, top, right, bottom, time_ms=time_ms, box_id=number)


def test_manager() -> None:
    second = 1_000_000
    inputs: dict[str, Any] = {
        "DETECTIONS": [
            (second, [detection(1, 0.1, 0.1, 0.2, 0.2, cat=0.9), detection(2, 0.6, 0.6, 0.2, 0.2, dog=0.8)]),
            (3 * second, [detection(3, 0.2, 0.1, 0.2, 0.2, cow=0.95)]),
        ],
        "TRACKING_BOXES": [
            (second, []),
            (2 * second, [box(1, 0.15, 0.1, 0.35, 0.3, 2000), box(2, 0.65, 0.6, 0.85, 0.8, 2000)]),
            (
                4 * second,
                [
                    box(1, 0.2, 0.1, 0.4, 0.3, 4000),
                    box(2, 1.3, 0.6, 1.5, 0.8, 4000),
                    box(3, 0.21, 0.1, 0.41, 0.3, 4000),
                ],
            ),
            (9 * second + 1000, []),
        ],
    }
    results = run_calculator(TrackedDetectionManager, inputs)
    found = dict(results["DETECTIONS"])
    assert sorted(found) == [second, 2 * second, 4 * second, 9 * second + 1000]
    assert found[second] == []
    assert [(each.detection_id, each.labels) for each in found[2 * second]] == [(1, ("cat",)), (2, ("dog",))]
    np.testing.assert_allclose(found[2 * second][0].box, (0.15, 0.1, 0.2, 0.2), atol=1e-6)
    # 3 is 1 again and keeps its number, 2 has left, both are cancelled, one microsecond apart
    assert [(each.detection_id, each.labels) for each in found[4 * second]] == [(1, ("cow", "cat"))]
    assert results["CANCEL_OBJECT_ID"] == [(4 * second, 1), (4 * second + 1, 2), (9 * second + 1000, 3)]
    assert found[9 * second + 1000] == []
    rects = dict(results["DETECTION_BOXES"])[4 * second]
    assert tuple(rects[0]) == pytest.approx((0.31, 0.2, 0.2, 0.2, 0.0), abs=1e-6)


def test_manager_holds_back_what_is_not_known_for_now() -> None:
    inputs: dict[str, Any] = {
        "DETECTION_LIST": [(1000, [detection(1, 0.1, 0.1, 0.2, 0.2)])],
        "TRACKING_BOXES": [(40_000, [box(1, 0.1, 0.1, 0.3, 0.3, 39)]), (80_000, [box(1, 0.1, 0.1, 0.3, 0.3, 80)])],
    }
    found = run_calculator(TrackedDetectionManager, inputs)["DETECTIONS"]
    assert [len(detections) for _, detections in found] == [0, 1]


def test_manager_forgets_what_the_tracker_does_not_take_up() -> None:
    inputs: dict[str, Any] = {
        "DETECTIONS": [(0, [detection(1, 0.1, 0.1, 0.2, 0.2), detection(2, 0.6, 0.6, 0.2, 0.2)])],
        "TRACKING_BOXES": [
            (5_000_000, [box(1, 0.1, 0.1, 0.3, 0.3, 5000)]),
            (5_001_000, []),
            (5_002_000, [box(2, 0.6, 0.6, 0.8, 0.8, 5002)]),
        ],
    }
    found = run_calculator(TrackedDetectionManager, inputs)["DETECTIONS"]
    assert [[each.detection_id for each in detections] for _, detections in found] == [[1], [], []]


NO_BOX = Detection(None)
PIXELS = Detection(np.array([1, 2, 3, 4], np.float32), box_format="pixel")


@pytest.mark.parametrize(("wrong", "kind"), [(NO_BOX, "without a box"), (PIXELS, "in pixels")])
def test_other_boxes(wrong: Detection, kind: str) -> None:
    for calculator in (TrackedDetectionManager, DetectionsToTimedBoxList):
        with pytest.raises(ValueError, match=kind):
            run_calculator(calculator, {"DETECTIONS": [(0, [wrong])]})


@pytest.mark.parametrize("tag", ["DETECTIONS", "DETECTION_LIST"])
def test_boxes_of_detections(tag: str) -> None:
    given = [detection(4, 0.1, 0.2, 0.3, 0.4), detection(5, 0.5, 0.5, 0.1, 0.1)]
    found = run_calculator(DetectionsToTimedBoxList, {tag: [(1_234_567, given), (2_000_000, [])]})["BOXES"]
    assert [timestamp for timestamp, _ in found] == [1_234_567, 2_000_000]
    first = found[0][1][0]
    assert (first.left, first.top, first.right, first.bottom) == pytest.approx((0.1, 0.2, 0.4, 0.6), abs=1e-6)
    assert [(each.box_id, each.time_ms, each.rotation) for each in found[0][1]] == [(4, 1234, 0), (5, 1234, 0)]
    assert found[1][1] == []


def test_boxes_of_nothing() -> None:
    with pytest.raises(ValueError, match="connect DETECTIONS or DETECTION_LIST"):
        run_calculator(DetectionsToTimedBoxList)
