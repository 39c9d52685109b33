"""Fits the parameters of pose NMS on annotated images: those that give the highest average precision.

Source: Fang et al., "RMPE", ICCV 2017, section 3.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from graphflow.calculators.tracking.pose_nms import PoseNmsParameters, pose_nms

from .annotations import Annotations
from .oks import COCO_SIGMAS, coco_keypoint_summary
from .proposals import ImageProposals

Proposals: TypeAlias = Mapping[int, ImageProposals]
"""The proposals of each image by its id."""

_DEFAULTS = PoseNmsParameters()
_FACTORS = np.array([0.25, 0.4, 0.6, 0.8, 1.0, 1.25, 1.6, 2.5, 4.0])
_FINE = np.array([0.8, 0.9, 1.0, 1.1, 1.25])


@dataclass(frozen=True, slots=True)
class NmsFit:
    """What was found.

    Attributes:
        parameters: the best.
        average_precision: theirs, COCO's, 0..1.
        average_precision_before: of the parameters that the search began with.
        tried: how many sets of parameters were tried.
    """

    parameters: PoseNmsParameters
    average_precision: float
    average_precision_before: float
    tried: int


def nms_average_precision(annotations: Annotations, proposals: Proposals, parameters: PoseNmsParameters) -> float:
    """COCO's AP, 0..1, of what pose NMS leaves of the proposals.

    As in the calculator `PoseNms`, the extent of a pose is its box.

    Raises:
        ImportError: faster-coco-eval is missing.
        ValueError: the proposals do not go with the annotations.
    """
    count = len(annotations.keypoint_names)
    category = annotations.coco["categories"][0]["id"]
    found: list[dict[str, Any]] = []
    for image_id, each in proposals.items():
        if each.poses.shape[1] != count:
            raise ValueError(
                f"the proposals of image {image_id} have {each.poses.shape[1]} keypoints, the annotations {count}"
            )
        places = each.poses[..., :2]
        boxes = np.concatenate([places.min(axis=1), places.max(axis=1)], axis=1)
        left = pose_nms(boxes, each.scores, places, each.poses[..., 2], parameters)
        for pose, scores, total in zip(left.poses, left.scores, left.proposal_scores, strict=True):
            keypoints = np.column_stack([pose, scores]).astype(float).reshape(-1).tolist()
            entry = {"image_id": image_id, "category_id": category, "keypoints": keypoints, "score": float(total)}
            found.append(entry)
    sigmas = COCO_SIGMAS if count == len(COCO_SIGMAS) else (0.08,) * count
    return coco_keypoint_summary(annotations.coco, found, sigmas).values["AP"]


def fit_pose_nms(
    annotations: Annotations,
    proposals: Proposals,
    start: PoseNmsParameters = _DEFAULTS,
    rounds: int = 3,
) -> NmsFit:
    """Searches the parameters two by two: `delta1` and `delta2` with the others fixed, then `mu` and `gamma`, again.

    Each pair is tried on a grid, a wide one in the first round; of equals those win whose neighbours are good, too.
    It ends when a round finds nothing better. `match_threshold`, which the paper does not have, is tried both as given
    and as 0.

    Args:
        annotations: the truth.
        proposals: several for each person, as of overlapping boxes.
        start: where to begin; what is not searched stays.
        rounds: at most so many.

    Raises:
        ImportError: faster-coco-eval is missing.
        ValueError: nothing is proposed for any annotated image, or the keypoints are others.
    """
    known = {image.image_id for image in annotations.images}
    used = {image: each for image, each in proposals.items() if image in known}
    if not used:
        raise ValueError("none of the proposals is for an image of the annotations; their image_id must be the same")
    search = _Search(annotations, used)
    before = search.precision(start)
    best = max((search.run(first, rounds) for first in _starts(start)), key=search.precision)
    return NmsFit(best, search.precision(best), before, len(search.known))


def _starts(start: PoseNmsParameters) -> Iterator[PoseNmsParameters]:
    yield start
    if start.match_threshold:
        yield replace(start, match_threshold=0)


class _Search:
    def __init__(self, annotations: Annotations, proposals: Proposals) -> None:
        self._annotations, self._proposals = annotations, proposals
        self.known: dict[PoseNmsParameters, float] = {}

    def precision(self, parameters: PoseNmsParameters) -> float:
        if parameters not in self.known:
            self.known[parameters] = nms_average_precision(self._annotations, self._proposals, parameters)
        return self.known[parameters]

    def run(self, best: PoseNmsParameters, rounds: int) -> PoseNmsParameters:
        for number in range(rounds):
            before = best
            factors = _FACTORS if number == 0 else _FINE
            for pair in (("delta1", "delta2"), ("mu", "gamma")):
                best = self._better(best, pair, factors)
            if number and self.precision(best) <= self.precision(before):
                return best
        return best

    def _better(
        self, best: PoseNmsParameters, pair: tuple[str, str], factors: npt.NDArray[np.float64]
    ) -> PoseNmsParameters:
        """The best of a grid around the best so far, which stays unless another is better or safer."""
        first, second = (_rounded(getattr(best, name) * factors) for name in pair)
        grid = [[replace(best, **{pair[0]: a, pair[1]: b}) for b in second] for a in first]
        values = np.array([[self.precision(each) for each in row] for row in grid])
        wide = np.pad(values, 1, mode="edge")
        size = len(factors)
        around = sum(wide[i : i + size, j : j + size] for i, j in product(range(3), repeat=2)) / 9
        # rounded, since sums of the same numbers differ in the last digit
        order = np.lexsort((np.round(around, 9).ravel(), np.round(values, 9).ravel()))
        place = int(order[-1])
        return grid[place // size][place % size]


def _rounded(values: npt.NDArray[np.float64]) -> list[float]:
    """To four digits: what is written to a file is what was tried."""
    return [float(f"{value:.4g}") for value in values]
