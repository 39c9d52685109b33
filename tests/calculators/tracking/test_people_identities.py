"""Who is who, where regions have lost their people."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.payloads import NormalizedLandmarkList
from graphflow.calculators.tracking.people_identities import PeopleIdentities, RenumberPeople

from graphflow.testing import run_calculator

WIDTH, HEIGHT = 320, 200
OUTLINE = np.random.default_rng(3).uniform(-0.1, 0.1, (33, 2))
RED, BLUE = (200, 20, 20), (20, 20, 200)
Color = tuple[int, int, int]
Scene = dict[int, tuple[float, Color]]
"""For each region's number where the person is, and in what colour."""


def image_of(scene: Scene) -> npt.NDArray[np.uint8]:
    image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for x, color in scene.values():
        image[60:140, round((x - 0.12) * WIDTH) : round((x + 0.12) * WIDTH)] = color
    return image


def pose_at(x: float) -> NormalizedLandmarkList:
    xyz = np.zeros((33, 3), np.float32)
    xyz[:, :2] = OUTLINE + np.array((x, 0.5))
    return NormalizedLandmarkList(xyz, np.ones(33, np.float32))


def identities(scenes: list[Scene], **options: Any) -> list[dict[int, int]]:
    inputs: dict[str, list[tuple[int, Any]]] = {
        "IMAGE": [(t, image_of(scene)) for t, scene in enumerate(scenes)],
        "POSE_LANDMARKS": [(t, {n: pose_at(x) for n, (x, _) in scene.items()}) for t, scene in enumerate(scenes)],
    }
    found = run_calculator(PeopleIdentities, inputs=inputs, options=options)["IDENTITIES"]
    assert [timestamp for timestamp, _ in found] == list(range(len(scenes)))
    return [each for _, each in found]


def how(by: str) -> dict[str, Any]:
    """`by`, and after it the frames that are looked ahead."""
    name, _, window = by.partition(" ")
    return {"by": name} | ({"link_window": int(window)} if window else {})


BOTH: Scene = {1: (0.2, RED), 2: (0.8, BLUE)}
RED_ALONE: Scene = {1: (0.2, RED)}
BLUE_IS_BACK: Scene = {1: (0.2, RED), 3: (0.8, BLUE)}
BLUE_ELSEWHERE: Scene = {1: (0.2, RED), 3: (0.55, BLUE)}
GREEN_CAME: Scene = {1: (0.2, RED), 3: (0.8, (20, 200, 20))}


@pytest.mark.parametrize(
    ("by", "scenes", "expected"),
    [
        ("regions", [BOTH, RED_ALONE, BLUE_IS_BACK], {1: 1, 3: 3}),
        ("oks", [BOTH, RED_ALONE, BLUE_IS_BACK], {1: 1, 3: 2}),
        ("poseflow", [BOTH, RED_ALONE, BLUE_IS_BACK], {1: 1, 3: 2}),
        ("colors", [BOTH, RED_ALONE, BLUE_IS_BACK], {1: 1, 3: 2}),
        ("colors", [BOTH, RED_ALONE, BLUE_ELSEWHERE], {1: 1, 3: 2}),
        ("colors", [BOTH, RED_ALONE, GREEN_CAME], {1: 1, 3: 3}),
        # two in the same clothes, both there
        ("colors", [{1: (0.2, RED), 2: (0.8, RED)}], {1: 1, 2: 2}),
        # looking ahead, farther than all that comes or less
        ("poseflow 30", [BOTH, RED_ALONE, BLUE_ELSEWHERE], {1: 1, 3: 2}),
        ("poseflow 1", [BOTH, RED_ALONE, BLUE_ELSEWHERE], {1: 1, 3: 2}),
        ("poseflow 1", [BOTH, RED_ALONE, GREEN_CAME], {1: 1, 3: 3}),
        # a region that is followed is of the same person, however fast
        ("oks", [BOTH, {1: (0.5, RED), 2: (0.8, BLUE)}], {1: 1, 2: 2}),
        ("poseflow", [BOTH, {1: (0.5, RED), 2: (0.8, BLUE)}], {1: 1, 2: 2}),
        # a new region for each of two who changed places meanwhile
        ("poseflow 1", [BOTH, {}, {3: (0.2, BLUE), 4: (0.8, RED)}], {3: 2, 4: 1}),
        ("colors", [BOTH, {}, {3: (0.2, BLUE), 4: (0.8, RED)}], {3: 2, 4: 1}),
    ],
)
def test_who_comes_back(by: str, scenes: list[Scene], expected: dict[int, int]) -> None:
    assert identities(scenes, **how(by))[-1] == expected


@pytest.mark.parametrize("by", ["oks", "poseflow", "poseflow 3", "colors"])
def test_the_gone_are_forgotten(by: str) -> None:
    scenes = [BOTH, *[RED_ALONE] * 4, BLUE_IS_BACK]
    assert identities(scenes, **how(by), memory=10)[-1][3] == 2
    assert identities(scenes, **how(by), memory=2)[-1] == {1: 1, 3: 3}


@pytest.mark.parametrize(
    ("options", "message"),
    [({"by": "oks", "link_window": 5}, "only poseflow"), ({"by": "poseflow", "link_window": -1}, "number of frames")],
)
def test_who_looks_ahead(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        identities([BOTH], **options)


def test_items_of_people_without_identity_are_left_out() -> None:
    inputs: dict[str, list[tuple[int, Any]]] = {
        "": [(0, {1: "a", 2: "b", 3: "c"}), (1, {1: "d"}), (2, {})],
        "IDENTITIES": [(0, {1: 7, 3: 2}), (2, {})],
    }
    found = run_calculator(RenumberPeople, inputs=inputs)[""]
    assert found == [(0, {2: "c", 7: "a"}), (1, {}), (2, {})]
    assert list(found[0][1]) == [2, 7]
