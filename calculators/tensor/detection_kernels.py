"""The arithmetic of SSD detectors: decoding boxes against anchors, and suppressing what overlaps.

float32 throughout, each operation rounded, in MediaPipe's order.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ..lazy import njit
from ..payloads import FloatArray
from .sigmoid import logistic

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

YXHW: Final = 0
XYWH: Final = 1
XYXY: Final = 2

JACCARD: Final = 0
MODIFIED_JACCARD: Final = 1
INTERSECTION_OVER_UNION: Final = 2

_BLOCK = 64

_LOWEST = np.finfo(np.float32).min


class BoxCoding(NamedTuple):
    """How a detector's numbers mean a box and keypoints; scales and thresholds are float32."""

    layout: int
    box_offset: int
    keypoint_offset: int
    keypoints: int
    x_scale: np.float32
    y_scale: np.float32
    w_scale: np.float32
    h_scale: np.float32
    exponential: bool
    flip_y: bool


class ScoreCoding(NamedTuple):
    """How a detector's numbers mean a score; `clip` and `minimum` are infinite where there is no such bound."""

    sigmoid: bool
    clip: np.float32
    minimum: np.float32
    drop_unclassed: bool


class Candidates(NamedTuple):
    """Decoded detections, M of them, in the order of the anchors.

    Attributes:
        boxes: float32 [M, 4]: xmin, ymin, width, height, normalized.
        keypoints: float32 [M, K, 2]: x, y, normalized.
        scores: float32 [M].
        classes: int32 [M]; -1 where no class was allowed.
    """

    boxes: FloatArray
    keypoints: FloatArray
    scores: FloatArray
    classes: npt.NDArray[np.int32]


def decode(
    raw_boxes: FloatArray,
    raw_scores: FloatArray,
    anchors: FloatArray,
    allowed: BoolArray,
    box_coding: BoxCoding,
    score_coding: ScoreCoding,
    limit: int,
) -> Candidates:
    """Decodes what passes the score threshold.

    Args:
        raw_boxes: float32 [N, C], the detector's numbers for each anchor.
        raw_scores: float32 [N, classes].
        anchors: float32 [N, 4]: x_center, y_center, width, height, normalized.
        allowed: [classes], which of them count.
        box_coding: the meaning of `raw_boxes`.
        score_coding: the meaning of `raw_scores`.
        limit: how many detections to return at most, the first ones; negative for all.

    Raises:
        ValueError: the arrays do not fit each other.
    """
    count = len(raw_boxes)
    if raw_scores.shape != (count, len(allowed)) or len(anchors) < count or anchors.shape[1:] != (4,):
        raise ValueError(
            f"{count} boxes need scores [{count}, {len(allowed)}] and at least as many anchors [N, 4], "
            f"not {list(raw_scores.shape)} and {list(anchors.shape)}"
        )
    boxes = np.empty((count, 4), np.float32)
    keypoints = np.empty((count, box_coding.keypoints, 2), np.float32)
    scores = np.empty(count, np.float32)
    classes = np.empty(count, np.int32)
    found = _decode(
        raw_boxes, raw_scores, anchors, allowed, box_coding, score_coding, limit, boxes, keypoints, scores, classes
    )
    return Candidates(boxes[:found].copy(), keypoints[:found].copy(), scores[:found].copy(), classes[:found].copy())


@njit(cache=True, nogil=True, error_model="numpy")
def _decode(
    raw_boxes: FloatArray,
    raw_scores: FloatArray,
    anchors: FloatArray,
    allowed: BoolArray,
    box_coding: BoxCoding,
    score_coding: ScoreCoding,
    limit: int,
    boxes: FloatArray,
    keypoints: FloatArray,
    scores: FloatArray,
    classes: npt.NDArray[np.int32],
) -> int:
    found = 0
    hopeless = _hopeless_score(score_coding)
    for start in range(0, len(raw_boxes), _BLOCK):
        end = min(start + _BLOCK, len(raw_boxes))
        if _all_hopeless(raw_scores, start, end, hopeless):
            continue
        for i in range(start, end):
            if found == limit:
                return found
            score, best = _top_class(raw_scores, i, allowed, score_coding, hopeless)
            if score < score_coding.minimum or (best < 0 and score_coding.drop_unclassed):
                continue
            if not _decode_box(raw_boxes[i], anchors[i], box_coding, boxes[found]):
                continue
            _decode_keypoints(raw_boxes[i], anchors[i], box_coding, keypoints[found])
            scores[found] = score
            classes[found] = best
            found += 1
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def _all_hopeless(raw: FloatArray, start: int, end: int, hopeless: np.float32) -> bool:
    """Whether no anchor of a block can pass, which is most often so; known for a single class, many anchors at once."""
    if raw.shape[1] != 1:
        return False
    hopeful = 0
    for i in range(start, end):
        hopeful += not raw[i, 0] < hopeless  # what is not a number is looked at
    return hopeful == 0


@njit(cache=True, nogil=True, error_model="numpy")
def _hopeless_score(coding: ScoreCoding) -> np.float32:
    """A logit so far below the threshold that no rounding lifts it over; most anchors are, and need no exponential."""
    least = np.float64(coding.minimum)
    if not coding.sigmoid or not 0.001 < least < 0.999:
        return np.float32(-np.inf)
    logit = np.float32(math.log(least / (1.0 - least)) - 0.01)
    return logit if -coding.clip < logit else np.float32(-np.inf)


@njit(cache=True, nogil=True, error_model="numpy")
def _top_class(
    raw: FloatArray, row: int, allowed: BoolArray, coding: ScoreCoding, hopeless: np.float32
) -> tuple[np.float32, int]:
    """The highest score of an allowed class, and that class; -1 where there is none that may pass the threshold."""
    top, best = _LOWEST, -1
    for index in range(raw.shape[1]):
        if not allowed[index] or raw[row, index] < hopeless:
            continue
        score = raw[row, index]
        if coding.sigmoid:
            if score < -coding.clip:
                score = -coding.clip
            if score > coding.clip:
                score = coding.clip
            score = logistic(score)
        if top < score:
            top, best = score, index
    return top, best


@njit(cache=True, nogil=True, error_model="numpy")
def _decode_box(raw: FloatArray, anchor: FloatArray, coding: BoxCoding, out: FloatArray) -> bool:
    """Fills xmin, ymin, width, height; False where the model answered a box of negative or no size (NaN)."""
    at = coding.box_offset
    first, second, third, fourth = raw[at], raw[at + 1], raw[at + 2], raw[at + 3]
    one, two = np.float32(1), np.float32(2)
    if coding.layout == XYXY:
        x, y, w, h = (-first + third) / two, (-second + fourth) / two, third + first, fourth + second
    elif coding.layout == XYWH:
        x, y, w, h = first, second, third, fourth
    else:
        y, x, h, w = first, second, third, fourth
    x = x / coding.x_scale * anchor[2] + anchor[0]
    y = y / coding.y_scale * anchor[3] + anchor[1]
    if coding.exponential:
        h = np.float32(math.exp(h / coding.h_scale)) * anchor[3]
        w = np.float32(math.exp(w / coding.w_scale)) * anchor[2]
    else:
        h = h / coding.h_scale * anchor[3]
        w = w / coding.w_scale * anchor[2]
    left, top, right, bottom = x - w / two, y - h / two, x + w / two, y + h / two
    out[0] = left
    out[1] = one - bottom if coding.flip_y else top
    out[2] = right - left
    out[3] = bottom - top
    return bool(out[2] >= 0 and out[3] >= 0)


@njit(cache=True, nogil=True, error_model="numpy")
def _decode_keypoints(raw: FloatArray, anchor: FloatArray, coding: BoxCoding, out: FloatArray) -> None:
    for k in range(coding.keypoints):
        at = coding.keypoint_offset + 2 * k
        x, y = (raw[at + 1], raw[at]) if coding.layout == YXHW else (raw[at], raw[at + 1])
        out[k, 0] = x / coding.x_scale * anchor[2] + anchor[0]
        y = y / coding.y_scale * anchor[3] + anchor[1]
        out[k, 1] = np.float32(1) - y if coding.flip_y else y


@njit(cache=True, nogil=True, error_model="numpy")
def similarity(first: FloatArray, second: FloatArray, kind: int) -> np.float32:
    """How much two boxes [xmin, ymin, xmax, ymax] overlap: 0 not at all, 1 the same.

    JACCARD divides the intersection by the box around both, MODIFIED_JACCARD by the second box,
    INTERSECTION_OVER_UNION by the area of both together. Source: MediaPipe's NonMaxSuppressionCalculator.
    """
    zero = np.float32(0)
    if first[0] > first[2] or first[1] > first[3] or second[0] > second[2] or second[1] > second[3]:
        return zero
    left, top = max(first[0], second[0]), max(first[1], second[1])
    right, bottom = min(first[2], second[2]), min(first[3], second[3])
    if left > right or top > bottom:
        return zero
    intersection = (right - left) * (bottom - top)
    second_area = (second[2] - second[0]) * (second[3] - second[1])
    if kind == JACCARD:
        width = max(first[2], second[2]) - min(first[0], second[0])
        whole = width * (max(first[3], second[3]) - min(first[1], second[1]))
    elif kind == MODIFIED_JACCARD:
        whole = second_area
    else:
        whole = (first[2] - first[0]) * (first[3] - first[1]) + second_area - intersection
    return intersection / whole if whole > 0 else zero


@njit(cache=True, nogil=True)
def suppress(boxes: FloatArray, order: IntArray, kind: int, threshold: np.float32, kept: BoolArray) -> int:
    """Marks in `kept` [N] the boxes that no better kept one overlaps by more than the threshold; how many those are.

    `boxes` is float32 [M, 4] of xmin, ymin, xmax, ymax; `order` [N] says which of them count, best first.
    """
    count = 0
    for i in range(len(order)):
        kept[i] = True
        for j in range(i):
            if kept[j] and similarity(boxes[order[j]], boxes[order[i]], kind) > threshold:
                kept[i] = False
                break
        count += kept[i]
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def suppress_weighted(
    boxes: FloatArray,
    keypoints: FloatArray,
    scores: FloatArray,
    order: IntArray,
    kind: int,
    threshold: np.float32,
    min_score: np.float32,
    tops: IntArray,
    merged_boxes: FloatArray,
    merged_keypoints: FloatArray,
) -> int:
    """Replaces each group of overlapping boxes by their mean, weighted by score; how many groups there are.

    Args:
        boxes: float32 [M, 4]: xmin, ymin, width, height.
        keypoints: float32 [M, K, 2].
        scores: float32 [M].
        order: [N], which boxes count, best first.
        kind: JACCARD, MODIFIED_JACCARD or INTERSECTION_OVER_UNION.
        threshold: the overlap with a group's best box above which a box belongs to it.
        min_score: a box with a lower score makes no group, though it may belong to one.
        tops: [N], filled with the best box of each group.
        merged_boxes: float32 [N, 4], filled as `boxes`.
        merged_keypoints: float32 [N, K, 2], filled.
    """
    corners = boxes.copy()
    for i in range(len(corners)):
        corners[i, 2] += corners[i, 0]
        corners[i, 3] += corners[i, 1]
    left = order.copy()
    size, groups = len(left), 0
    keypoint_sums = np.empty(keypoints.shape[1:], np.float32)
    sums = np.empty(4, np.float32)
    while size > 0:
        top = left[0]
        if scores[top] < min_score:
            break
        keypoint_sums[:] = 0
        sums[:] = 0
        total = np.float32(0)
        remaining = 0
        for position in range(size):
            index = left[position]
            if not similarity(corners[index], corners[top], kind) > threshold:
                left[remaining] = index
                remaining += 1
                continue
            score = scores[index]
            total += score
            for side in range(4):
                sums[side] += corners[index, side] * score
            for k in range(len(keypoint_sums)):
                keypoint_sums[k, 0] += keypoints[index, k, 0] * score
                keypoint_sums[k, 1] += keypoints[index, k, 1] * score
        tops[groups] = top
        if remaining < size:
            x, y = sums[0] / total, sums[1] / total
            merged_boxes[groups, 0], merged_boxes[groups, 1] = x, y
            merged_boxes[groups, 2], merged_boxes[groups, 3] = sums[2] / total - x, sums[3] / total - y
            for k in range(len(keypoint_sums)):
                merged_keypoints[groups, k, 0] = keypoint_sums[k, 0] / total
                merged_keypoints[groups, k, 1] = keypoint_sums[k, 1] / total
        else:  # a box that does not even overlap itself, without area: the best one passes, the rest is lost
            for side in range(4):
                merged_boxes[groups, side] = boxes[top, side]
            for k in range(len(keypoint_sums)):
                merged_keypoints[groups, k, 0] = keypoints[top, k, 0]
                merged_keypoints[groups, k, 1] = keypoints[top, k, 1]
            return groups + 1
        groups += 1
        size = remaining
    return groups
