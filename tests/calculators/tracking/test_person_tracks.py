"""Which region belongs to whom, and when the whole image is looked over."""

from __future__ import annotations

from typing import Any

import pytest
from graphflow.calculators.payloads import NormalizedRect
from graphflow.calculators.tracking.person_tracks import LookForPeople, PersonTracks

from graphflow.testing import run_calculator

SIZE = (1000, 500)


def region(x: float, y: float = 0.5, side: float = 0.2) -> NormalizedRect:
    """A square one: its height is twice its width in parts of an image that is twice as wide as high."""
    return NormalizedRect(x, y, side, 2 * side, 0.0)


def tracks(frames: list[tuple[dict[int, Any] | None, list[Any] | None]], **options: Any) -> list[dict[int, Any]]:
    inputs: dict[str, list[tuple[int, Any]]] = {
        "IMAGE_SIZE": [(t, SIZE) for t in range(len(frames))],
        "TRACKED": [(t, tracked) for t, (tracked, _) in enumerate(frames) if tracked is not None],
        "DETECTED": [(t, detected) for t, (_, detected) in enumerate(frames) if detected is not None],
    }
    found = run_calculator(PersonTracks, inputs=inputs, options=options)["ROIS"]
    return [regions for _, regions in found]


A, B, C = region(0.2), region(0.5), region(0.8)
NEAR_A = region(0.22)


@pytest.mark.parametrize(
    ("frames", "options", "expected"),
    [
        ([(None, [A, B])], {}, [{1: A, 2: B}]),
        ([(None, None)], {}, [{}]),
        ([(None, [A]), ({1: NEAR_A}, None)], {}, [{1: A}, {1: NEAR_A}]),
        # what is followed already is not found again
        ([(None, [A]), ({1: A}, [NEAR_A, B])], {}, [{1: A}, {1: A, 2: B}]),
        # of two that follow the same person one is left out before, by DistinctPeople
        ([(None, [A, B]), ({1: A, 2: NEAR_A}, None)], {}, [{1: A, 2: B}, {1: A, 2: NEAR_A}]),
        # small and large in the same place are two people
        ([(None, [A, region(0.2, side=0.08)])], {}, [{1: A, 2: region(0.2, side=0.08)}]),
        ([(None, [A, B, C])], {"max_people": 2}, [{1: A, 2: B}]),
        ([(None, [A]), ({1: A}, [B, C])], {"max_people": 2}, [{1: A}, {1: A, 2: B}]),
        # who comes back in time is the same person, who comes back later or elsewhere is not
        ([(None, [A]), ({}, None), ({}, [NEAR_A])], {}, [{1: A}, {}, {1: NEAR_A}]),
        ([(None, [A]), ({}, None), ({}, [NEAR_A])], {"memory": 1}, [{1: A}, {}, {2: NEAR_A}]),
        ([(None, [A]), ({}, None), ({}, [B])], {}, [{1: A}, {}, {2: B}]),
    ],
)
def test_numbers_stay_with_people(frames: Any, options: Any, expected: Any) -> None:
    assert tracks(frames, **options) == expected


@pytest.mark.parametrize(
    ("there", "number"),
    [(0.5, 1), (0.4, 1), (0.3, 1), (0.56, 2), (0.24, 2)],
    ids=["where they would be", "on the way", "where they were", "farther", "before"],
)
def test_who_is_lost_on_the_way_comes_back_on_it(there: float, number: int) -> None:
    # 0.02 a frame to 0.3, but for the last of them, which is hidden already; ten frames more lead to 0.5
    way = [0.2, 0.22, 0.24, 0.26, 0.28, 0.3, 0.3]
    frames: list[Any] = [(None, [region(way[0])])]
    frames += [({1: region(x)}, None) for x in way[1:]]
    frames += [({}, None)] * 9
    frames += [({}, [region(there)])]
    assert tracks(frames)[-1] == {number: region(there)}


def test_distance_is_measured_in_pixels() -> None:
    wide, high = region(0.2 + 0.05), region(0.2, 0.5 + 0.05)
    assert tracks([(None, [A, wide])], same_place=0.2) == [{1: A, 2: wide}]
    assert tracks([(None, [A, high])], same_place=0.2) == [{1: A}]


@pytest.mark.parametrize(
    ("people", "options", "looks"),
    [
        ([0, 0, 0], {}, [True, True, True]),
        ([0, 1, 1, 1, 1], {"redetect_every": 3}, [True, False, False, True, False]),
        ([0, 1, 1, 1, 1], {"redetect_every": 0}, [True, False, False, False, False]),
        ([0, 2, 1, 1], {"redetect_every": 0}, [True, False, True, False]),
        ([0, 2, 2, 2], {"redetect_every": 2, "max_people": 2}, [True, False, False, False]),
    ],
)
def test_when_the_image_is_looked_over(people: list[int], options: Any, looks: list[bool]) -> None:
    tracked = [(t, dict.fromkeys(range(count), A)) for t, count in enumerate(people) if t]
    ticks = [(t, t) for t in range(len(people))]
    found = run_calculator(LookForPeople, inputs={"TICK": ticks, "TRACKED": tracked}, options=options)["LOOK"]
    assert [look for _, look in found] == looks
