"""People out of heatmaps and tags: joints of one person have the same tag (associative embedding)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..lazy import cv2, njit
from ..payloads import FloatArray, ImageSize
from ..tensor.flip_test import average, unflipped_heatmaps
from ..tensor.heatmap_peaks import clipped_logarithms, quarter_offset, udp_offset_of_logarithms
from .munkres import munkres
from .topology import COCO_ORDER

TagReference: TypeAlias = Literal["exact", "mmpose", "higherhrnet"]
"""Where they differ: of assignments that cost the same, "exact" takes the one with the nearest tags, the others the one
that Munkres' steps lead to; mmpose looks for missing joints of UDP networks in blurred logarithms; HigherHRNet's
quarter offset knows no tie, and it fills only joints that have a score."""


@dataclass(frozen=True, slots=True)
class TagParameters:
    """How peaks are found and joined.

    Attributes:
        score_threshold: confidence that a peak must exceed.
        tag_threshold: peaks whose tag is farther from a person's mean tag begin a new person.
        nms_kernel: odd; peaks are the highest of this many pixels across and down.
        most_peaks: of each keypoint that are looked at.
        most_people: that are kept, in the order in which they are found; None keeps all.
        order: of keypoints; earlier ones begin people.
        refinement: "quarter" of a pixel, or "udp" for networks with UDP's heatmaps.
        udp_kernel: of the blur of "udp", odd.
        center_shift: added to both coordinates of found joints, in pixels of the map.
        fill_missing: look for a person's missing joints where the tags fit and the heatmap is highest.
        reference: whose behaviour.
    """

    score_threshold: float = 0.1
    tag_threshold: float = 1.0
    nms_kernel: int = 5
    most_peaks: int = 30
    most_people: int | None = None
    order: tuple[int, ...] = COCO_ORDER
    refinement: Literal["quarter", "udp"] = "quarter"
    udp_kernel: int = 3
    center_shift: float = 0.0
    fill_missing: bool = True
    reference: TagReference = "exact"


HIGHERHRNET = TagParameters(center_shift=0.5, reference="higherhrnet", most_people=30)
"""The numbers of HigherHRNet's own program."""


@dataclass(frozen=True, slots=True, eq=False)
class TaggedPeople:
    """Everybody, in the order in which they were found.

    Attributes:
        keypoints: float32 [N, K, 2], (x, y) in pixels of the maps.
        scores: float32 [N, K]; 0 for joints that were not found.
        person_scores: float32 [N], the mean over all joints before missing ones were looked for.
        tags: float32 [N, L], the mean of the joints' tags.
    """

    keypoints: FloatArray
    scores: FloatArray
    person_scores: FloatArray
    tags: FloatArray


def group_by_tags(heatmaps: FloatArray, tags: FloatArray, parameters: TagParameters = TagParameters()) -> TaggedPeople:
    """Everybody in the maps of one image.

    Args:
        heatmaps: float32 [K, H, W].
        tags: float32 [L, K, H, W], L numbers for each pixel of each keypoint.
        parameters: how peaks are found and joined.

    Raises:
        ValueError: the maps do not go together, or the order names other keypoints.

    Source: Newell, Huang, Deng, "Associative Embedding", 2017, section 3.3; Cheng et al., "HigherHRNet", 2020;
    assignment by scipy.
    """
    if heatmaps.ndim != 3 or tags.ndim != 4 or tags.shape[1:] != heatmaps.shape:
        raise ValueError(f"maps are [K, H, W] and tags [L, K, H, W], not {list(heatmaps.shape)} and {list(tags.shape)}")
    count = len(heatmaps)
    if sorted(parameters.order) != list(range(count)):
        raise ValueError(f"'order' must name each of {count} keypoints once, not {list(parameters.order)}")
    maps = _plain(heatmaps)
    people = _grouped(maps, tags, parameters)
    keypoints = np.zeros((len(people), count, 2), np.float32)
    scores = np.zeros((len(people), count), np.float32)
    for row, person in enumerate(people):
        for keypoint, (x, y, score, _) in person.joints.items():
            keypoints[row, keypoint], scores[row, keypoint] = (x, y), score
    person_scores = scores.mean(axis=1) if len(people) else np.zeros(0, np.float32)
    mean_tags = np.array([person.tag for person in people], np.float32).reshape(-1, len(tags))
    if len(people):
        searched = _refine(maps, keypoints, scores, parameters)
        if parameters.fill_missing:
            _fill(searched, maps, tags, keypoints, scores, parameters)
    return TaggedPeople(keypoints, scores, person_scores, mean_tags)


@dataclass(slots=True, eq=False)
class _Person:
    joints: dict[int, tuple[float, float, float, FloatArray]]  # keypoint -> x, y, score, tag

    @property
    def tag(self) -> FloatArray:
        mean: FloatArray = np.mean([joint[3] for joint in self.joints.values()], axis=0)
        return mean


def _grouped(maps: FloatArray, tags: FloatArray, parameters: TagParameters) -> list[_Person]:
    people: list[_Person] = []
    most = parameters.most_people
    for keypoint in parameters.order:
        peaks = tag_peaks(maps[keypoint], parameters.score_threshold, parameters.nms_kernel, parameters.most_peaks)
        rows, columns = peaks[:, 1].astype(np.intp), peaks[:, 0].astype(np.intp)
        own = np.ascontiguousarray(tags[:, keypoint][:, rows, columns].T, np.float32)
        joints = [(float(x), float(y), float(score), tag) for (x, y, score), tag in zip(peaks, own, strict=True)]
        known = people[:most] if parameters.reference == "higherhrnet" else people
        owners = _owners(peaks[:, 2], own, known, parameters.tag_threshold, parameters.reference)
        for joint, owner in zip(joints, owners, strict=True):
            if owner >= 0:
                known[owner].joints[keypoint] = joint
            else:
                people.append(_Person({keypoint: joint}))
    return people if parameters.reference == "higherhrnet" else people[:most]


def _owners(
    scores: FloatArray, tags: FloatArray, people: Sequence[_Person], tag_threshold: float, reference: TagReference
) -> list[int]:
    """For each peak the person that it belongs to, -1 for a new one."""
    owners = [-1] * len(scores)
    if not people or not len(scores):
        return owners
    from scipy.optimize import linear_sum_assignment

    means = np.stack([person.tag for person in people])
    apart = np.linalg.norm(tags[:, None].astype(np.float64) - means[None], axis=2)
    cost = np.round(apart) * 100 - scores[:, None]
    if reference == "exact":  # whole distances make many ties, which the tags themselves decide
        peaks, persons = linear_sum_assignment(cost + 1e-3 * apart)
    else:
        more = max(len(scores) - len(people), 0)
        peaks, persons = munkres(np.concatenate([cost, np.full((len(scores), more), 1e10)], axis=1))
    for peak, person in zip(peaks, persons, strict=True):
        if person < len(people) and apart[peak, person] < tag_threshold:
            owners[peak] = int(person)
    return owners


def tag_peaks(heatmap: FloatArray, threshold: float = 0.1, nms_kernel: int = 5, most: int = 30) -> FloatArray:
    """The highest pixels of their neighbourhoods, the highest first: float32 [P, 3], x, y, score.

    Args:
        heatmap: float32 [H, W].
        threshold: confidence that a peak must exceed.
        nms_kernel: odd; pixels across and down of a neighbourhood.
        most: how many are kept.
    """
    if nms_kernel < 1 or nms_kernel % 2 == 0:
        raise ValueError(f"nms_kernel must be odd and positive, not {nms_kernel}")
    places = np.empty((heatmap.size, 3), np.float32)
    count = _local_maxima(_plain(heatmap[None])[0], np.float32(threshold), nms_kernel // 2, places)
    order = np.argsort(-places[:count, 2], kind="stable")[:most]
    return places[order]


def _refine(maps: FloatArray, keypoints: FloatArray, scores: FloatArray, parameters: TagParameters) -> FloatArray:
    """Moves keypoints in place; returns the maps that missing ones are looked for in."""
    found = scores > 0
    searched = maps
    if parameters.refinement == "udp":
        logarithms = clipped_logarithms(maps, parameters.udp_kernel)
        moved = udp_offset_of_logarithms(logarithms, keypoints)
        if parameters.reference == "mmpose":
            searched = logarithms
            searched[maps.max(axis=(1, 2)) == 0] = np.nan  # 0 divided by 0 there
    else:
        moved = quarter_offset(maps, keypoints, "higherhrnet" if parameters.reference == "higherhrnet" else "mmpose")
    keypoints[found] = moved[found] + np.float32(parameters.center_shift)
    return searched


def _fill(
    searched: FloatArray,
    maps: FloatArray,
    tags: FloatArray,
    keypoints: FloatArray,
    scores: FloatArray,
    parameters: TagParameters,
) -> None:
    height, width = maps.shape[1:]
    fields = np.ascontiguousarray(tags.transpose(1, 0, 2, 3), np.float32)
    weight = np.float32(1 if parameters.reference == "higherhrnet" else 100)
    for points, sure in zip(keypoints, scores, strict=True):
        found = np.flatnonzero(sure > 0)
        if not len(found):
            continue
        columns = np.clip(points[found, 0].astype(np.intp), 0, width - 1)
        rows = np.clip(points[found, 1].astype(np.intp), 0, height - 1)
        tag = fields[found, :, rows, columns].mean(axis=0)
        for k in np.flatnonzero(~(sure > 0)):
            if np.isnan(searched[k]).any():
                flat = int(np.isnan(searched[k]).argmax())
            else:
                flat = _best_fit(searched[k], fields[k], tag, weight)
            y, x = divmod(flat, width)
            score = searched[k, y, x]
            place = np.array([[x, y]], np.float32)
            if parameters.reference == "higherhrnet":
                if not score > 0:
                    continue
                place = quarter_offset(searched[k : k + 1], place, "higherhrnet") + np.float32(0.5)
            points[k], sure[k] = place[0], score


def aggregate_stages(
    stages: Sequence[FloatArray],
    flipped_stages: Sequence[FloatArray] = (),
    partners: Sequence[int] = (),
    size: ImageSize | None = None,
) -> tuple[FloatArray, FloatArray]:
    """HigherHRNet's outputs of several resolutions as heatmaps and tags of one.

    Args:
        stages: float32 [C, H, W] each, the largest last: the first K heatmaps and K tags, the others K heatmaps.
        flipped_stages: the same of the mirrored image; heatmaps are averaged, tags kept beside the others.
        partners: for each keypoint the one on the other side, with `flipped_stages`.
        size: width, height to enlarge to at the end; default the last stage's.

    Returns:
        heatmaps float32 [K, H, W], and tags float32 [L, K, H, W], L 1, or 2 with `flipped_stages`.

    Raises:
        ValueError: the stages do not go together.

    Source: Cheng et al., "HigherHRNet", 2020, section 3.4; its `get_multi_stage_outputs` and `aggregate_results`.
    """
    answers = [_one_resolution(stages)]
    if flipped_stages:
        maps, tags = _one_resolution(flipped_stages)
        answers.append((unflipped_heatmaps(maps, partners), unflipped_heatmaps(tags, partners)))
    if size is not None:
        answers = [(_resized(maps, size), _resized(tags, size)) for maps, tags in answers]
    return average(*(maps for maps, _ in answers)), np.stack([tags for _, tags in answers])


def _one_resolution(stages: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
    count = len(stages[-1]) if len(stages) > 1 else len(stages[0]) // 2
    if len(stages[0]) != 2 * count or any(len(stage) < count for stage in stages[1:]):
        raise ValueError(
            f"the first stage has K heatmaps and K tags, the others K; here are {[len(s) for s in stages]}"
        )
    height, width = stages[-1].shape[1:]
    larger = [_resized(stage, (width, height)) for stage in stages]
    return average(*(stage[:count] for stage in larger)), larger[0][count:]


def _resized(maps: FloatArray, size: ImageSize) -> FloatArray:
    if (maps.shape[2], maps.shape[1]) == size:
        return maps
    resized = [cv2.resize(each, size, interpolation=cv2.INTER_LINEAR) for each in np.ascontiguousarray(maps)]
    return np.stack(resized).astype(np.float32, copy=False)


def _plain(maps: FloatArray) -> FloatArray:
    plain = np.ascontiguousarray(maps, np.float32).view()
    plain.flags.writeable = False
    return plain


@njit(cache=True, nogil=True, error_model="numpy")
def _local_maxima(heatmap: FloatArray, threshold: np.float32, reach: int, places: FloatArray) -> int:
    height, width = heatmap.shape
    count = 0
    for y in range(height):
        for x in range(width):
            value = heatmap[y, x]
            if not value > threshold:
                continue
            highest = True
            for r in range(max(0, y - reach), min(height, y + reach + 1)):
                for c in range(max(0, x - reach), min(width, x + reach + 1)):
                    if heatmap[r, c] > value:
                        highest = False
                        break
                if not highest:
                    break
            if highest:
                places[count, 0], places[count, 1], places[count, 2] = x, y, value
                count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _best_fit(heatmap: FloatArray, field: FloatArray, tag: FloatArray, weight: np.float32) -> int:
    """The first pixel with the lowest rounded distance of tags times `weight`, minus the heatmap."""
    height, width = heatmap.shape
    best, place = np.float32(np.inf), 0
    for y in range(height):
        for x in range(width):
            apart = np.float32(0)
            for dimension in range(len(field)):
                apart += (field[dimension, y, x] - tag[dimension]) ** 2
            cost = np.rint(np.sqrt(apart)) * weight - heatmap[y, x]
            if cost < best:
                best, place = cost, y * width + x
    return place


def as_tensors(tags: npt.NDArray[np.floating], keypoints: int) -> FloatArray:
    """Tag maps [L K, H, W], channel l K + k, as [L, K, H, W].

    Raises:
        ValueError: the channels are no multiple of the keypoints.
    """
    if tags.ndim != 3 or not keypoints or len(tags) % keypoints:
        raise ValueError(f"tags are [L x {keypoints}, H, W], not {list(tags.shape)}")
    return tags.reshape(-1, keypoints, *tags.shape[1:]).astype(np.float32, copy=False)
