"""Non-maximum suppression by plain similarities: of keypoints (OKS), and of boxes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .keypoint_tracker import COCO_FALLOFF

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


def oks_matrix(
    keypoints: npt.ArrayLike,
    areas: npt.ArrayLike,
    visibility_threshold: float | None = None,
    sigmas: Sequence[float] = COCO_FALLOFF,
) -> Doubles:
    """How alike people are, each to each; the area of a pair is the mean of both.

    Args:
        keypoints: [N, K, 3], px and score.
        areas: [N], square px.
        visibility_threshold: only keypoints with a higher score in both count; None takes all.
        sigmas: K.

    Returns:
        float64 [N, N], 0 where no keypoint counts.

    Source: mmpose `oks_iou`.
    """
    points, sizes = np.asarray(keypoints, np.float64), np.asarray(areas, np.float64)
    variances = (2 * np.asarray(sigmas, np.float64)) ** 2
    apart = ((points[:, None, :, :2] - points[None, :, :, :2]) ** 2).sum(axis=3)
    spread = 2 * variances * ((sizes[:, None] + sizes[None, :]) / 2 + np.spacing(1))[..., None]
    counted = np.ones(apart.shape, np.bool_)
    if visibility_threshold is not None:
        seen = points[:, :, 2] > visibility_threshold
        counted = seen[:, None] & seen[None, :]
    number = counted.sum(axis=2)
    total = np.where(counted, np.exp(-apart / spread), 0.0).sum(axis=2)
    alike: Doubles = total / np.maximum(number, 1)
    return alike


def oks_nms(
    keypoints: npt.ArrayLike,
    scores: npt.ArrayLike,
    areas: npt.ArrayLike,
    threshold: float,
    visibility_threshold: float | None = None,
    sigmas: Sequence[float] = COCO_FALLOFF,
) -> Indices:
    """The people that are not more alike than `threshold` to a surer one that is kept: int64 [M], the surest first.

    Args:
        keypoints: [N, K, 3], px and score.
        scores: [N].
        areas: [N], square px.
        threshold: 0..1.
        visibility_threshold: see `oks_matrix`.
        sigmas: K.

    Source: mmpose `oks_nms`.
    """
    sure = np.asarray(scores, np.float64)
    if not len(sure):
        return np.zeros(0, np.int64)
    alike = oks_matrix(keypoints, areas, visibility_threshold, sigmas).astype(np.float32)
    return _suppressed(sure, alike, threshold)


def soft_oks_nms(
    keypoints: npt.ArrayLike,
    scores: npt.ArrayLike,
    areas: npt.ArrayLike,
    threshold: float,
    most: int = 20,
    sigmas: Sequence[float] = COCO_FALLOFF,
) -> Indices:
    """All people, at most `most`, those alike to a surer one later: int64, by their lowered scores.

    A score is multiplied by exp(-OKS² / threshold) for every surer person.

    Source: mmpose `soft_oks_nms`; Bodla et al., "Soft-NMS", 2017.
    """
    sure = np.asarray(scores, np.float64)
    if not len(sure):
        return np.zeros(0, np.int64)
    alike = oks_matrix(keypoints, areas, None, sigmas).astype(np.float32)
    order = sure.argsort()[::-1]
    lowered = sure[order]
    kept: list[int] = []
    while len(order) and len(kept) < most:
        first, order = order[0], order[1:]
        kept.append(int(first))
        lowered = lowered[1:] * np.exp(-(alike[first, order] ** 2) / threshold)
        again = lowered.argsort()[::-1]
        order, lowered = order[again], lowered[again]
    return np.array(kept, np.int64)


def box_nms(boxes_xyxy: npt.ArrayLike, scores: npt.ArrayLike, threshold: float, pixel_sides: bool = True) -> Indices:
    """The boxes that do not share more than `threshold` with a surer one that is kept: int64 [M], the surest first.

    Args:
        boxes_xyxy: [N, 4].
        scores: [N].
        threshold: intersection over union, 0..1.
        pixel_sides: sides count their last pixel, 1 longer than the difference, as mmpose and Fast R-CNN have it.

    Source: mmpose `nms`.
    """
    boxes = np.asarray(boxes_xyxy).reshape(-1, 4)
    sure = np.asarray(scores)
    more = 1 if pixel_sides else 0
    sides = boxes[:, 2:] - boxes[:, :2] + more
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    shared = np.maximum(np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - low + more, 0).prod(axis=2)
    area = sides.prod(axis=1)
    union = area[:, None] + area[None, :] - shared
    return _suppressed(sure, np.divide(shared, union, out=np.zeros_like(shared, float), where=union > 0), threshold)


def _suppressed(scores: Doubles, alike: npt.NDArray[np.floating], threshold: float) -> Indices:
    order = scores.argsort()[::-1]
    kept: list[int] = []
    while len(order):
        first, order = order[0], order[1:]
        kept.append(int(first))
        order = order[alike[first, order] <= threshold]
    return np.array(kept, np.int64)
