"""PersonTracks: which region belongs to whom, from frame to frame."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import ImageSize, NormalizedRect
from .person_way import PersonWay


@dataclass(slots=True)
class _Seen:
    """Where a person was last, when, and how they got there."""

    region: NormalizedRect
    last: int
    way: PersonWay


class PersonTracks(Calculator):
    """Names the regions of people: those that were followed keep their number, those that are new get the next one.

    A detected region in the place of one that is followed is dropped, before anything is computed for it. A person who
    was lost and is detected again within `memory` timestamps gets the old number back, if that is about where they
    were, or on the way from there to where they would be by now. Two regions are in the same place where their centres,
    which are the middles of hips, are closer than `same_place` of the smaller region's longer side, and neither is more
    than twice as long as the other.
    """

    fusible = True

    followed = Input("TRACKED", dict, "last frame's regions by number", optional=True)
    detected = Input("DETECTED", list[NormalizedRect], "the surest first; not at every timestamp", optional=True)
    size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels")
    regions = Output("ROIS", dict, "regions by number, 1 and up")

    max_people: int = Option(4, "how many people at most; those followed come first, then the surest")
    same_place: float = Option(0.2, "how far apart the centres of one person's regions may be, in region sides")
    memory: int = Option(30, "for how many timestamps the place of a lost person is remembered")

    def open(self, context: Context) -> None:
        self._next = 1
        self._now = 0
        self._seen: dict[int, _Seen] = {}

    def process(self, context: Context) -> None:
        size = context[self.size]
        if size is None:
            return
        self._now += 1
        self._seen = {number: seen for number, seen in self._seen.items() if self._now - seen.last <= self.memory}
        kept: dict[int, NormalizedRect] = {}
        followed: dict[int, Any] = context[self.followed] or {}
        for number, region in sorted(followed.items()):
            if len(kept) < self.max_people:
                kept[number] = self._see(number, region, size)
        for region in context[self.detected] or ():
            if len(kept) < self.max_people and not self._nearest(region, kept, size):
                number = self._nearest(region, self._seen.keys() - kept, size) or self._new()
                kept[number] = self._see(number, region, size)
        context[self.regions] = dict(sorted(kept.items()))

    def _new(self) -> int:
        self._next += 1
        return self._next - 1

    def _see(self, number: int, region: NormalizedRect, size: ImageSize) -> NormalizedRect:
        place = _centre(region, size)
        seen = self._seen.get(number)
        if seen is not None and seen.last == self._now - 1:
            seen.way.follow(place)
            seen.region, seen.last = region, self._now
        else:
            self._seen[number] = _Seen(region, self._now, PersonWay(place))
        return region

    def _nearest(self, region: NormalizedRect, numbers: Iterable[int], size: ImageSize) -> int:
        """The nearest of those people who are in the same place, or would be by now, 0 where none is."""
        side = _side(region, size)
        best, nearest = 0, math.inf
        for number in sorted(numbers):
            seen = self._seen[number]
            smaller, larger = sorted((side, _side(seen.region, size)))
            apart = seen.way.distance(_centre(region, size), self._now - seen.last)
            if larger <= 2 * smaller and apart < self.same_place * smaller and apart < nearest:
                best, nearest = number, apart
        return best


def _centre(region: NormalizedRect, size: ImageSize) -> tuple[float, float]:
    return region.x_center * size[0], region.y_center * size[1]


def _side(region: NormalizedRect, size: ImageSize) -> float:
    return max(region.width * size[0], region.height * size[1])


class LookForPeople(Calculator):
    """Says at which frames to look over the whole image for people: at the first, when somebody was lost, now and then.

    While nobody is followed every frame is looked over.
    """

    fusible = True

    tick = Input("TICK", doc="every frame")
    followed = Input("TRACKED", dict, "last frame's regions by number", optional=True)
    look = Output("LOOK", bool)

    redetect_every: int = Option(10, "frames from one look to the next at most; 0 looks only when somebody is missing")
    max_people: int = Option(4, "once so many are followed nobody else is looked for")

    def open(self, context: Context) -> None:
        self._since = 0
        self._people = 0

    def process(self, context: Context) -> None:
        people = len(context[self.followed] or {})
        self._since += 1
        due = self.redetect_every > 0 and self._since >= self.redetect_every
        look = people == 0 or people < self._people or (due and people < self.max_people)
        if look:
            self._since = 0
        self._people = people
        context[self.look] = look
