"""Parametric pose non-maximum suppression: one pose for each person, out of several of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import yaml

from graphflow import Calculator, Context, Input, Option, OptionError, Output
from graphflow.context import Binding

from ..lazy import njit
from ..payloads import FloatArray, ImageSize, NormalizedLandmarkList

NmsReference: TypeAlias = Literal["paper", "alphapose"]
"""The paper's distance, or AlphaPose's, which counts scores within 1 px only and distances that are not squared."""


@dataclass(frozen=True, slots=True)
class PoseNmsParameters:
    """The parameters of the elimination, as `fit pose-nms` finds them.

    Attributes:
        delta1: how fast scores saturate.
        delta2: distance at which keypoints stop to be alike: px for "alphapose", and for "paper" a share of the longer
            side of the person's box.
        mu: weight of distances against scores.
        gamma: similarity above which poses are of one person.
        alpha: reach of a keypoint, as a share of the longer side of the box.
        match_threshold: keypoints that must lie within that reach for poses to be of one person; 0 does without.
        match_cap_px: the reach is never longer, for matches.
        merge_cap_px: nor for the mean of keypoints.
        score_threshold: poses none of whose keypoints reach this are dropped, 0..1.
        area_threshold: poses whose extent times 2.25 is smaller are dropped, square px.
        reference: whose distance.
    """

    delta1: float = 1.0
    delta2: float = 0.06
    mu: float = 1.7
    gamma: float = 10.0
    alpha: float = 0.1
    match_threshold: int = 5
    match_cap_px: float = np.inf
    merge_cap_px: float = np.inf
    score_threshold: float = 0.3
    area_threshold: float = 0.0
    reference: NmsReference = "paper"


ALPHAPOSE = PoseNmsParameters(delta2=2.65, gamma=22.48, match_cap_px=7.0, merge_cap_px=15.0, reference="alphapose")
"""The parameters in AlphaPose, made for 17 keypoints in pixels."""


FITTED = ("delta1", "delta2", "mu", "gamma", "match_threshold", "score_threshold", "reference")
"""The parameters that files of `graphflow fit pose-nms` hold: those that `PoseNms` has options for."""


def pose_nms_text(parameters: PoseNmsParameters) -> str:
    """The parameters as YAML, to go under the options of a `PoseNms` or into a file that one reads.

    >>> read = yaml.safe_load(pose_nms_text(PoseNmsParameters(gamma=12.5)))
    >>> read["gamma"], read["reference"]
    (12.5, 'paper')
    """
    values = asdict(parameters)
    return yaml.safe_dump({name: values[name] for name in FITTED}, sort_keys=False)


def read_pose_nms(path: str | Path) -> PoseNmsParameters:
    """The parameters that a YAML file holds, as `graphflow fit pose-nms` writes it; what it leaves out is default.

    Raises:
        ValueError: it cannot be read, or holds something else.
    """
    try:
        values = yaml.safe_load(Path(path).expanduser().read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"the parameters of pose NMS in {path} cannot be read: {error}") from error
    if not isinstance(values, dict) or not set(values) <= set(FITTED):
        raise ValueError(f"{path} does not hold parameters of pose NMS, which are {', '.join(FITTED)}")
    defaults = PoseNmsParameters()
    for name, value in values.items():
        wanted = getattr(defaults, name)
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        if value not in ("paper", "alphapose") if isinstance(wanted, str) else not numeric:
            raise ValueError(f"{path}: {name} cannot be {value!r}; the default is {wanted!r}")
    return _as_in(values.pop("reference", "paper"), **values)


def _as_in(reference: NmsReference, **values: float) -> PoseNmsParameters:
    """Parameters with the caps that go with a distance."""
    capped = ALPHAPOSE if reference == "alphapose" else PoseNmsParameters()
    given = {field.name: getattr(capped, field.name) for field in fields(PoseNmsParameters)} | values
    return PoseNmsParameters(**given)


@dataclass(frozen=True, slots=True, eq=False)
class MergedPoses:
    """What is left, the surest first.

    Attributes:
        picks: int64 [M], which pose each result was picked as.
        groups: the poses merged into each result, itself included.
        poses: float32 [M, K, 2], px.
        scores: float32 [M, K].
        boxes: float32 [M, 4], that each pick was found in: x_min, y_min, x_max, y_max, px.
        proposal_scores: float32 [M]: mean keypoint score + box score + 1.25 times the highest keypoint score.
    """

    picks: npt.NDArray[np.int64]
    groups: tuple[tuple[int, ...], ...]
    poses: FloatArray
    scores: FloatArray
    boxes: FloatArray
    proposal_scores: FloatArray


def pose_similarity(
    poses: FloatArray, scores: FloatArray, reach_px: FloatArray, parameters: PoseNmsParameters = ALPHAPOSE
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """How alike poses are: each as the picked one against all.

    Args:
        poses: float32 [N, K, 2], px.
        scores: float32 [N, K].
        reach_px: float32 [N], `alpha` times the longer side of each one's box.
        parameters: of the distance.

    Returns:
        similarities float32 [N, N], and keypoints within the picked one's reach int64 [N, N].

    Raises:
        ValueError: the shapes do not go together.

    Source: Fang et al., "RMPE", 2017, equations 8 to 11.
    """
    if poses.ndim != 3 or poses.shape[2] != 2 or scores.shape != poses.shape[:2] or reach_px.shape != poses.shape[:1]:
        raise ValueError(
            f"poses are [N, K, 2], scores [N, K] and reaches [N]; here are {list(poses.shape)}, {list(scores.shape)} "
            f"and {list(reach_px.shape)}"
        )
    count = len(poses)
    similarity = np.zeros((count, count), np.float32)
    matches = np.zeros((count, count), np.int64)
    _similarity(
        np.ascontiguousarray(poses, np.float32),
        np.ascontiguousarray(scores, np.float32),
        np.ascontiguousarray(reach_px, np.float32),
        np.array([parameters.delta1, parameters.delta2, parameters.mu, parameters.alpha, parameters.match_cap_px]),
        parameters.reference == "paper",
        similarity,
        matches,
    )
    return similarity, matches


def pose_nms(
    boxes_xyxy: npt.ArrayLike,
    box_scores: npt.ArrayLike,
    poses: npt.ArrayLike,
    scores: npt.ArrayLike,
    parameters: PoseNmsParameters = PoseNmsParameters(),
) -> MergedPoses:
    """The surest pose, merged with all that are alike to it; then the next of those left.

    Args:
        boxes_xyxy: [N, 4], the boxes that the poses were found in, px.
        box_scores: [N].
        poses: [N, K, 2], px.
        scores: [N, K], of keypoints, 0..1.
        parameters: of the elimination.

    Raises:
        ValueError: the shapes do not go together.

    Source: Fang et al., "RMPE", 2017, section 3.3; with `ALPHAPOSE`, AlphaPose `pPose_nms.py`.
    """
    places, sure = np.asarray(poses, np.float32), np.array(scores, np.float32)
    boxes = np.asarray(boxes_xyxy, np.float32).reshape(-1, 4)
    proposal = np.asarray(box_scores, np.float32).reshape(-1)
    if not len(places) == len(boxes) == len(proposal):
        raise ValueError(f"there are {len(places)} poses, {len(boxes)} boxes and {len(proposal)} box scores")
    sure[sure == 0] = np.float32(1e-5)
    reach = np.float32(parameters.alpha) * (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0.0)
    similarity, matches = pose_similarity(places, sure, reach, parameters)
    same = similarity > parameters.gamma
    if parameters.match_threshold:
        same |= matches >= parameters.match_threshold
    left = np.ones(len(places), np.bool_)
    human = sure.mean(axis=1)
    found: list[tuple[int, tuple[int, ...], FloatArray, FloatArray, FloatArray, float]] = []
    while left.any():
        candidates = np.flatnonzero(left)
        pick = int(candidates[human[candidates].argmax()])
        group = candidates[same[pick, candidates]]
        if not len(group):  # a pose is not even alike to itself where it says nothing
            group = np.array([pick])
        left[group] = False
        if sure[pick].max() < parameters.score_threshold:
            continue
        pose, merged = _merged(places[pick], places[group], sure[group], min(reach[pick], parameters.merge_cap_px))
        low, high = pose.min(axis=0), pose.max(axis=0)
        highest = float(merged.max())
        if highest < parameters.score_threshold or 2.25 * float(np.prod(high - low)) < parameters.area_threshold:
            continue
        total = float(merged.mean()) + float(proposal[pick]) + 1.25 * highest
        found.append((pick, tuple(group.tolist()), pose, merged, boxes[pick], total))
    keypoints = places.shape[1] if places.ndim == 3 else 0
    return MergedPoses(
        np.array([each[0] for each in found], np.int64),
        tuple(each[1] for each in found),
        np.array([each[2] for each in found], np.float32).reshape(-1, keypoints, 2),
        np.array([each[3] for each in found], np.float32).reshape(-1, keypoints),
        np.array([each[4] for each in found], np.float32).reshape(-1, 4),
        np.array([each[5] for each in found], np.float32),
    )


def _merged(pick: FloatArray, poses: FloatArray, scores: FloatArray, reach_px: float) -> tuple[FloatArray, FloatArray]:
    """The mean of keypoints within reach of the picked one's, weighted by their scores."""
    near = np.sqrt(((poses - pick) ** 2).sum(axis=2)) <= reach_px
    near[:, ~near.any(axis=0)] = True  # NaN or nothing near: everything counts, so that no keypoint is lost
    weights = np.where(near, scores, np.float32(0))
    shares = weights / weights.sum(axis=0)
    return (poses * shares[..., None]).sum(axis=0), (weights * shares).sum(axis=0)


class PoseNms(Calculator):
    """Removes poses that are of a person already there, and merges their keypoints into it.

    Source: Fang et al., "RMPE", 2017, section 3.3.
    """

    landmarks = Input("NORM_LANDMARKS", list[NormalizedLandmarkList], "one for each proposal, scores as visibility")
    size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels")
    scores = Input("SCORES", list[float], "of the proposals, 0..1; default 1", optional=True)
    merged = Output("NORM_LANDMARKS", list[NormalizedLandmarkList], "one for each person, the surest first")
    picks = Output("PICKS", list[int], "which proposal each person was picked as", optional=True)

    delta1: float = Option(1.0, "how fast scores saturate")
    delta2: float = Option(0.06, "distance at which keypoints stop to be alike; see `PoseNmsParameters`")
    mu: float = Option(1.7, "weight of distances against scores")
    gamma: float = Option(10.0, "similarity above which poses are of one person")
    match_threshold: int = Option(5, "keypoints that must lie within reach; 0 does without")
    score_threshold: float = Option(0.3, "poses none of whose keypoints reach this are dropped, 0..1")
    reference: NmsReference = Option("paper", "whose distance; alphapose's numbers are in pixels")
    parameters: str = Option("", "a file of `graphflow fit pose-nms`, in place of all the others")

    def check(self, binding: Binding) -> Iterable[OptionError]:
        try:
            self._parameters()
        except ValueError as error:
            yield OptionError("parameters", str(error))

    def open(self, context: Context) -> None:
        self._fitted = self._parameters()

    def process(self, context: Context) -> None:
        people: list[NormalizedLandmarkList] | None = context[self.landmarks]
        size = context[self.size]
        if people is None or size is None:
            return
        if not people:
            context[self.merged] = []
            context[self.picks] = []
            return
        given = context[self.scores]
        sides = np.array(size, np.float32)
        poses = np.stack([each.xyz[:, :2] * sides for each in people])
        sure = np.stack(
            [np.ones(len(each), np.float32) if each.visibility is None else each.visibility for each in people]
        )
        boxes = np.concatenate([poses.min(axis=1), poses.max(axis=1)], axis=1)
        result = pose_nms(boxes, np.ones(len(people)) if given is None else given, poses, sure, self._fitted)
        depth = [people[pick].xyz[:, 2:] for pick in result.picks]
        context[self.merged] = [
            NormalizedLandmarkList(np.concatenate([pose / sides, z], axis=1), score, people[pick].presence)
            for pose, z, score, pick in zip(result.poses, depth, result.scores, result.picks, strict=True)
        ]
        context[self.picks] = [int(pick) for pick in result.picks]

    def _parameters(self) -> PoseNmsParameters:
        if self.parameters:
            return read_pose_nms(self.parameters)
        return _as_in(
            self.reference,
            delta1=self.delta1,
            delta2=self.delta2,
            mu=self.mu,
            gamma=self.gamma,
            match_threshold=self.match_threshold,
            score_threshold=self.score_threshold,
        )


@njit(cache=True, nogil=True, error_model="numpy")
def _similarity(
    poses: FloatArray,
    scores: FloatArray,
    reach: FloatArray,
    numbers: npt.NDArray[np.float64],
    paper: bool,
    similarity: FloatArray,
    matches: npt.NDArray[np.int64],
) -> None:
    delta1, delta2, mu, alpha, cap = numbers
    count, keypoints = scores.shape
    for i in range(count):
        within = reach[i] if paper else np.float32(1.0)
        near = min(np.float64(reach[i]), cap)
        side = max(np.float64(reach[i]) / alpha, 1e-6)
        for j in range(count):
            alike, close = 0.0, 0.0
            for k in range(keypoints):
                dx, dy = poses[i, k, 0] - poses[j, k, 0], poses[i, k, 1] - poses[j, k, 1]
                distance = np.sqrt(dx * dx + dy * dy)
                if distance <= within:
                    alike += np.tanh(scores[i, k] / delta1) * np.tanh(scores[j, k] / delta1)
                if paper:
                    close += np.exp(-((distance / (delta2 * side)) ** 2))
                else:
                    close += np.exp(-distance / delta2)
                if distance <= near:
                    matches[i, j] += 1
            similarity[i, j] = alike + mu * close
