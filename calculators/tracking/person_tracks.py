"""PersonTracks: which region belongs to whom, from frame to frame."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import ImageSize, NormalizedRect

_STEPS = 10


@dataclass(frozen=True, slots=True)
class _Way:
    """From where somebody was to where they would be by now, which is `step` farther, normalized."""

    begin: NormalizedRect
    step: tuple[float, float] = (0.0, 0.0)

    def distance(self, region: NormalizedRect, size: ImageSize) -> float:
        """From the region's centre to the nearest place of the way, in pixels."""
        x, y = (region.x_center - self.begin.x_center) * size[0], (region.y_center - self.begin.y_center) * size[1]
        step_x, step_y = self.step[0] * size[0], self.step[1] * size[1]
        squared = step_x**2 + step_y**2
        share = min(max((x * step_x + y * step_y) / squared, 0.0), 1.0) if squared else 0.0
        return math.hypot(x - share * step_x, y - share * step_y)


@dataclass(slots=True)
class _Seen:
    """Where a person was last, and when, and the steps that led there."""

    region: NormalizedRect
    last: int
    steps: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_STEPS))

    def follow(self, region: NormalizedRect, now: int) -> None:
        if now == self.last + 1:
            self.steps.append((region.x_center - self.region.x_center, region.y_center - self.region.y_center))
        else:
            self.steps.clear()
        self.region, self.last = region, now

    def way(self, now: int) -> _Way:
        if not self.steps:
            return _Way(self.region)
        # the last steps of somebody who is hidden are too short already, hence the median
        x, y = (median(each) * (now - self.last) for each in zip(*self.steps, strict=True))
        return _Way(self.region, (x, y))


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
                kept[number] = region
        for region in context[self.detected] or ():
            there = {number: _Way(each) for number, each in kept.items()}
            if len(kept) < self.max_people and not self._nearest(region, there, size):
                kept[self._number_of(region, kept, size)] = region
        for number, region in kept.items():
            self._seen.setdefault(number, _Seen(region, self._now)).follow(region, self._now)
        context[self.regions] = dict(sorted(kept.items()))

    def _number_of(self, region: NormalizedRect, kept: dict[int, NormalizedRect], size: ImageSize) -> int:
        lost = {number: seen.way(self._now) for number, seen in self._seen.items() if number not in kept}
        number = self._nearest(region, lost, size)
        if not number:
            number, self._next = self._next, self._next + 1
        return number

    def _nearest(self, region: NormalizedRect, ways: dict[int, _Way], size: ImageSize) -> int:
        """The number of the nearest of those ways that are in the same place, 0 where none is."""
        width, height = size
        side = max(region.width * width, region.height * height)
        best, nearest = 0, math.inf
        for number, way in ways.items():
            other_side = max(way.begin.width * width, way.begin.height * height)
            smaller, larger = min(side, other_side), max(side, other_side)
            apart = way.distance(region, size)
            if larger <= 2 * smaller and apart < self.same_place * smaller and apart < nearest:
                best, nearest = number, apart
        return best


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
