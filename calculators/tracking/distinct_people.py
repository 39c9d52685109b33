"""DistinctPeople: nobody twice, where the region of somebody hidden has gone over to who is in front."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import ImageSize, NormalizedLandmarkList
from .person_way import PersonWay, Place
from .torso import torso_length, torso_place

Doubles = npt.NDArray[np.float64]

_LEAST = 0.2  # torsos beside the way expected, below which nobody has jumped
_FRAMES = 10  # for which a jump is remembered


@dataclass(slots=True)
class _Followed:
    """Where somebody went, and how far off the way each of the last frames was, in torsos."""

    way: PersonWay
    jumps: deque[float] = field(default_factory=lambda: deque(maxlen=_FRAMES))

    def follow(self, place: Place, torso: float) -> None:
        if self.way.begun:
            across, down = self.way.velocity
            expected = self.way.place[0] + across, self.way.place[1] + down
            self.jumps.append(math.dist(place, expected) / torso)
        self.way.follow(place)

    @property
    def jump(self) -> float:
        return max(self.jumps, default=0.0)


class DistinctPeople(Calculator):
    """Leaves out who is there twice: of two regions whose poses are of one body, that which has jumped there.

    When somebody is hidden, the landmarks of their region become those of who is in front, from one frame to the next,
    while the region that was there before goes on as it went. Where neither has left its way by more than the other,
    the younger goes, which is that of the higher number.

    Poses are of one body where half of their landmarks are closer to each other than `same_place`, and neither is more
    than twice as large as the other.

    Source: the innovation gate of trackers such as OC-SORT (Cao et al., 2023), on landmarks.
    """

    fusible = True

    poses = Input("POSE_LANDMARKS", dict, "of the image, by number; 33 landmarks each")
    regions = Input("ROIS", dict, "where each is next, by number", optional=True)
    size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels")
    distinct = Output("POSE_LANDMARKS", dict, "of those who are themselves")
    next_regions = Output("ROIS", dict, "of those who are themselves", optional=True)

    same_place: float = Option(0.3, "distance of landmarks below which poses are of one body, in torsos")

    def open(self, context: Context) -> None:
        self._followed: dict[int, _Followed] = {}

    def process(self, context: Context) -> None:
        size = context[self.size]
        if size is None:
            return
        poses: dict[int, NormalizedLandmarkList] = context[self.poses] or {}
        points = {number: pose.xyz[:, :2].astype(np.float64) * size for number, pose in poses.items()}
        torsos = {number: torso_length(each) for number, each in points.items()}
        now: dict[int, _Followed] = {}
        for number, each in points.items():
            followed = self._followed.get(number)
            now[number] = followed or _Followed(PersonWay(torso_place(each)))
            if followed is not None:
                followed.follow(torso_place(each), torsos[number])
        gone = self._twice(points, torsos, {number: each.jump for number, each in now.items()})
        self._followed = {number: each for number, each in now.items() if number not in gone}
        regions: dict[int, Any] | None = context[self.regions]
        if context[self.poses] is not None:
            context[self.distinct] = {number: pose for number, pose in poses.items() if number not in gone}
        if regions is not None:
            context[self.next_regions] = {number: each for number, each in regions.items() if number not in gone}

    def _twice(self, points: dict[int, Doubles], torsos: dict[int, float], jumps: dict[int, float]) -> set[int]:
        gone: set[int] = set()
        numbers = sorted(points)
        for place, older in enumerate(numbers):
            for younger in numbers[place + 1 :]:
                if not gone & {older, younger} and self._one_body(older, younger, points, torsos):
                    jumped = jumps[older] > max(2 * jumps[younger], _LEAST)
                    gone.add(older if jumped else younger)
        return gone

    def _one_body(self, number: int, other: int, points: dict[int, Doubles], torsos: dict[int, float]) -> bool:
        smaller, larger = sorted((torsos[number], torsos[other]))
        apart = float(np.median(np.linalg.norm(points[number] - points[other], axis=1)))
        return larger <= 2 * smaller and apart < self.same_place * smaller
