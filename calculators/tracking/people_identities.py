"""PeopleIdentities: numbers that stay with people who were hidden, left the image, or changed places."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal, Protocol

import numpy as np

from graphflow import Calculator, Context, Input, Option, OptionError, Output
from graphflow.context import Binding

from ..payloads import Image, NormalizedLandmarkList
from .keypoint_tracker import Person, PersonTracker
from .people_linking import PeopleLinking, Sight
from .pose_flow import PoseFlow, PoseFlowParameters, orb_correspondences
from .pose_linking import Doubles, color_histogram, looks_alike
from .torso import torso_length, torso_place

Poses = Mapping[int, NormalizedLandmarkList]

_STILL = 0.6
"""Likeness of colours under which a followed region may have gone over to somebody else."""


class _Identifier(Protocol):
    def numbers(self, image: Image, poses: Poses) -> dict[int, int] | None:
        """The identity of each of the people of the next frame that is due, by the number of their region."""

    def rest(self) -> Iterable[dict[int, int]]:
        """Those of the frames that are left at the end."""


class _AtOnce:
    """What says at each frame who its people are."""

    def rest(self) -> Iterable[dict[int, int]]:
        return ()


class _ByRegions(_AtOnce):
    """Everybody has the number of their region."""

    def numbers(self, image: Image, poses: Poses) -> dict[int, int]:
        return {number: number for number in poses}


class _ByTracker(_AtOnce):
    """Regions as long as they are followed; a tracker says whether who is new is one of those who are gone."""

    def __init__(self, tracker: Callable[[Image, Poses], Sequence[int]], memory: int) -> None:
        self._tracker = tracker
        self._memory = memory
        self._frame = 0
        self._identity: dict[int, int] = {}  # by region
        self._tracked: dict[int, int] = {}  # by what the tracker says
        self._seen: dict[int, int] = {}  # when, by identity
        self._last = 0

    def numbers(self, image: Image, poses: Poses) -> dict[int, int]:
        self._frame += 1
        self._seen = {each: seen for each, seen in self._seen.items() if self._frame - seen <= self._memory}
        for known in (self._identity, self._tracked):
            for number in [number for number, each in known.items() if each not in self._seen]:
                del known[number]
        here = {self._identity[number] for number in poses if number in self._identity}
        for number, track in sorted(zip(poses, self._tracker(image, poses), strict=True)):
            if number not in self._identity:
                identity = self._tracked.get(track, 0)
                if not identity or identity in here:
                    identity = self._last = max(self._last + 1, number)
                self._identity[number] = identity
                here.add(identity)
            identity = self._tracked[track] = self._identity[number]
            self._seen[identity] = self._frame
        return {number: self._identity[number] for number in poses}


def _by_keypoints(memory: int) -> _Identifier:
    """OKS with the pose that each person was last seen in."""
    # a frame's length is not known, so the tracker's clock counts frames
    tracker, frames = PersonTracker(max_age_us=memory), count(1)

    def track(image: Image, poses: Poses) -> list[int]:
        people = [Person(pose.xyz[:, :2].astype(np.float64), _scores(pose)) for pose in poses.values()]
        return tracker.apply(next(frames), people)

    return _ByTracker(track, memory)


class _Flow:
    """PoseFlow: how the points of the image move, boxes, and keypoints."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._flow: PoseFlow | None = None
        self._before: Image | None = None

    def __call__(self, image: Image, poses: Poses) -> list[int]:
        size = image.shape[1], image.shape[0]
        if self._flow is None or self._flow.image_size != size:
            self._flow, self._before = PoseFlow(size, PoseFlowParameters(link_length=self._memory)), None
        moved = None if self._before is None or not poses else orb_correspondences(self._before, image)
        self._before = image
        points = [pose.xyz[:, :2] * np.array(size, np.float32) for pose in poses.values()]
        return self._flow.apply(points, [float(_scores(pose).mean()) for pose in poses.values()], moved)[0]


class _ByLinking:
    """Regions, linked some frames later by looks and places."""

    def __init__(self, window: int, memory: int) -> None:
        self._linking = PeopleLinking(window, memory)
        self.rest = self._linking.rest

    def numbers(self, image: Image, poses: Poses) -> dict[int, int] | None:
        people = {}
        for number, pose in poses.items():
            points = pose.xyz[:, :2].astype(np.float64) * (image.shape[1], image.shape[0])
            people[number] = Sight(torso_place(points), torso_length(points), color_histogram(image, points))
        return self._linking.see(people)


@dataclass(slots=True)
class _Known:
    """How a person looked, on average, and when last."""

    looks: Doubles
    frame: int


class _ByColors(_AtOnce):
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

    def numbers(self, image: Image, poses: Poses) -> dict[int, int]:
        self._frame += 1
        self._known = {each: known for each, known in self._known.items() if self._frame - known.frame <= self._memory}
        self._identity = {number: each for number, each in self._identity.items() if each in self._known}
        sides = np.array([image.shape[1], image.shape[0]])
        looks = {number: color_histogram(image, pose.xyz[:, :2] * sides) for number, pose in poses.items()}
        here = {self._identity[number] for number in poses if number in self._identity}
        for number in sorted(poses):
            identity = self._identity.get(number, 0)
            own = looks_alike(looks[number], self._known[identity].looks) if identity else 0.0
            if own < _STILL:
                gone = {each: looks_alike(looks[number], self._known[each].looks) for each in self._known.keys() - here}
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


def _scores(pose: NormalizedLandmarkList) -> Doubles:
    return np.ones(len(pose)) if pose.visibility is None else pose.visibility.astype(np.float64)


class PeopleIdentities(Calculator):
    """Says who is in which region.

    A region's number is its person's as long as the person is followed, and for a second where they were or were going.
    After that, `oks` compares who is new with the poses that people were last seen in, `poseflow` also asks how the
    image moved, and `colors` compares looks, wherever: a person who was hidden behind another, or left and came back,
    is the same again, and so may be somebody else in the same clothes.

    `poseflow` with a `link_window` is for files: looks and places of so many frames decide, and IDENTITIES come as many
    frames late, each at its own timestamp; see `PeopleLinking`.

    People without a pose have no identity.
    """

    image = Input("IMAGE", Image, "uint8 RGB")
    poses = Input("POSE_LANDMARKS", dict, "of the image, by the region's number")
    identities = Output("IDENTITIES", dict, "identities by the region's number")

    by: Literal["regions", "oks", "poseflow", "colors"] = Option("regions", "what makes somebody the same")
    link_window: int = Option(0, "for poseflow: frames to look ahead before anybody is named; 0 names at once")
    memory: int = Option(100, "for how many frames a person who is gone is remembered; regions have their own")
    min_alike: float = Option(0.8, "for colors: likeness of colours above which a newcomer is who was gone, 0..1")

    def check(self, binding: Binding) -> Iterable[OptionError]:
        if self.link_window and self.by != "poseflow":
            yield OptionError("link_window", f"only poseflow looks ahead, and 'by' is {self.by}: leave link_window 0")
        if self.link_window < 0:
            yield OptionError("link_window", f"link_window is a number of frames, not {self.link_window}")

    def open(self, context: Context) -> None:
        self._identifier: _Identifier = _ByRegions()
        if self.by == "oks":
            self._identifier = _by_keypoints(self.memory)
        elif self.by == "poseflow":
            late = self.link_window > 0
            self._identifier = (
                _ByLinking(self.link_window, self.memory) if late else _ByTracker(_Flow(self.memory), self.memory)
            )
        elif self.by == "colors":
            self._identifier = _ByColors(self.memory, self.min_alike)
        self._due: deque[int] = deque()
        if self.link_window:
            self.timestamp_offset = None

    def process(self, context: Context) -> None:
        image, poses = context[self.image], context[self.poses]
        if image is None or poses is None:
            return
        self._due.append(context.timestamp)
        identities = self._identifier.numbers(image, poses)
        if identities is not None:
            context.emit(self.identities, identities, self._due.popleft())

    def close(self, context: Context) -> None:
        for identities in self._identifier.rest():
            context.emit(self.identities, identities, self._due.popleft())


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
