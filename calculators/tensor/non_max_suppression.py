"""One detection for each thing, where a detector answers several."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, Literal

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..payloads import Detection, FloatArray, Image
from .detection_kernels import (
    INTERSECTION_OVER_UNION,
    JACCARD,
    MODIFIED_JACCARD,
    IntArray,
    suppress,
    suppress_weighted,
)

_OVERLAPS: Final = {
    "JACCARD": JACCARD,
    "MODIFIED_JACCARD": MODIFIED_JACCARD,
    "INTERSECTION_OVER_UNION": INTERSECTION_OVER_UNION,
}


class NonMaxSuppression(Calculator):
    """Of detections that overlap keeps the best one (DEFAULT), or their mean weighted by score (WEIGHTED).

    Of a detection with several classes only the best one counts; one without any class is dropped. Nothing is emitted
    where nothing came in, unless `return_empty_detections` asks for it. WEIGHTED knows no limit of their number.

    Source: MediaPipe's NonMaxSuppressionCalculator.
    """

    detections = Input("", list[Detection], "as many streams as 'num_detection_streams' says", repeated=True)
    image = Input("IMAGE", Image, "for detections in pixels: the image whose size they have", optional=True)
    kept = Output("", list[Detection], "best first")

    num_detection_streams: int = Option(1, "how many streams of detections there are")
    max_num_detections: int = Option(-1, "keep only the so many best; -1 for all")
    min_score_threshold: float = Option(-1.0, "drop what scores less")
    min_suppression_threshold: float = Option(1.0, "overlap above which two detections are of one thing")
    overlap_type: Literal["UNSPECIFIED_OVERLAP_TYPE", "JACCARD", "MODIFIED_JACCARD", "INTERSECTION_OVER_UNION"] = (
        Option("JACCARD", "what the intersection is divided by: box around both, second box, union")
    )
    return_empty_detections: bool = Option(False, "emit an empty list where there is no detection")
    algorithm: Literal["DEFAULT", "WEIGHTED"] = Option("DEFAULT", "keep the best, or the weighted mean")
    multiclass_nms: bool = Option(False, "suppress among detections of the same class only")

    def check(self, binding: Binding) -> Iterable[str]:
        streams = len(binding.slots.get(self.detections, ()))
        if streams != self.num_detection_streams:
            yield f"option 'num_detection_streams' is {self.num_detection_streams}, but {streams} are connected"
        if self.max_num_detections == 0:
            yield "option 'max_num_detections' must not be 0; -1 means no limit"
        if self.overlap_type not in _OVERLAPS:
            yield f"option 'overlap_type' must be one of {', '.join(_OVERLAPS)}"

    def process(self, context: Context) -> None:
        found = [detection for stream in context[self.detections] for detection in stream or ()]
        if not found:
            if self.return_empty_detections:
                context[self.kept] = []
            return
        size: tuple[int, int] | None = None
        if context.is_connected(self.image):
            image = context[self.image]
            if image is None:
                raise ValueError("there are detections, but no IMAGE at their timestamp to say how large it is")
            size = (image.shape[1], image.shape[0])
        if not self.multiclass_nms:
            context[self.kept] = self._suppress(found, size)
            return
        by_class: dict[int, list[Detection]] = {}
        for detection in found:
            for label_id in detection.label_ids.tolist():
                by_class.setdefault(label_id, []).append(detection)
        kept = [detection for group in by_class.values() for detection in self._suppress(group, size)]
        kept.sort(key=lambda detection: -detection.scores[0])
        context[self.kept] = kept[: self._limit(len(kept))]

    def _suppress(self, found: list[Detection], size: tuple[int, int] | None) -> list[Detection]:
        detections = [
            _best_class_only(detection) for detection in found if len(detection.label_ids) or detection.labels
        ]
        if not detections:
            return []
        scores = np.array([detection.scores[0] for detection in detections], np.float32)
        order = np.argsort(-scores, kind="stable")
        boxes = np.array([_relative_box(detection, size) for detection in detections], np.float32)
        if self.algorithm == "WEIGHTED":
            return self._weighted(detections, boxes, scores, order)
        if self.min_score_threshold > 0:
            order = order[scores[order] >= np.float32(self.min_score_threshold)]
        boxes[:, 2:] += boxes[:, :2]
        passed = np.empty(len(order), np.bool_)
        suppress(boxes, order, _OVERLAPS[self.overlap_type], np.float32(self.min_suppression_threshold), passed)
        return [detections[index] for index in order[passed][: self._limit(len(order))]]

    def _weighted(
        self, detections: list[Detection], boxes: FloatArray, scores: FloatArray, order: IntArray
    ) -> list[Detection]:
        counts = {len(detection.keypoints) for detection in detections}
        if len(counts) > 1:
            raise ValueError(f"detections to merge must have the same number of keypoints, not {sorted(counts)}")
        keypoints = np.stack([detection.keypoints for detection in detections]).astype(np.float32, copy=False)
        tops = np.empty_like(order)
        merged_boxes, merged_keypoints = np.empty_like(boxes), np.empty_like(keypoints)
        groups = suppress_weighted(
            boxes,
            keypoints,
            scores,
            order,
            _OVERLAPS[self.overlap_type],
            np.float32(self.min_suppression_threshold),
            np.float32(self.min_score_threshold if self.min_score_threshold > 0 else -np.inf),
            tops,
            merged_boxes,
            merged_keypoints,
        )
        return [
            replace(detections[tops[group]], box=merged_boxes[group].copy(), keypoints=merged_keypoints[group].copy())
            for group in range(groups)
        ]

    def _limit(self, count: int) -> int:
        return self.max_num_detections if self.max_num_detections > 0 else count


def _best_class_only(detection: Detection) -> Detection:
    """The detection with its best score alone, and the class of that."""
    if len(detection.scores) == 1:
        return detection
    best = int(np.argmax(detection.scores))
    scores = detection.scores[best : best + 1]
    if len(detection.label_ids):
        return replace(detection, scores=scores, label_ids=detection.label_ids[best : best + 1])
    return replace(detection, scores=scores, labels=detection.labels[best : best + 1])


def _relative_box(detection: Detection, size: tuple[int, int] | None) -> FloatArray:
    """xmin, ymin, width, height, normalized."""
    if detection.box is None:
        if size is None:
            raise ValueError("a detection has no box to compare")
        return np.array([0, 0, 1, 1], np.float32)
    if detection.box_format == "relative":
        return detection.box
    if size is None:
        raise ValueError("a detection is in pixels; connect IMAGE, or make it relative first")
    width, height = np.float32(size[0]), np.float32(size[1])
    x, y, w, h = detection.box
    return np.array([x / width, y / height, w / width, h / height], np.float32)
