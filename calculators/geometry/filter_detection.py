"""FilterDetection: detections of wanted classes with wanted scores."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output, SideInput
from graphflow.context import Binding

from ..payloads import Detection


class FilterDetection(Calculator):
    """Keeps of each detection the classes that are allowed and whose scores are in range, best first.

    A detection without any such class is left out; what is kept has labels, scores, box and keypoints, no numbers.
    Allowed labels are names or regular expressions. Source: MediaPipe FilterDetectionCalculator.
    """

    fusible = True

    detection = Input("DETECTION", Detection, "one; this or DETECTIONS", optional=True)
    detections = Input("DETECTIONS", list[Detection], "several", optional=True)
    labels = SideInput("LABELS", list[str], "the allowed labels", optional=True)
    labels_csv = SideInput("LABELS_CSV", str, "the allowed labels, separated by commas", optional=True)
    label_map = SideInput("LABEL_MAP", Mapping, "the allowed labels, by their numbers", optional=True)
    kept = Output("DETECTION", Detection, "what is left of it, if anything", optional=True)
    kept_detections = Output("DETECTIONS", list[Detection], "what is left of them", optional=True)

    min_score: float | None = Option(None, "lowest score to keep")
    max_score: float | None = Option(None, "highest score to keep")
    fail_on_empty_labels: bool = Option(False, "whether a list without labels is an error")
    empty_allowed_labels_means_allow_everything: bool = Option(
        False, "whether a list without labels allows all, otherwise none"
    )
    use_detection_vector: bool = Option(False, "accepted for MediaPipe's graphs, without effect")
    use_allowed_labels_csv: bool = Option(False, "accepted for MediaPipe's graphs, without effect")

    def check(self, binding: Binding) -> Iterable[str]:
        slots = binding.slots
        one, several = self.detection in slots, self.detections in slots
        if not (one or several) or one != (self.kept in slots) or several != (self.kept_detections in slots):
            yield "connect DETECTION or DETECTIONS, as an input and as an output"

    def open(self, context: Context) -> None:
        ports = (self.labels_csv, self.labels, self.label_map)
        self._allowed: frozenset[str] | None = None
        given = next((context[port] for port in ports if context[port] is not None), None)
        if given is None:
            return
        if isinstance(given, str):
            given = [label.strip() for label in given.split(",") if label.strip()]
        self._allowed = frozenset(given.values() if isinstance(given, Mapping) else given)
        if not self._allowed:
            if self.fail_on_empty_labels:
                raise ValueError("the list of allowed labels is empty, which fail_on_empty_labels forbids")
            if self.empty_allowed_labels_means_allow_everything:
                self._allowed = None

    def process(self, context: Context) -> None:
        if self._allowed is not None and not self._allowed:
            return
        several = context.is_connected(self.detections)
        given = context[self.detections] if several else [context[self.detection]]
        left = [kept for kept in map(self._filtered, given) if kept is not None]
        if several:
            context[self.kept_detections] = left
        elif left:
            context[self.kept] = left[0]

    def _filtered(self, detection: Detection) -> Detection | None:
        scores = [float(score) for score in detection.scores]
        found = [
            (score, label)
            for label, score in zip(detection.labels, scores, strict=False)
            if self._is_allowed(label) and self._in_range(score)
        ]
        if not found:
            return None
        found.sort(key=lambda each: -each[0])
        return Detection(
            detection.box,
            np.array([score for score, _ in found], np.float32),
            labels=tuple(label for _, label in found),
            keypoints=detection.keypoints,
            box_format=detection.box_format,
        )

    def _is_allowed(self, label: str) -> bool:
        if self._allowed is None or label in self._allowed:
            return True
        return any(_matches(pattern, label) for pattern in self._allowed)

    def _in_range(self, score: float) -> bool:
        lowest = -np.inf if self.min_score is None else float(np.float32(self.min_score))
        highest = np.inf if self.max_score is None else float(np.float32(self.max_score))
        return lowest <= score <= highest


def _matches(pattern: str, label: str) -> bool:
    try:
        return re.fullmatch(pattern, label) is not None
    except re.error:
        return False  # a name that is no regular expression
