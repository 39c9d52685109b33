"""The errors that pose networks make, made on purpose: good, jitter, inversion, swap and miss, seeded.

Source: Moon, Chang, Lee, "PoseFix", CVPR 2019, sections 3.2 and 4; the taxonomy is Ronchi and Perona's, ICCV 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from graphflow.evaluation.oks import COCO_SIGMAS

Doubles: TypeAlias = npt.NDArray[np.float64]

KINDS: tuple[str, ...] = ("jitter", "miss", "inversion", "swap", "good")
"""The kinds of errors, in the order of all arrays of probabilities."""

COCO_PARTNERS: tuple[int, ...] = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
"""For each of COCO's 17 keypoints the one on the other side."""

_DRAWS = 500
_FACE, _UPPER, _LOWER = range(5), range(5, 11), range(11, 17)


@dataclass(frozen=True, slots=True, eq=False)
class WrongPose:
    """A pose with errors.

    Attributes:
        keypoints: float64 [17, 3]: x, y, and 1; zeros where no error could be placed.
        kinds: int64 [17], which of `KINDS` each keypoint suffered; -1 where none could be placed.
        probabilities: float64 [17, 5] of `KINDS`, of those that could be placed.
    """

    keypoints: Doubles
    kinds: npt.NDArray[np.int64]
    probabilities: Doubles


def similarity_distance(similarity: float, area: float, sigmas: npt.ArrayLike = COCO_SIGMAS) -> Doubles:
    """How far each keypoint may be off for a keypoint similarity: float64 [K], in the unit of the root of `area`.

    >>> similarity_distance(0.5, 100.0, [0.05]).round(3).tolist()
    [1.177]
    """
    distances: Doubles = np.sqrt(-2 * area * (2 * np.asarray(sigmas, np.float64)) ** 2 * np.log(similarity))
    return distances


def error_probabilities(labelled: int, overlapping_people: int = 0) -> Doubles:
    """How likely each kind of error is for each keypoint before places are looked for: float64 [17, 5].

    Args:
        labelled: keypoints of the person that are labelled: few, where much of the person is hidden.
        overlapping_people: others whose boxes overlap the person's.

    Source: PoseFix, section 4 and its program, which reads them off the errors of published networks.
    """
    probabilities = np.zeros((len(COCO_PARTNERS), len(KINDS)))
    more = 0.05 if labelled <= 10 else 0.0
    miss = (0.15, 0.20, 0.25) if labelled <= 5 else (0.10, 0.13, 0.15) if labelled <= 10 else (0.02, 0.05, 0.10)
    crowded = (labelled <= 10 and overlapping_people > 0) or (labelled <= 15 and overlapping_people >= 3)
    swap = (0.02, 0.15, 0.10) if crowded else (0.01, 0.06, 0.03)
    for k in range(len(probabilities)):
        region = 0 if k in _FACE else 1 if k in _UPPER else 2
        jitter = 0.10 if k == 0 or k >= 13 else 0.15 if k <= 10 else 0.20
        missed = miss[0] if k in _FACE else miss[1] if k in (5, 6, 15, 16) else miss[2]
        rest = (jitter + more, missed, (0.01, 0.03, 0.06)[region], swap[region])
        probabilities[k] = *rest, 1 - sum(rest)
    return probabilities


class PoseErrors:
    """Makes wrong poses of true ones, the same from the same seed.

    Args:
        seed: of all that follows.
        reference: "posefix" reproduces what the authors' program does for keypoints whose partner is not labelled: it
            takes the first of the others' partners for the own one, so that nobody is swapped with that.

    >>> truth = np.column_stack([np.arange(17) * 20.0, np.arange(17) * 20.0, np.ones(17)])
    >>> wrong = PoseErrors(1).apply(truth, area=20_000)
    >>> wrong.keypoints.shape, set(wrong.kinds) <= {-1, 0, 1, 2, 3, 4}
    ((17, 3), True)
    """

    def __init__(self, seed: int = 0, reference: Literal["exact", "posefix"] = "exact") -> None:
        self._random = np.random.default_rng(seed)
        self._reference = reference

    def apply(
        self,
        keypoints: npt.ArrayLike,
        area: float,
        others: npt.ArrayLike = (),
        estimated: npt.ArrayLike | None = None,
        overlapping_people: int | None = None,
    ) -> WrongPose:
        """A pose as a network might have given it.

        Args:
            keypoints: [17, 3] x, y, and whether it is labelled (above 0); COCO's.
            area: of the person, in square units of the coordinates.
            others: [N, 17, 3], people nearby.
            estimated: [17, 3], where keypoints are that are not labelled; default: those get no place.
            overlapping_people: default the number of `others`.

        Raises:
            ValueError: people are not [17, 3].
        """
        truth = np.asarray(keypoints, np.float64)
        near = np.asarray(others, np.float64).reshape(-1, len(COCO_PARTNERS), 3)
        if truth.shape != (len(COCO_PARTNERS), 3):
            raise ValueError(f"people are [17, 3] in COCO's order, not {list(truth.shape)}")
        labels = truth[:, 2] > 0
        source = truth if estimated is None else np.where(labels[:, None], truth, np.asarray(estimated, np.float64))
        overlapping = len(near) if overlapping_people is None else overlapping_people
        likely = error_probabilities(int(labels.sum()), overlapping)
        reach = np.stack([similarity_distance(each, area) for each in (0.85, 0.5, 0.1)], axis=1)
        result = WrongPose(np.zeros((17, 3)), np.full(17, -1), np.zeros((17, 5)))
        for k in range(len(COCO_PARTNERS)):
            if not labels[k] and estimated is None:
                continue
            points, partner, foreign = self._candidates(k, source, labels, near)
            places, possible = np.zeros((len(KINDS), 2)), np.zeros(len(KINDS), np.bool_)
            _draw_places(self._random, points, partner, foreign, reach[k], places, possible)
            weights = np.where(possible, likely[k], 0.0)
            if not weights.sum():
                continue
            result.probabilities[k] = weights / weights.sum()
            kind = int(self._random.choice(len(KINDS), p=result.probabilities[k]))
            result.keypoints[k] = *places[kind], 1.0
            result.kinds[k] = kind
        return result

    def _candidates(
        self, k: int, source: Doubles, labels: npt.NDArray[np.bool_], near: Doubles
    ) -> tuple[Doubles, int, npt.NDArray[np.int64]]:
        """What a keypoint may be taken for: itself, that of others, its partner, that of others.

        Returns:
            [P, 2]; the row of the own partner, -1 without one; and the rows of other people's.
        """
        other = COCO_PARTNERS[k]
        paired = other != k
        same = near[near[:, k, 2] > 0, k, :2]
        own = source[other : other + 1, :2] if paired and labels[other] else np.zeros((0, 2))
        crossed = near[near[:, other, 2] > 0, other, :2] if paired else np.zeros((0, 2))
        points = np.concatenate([source[k : k + 1, :2], same, own, crossed])
        place = 1 + len(same)
        foreign = np.concatenate([np.arange(1, place), np.arange(place + len(own), len(points))])
        partner = place if len(own) else -1
        if self._reference == "posefix" and not len(own) and place < len(points):
            return points, -2 - place, foreign[foreign != place].astype(np.int64)
        return points, partner, foreign.astype(np.int64)


@njit(nogil=True)
def _drawn(random: np.random.Generator, points: Doubles, place: int, low: float, high: float, out: Doubles) -> float:
    """Fills in a point around a candidate, evenly by angle and by distance; returns the distance."""
    angle = random.random() * 2 * np.pi
    radius = low + random.random() * (high - low)
    out[0] = points[place, 0] + radius * np.cos(angle)
    out[1] = points[place, 1] + radius * np.sin(angle)
    return radius


@njit(nogil=True)
def _beyond(points: Doubles, place: int, out: Doubles, distance: float) -> bool:
    """Whether a point is farther than that from all candidates but one."""
    for other in range(len(points)):
        if other != place and np.hypot(points[other, 0] - out[0], points[other, 1] - out[1]) <= distance:
            return False
    return True


@njit(nogil=True)
def _nearest_to(
    random: np.random.Generator, points: Doubles, place: int, low: float, high: float, tries: int, out: Doubles
) -> bool:
    for _ in range(tries):
        radius = _drawn(random, points, place, low, high, out)
        if _beyond(points, place, out, radius):
            return True
    return False


@njit(nogil=True)
def _draw_places(
    random: np.random.Generator,
    points: Doubles,
    partner: int,
    foreign: npt.NDArray[np.int64],
    reach: Doubles,
    places: Doubles,
    possible: npt.NDArray[np.bool_],
) -> None:
    """A place for each of `KINDS`, and whether one was found.

    One that is drawn until it fits is distributed as one taken from all of many that fit, which is what the authors'
    program does; it gives up after as many draws as that makes. A `partner` of -2 - p is no partner, but the place p
    is kept away from as if it were one.
    """
    good, half, far = reach
    possible[0] = _nearest_to(random, points, 0, good, half, _DRAWS, places[0])
    for _ in range(4 * _DRAWS * len(points)):
        # what lies around others than the own keypoint is taken a quarter as often
        place = int(random.random() * (len(points) + 3)) - 3
        place = max(place, 0)
        _drawn(random, points, place, half, far, places[1])
        if _beyond(points, place, places[1], half):
            possible[1] = True
            break
    if partner >= 0:
        possible[2] = _nearest_to(random, points, partner, 0.0, half, _DRAWS, places[2])
    kept_away = partner if partner >= 0 else (-2 - partner if partner <= -2 else -1)
    for _ in range(_DRAWS * len(foreign)):
        place = foreign[int(random.random() * len(foreign))]
        radius = _drawn(random, points, place, 0.0, half, places[3])
        own = np.hypot(points[0, 0] - places[3, 0], points[0, 1] - places[3, 1]) > radius
        if own and kept_away >= 0:
            own = np.hypot(points[kept_away, 0] - places[3, 0], points[kept_away, 1] - places[3, 1]) > radius
        if own:
            possible[3] = True
            break
    possible[4] = _nearest_to(random, points, 0, 0.0, good, _DRAWS // 4, places[4])
