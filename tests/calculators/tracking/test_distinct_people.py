"""Who is there twice, and which of both goes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graphflow.calculators.payloads import NormalizedLandmarkList
from graphflow.calculators.tracking.distinct_people import DistinctPeople

from graphflow.testing import run_calculator

SIZE = (1000, 500)
FIGURE = np.random.default_rng(5).uniform(-80, 80, (33, 2))
# shoulders and hips: 100 px from the middle of the ones to that of the others
FIGURE[[11, 12, 23, 24]] = [(-30, -50), (30, -50), (-20, 50), (20, 50)]
UPRIGHT = FIGURE.copy()
UPRIGHT[11:] += 60


def pose(x: float, scale: float = 1, figure: Any = FIGURE) -> NormalizedLandmarkList:
    xyz = np.zeros((33, 3), np.float32)
    xyz[:, :2] = (figure * scale + (x, 250)) / SIZE
    return NormalizedLandmarkList(xyz)


def kept(frames: list[dict[int, NormalizedLandmarkList]], images: list[Any] | None = None) -> list[list[int]]:
    plain = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    inputs: dict[str, list[tuple[int, Any]]] = {
        "IMAGE": list(enumerate(images or [plain] * len(frames))),
        "POSE_LANDMARKS": list(enumerate(frames)),
        "ROIS": [(t, {number: str(number) for number in frame}) for t, frame in enumerate(frames)],
    }
    found = run_calculator(DistinctPeople, inputs=inputs)
    assert [[*each] for _, each in found["POSE_LANDMARKS"]] == [[*each] for _, each in found["ROIS"]]
    return [sorted(each) for _, each in found["POSE_LANDMARKS"]]


@pytest.mark.parametrize(
    ("left", "right", "last", "expected"),
    [
        # whoever jumped to the other goes, the older as well as the younger
        (190, 460, {1: pose(402), 2: pose(408)}, [2]),
        (190, 460, {1: pose(242), 2: pose(238)}, [1]),
        # nobody left their way by more than the other: they have met, and the younger goes
        (260, 380, {1: pose(312), 2: pose(328)}, [1]),
        (190, 460, {1: pose(325), 2: pose(325)}, [1]),
        # beside each other, one much larger than the other, one with arms and legs elsewhere
        (190, 460, {1: pose(370), 2: pose(408)}, [1, 2]),
        (190, 460, {1: pose(402), 2: pose(408, scale=0.4)}, [1, 2]),
        (190, 460, {1: pose(402), 2: pose(408, figure=UPRIGHT)}, [1, 2]),
    ],
)
def test_of_two_on_one_body_who_jumped_goes(
    left: int, right: int, last: dict[int, NormalizedLandmarkList], expected: list[int]
) -> None:
    frames = [{1: pose(left + 10 * t), 2: pose(right - 10 * t)} for t in range(5)]
    numbers = kept([*frames, last])
    assert numbers == [[1, 2]] * 5 + [expected]


def test_a_jump_counts_some_frames_later_and_not_for_ever() -> None:
    beside = [{1: pose(200), 2: pose(500)}] * 4 + [{1: pose(440), 2: pose(500)}]
    met = {1: pose(458), 2: pose(482)}
    assert kept([*beside, *[beside[-1]] * 3, met])[-1] == [2]
    assert kept([*beside, *[beside[-1]] * 20, met])[-1] == [1]


def test_who_comes_back_has_no_past() -> None:
    frames = [{1: pose(200), 2: pose(500)}, {2: pose(500)}, {1: pose(498), 2: pose(500)}]
    assert kept(frames) == [[1, 2], [2], [1]]
    assert kept([{}]) == [[]]


RED, BLUE = (200, 20, 20), (20, 20, 200)


def image_of(people: dict[int, tuple[float, tuple[int, int, int]]]) -> Any:
    image = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    for x, color in people.values():
        image[150:350, round(x) - 90 : round(x) + 90] = color
    return image


@pytest.mark.parametrize(("red", "blue"), [(1, 2), (2, 1)])
def test_who_looks_like_somebody_else_came(red: int, blue: int) -> None:
    # the red one stands, and gets hidden by the blue one, to whom the red one's region goes over slowly
    ways = [(300 + 5 * max(t - 11, 0), 600 - 20 * t) for t in range(14)]
    frames = [{red: pose(x), blue: pose(other)} for x, other in ways]
    images = [image_of({red: (300, RED), blue: (other, BLUE)}) for _, other in ways]
    assert kept(frames, images)[10:] == [[1, 2]] * 3 + [[blue]]
    # the same without colours
    assert kept(frames)[10:] == [[1, 2]] * 3 + [[1]]


def test_a_newcomer_does_not_take_the_place_of_who_was_there() -> None:
    before = [{1: pose(300 + 10 * t), 2: pose(700)} for t in range(6)]
    # who jumped would go, were the other one not new
    assert kept([*before, {1: pose(450), 3: pose(455), 2: pose(700)}])[-1] == [1, 2]
    beside = [{1: pose(350 + 10 * t), 3: pose(455), 2: pose(700)} for t in range(3)]
    assert kept([*before[:5], *beside, {1: pose(450), 3: pose(455), 2: pose(700)}])[-1] == [2, 3]
