"""PoseFlow: identities by how points move from frame to frame, by boxes, and by keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output

from ..lazy import cv2
from ..payloads import Image, NormalizedLandmarkList

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_EXPANSION = 0.1  # of boxes, on every side
_TINY = 1e-5
_FEWEST = 10  # correspondences


@dataclass(frozen=True, slots=True, eq=False)
class FlowPerson:
    """One person of one frame.

    Attributes:
        keypoints: float64 [K, 2], px.
        box_score: of the person, 0..1.
        box: int64 [4]: left, right, top, bottom; the extent of all keypoints and a tenth more.
    """

    keypoints: Doubles
    box_score: float
    box: Integers


@dataclass(frozen=True, slots=True)
class PoseFlowParameters:
    """What counts how much; the weights are of: correspondences in the boxes, box overlap, the best keypoint windows by
    correspondences, the best by overlap, the earlier box score, the later one.

    Attributes:
        weights: against people of the frame before.
        weights_of_older: against people last seen before that, for whom there are no correspondences.
        top_keypoints: best keypoints that count.
        keypoint_reach_px: half the side of a keypoint's window.
        match_threshold: sum that a match must exceed.
        link_length: frames that a person is remembered unseen.
    """

    weights: tuple[float, ...] = (1, 2, 1, 2, 0, 0)
    weights_of_older: tuple[float, ...] = (0, 1, 0, 1, 0, 0)
    top_keypoints: int = 7
    keypoint_reach_px: float = 30
    match_threshold: float = 0.2
    link_length: int = 100


class PoseFlow:
    """Gives people identities that last, for sources that come frame by frame.

    Args:
        image_size: width, height in pixels.
        parameters: what counts how much.

    Source: Xiu et al., "Pose Flow", 2018; the online variant that AlphaPose runs. A frame without people, which makes
    AlphaPose fail, is one nobody is seen in.
    """

    def __init__(self, image_size: tuple[int, int], parameters: PoseFlowParameters = PoseFlowParameters()) -> None:
        self.image_size = image_size
        self.parameters = parameters
        self.reset()

    def reset(self) -> None:
        """Forgets everybody; identities count from 1 again."""
        self._frame = 0
        self._next_id = 1
        self._known: dict[int, tuple[int, FlowPerson]] = {}  # identity -> frame and looks when last seen

    def apply(
        self, keypoints: Sequence[npt.ArrayLike], box_scores: Sequence[float], correspondences: npt.ArrayLike | None
    ) -> tuple[list[int], list[float]]:
        """The identities of the people of the next frame, and how well each matched (0 for newcomers).

        Args:
            keypoints: for each person [K, 2] or [K, 3], px.
            box_scores: of each person.
            correspondences: [M, 4]: (x, y) in the frame before, (x, y) in this one, px; None without any.

        Raises:
            ValueError: there are not as many scores as people.
        """
        people = [self._person(points, score) for points, score in zip(keypoints, box_scores, strict=True)]
        moved = np.zeros((0, 4)) if correspondences is None else np.asarray(correspondences, np.float64).reshape(-1, 4)
        since = self._frame - self.parameters.link_length
        self._known = {identity: seen for identity, seen in self._known.items() if seen[0] >= since}
        ids, scores = [0] * len(people), [0.0] * len(people)
        if people and self._known:
            grades = self._grades(people, moved)
            from scipy.optimize import linear_sum_assignment

            identities = list(self._known)
            for old, new in zip(*linear_sum_assignment(-grades), strict=True):
                if grades[old, new] > self.parameters.match_threshold:
                    ids[new], scores[new] = identities[old], float(grades[old, new])
        for place, identity in enumerate(ids):
            if not identity:
                ids[place] = self._next_id
                self._next_id += 1
            self._known[ids[place]] = (self._frame, people[place])
        self._frame += 1
        return ids, scores

    def _person(self, keypoints: npt.ArrayLike, box_score: float) -> FlowPerson:
        points = np.asarray(keypoints, np.float64)[:, :2]
        low, high = points.min(axis=0), points.max(axis=0)
        more = _EXPANSION * (high - low)
        limit = np.array(self.image_size, np.float64)
        corners = np.clip(np.stack([low - more, high + more], axis=1), 0, limit[:, None])
        return FlowPerson(points, float(box_score), corners.reshape(-1).astype(np.int64))

    def _grades(self, people: Sequence[FlowPerson], moved: Doubles) -> Doubles:
        grades = np.zeros((len(self._known), len(people)))
        parameters = self.parameters
        later = [_Inside.of(person, moved[:, 2:], parameters.keypoint_reach_px) for person in people]
        for row, (frame, before) in enumerate(self._known.values()):
            former = frame == self._frame - 1
            weights = np.array(parameters.weights if former else parameters.weights_of_older)
            inside = (
                _Inside.of(before, moved[:, :2], parameters.keypoint_reach_px) if weights[0] or weights[2] else None
            )
            for column, person in enumerate(people):
                overlap = _window_overlaps(before.keypoints, person.keypoints, parameters.keypoint_reach_px)
                flow = (0.0, 0.0) if inside is None else inside.shared(later[column], parameters.top_keypoints)
                terms = (
                    flow[0],
                    _box_overlap(before.box, person.box),
                    flow[1],
                    _best(overlap, parameters.top_keypoints),
                    before.box_score,
                    person.box_score,
                )
                grades[row, column] = float(weights @ terms)
        return grades


def orb_correspondences(before: Image, image: Image, features: int = 2000, ratio: float = 0.8) -> Doubles:
    """Points of one image found again in the next: float64 [M, 4], (x, y) before and after, px.

    Args:
        before: uint8 RGB or grey.
        image: of the same size.
        features: corners that are described in each.
        ratio: a match must be this much better than the next best.

    Returns:
        Where fewer than ten are found, points on a grid that did not move, as AlphaPose has it.

    Source: Rublee et al., "ORB", 2011; matched one by one rather than by random trees, so that the same images give
    the same points.
    """
    grey = [each if each.ndim == 2 else cv2.cvtColor(each[..., :3], cv2.COLOR_RGB2GRAY) for each in (before, image)]
    orb = cv2.ORB.create(features)
    (points, described), (other_points, other_described) = (orb.detectAndCompute(each, None) for each in grey)
    found: list[tuple[float, ...]] = []
    if described is not None and other_described is not None and len(other_described) > 1:
        for pair in cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(described, other_described, k=2):
            if len(pair) == 2 and pair[0].distance < ratio * pair[1].distance:
                found.append((*points[pair[0].queryIdx].pt, *other_points[pair[0].trainIdx].pt))
    if len(found) < _FEWEST:
        height, width = grey[0].shape
        still = np.stack(np.meshgrid(np.arange(0, width, 6), np.arange(0, height, 6)), axis=-1).reshape(-1, 2)
        return np.concatenate([still, still], axis=1).astype(np.float64)
    return np.array(found, np.float64)


class PoseFlowIdentities(Calculator):
    """Gives the people of each frame identities that last, by the movement of the image's points, boxes and keypoints.

    Source: Xiu et al., "Pose Flow", 2018; the online variant of AlphaPose.
    """

    image = Input("IMAGE", Image, "uint8 RGB or grey")
    landmarks = Input("NORM_LANDMARKS", list[NormalizedLandmarkList], "the people of the frame")
    ids = Output("IDS", list[int], "one for each person, from 1 on")

    match_threshold: float = Option(0.2, "sum of the weighted similarities that a match must exceed, 0..6")
    link_length: int = Option(100, "frames that a person is remembered unseen")
    features: int = Option(2000, "points that are followed from frame to frame")

    def open(self, context: Context) -> None:
        self._flow: PoseFlow | None = None
        self._before: Image | None = None

    def process(self, context: Context) -> None:
        image, people = context[self.image], context[self.landmarks]
        if image is None:
            return
        height, width = image.shape[:2]
        if self._flow is None or self._flow.image_size != (width, height):
            parameters = PoseFlowParameters(match_threshold=self.match_threshold, link_length=self.link_length)
            self._flow, self._before = PoseFlow((width, height), parameters), None
        moved = None if self._before is None else orb_correspondences(self._before, image, self.features)
        self._before = image
        found: list[NormalizedLandmarkList] = people or []
        points = [each.xyz[:, :2] * np.array([width, height], np.float32) for each in found]
        sure = [1.0 if each.visibility is None else float(each.visibility.mean()) for each in found]
        ids, _ = self._flow.apply(points, sure, moved)
        if people is not None:
            context[self.ids] = ids


@dataclass(frozen=True, slots=True, eq=False)
class _Inside:
    """Which moving points lie in a person's box, bool [M], and in the windows of the keypoints, bool [K, M]."""

    box: npt.NDArray[np.bool_]
    windows: npt.NDArray[np.bool_]

    @staticmethod
    def of(person: FlowPerson, points: Doubles, reach: float) -> _Inside:
        left, right, top, bottom = person.box
        x, y = points[:, 0], points[:, 1]
        box = np.logical_and.reduce([left <= x, x <= right, top <= y, y <= bottom])
        away = np.abs(person.keypoints[:, None, :] - points[None])
        return _Inside(box, np.logical_and.reduce(away <= reach, axis=2))

    def shared(self, other: _Inside, best: int) -> tuple[float, float]:
        """The shared part of the points in the boxes, and the mean of the best shared parts in the windows."""
        windows = _shares((self.windows & other.windows).sum(axis=1), (self.windows | other.windows).sum(axis=1))
        box = _shares(np.array([(self.box & other.box).sum()]), np.array([(self.box | other.box).sum()]))
        return float(box[0]), _best(windows, best)


def _shares(both: Integers, either: Integers) -> Doubles:
    shares: Doubles = both / (either + _TINY)
    return shares


def _best(values: Doubles, count: int) -> float:
    return float(np.sort(values)[-count:].mean())


def _window_overlaps(before: Doubles, after: Doubles, reach: float) -> Doubles:
    """How much the windows around the same keypoint of two people overlap, [K]."""
    shared = 2 * reach - np.abs(before - after)
    common = np.where((shared > 0).all(axis=1), (shared + 1).prod(axis=1), 0.0)
    area = (2 * reach + 1) ** 2
    overlaps: Doubles = common / (2 * area - common + _TINY)
    return overlaps


def _box_overlap(before: Integers, after: Integers) -> float:
    low, high = np.maximum(before[::2], after[::2]), np.minimum(before[1::2], after[1::2])
    if not (low < high).all():
        return 0.0
    common = float((high - low + 1).prod())
    areas = float((before[1::2] - before[::2] + 1).prod()) + float((after[1::2] - after[::2] + 1).prod())
    return common / (areas - common + _TINY)
