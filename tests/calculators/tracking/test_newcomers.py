"""Who is new among several is looked at again, as if alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graphflow.calculators.payloads import Detection, NormalizedRect, Rect
from graphflow.calculators.tracking.newcomers import NewcomerViews, SeenAlone, body_region, view_of

from graphflow.testing import run_calculator

SIZE = (1000, 400)


def person(x: float, y: float, reach: float = 80, *, size: tuple[int, int] = SIZE) -> Detection:
    """Someone whose hips are at (x, y) px, upright."""
    points = np.array([(x, y), (x, y - reach), (x, y), (x, y)]) / size
    box = np.array([x - 10, y - reach, 20, 20]) / (*size, *size)
    return Detection(
        box.astype(np.float32), np.ones(1, np.float32), np.zeros(1, np.int32), (), points.astype(np.float32)
    )


def region(x: float, y: float, side: float = 200) -> NormalizedRect:
    return NormalizedRect(x / SIZE[0], y / SIZE[1], side / SIZE[0], side / SIZE[1])


def corners(view: Rect) -> tuple[int, int, int, int]:
    left, top = view.x_center - view.width // 2, view.y_center - view.height // 2
    return left, top, left + view.width, top + view.height


def test_the_region_of_a_body() -> None:
    found = body_region(person(300, 200, 80), SIZE)
    assert np.allclose(list(found), [0.3, 0.5, 0.2, 0.5, 0])


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], (0, 0, 1000, 400)),
        ([(700, 200)], (0, 0, 500, 400)),
        ([(101, 190)], (200, 0, 1000, 400)),
        ([(700, 210), (100, 190), (900, 200)], (200, 0, 500, 400)),
        # above and below, where there is room for a body
        ([(310, 300)], (0, 0, 1000, 250)),
        ([(290, 100)], (0, 150, 1000, 400)),
        ([(290, 140)], (0, 0, 1000, 400)),
        # who is so near that the cut would be through the body is seen, too
        ([(330, 200)], (0, 0, 1000, 400)),
        ([(342, 200)], (0, 0, 320, 400)),
        # beside the image
        ([(-400, 200), (1400, 200)], (0, 0, 850, 400)),
    ],
)
def test_a_view_ends_halfway_to_others(others: list[tuple[int, int]], expected: tuple[int, int, int, int]) -> None:
    found = view_of(region(300, 200), [region(*each) for each in others], SIZE)
    assert np.abs(np.subtract(corners(found), expected)).max() <= 1
    assert found.width % 2 == found.height % 2 == 0


@pytest.mark.parametrize(
    ("found", "followed", "expected"),
    [
        # alone, or nobody
        (None, {}, {}),
        ([(300, 200)], {}, {}),
        # a second detection of the same body is nobody else
        ([(300, 200), (320, 210)], {}, {}),
        ([(300, 200), (700, 200)], {}, {0: (0, 500), 1: (500, 1000)}),
        # who is followed is not new, but stands there
        ([(300, 200), (700, 200)], {4: (310, 200)}, {1: (505, 1000)}),
        ([(700, 200)], {4: (300, 200), 5: (900, 200)}, {0: (500, 800)}),
        ([(305, 200)], {4: (300, 200)}, {}),
        # much smaller: somebody else
        ([(305, 200, 20), (700, 200)], {4: (300, 200)}, {0: (0, 502), 1: (502, 1000)}),
    ],
)
def test_who_is_looked_at_again(found: Any, followed: Any, expected: dict[int, tuple[int, int]]) -> None:
    inputs: dict[str, list[tuple[int, Any]]] = {
        "IMAGE_SIZE": [(0, SIZE)],
        "DETECTIONS": [] if found is None else [(0, [person(*each) for each in found])],
        "TRACKED": [(0, {number: region(*each) for number, each in followed.items()})],
    }
    [(_, views)] = run_calculator(NewcomerViews, inputs=inputs)["RECTS"]
    assert list(views) == list(expected)
    for index, sides in expected.items():
        assert corners(views[index])[::2] == pytest.approx(sides, abs=2)


@pytest.mark.parametrize(
    ("again", "expected"),
    [
        # the nearest in the same place, in pixels of the view
        ({1: [(100, 200), (190, 200), (205, 195)]}, [(300, 200), (705, 195)]),
        ({1: [(205, 195)], 0: [(310, 190)]}, [(310, 190), (705, 195)]),
        # nobody there, or somebody much larger
        ({1: [(100, 200)]}, [(300, 200), (700, 200)]),
        ({1: [(200, 200, 200)]}, [(300, 200), (700, 200)]),
        ({1: []}, [(300, 200), (700, 200)]),
        ({}, [(300, 200), (700, 200)]),
    ],
)
def test_the_second_look_counts_where_it_finds_the_same(again: Any, expected: list[tuple[int, int]]) -> None:
    views = {0: Rect(250, 200, 500, 400), 1: Rect(750, 200, 500, 400)}
    seen = {number: [person(*each, size=(500, 400)) for each in found] for number, found in again.items()}
    inputs: dict[str, list[tuple[int, Any]]] = {
        "IMAGE_SIZE": [(0, SIZE)],
        "DETECTIONS": [(0, [person(300, 200), person(700, 200)])],
        "RECTS": [(0, views)],
        "VIEW_DETECTIONS": [(0, seen)],
    }
    [(_, people)] = run_calculator(SeenAlone, inputs=inputs)["DETECTIONS"]
    assert [tuple(np.round(each.keypoints[0] * SIZE).astype(int)) for each in people] == expected


def test_without_a_second_look_nothing_changes() -> None:
    people = [person(300, 200)]
    inputs: dict[str, list[tuple[int, Any]]] = {
        "IMAGE_SIZE": [(0, SIZE)],
        "DETECTIONS": [(0, people)],
        "RECTS": [(0, {})],
        "VIEW_DETECTIONS": [(0, {})],
    }
    assert run_calculator(SeenAlone, inputs=inputs)["DETECTIONS"] == [(0, people)]
    assert run_calculator(SeenAlone, inputs={"IMAGE_SIZE": [(0, SIZE)]})["DETECTIONS"] == []
