"""DistinctPeople: nobody twice, where the region of somebody hidden has gone over to who is in front."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import Image, NormalizedLandmarkList
from .person_way import PersonWay, Place
from .pose_linking import color_histogram, looks_alike
from .torso import torso_length, torso_place

Doubles = npt.NDArray[np.float64]
_Pairs = dict[tuple[int, int], float]

_LEAST = 0.2  # torsos beside the way expected, below which nobody has jumped
_FRAMES = 10  # for which a jump is remembered
_OTHER = 0.1  # likeness of looks, by which one of both must be less like before
_ALONE = 1.0  # torsos from everybody else, from which somebody's looks are their own
_NEW = 3  # frames, before which nobody stays against who was there
_KEPT = 0.95  # of how somebody looked, with each frame


@dataclass(slots=True)
class _Followed:
    """Where somebody went, how far off the way each of the last frames was, in torsos, and how they looked."""

    way: PersonWay
    looks: Doubles
    frames: int = 1
    jumps: deque[float] = field(default_factory=lambda: deque(maxlen=_FRAMES))

    def follow(self, place: Place, torso: float) -> None:
        if self.way.begun:
            across, down = self.way.velocity
            expected = self.way.place[0] + across, self.way.place[1] + down
            self.jumps.append(math.dist(place, expected) / torso)
        self.way.follow(place)
        self.frames += 1

    def look(self, looks: Doubles) -> None:
        if len(looks):
            self.looks = _KEPT * self.looks + (1 - _KEPT) * looks if len(self.looks) else looks

    @property
    def jump(self) -> float:
        return max(self.jumps, default=0.0)


class DistinctPeople(Calculator):
    """Leaves out who is there twice: of two regions whose poses are of one body, that which came from somebody else.

    When somebody is hidden, the landmarks of their region become those of who is in front, often from one frame to the
    next, while the region that was there before goes on as it went. So the one goes that looks less as it did before;
    or, where looks do not tell, the one that has just begun, or has jumped off its way; or else the younger, which is
    that of the higher number.

    Poses are of one body where half of their landmarks are closer to each other than `same_place`, and neither is more
    than twice as large as the other.

    Source: the innovation gate of trackers such as OC-SORT (Cao et al., 2023), on landmarks.
    """

    image = Input("IMAGE", Image, "uint8 RGB")
    poses = Input("POSE_LANDMARKS", dict, "of the image, by number; 33 landmarks each")
    regions = Input("ROIS", dict, "where each is next, by number", optional=True)
    distinct = Output("POSE_LANDMARKS", dict, "of those who are themselves")
    next_regions = Output("ROIS", dict, "of those who are themselves", optional=True)

    same_place: float = Option(0.3, "distance of landmarks below which poses are of one body, in torsos")

    def open(self, context: Context) -> None:
        self._followed: dict[int, _Followed] = {}

    def process(self, context: Context) -> None:
        image: Image | None = context[self.image]
        poses: dict[int, NormalizedLandmarkList] | None = context[self.poses]
        if image is None or poses is None:
            return
        size = image.shape[1], image.shape[0]
        points = {number: pose.xyz[:, :2].astype(np.float64) * size for number, pose in poses.items()}
        torsos = {number: torso_length(each) for number, each in points.items()}
        # who is alone is not taken for anybody else
        looks = {n: color_histogram(image, each) if len(points) > 1 else np.zeros(0) for n, each in points.items()}
        now: dict[int, _Followed] = {}
        for number, each in points.items():
            if number in self._followed:
                now[number] = self._followed[number]
                now[number].follow(torso_place(each), torsos[number])
            else:
                now[number] = _Followed(PersonWay(torso_place(each)), looks[number])
        apart = _distances(points, torsos)
        gone: set[int] = set()
        for (older, younger), distance in apart.items():
            if distance < self.same_place and not gone & {older, younger}:
                gone.add(older if _came(now[older], now[younger], looks[older], looks[younger]) else younger)
        for number, followed in now.items():
            if all(distance > _ALONE for pair, distance in apart.items() if number in pair):
                followed.look(looks[number])
        self._followed = {number: each for number, each in now.items() if number not in gone}
        context[self.distinct] = {number: pose for number, pose in poses.items() if number not in gone}
        regions: dict[int, Any] | None = context[self.regions]
        if regions is not None:
            context[self.next_regions] = {number: each for number, each in regions.items() if number not in gone}


def _distances(points: dict[int, Doubles], torsos: dict[int, float]) -> _Pairs:
    """How far apart half of the landmarks of any two are at most, in torsos of the smaller one; inf for other sizes."""
    found: _Pairs = {}
    for older, younger in combinations(sorted(points), 2):
        smaller, larger = sorted((torsos[older], torsos[younger]))
        apart = float(np.median(np.linalg.norm(points[older] - points[younger], axis=1)))
        found[older, younger] = apart / smaller if larger <= 2 * smaller else math.inf
    return found


def _came(older: _Followed, younger: _Followed, looks: Doubles, other_looks: Doubles) -> bool:
    """Whether of two on one body the older came from somebody else, and not the younger."""
    less = looks_alike(younger.looks, other_looks) - looks_alike(older.looks, looks)
    known = all(len(each) for each in (older.looks, younger.looks, looks, other_looks))
    if known and abs(less) > _OTHER:
        return less > 0
    return younger.frames >= _NEW and older.jump > max(2 * younger.jump, _LEAST)
