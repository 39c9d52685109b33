"""Identities over a whole file."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.payloads import NormalizedLandmarkList
from graphflow.calculators.tracking.pose_linking import PoseFlowLinking, SeenPerson, color_histogram, link_people

from graphflow.testing import run_calculator

FIGURE = np.random.default_rng(4).uniform(0, 100, (17, 2))
NOTHING = np.zeros(0)


def _seen(frame: int, x: float, looks: npt.NDArray[np.float64] = NOTHING) -> SeenPerson:
    return SeenPerson(frame, FIGURE + np.array([x, 100]), np.ones(17), looks)


def _in_color(x: float) -> NormalizedLandmarkList:
    xyz = np.zeros((17, 3), np.float32)
    xyz[:, :2] = (FIGURE + np.array([x, 100])) / (640, 480)
    return NormalizedLandmarkList(xyz)


def _frame(x: float, other: float) -> npt.NDArray[np.uint8]:
    image = np.full((480, 640, 3), 128, np.uint8)
    for place, color in ((x, (220, 30, 30)), (other, (30, 30, 220))):
        image[100:200, int(place) : int(place) + 100] = color
    return image


def test_a_track_goes_on_behind_what_hides_it() -> None:
    people = [_seen(frame, 5.0 * frame) for frame in range(12) if not 4 <= frame < 8]
    people += [_seen(frame, 400) for frame in range(12)]
    ids = link_people(people)
    assert ids == [1] * 8 + [2] * 12
    assert len(set(link_people(people[:8], window=2))) == 2


def test_everybody_is_somebody_once() -> None:
    rng = np.random.default_rng(0)
    people = [_seen(frame, x) for frame in range(10) for x in rng.uniform(0, 600, 4)]
    ids = link_people(people)
    assert sorted(set(ids)) == list(range(1, max(ids) + 1))
    for frame in range(10):
        own = [each for each, person in zip(ids, people, strict=True) if person.frame == frame]
        assert len(set(own)) == 4
    assert link_people([]) == []
    with pytest.raises(ValueError, match="window"):
        link_people(people, window=0)


def test_colours_tell_where_poses_alone_would_not() -> None:
    places = [(100.0, 300.0)] * 5 + [(300.0, 100.0)] * 5  # they change places between two frames
    people = [[_in_color(x), _in_color(other)] for x, other in places]
    poses = {"NORM_LANDMARKS": list(enumerate(people))}
    colors = {**poses, "IMAGE": [(t, _frame(*each)) for t, each in enumerate(places)]}
    blind = run_calculator(PoseFlowLinking, poses)["IDS"]
    assert [ids for _, ids in blind] == [[1, 2]] * 5 + [[2, 1]] * 5
    seen = run_calculator(PoseFlowLinking, colors, {"looks_weight": 3.0})["IDS"]
    assert seen == [(t, [1, 2]) for t in range(10)]


def test_a_person_outside_the_image_has_no_colours() -> None:
    assert color_histogram(_frame(0, 300), FIGURE + 2000).shape == (0,)
    assert color_histogram(_frame(0, 300), FIGURE + 100).sum() == pytest.approx(1)
