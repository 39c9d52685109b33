"""PersonWay: where somebody went, and where they may be who have not been seen since."""

from __future__ import annotations

import math
from collections import deque
from statistics import median

Place = tuple[float, float]
"""x, y in pixels."""

STEPS = 10
"""So many steps are remembered."""


class PersonWay:
    """The last steps of somebody.

    >>> way = PersonWay((100, 50))
    >>> for x in (110, 120, 130):
    ...     way.follow((x, 50))
    >>> way.velocity
    (10.0, 0.0)
    >>> way.distance((150, 53), frames=4), way.distance((190, 50), frames=4)
    (3.0, 20.0)

    Args:
        place: where somebody is, in pixels.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._steps: deque[Place] = deque(maxlen=STEPS)

    def follow(self, place: Place) -> None:
        """Goes on to where somebody is in the next frame."""
        self._steps.append((place[0] - self.place[0], place[1] - self.place[1]))
        self.place = place

    @property
    def velocity(self) -> Place:
        """Pixels a frame, 0 at first: the median, as the last steps of somebody who gets hidden are wrong."""
        if not self._steps:
            return 0.0, 0.0
        across, down = zip(*self._steps, strict=True)
        return float(median(across)), float(median(down))

    @property
    def begun(self) -> bool:
        """Whether there was a step."""
        return bool(self._steps)

    def distance(self, place: Place, frames: int) -> float:
        """How far a place is from the way between where somebody was last and where they would be, in pixels.

        Args:
            place: in pixels.
            frames: how many later that is.
        """
        x, y = place[0] - self.place[0], place[1] - self.place[1]
        velocity = self.velocity
        step_x, step_y = velocity[0] * frames, velocity[1] * frames
        squared = step_x**2 + step_y**2
        share = min(max((x * step_x + y * step_y) / squared, 0.0), 1.0) if squared else 0.0
        return math.hypot(x - share * step_x, y - share * step_y)
