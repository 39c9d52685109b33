"""Object keypoint similarity, and the average precision and recall that COCO takes from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Doubles: TypeAlias = npt.NDArray[np.float64]
CocoData: TypeAlias = str | Path | Mapping[str, Any]
CocoResults: TypeAlias = str | Path | Sequence[Mapping[str, Any]]

COCO_SIGMAS: tuple[float, ...] = (
    *(0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072),
    *(0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089),
)
"""How far annotators are apart on COCO's 17 keypoints, in units of the square root of a person's area."""

COCO_FIELDS = ("AP", "AP50", "AP75", "AP_medium", "AP_large", "AR", "AR50", "AR75", "AR_medium", "AR_large")
"""The ten numbers of a COCO keypoint evaluation, in COCO's order."""

_EPSILON = float(np.spacing(1))


def oks(
    predicted: npt.ArrayLike,
    truth: npt.ArrayLike,
    visible: npt.ArrayLike,
    area: npt.ArrayLike,
    sigmas: Sequence[float] = COCO_SIGMAS,
) -> Doubles:
    """How alike poses are, pair by pair: 1 for the same, near 0 for another place.

    Args:
        predicted: [N, K, 2], pixels.
        truth: [N, K, 2], pixels.
        visible: bool [N, K]: keypoints of the truth that count.
        area: [N], square pixels of the person (its segment in COCO, not its box).
        sigmas: K.

    Returns:
        float64 [N]; 0 where nothing counts.

    Source: pycocotools `computeOks`; Ronchi and Perona, 2017, section 3.
    """
    places, targets = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    counted = np.asarray(visible, np.bool_)
    spread = (2 * np.asarray(sigmas, np.float64)) ** 2 * 2 * (np.asarray(area, np.float64)[:, None] + _EPSILON)
    closeness = np.exp(-((places - targets) ** 2).sum(axis=2) / spread)
    total: Doubles = np.where(counted, closeness, 0.0).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    return total


def coco_oks(
    detection: Mapping[str, Any], annotation: Mapping[str, Any], sigmas: Sequence[float] = COCO_SIGMAS
) -> float:
    """The similarity of a detection and an annotation, each an object of a COCO keypoint file.

    Where the annotation shows no keypoint, distances to its box count, extended by its own size on every side.

    Source: pycocotools `computeOks`.
    """
    truth = np.asarray(annotation["keypoints"], np.float64).reshape(-1, 3)
    places = np.asarray(detection["keypoints"], np.float64).reshape(-1, 3)[:, :2]
    visible = truth[:, 2] > 0
    if visible.any():
        return float(oks(places[None], truth[None, :, :2], visible[None], [annotation["area"]], sigmas)[0])
    x, y, width, height = annotation["bbox"]
    low, high = np.array([x - width, y - height]), np.array([x + 2 * width, y + 2 * height])
    outside = places - np.clip(places, low, high)
    everything = np.ones((1, len(places)), np.bool_)
    return float(oks(outside[None], np.zeros((1, len(places), 2)), everything, [annotation["area"]], sigmas)[0])


def coco_oks_matrix(
    detections: Sequence[Mapping[str, Any]],
    annotations: Sequence[Mapping[str, Any]],
    sigmas: Sequence[float] = COCO_SIGMAS,
    most: int = 20,
) -> Doubles:
    """The similarities of one image: its detections by falling score, at most `most`, against its annotations.

    Returns:
        float64 [detections, annotations].
    """
    ranked = sorted(detections, key=lambda detection: -float(detection["score"]))[:most]
    rows = [[coco_oks(detection, annotation, sigmas) for annotation in annotations] for detection in ranked]
    return np.array(rows, np.float64).reshape(len(ranked), len(annotations))


@dataclass(frozen=True, slots=True, eq=False)
class KeypointSummary:
    """What a COCO keypoint evaluation found.

    Attributes:
        values: the ten numbers by name, as `COCO_FIELDS`; -1 where there was nothing to find.
        thresholds: float64 [10], the similarities 0.50, 0.55 … 0.95.
        precision: float64 [10, 101], by threshold and recall 0, 0.01 … 1, over all sizes.
        recall: float64 [10], the highest reached at each threshold, over all sizes.
    """

    values: Mapping[str, float]
    thresholds: Doubles
    precision: Doubles
    recall: Doubles


def coco_keypoint_summary(
    annotations: CocoData, detections: CocoResults, sigmas: Sequence[float] = COCO_SIGMAS
) -> KeypointSummary:
    """Average precision and recall of detections, as COCO has them; at most 20 detections an image count.

    Args:
        annotations: a COCO keypoint file, or what is in it.
        detections: a COCO results file or list: `image_id`, `category_id`, `keypoints` (x, y, score each), `score`.
        sigmas: of the keypoints of that file.

    Raises:
        ImportError: faster-coco-eval is missing; the message says how to install it.
        ValueError: a detection belongs to no image of the annotations.
    """
    try:
        from faster_coco_eval import COCO, COCOeval_faster
    except ImportError:
        raise ImportError("COCO's average precision needs faster-coco-eval: pip install 'graphflow[eval]'") from None
    truth = _loaded(annotations)
    found = list(_loaded(detections))
    known = {image["id"] for image in truth["images"]}
    strangers = sorted({detection["image_id"] for detection in found} - known)
    if strangers:
        raise ValueError(f"detections are of images that the annotations do not have: {strangers[:5]}")
    data = COCO({**truth})
    thresholds = np.linspace(0.5, 0.95, 10)
    if not found:  # the evaluator refuses an empty list
        wanted = any(not each.get("iscrowd") and each.get("num_keypoints", 1) for each in truth["annotations"])
        nothing = 0.0 if wanted else -1.0
        values = dict.fromkeys(COCO_FIELDS, nothing)
        return KeypointSummary(values, thresholds, np.full((10, 101), nothing), np.full(10, nothing))
    evaluator = COCOeval_faster(
        data, data.loadRes(found), iouType="keypoints", print_function=_silence, kpt_oks_sigmas=np.asarray(sigmas)
    )
    evaluator.evaluate()
    evaluator.accumulate()
    evaluator.summarize()
    values = {name: float(value) for name, value in zip(COCO_FIELDS, evaluator.stats[:10], strict=True)}
    precision, recall = evaluator.eval["precision"], evaluator.eval["recall"]
    return KeypointSummary(values, thresholds, precision[:, :, 0, 0, -1].copy(), recall[:, 0, 0, -1].copy())


def _loaded(source: Any) -> Any:
    return json.loads(Path(source).read_text()) if isinstance(source, str | Path) else source


def _silence(*_: object, **__: object) -> None:
    """In place of `print`."""
