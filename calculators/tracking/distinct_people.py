"""DistinctPeople: nobody twice, where the region of somebody hidden has gone over to who is in front."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import ImageSize, NormalizedLandmarkList

Doubles = npt.NDArray[np.float64]

_TORSO = [11, 12, 23, 24]  # shoulders and hips
_LEAST = 0.2  # torsos beside the way expected, below which nobody has jumped
_FRAMES = 10  # for which a jump is remembered
_STEADY = 0.6  # of the old velocity, in the new one


@dataclass(slots=True)
class _Way:
    """How somebody moved, in pixels a frame, and how far off the way each of the last frames was, in torsos."""

    place: Doubles
    velocity: Doubles | None = None
    jumps: deque[float] = field(default_factory=lambda: deque(maxlen=_FRAMES))

    def go(self, place: Doubles, torso: float) -> None:
        step = place - self.place
        self.place = place
        if self.velocity is None:
            self.velocity = step
            return
        self.jumps.append(float(np.linalg.norm(step - self.velocity)) / torso)
        self.velocity = _STEADY * self.velocity + (1 - _STEADY) * step

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
        self._ways: dict[int, _Way] = {}

    def process(self, context: Context) -> None:
        size = context[self.size]
        if size is None:
            return
        poses: dict[int, NormalizedLandmarkList] = context[self.poses] or {}
        points = {number: pose.xyz[:, :2].astype(np.float64) * size for number, pose in poses.items()}
        torsos = {number: _torso(each) for number, each in points.items()}
        ways: dict[int, _Way] = {}
        for number, each in points.items():
            place = each[_TORSO].mean(axis=0)
            ways[number] = self._ways.get(number) or _Way(place)
            if number in self._ways:
                ways[number].go(place, torsos[number])
        gone = self._twice(points, torsos, ways)
        self._ways = {number: way for number, way in ways.items() if number not in gone}
        regions: dict[int, Any] | None = context[self.regions]
        if context[self.poses] is not None:
            context[self.distinct] = {number: pose for number, pose in poses.items() if number not in gone}
        if regions is not None:
            context[self.next_regions] = {number: each for number, each in regions.items() if number not in gone}

    def _twice(self, points: dict[int, Doubles], torsos: dict[int, float], ways: dict[int, _Way]) -> set[int]:
        gone: set[int] = set()
        numbers = sorted(points)
        for place, older in enumerate(numbers):
            for younger in numbers[place + 1 :]:
                if not gone & {older, younger} and self._one_body(older, younger, points, torsos):
                    jumped = ways[older].jump > max(2 * ways[younger].jump, _LEAST)
                    gone.add(older if jumped else younger)
        return gone

    def _one_body(self, number: int, other: int, points: dict[int, Doubles], torsos: dict[int, float]) -> bool:
        smaller, larger = sorted((torsos[number], torsos[other]))
        apart = float(np.median(np.linalg.norm(points[number] - points[other], axis=1)))
        return larger <= 2 * smaller and apart < self.same_place * smaller


def _torso(points: Doubles) -> float:
    """How long, or across the shoulders how wide, a torso is, in pixels."""
    shoulders, hips = points[[11, 12]], points[[23, 24]]
    long = np.linalg.norm(shoulders.mean(axis=0) - hips.mean(axis=0))
    return max(float(long), float(np.linalg.norm(shoulders[0] - shoulders[1])), 1.0)
