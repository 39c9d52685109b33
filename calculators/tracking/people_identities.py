"""PeopleIdentities: numbers that stay with people who were hidden, left the image, or changed places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import Image, NormalizedLandmarkList
from .keypoint_tracker import Person, PersonTracker
from .pose_flow import PoseFlow, PoseFlowParameters, orb_correspondences
from .pose_linking import Doubles, color_histogram

Poses = Mapping[int, NormalizedLandmarkList]

_STILL = 0.6
"""Likeness of colours under which a followed region may have gone over to somebody else."""


class _Identifier(Protocol):
    def numbers(self, timestamp_us: int, image: Image, poses: Poses) -> dict[int, int]:
        """The identity of each of the people of a frame, by the number of their region."""


class _ByKeypoints:
    """OKS with the pose that each person was last seen in."""

    def __init__(self, memory: int) -> None:
        # a frame's length is not known, so the tracker's clock counts frames
        self._tracker = PersonTracker(max_age_us=memory)
        self._frame = 0

    def numbers(self, timestamp_us: int, image: Image, poses: Poses) -> dict[int, int]:
        people = [Person(pose.xyz[:, :2].astype(np.float64), _scores(pose)) for pose in poses.values()]
        self._frame += 1
        return dict(zip(poses, self._tracker.apply(self._frame, people), strict=True))


class _ByFlow:
    """PoseFlow: how the points of the image move, boxes, and keypoints."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._flow: PoseFlow | None = None
        self._before: Image | None = None

    def numbers(self, timestamp_us: int, image: Image, poses: Poses) -> dict[int, int]:
        size = image.shape[1], image.shape[0]
        if self._flow is None or self._flow.image_size != size:
            self._flow, self._before = PoseFlow(size, PoseFlowParameters(link_length=self._memory)), None
        moved = None if self._before is None or not poses else orb_correspondences(self._before, image)
        self._before = image
        points = [pose.xyz[:, :2] * np.array(size, np.float32) for pose in poses.values()]
        ids, _ = self._flow.apply(points, [float(_scores(pose).mean()) for pose in poses.values()], moved)
        return dict(zip(poses, ids, strict=True))


@dataclass(slots=True)
class _Known:
    """How a person looked, on average, and when last."""

    looks: Doubles
    frame: int


class _ByColors:
    """Regions as long as they are followed; who is new is compared with those who are gone, by colours.

    So is a region that looks like somebody else, since the region of who is hidden goes over to who is in front.
    """

    def __init__(self, memory: int, min_alike: float) -> None:
        self._memory = memory
        self._min_alike = min_alike
        self._frame = 0
        self._identity: dict[int, int] = {}
        self._known: dict[int, _Known] = {}
        self._last = 0

    def numbers(self, timestamp_us: int, image: Image, poses: Poses) -> dict[int, int]:
        self._frame += 1
        self._known = {each: known for each, known in self._known.items() if self._frame - known.frame <= self._memory}
        self._identity = {number: each for number, each in self._identity.items() if each in self._known}
        sides = np.array([image.shape[1], image.shape[0]])
        looks = {number: color_histogram(image, pose.xyz[:, :2] * sides) for number, pose in poses.items()}
        here = {self._identity[number] for number in poses if number in self._identity}
        for number in sorted(poses):
            identity = self._identity.get(number, 0)
            own = _alike(looks[number], self._known[identity].looks) if identity else 0.0
            if own < _STILL:
                gone = {each: _alike(looks[number], self._known[each].looks) for each in self._known.keys() - here}
                best = max(sorted(gone), key=gone.__getitem__, default=0)
                if best and gone[best] >= self._min_alike:
                    identity = self._identity[number] = best
                elif not identity:
                    identity = self._identity[number] = self._new(number)
                here.add(identity)
            self._remember(identity, looks[number], own)
        return {number: self._identity[number] for number in poses}

    def _new(self, number: int) -> int:
        """The region's own number, unless somebody had it."""
        self._last = max(self._last + 1, number)
        return self._last

    def _remember(self, identity: int, looks: Doubles, own: float) -> None:
        known = self._known.get(identity)
        if known is None:
            self._known[identity] = _Known(looks, self._frame)
            return
        known.frame = self._frame
        if own >= _STILL:
            known.looks = 0.9 * known.looks + 0.1 * looks


def _alike(looks: Doubles, other: Doubles) -> float:
    """The Bhattacharyya coefficient, 0..1."""
    return float(np.sqrt(looks * other).sum()) if len(looks) and len(looks) == len(other) else 0.0


def _scores(pose: NormalizedLandmarkList) -> Doubles:
    return np.ones(len(pose)) if pose.visibility is None else pose.visibility.astype(np.float64)


class PeopleIdentities(Calculator):
    """Says who is in which region.

    A region's number is its person's as long as the person is followed, and for a second in about the same place.
    `oks` compares the poses of each frame with those that people were last seen in, `poseflow` also how the image
    moved, and `colors` compares who is new with those who are gone, wherever: a person who was hidden behind another,
    or left and came back, is the same again, and so may be somebody else in the same clothes.

    People without a pose have no identity.
    """

    image = Input("IMAGE", Image, "uint8 RGB")
    poses = Input("POSE_LANDMARKS", dict, "of the image, by the region's number")
    identities = Output("IDENTITIES", dict, "identities by the region's number")

    by: Literal["regions", "oks", "poseflow", "colors"] = Option("regions", "what makes somebody the same")
    memory: int = Option(100, "for how many frames a person who is gone is remembered; regions have their own")
    min_alike: float = Option(0.8, "for colors: likeness of colours above which a newcomer is who was gone, 0..1")

    def open(self, context: Context) -> None:
        self._identifier: _Identifier | None = None
        if self.by == "oks":
            self._identifier = _ByKeypoints(self.memory)
        elif self.by == "poseflow":
            self._identifier = _ByFlow(self.memory)
        elif self.by == "colors":
            self._identifier = _ByColors(self.memory, self.min_alike)

    def process(self, context: Context) -> None:
        image, poses = context[self.image], context[self.poses]
        if image is None or poses is None:
            return
        if self._identifier is None:
            context[self.identities] = {number: number for number in poses}
        else:
            context[self.identities] = self._identifier.numbers(context.timestamp, image, poses)


class RenumberPeople(Calculator):
    """Puts identities in the place of regions' numbers; people without one are left out."""

    fusible = True

    items = Input("", dict, "by the region's number")
    identities = Input("IDENTITIES", dict, "identities by the region's number")
    renumbered = Output("", dict, "by identity, in ascending order")

    def process(self, context: Context) -> None:
        items: Mapping[int, Any] | None = context[self.items]
        if items is not None:
            identities: Mapping[int, int] = context[self.identities] or {}
            found = ((identities[number], item) for number, item in items.items() if number in identities)
            context[self.renumbered] = dict(sorted(found, key=lambda each: each[0]))
