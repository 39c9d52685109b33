"""ProposalVariants: other boxes of people whose poses are uncertain, for a second look."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, OptionError, Output
from graphflow.context import Binding

from ..payloads import ImageSize, NormalizedLandmarkList, NormalizedRect
from .atomic_poses import AtomicPoses, read_atomic_poses, sample_variants
from .pose_proposals import ProposalDistribution

Doubles = npt.NDArray[np.float64]


class ProposalVariants(Calculator):
    """Gives boxes around uncertain poses as a detector might have given them; sure ones get none.

    Let a top-down network look at these, too, and `PoseNms` choose and merge. The same seed gives the same boxes at the
    same timestamp. Without `atoms` all poses have AlphaPose's one distribution.

    Source: Fang et al., "RMPE", 2017, section 3.4.
    """

    landmarks = Input("NORM_LANDMARKS", list[NormalizedLandmarkList], "of each person, scores as visibility")
    size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels")
    boxes = Output("NORM_RECTS", list[NormalizedRect], "the variants, person after person; may be empty")
    owners = Output("OWNERS", list[int], "which person each is a variant for", optional=True)

    atoms: str = Option("", "a file of `graphflow fit proposals`")
    variants: int = Option(3, "boxes for each uncertain person")
    uncertain_below: float = Option(0.5, "mean visibility below which a pose is uncertain, 0..1; above 1 all are")
    min_visibility: float = Option(0.1, "keypoints below count neither for the box nor for the atomic pose")
    padding: float = Option(1.2, "sides of a person's box over those of the extent of the keypoints")
    seed: int = Option(0, "of the random numbers")

    def check(self, binding: Binding) -> Iterable[OptionError]:
        if self.atoms:
            try:
                read_atomic_poses(self.atoms)
            except ValueError as error:
                yield OptionError("atoms", str(error))

    def open(self, context: Context) -> None:
        self._learned = read_atomic_poses(self.atoms) if self.atoms else None

    def process(self, context: Context) -> None:
        people: list[NormalizedLandmarkList] | None = context[self.landmarks]
        size = context[self.size]
        if people is None or size is None:
            return
        uncertain = [
            number
            for number, person in enumerate(people)
            if person.visibility is not None and float(np.mean(person.visibility)) < self.uncertain_below
        ]
        sides = np.array(size, np.float64)
        found = [self._boxes(people[number], sides, context.timestamp, number) for number in uncertain]
        rects = [_rect(box / np.tile(sides, 2)) for boxes in found for box in boxes]
        context[self.boxes] = rects
        context[self.owners] = [number for number in uncertain for _ in range(self.variants)]

    def _boxes(self, person: NormalizedLandmarkList, sides: Doubles, timestamp: int, number: int) -> Doubles:
        points = person.xyz[:, :2].astype(np.float64) * sides
        known = np.asarray(person.visibility) >= self.min_visibility
        # what was not seen lies anywhere
        seen = points[known] if known.sum() > 1 else points
        low, high = seen.min(axis=0), seen.max(axis=0)
        middle, half = (low + high) / 2, (high - low) / 2 * self.padding
        box = np.concatenate([middle - half, middle + half])
        learned, atom = self._learned, np.zeros(1, np.int64)
        if learned is None:
            learned = _one_distribution()
        else:
            atom = learned.nearest(points[None], known[None])
        random = np.random.default_rng([self.seed, abs(timestamp), number])
        variants: Doubles = sample_variants(box[None], atom, learned, self.variants, random)[0]
        return variants


def _rect(box: Doubles) -> NormalizedRect:
    low, high = box[:2], box[2:]
    x, y = (low + high) / 2
    width, height = high - low
    return NormalizedRect(float(x), float(y), float(width), float(height))


def _one_distribution() -> AtomicPoses:
    every = ProposalDistribution()
    mean, deviation = (np.array([each], np.float64) for each in (every.mean, every.deviation))
    return AtomicPoses((), np.zeros((1, 0, 2)), mean, deviation, np.ones(1, np.int64))
