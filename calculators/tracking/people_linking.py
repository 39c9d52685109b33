"""PeopleLinking: identities from some frames later, when it can be seen how everybody looks who has come."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from .person_way import STEPS, PersonWay, Place
from .pose_linking import Doubles, looks_alike

_LOOKS = 9.0  # weight of looks against places
_REACH = 0.5  # torsos, at which a place's likeness falls to 0.6 after one frame
_OTHER = 0.6  # likeness of looks under which a region has gone over to somebody else
_MORE = 0.1  # by which looks must be more like those of somebody who is gone, for a region to have gone over to them
_SURE = 0.9  # likeness of looks from which they are of one person
_KEPT = 0.95  # of how somebody looked, with each frame
_KEPT_ASIDE = 0.99  # the same where the frame looks otherwise, perhaps because somebody is in front
_ENOUGH = 10  # frames from which looks are sure


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One person of one frame.

    Attributes:
        place: the middle of the torso, px.
        torso: how long it is, px.
        looks: a histogram that sums to 1; empty where there is none.
    """

    place: Place
    torso: float
    looks: Doubles


@dataclass(slots=True, eq=False)
class _Part:
    """What one region saw without a break: the last of the frames whose identities are out, and those ahead."""

    number: int
    begin: int
    first: Sight
    identity: int = 0
    known: Doubles = field(default_factory=lambda: np.zeros(0))
    out: int = 0
    past: deque[Sight] = field(default_factory=lambda: deque(maxlen=STEPS + 1))
    ahead: deque[Sight] = field(default_factory=deque)

    @property
    def end(self) -> int:
        """The number of its last frame."""
        return self.begin + self.out + len(self.ahead) - 1

    @property
    def last(self) -> Sight:
        return (self.ahead or self.past)[-1]

    def way(self) -> PersonWay:
        first, *then = (each.place for each in [*self.past, *self.ahead][-STEPS - 1 :])
        way = PersonWay(first)
        for place in then:
            way.follow(place)
        return way

    def coming(self) -> Doubles:
        """How the person looks on average in the frames ahead."""
        looks = [each.looks for each in self.ahead if len(each.looks)]
        return np.mean(looks, axis=0) if looks else np.zeros(0)

    def looks(self) -> Doubles:
        return self.known if len(self.known) else self.coming()

    def pass_on(self) -> None:
        """One frame more is out."""
        self.past.append(self.ahead.popleft())
        self.out += 1
        looks = self.past[-1].looks
        if len(looks):
            share = max(1 / self.out, 1 - (_KEPT if looks_alike(self.known, looks) > _SURE else _KEPT_ASIDE))
            self.known = (1 - share) * self.known + share * looks if len(self.known) else looks

    def changed(self, gone: Iterable[Doubles]) -> bool:
        """Whether somebody else is in the region from the next frame on, of whom that is known, or not like before."""
        if self.out < _ENOUGH or len(self.ahead) < _ENOUGH or not len(self.known) or not len(self.ahead[0].looks):
            return False
        now, coming = self.ahead[0].looks, self.coming()
        own = looks_alike(self.known, now), looks_alike(self.known, coming)
        return max(own) < _OTHER or any(
            looks_alike(other, now) > own[0] and looks_alike(other, coming) > max(own[1] + _MORE, _SURE)
            for other in gone
        )

    def cut(self) -> _Part:
        """Ends here; what is ahead is a part of its own."""
        later = _Part(self.number, self.begin + self.out, self.ahead[0], ahead=self.ahead)
        self.ahead = deque()
        return later


class PeopleLinking:
    """Gives people identities that last, some frames late, from the regions that are followed.

    A region that begins is linked to one that has ended, so that looks, of all frames that are known by then, and
    places, along the way that somebody went, fit best for all together. A region that looks like somebody else from
    some frame on has ended there, and another has begun.

    Args:
        window: frames that the identities come late.
        memory: frames that a person is remembered unseen.
        min_alike: how alike two regions must be, 0..1.

    Raises:
        ValueError: `window` or `memory` is not positive.

    Source: Xiu et al., "Pose Flow", 2018: the window of frames, and the joining of flows that do not overlap; the
    assignment is that of Zhang, Li, Nevatia, "Global Data Association for Multi-Object Tracking Using Network Flows".
    """

    def __init__(self, window: int, memory: int = 100, min_alike: float = 0.75) -> None:
        for name, number in (("window", window), ("memory", memory)):
            if number < 1:
                raise ValueError(f"{name} must be at least 1, not {number}")
        self._window = window
        self._memory = memory
        self._min_alike = min_alike
        self._frame = 0  # of the next that comes
        self._due = 0  # of the next that goes
        self._numbers: deque[tuple[int, ...]] = deque()
        self._open: dict[int, _Part] = {}  # by number, that at the frame which came last
        self._parts: list[_Part] = []  # in the order in which they began
        self._last = 0

    def see(self, people: Mapping[int, Sight]) -> dict[int, int] | None:
        """Takes the people of the next frame, by number; the identities of the frame that is due, None before."""
        for number in sorted(people):
            if number not in self._open:
                self._open[number] = _Part(number, self._frame, people[number])
                self._parts.append(self._open[number])
            self._open[number].ahead.append(people[number])
        self._open = {number: self._open[number] for number in people}
        self._numbers.append(tuple(people))
        self._frame += 1
        return self._pass_on() if len(self._numbers) > self._window else None

    def rest(self) -> Iterator[dict[int, int]]:
        """The identities of the frames that are left, when no more will come."""
        while self._numbers:
            yield self._pass_on()

    def _pass_on(self) -> dict[int, int]:
        frame = self._due
        self._parts = [part for part in self._parts if part.end >= frame - self._memory]
        now = {part.number: part for part in self._parts if part.begin <= frame <= part.end}
        here = {part.identity for part in now.values()}
        gone = [each.known for each in self._last_parts() if each.identity not in here]
        for number, part in sorted(now.items()):
            if part.changed(gone):
                now[number] = later = part.cut()
                self._parts.append(later)
                if self._open.get(number) is part:
                    self._open[number] = later
        for _, part in sorted(now.items()):
            if not part.identity:
                part.identity = self._linked(part) or self._new(part.number)
        for part in now.values():
            part.pass_on()
        self._due += 1
        return {number: now[number].identity for number in self._numbers.popleft()}

    def _linked(self, part: _Part) -> int:
        """The identity of the part before it, where the best links of all that are known have one."""
        from scipy.optimize import linear_sum_assignment

        begun = [each for each in self._parts if not each.identity]
        ended = [*self._last_parts(), *begun]
        gains = np.array([[self._gain(before, after) for before in ended] for after in begun])
        row = next(row for row, each in enumerate(begun) if each is part)
        column = int(linear_sum_assignment(-gains)[1][row])
        return ended[column].identity if gains[row, column] > 0 else 0

    def _last_parts(self) -> list[_Part]:
        """Of each identity the last part that is known."""
        parts = sorted(self._parts, key=lambda each: each.end)
        return list({each.identity: each for each in parts if each.identity}.values())

    def _gain(self, before: _Part, after: _Part) -> float:
        """How much better a link is than none, at least 0."""
        frames = after.begin - before.end
        if not 0 < frames <= self._memory:
            return 0.0
        smaller, larger = sorted((before.last.torso, after.first.torso))
        reach = _REACH * larger * frames**0.5
        apart = before.way().distance(after.first.place, frames)
        place = float(np.exp(-(apart**2) / (2 * reach**2))) if larger <= 2 * smaller else 0.0
        looks = before.looks(), after.coming()
        alike = place
        if all(len(each) for each in looks):
            alike = (place + _LOOKS * looks_alike(*looks)) / (1 + _LOOKS)
        return max(alike - self._min_alike, 0.0)

    def _new(self, number: int) -> int:
        """The region's own number, unless somebody had it."""
        self._last = max(self._last + 1, number)
        return self._last
