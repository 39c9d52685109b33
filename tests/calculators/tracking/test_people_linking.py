"""Who is who, some frames later."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.tracking.people_linking import PeopleLinking, Sight

Looks = npt.NDArray[np.float64]
RED, BLUE, GREEN = (np.eye(3)[index] for index in range(3))
REDDISH = np.array([0.8, 0.1, 0.1])
NOTHING = np.zeros(0)
People = dict[int, tuple[float, Looks]]
"""By the number of the region, x in pixels and looks."""


def linked(frames: list[People], window: int = 12, **options: Any) -> list[dict[int, int]]:
    linking = PeopleLinking(window, **options)
    found: list[dict[int, int]] = []
    for time, people in enumerate(frames):
        due = linking.see({number: Sight((x, 200.0), 100.0, looks) for number, (x, looks) in people.items()})
        assert (due is None) == (time < window)
        found += [] if due is None else [due]
    found += linking.rest()
    assert [set(each) for each in found] == [set(each) for each in frames]
    return found


def together(*ways: list[People]) -> list[People]:
    return [{number: each for people in frame for number, each in people.items()} for frame in zip(*ways, strict=True)]


def way(number: int, looks: Looks, begin: float, step: float = 0, frames: int = 20) -> list[People]:
    return [{number: (begin + step * time, looks)} for time in range(frames)]


NOBODY: list[People] = [{}]
FRONT = way(1, BLUE, 900, -10, frames=60)
"""Somebody who goes to the left, and is seen all the time."""


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        # behind the front person, on the other side, and under another number or the same
        (way(2, RED, 100, 20) + NOBODY * 20 + way(3, RED, 900, 0), {3: 2}),
        (way(2, RED, 100, 20) + NOBODY * 20 + way(2, RED, 900, 0), {2: 2}),
        # by looks where they were not going, and not quite as they looked
        (way(2, RED, 100, 20) + NOBODY * 20 + way(3, RED, 50, 0), {3: 2}),
        (way(2, RED, 100, 20) + NOBODY * 20 + way(3, REDDISH, 900, 0), {3: 2}),
        # somebody else, there or elsewhere, also where the region's number is that of who is gone
        (way(2, RED, 100, 20) + NOBODY * 20 + way(3, GREEN, 900, 0), {3: 3}),
        (way(2, RED, 100, 20) + NOBODY * 20 + way(2, GREEN, 900, 0), {2: 3}),
        # without looks, by the way
        (way(2, NOTHING, 100, 20) + NOBODY * 20 + way(3, NOTHING, 900, 0), {3: 2}),
        (way(2, NOTHING, 100, 20) + NOBODY * 20 + way(3, NOTHING, 100, 0), {3: 3}),
        # looks that are wrong at first, as who comes out is half hidden
        (way(2, RED, 100, 20) + NOBODY * 20 + way(3, BLUE, 900, 0, 2) + way(3, RED, 900, 0, 18), {3: 2}),
    ],
)
def test_who_was_hidden_is_the_same(other: list[People], expected: dict[int, int]) -> None:
    found = linked(together(FRONT, other))
    assert all(people[1] == 1 for people in found)
    assert all(people[2] == 2 for people in found[:20])
    assert found[40:] == [{1: 1} | expected] * 20


def test_all_links_are_made_together() -> None:
    # the first who comes would do for both, were not the second one even more like the first who went
    frames = together(way(1, RED, 100), way(2, REDDISH, 700)) + NOBODY + way(3, REDDISH, 100, 0, 3)
    frames += together(way(3, REDDISH, 100), way(4, RED, 400))
    assert linked(frames)[-1] == {3: 2, 4: 1}
    assert linked(frames, window=2)[-1] == {3: 1, 4: 2}


def test_a_region_that_goes_over_to_somebody_else_ends() -> None:
    frames = way(1, RED, 100) + way(1, BLUE, 130)
    assert [each[1] for each in linked(frames)] == [1] * 20 + [2] * 20
    # somebody passes in front of it for a few frames
    frames = way(1, RED, 100) + way(1, BLUE, 100, 0, 4) + way(1, RED, 100)
    assert {each[1] for each in linked(frames)} == {1}
    # they change regions
    frames = together(way(1, RED, 100), way(2, BLUE, 400)) + together(way(1, BLUE, 300), way(2, RED, 200))
    assert linked(frames)[-1] == {1: 2, 2: 1}


def test_a_region_goes_over_to_who_comes_out_from_behind() -> None:
    purple = np.array([0.5, 0.5, 0.0])  # not so unlike red
    there, then = way(2, purple, 400), way(2, RED, 430)
    first = way(1, RED, 100)
    assert linked(together(first, there) + there + then)[-1] == {2: 1}
    assert linked(together(first, there) + there + there + then, memory=30)[-1] == {2: 2}
    # nobody is gone
    assert linked(together(way(1, RED, 100, 0, 60), there + there + then))[-1] == {1: 1, 2: 2}


def test_the_gone_are_forgotten() -> None:
    frames = way(1, RED, 100) + NOBODY * 30 + way(2, RED, 100)
    assert linked(frames, memory=31)[-1] == {2: 1}
    assert linked(frames, memory=30)[-1] == {2: 2}
    assert linked([]) == []


def test_what_is_remembered_stays_small() -> None:
    linking = PeopleLinking(5, memory=10)
    for time in range(400):
        linking.see({time // 20: Sight((float(time), 0.0), 10.0, (RED, BLUE)[time // 20 % 2])})
    assert len(linking._parts) <= 3
    assert sum(len(part.ahead) + len(part.past) for part in linking._parts) <= 40


@pytest.mark.parametrize("options", [{"window": 0}, {"window": 5, "memory": 0}])
def test_windows_are_positive(options: Any) -> None:
    with pytest.raises(ValueError, match=f"{[*options][-1]} must be at least 1"):
        PeopleLinking(**options)
