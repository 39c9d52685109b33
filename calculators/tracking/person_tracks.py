"""PersonTracks: which region belongs to whom, from frame to frame."""

from __future__ import annotations

import math
from typing import Any

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import ImageSize, NormalizedRect


class PersonTracks(Calculator):
    """Names the regions of people: those that were followed keep their number, those that are new get the next one.

    A detected region in the place of one that is followed is dropped, before anything is computed for it; so is the
    younger of two that have come to follow the same person. A person who was lost and is detected again in about the
    same place within `memory` timestamps gets the old number back. Two regions are in the same place where their
    centres, which are the middles of hips, are closer than `same_place` of the smaller region's longer side, and
    neither is more than twice as long as the other.
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
        # number -> where the person was last, and when
        self._seen: dict[int, tuple[NormalizedRect, int]] = {}

    def process(self, context: Context) -> None:
        size = context[self.size]
        if size is None:
            return
        self._now += 1
        self._seen = {number: seen for number, seen in self._seen.items() if self._now - seen[1] <= self.memory}
        kept: dict[int, NormalizedRect] = {}
        followed: dict[int, Any] = context[self.followed] or {}
        for number, region in sorted(followed.items()):
            if len(kept) < self.max_people and not self._place_of(region, kept, size):
                kept[number] = region
        for region in context[self.detected] or ():
            if len(kept) < self.max_people and not self._place_of(region, kept, size):
                kept[self._number_of(region, kept, size)] = region
        self._seen.update({number: (region, self._now) for number, region in kept.items()})
        context[self.regions] = dict(sorted(kept.items()))

    def _number_of(self, region: NormalizedRect, kept: dict[int, NormalizedRect], size: ImageSize) -> int:
        lost = {number: seen for number, (seen, _) in self._seen.items() if number not in kept}
        number = self._place_of(region, lost, size)
        if not number:
            number, self._next = self._next, self._next + 1
        return number

    def _place_of(self, region: NormalizedRect, others: dict[int, NormalizedRect], size: ImageSize) -> int:
        """The number of the nearest of the others that is in the same place, 0 where none is."""
        width, height = size
        side = max(region.width * width, region.height * height)
        best, nearest = 0, math.inf
        for number, other in others.items():
            other_side = max(other.width * width, other.height * height)
            smaller, larger = min(side, other_side), max(side, other_side)
            apart = math.hypot((region.x_center - other.x_center) * width, (region.y_center - other.y_center) * height)
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
