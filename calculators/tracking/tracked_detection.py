"""Detections that go on over time, and which of them are the same thing."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from graphflow import OptionGroup

from ..payloads import Detection, FloatArray, NormalizedRect

_LEVEL: Final = 1e-5


class TrackedDetectionManagerConfig(OptionGroup):
    """When two detections are the same thing."""

    is_same_detection_max_area_ratio: float = 3.0
    """The larger area over the smaller, at most."""
    is_same_detection_min_overlap_ratio: float = 0.5
    """The common area over the area of one of them, more than this."""


@dataclass(slots=True)
class TrackedDetection:
    """Something that was detected and is followed. Source: MediaPipe TrackedDetection.

    Attributes:
        unique_id: its number.
        initial_ms, updated_ms: when it was detected, and for when its place is known, milliseconds.
        box: where it is.
        previous_id: the number under which the same thing was detected first, -1 if this is the first.
        scores: the best score for each label.
    """

    unique_id: int
    initial_ms: int
    updated_ms: int
    box: NormalizedRect
    previous_id: int = -1
    scores: dict[str, float] = field(default_factory=dict)

    def merge_scores(self, scores: Iterable[tuple[str, float]]) -> None:
        """Takes the better score of each label."""
        for label, score in scores:
            self.scores[label] = max(score, self.scores.get(label, score))

    def is_same_as(self, other: TrackedDetection, config: TrackedDetectionManagerConfig) -> bool:
        """Whether two detections overlap enough to be one thing; their rotation does not count."""
        areas = [each.box.width * each.box.height for each in (self, other)]
        smaller, larger = min(areas), max(areas)
        if smaller <= 0 or larger / smaller > config.is_same_detection_max_area_ratio:
            return False
        return _overlap(self.box, other.box) / smaller > config.is_same_detection_min_overlap_ratio

    def succeeds(self, other: TrackedDetection) -> None:
        """Takes the place of another detection of the same thing."""
        self.previous_id = other.unique_id if other.previous_id == -1 else other.previous_id

    def corners(self) -> FloatArray:
        """float32 [4, 2], normalized; rotated as if the image were square."""
        box = self.box
        radii = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) * np.array([box.width, box.height]) / 2
        if abs(box.rotation) > _LEVEL:
            cos, sin = math.cos(box.rotation), math.sin(box.rotation)
            radii = radii @ np.array([[cos, sin], [-sin, cos]])
        corners: FloatArray = (radii + np.array([box.x_center, box.y_center])).astype(np.float32)
        return corners

    def to_detection(self) -> Detection:
        """The detection with the upright box around the corners, labels by falling score, and its first number."""
        corners = self.corners()
        low, high = corners.min(0), corners.max(0)
        ranked = sorted(self.scores.items(), key=lambda entry: -entry[1])
        return Detection(
            np.concatenate([low, high - low]),
            np.array([score for _, score in ranked], np.float32),
            labels=tuple(label for label, _ in ranked),
            detection_id=self.previous_id if self.previous_id > 0 else self.unique_id,
        )


def from_detection(detection: Detection, time_ms: int) -> TrackedDetection:
    """A detection as it is found.

    Raises:
        ValueError: it has no box, or one in pixels.
    """
    left, top, width, height = relative_box(detection).tolist()
    found = TrackedDetection(
        detection.detection_id,
        time_ms,
        time_ms,
        NormalizedRect(left + width / 2, top + height / 2, width, height),
    )
    found.merge_scores(zip(detection.labels, detection.scores.tolist(), strict=False))
    return found


def relative_box(detection: Detection) -> FloatArray:
    """The normalized box of a detection: float32 [4], left, top, width, height.

    Raises:
        ValueError: it has none, or one in pixels.
    """
    if detection.box is None or detection.box_format != "relative":
        kind = "without a box" if detection.box is None else "with a box in pixels"
        raise ValueError(f"a detection {kind} cannot be followed; only normalized boxes can")
    return detection.box


def _overlap(one: NormalizedRect, other: NormalizedRect) -> float:
    width = min(one.x_center + one.width / 2, other.x_center + other.width / 2) - max(
        one.x_center - one.width / 2, other.x_center - other.width / 2
    )
    height = min(one.y_center + one.height / 2, other.y_center + other.height / 2) - max(
        one.y_center - one.height / 2, other.y_center - other.height / 2
    )
    return max(0.0, width) * max(0.0, height)


class TrackedDetections:
    """The things that are followed at the moment, each once. Source: MediaPipe TrackedDetectionManager."""

    def __init__(self, config: TrackedDetectionManagerConfig) -> None:
        self._config = config
        self._detections: dict[int, TrackedDetection] = {}

    def all(self) -> list[TrackedDetection]:
        """All of them, in the order they came."""
        return list(self._detections.values())

    def add(self, detection: TrackedDetection) -> list[int]:
        """Adds a detection in place of earlier ones of the same thing, whose numbers it returns."""
        latest = 0
        replaced = [other for other in self.all() if detection.is_same_as(other, self._config)]
        for other in replaced:
            detection.merge_scores(other.scores.items())
            if other.initial_ms > latest:
                latest = other.initial_ms
                detection.succeeds(other)
        removed = self._remove(replaced)
        self._detections[detection.unique_id] = detection
        return removed

    def update(self, unique_id: int, box: NormalizedRect, time_ms: int) -> list[int]:
        """Moves a detection; returns the numbers of those that turn out to be the same thing, and are removed.

        The one that was detected last stays.
        """
        detection = self._detections.get(unique_id)
        if detection is None:
            return []
        detection.box, detection.updated_ms = box, time_ms
        latest, previous, removed = detection, None, []
        for other in self.all():
            if other is detection or other.updated_ms != time_ms or not detection.is_same_as(other, self._config):
                continue
            older, newer = (other, latest) if latest.initial_ms >= other.initial_ms else (latest, other)
            newer.merge_scores(older.scores.items())
            removed.append(older)
            latest = newer
            if previous is None or previous.initial_ms < older.initial_ms:
                previous = older
        if latest.previous_id == -1 and previous is not None:
            latest.succeeds(previous)
        return self._remove(removed)

    def remove_not_updated_since(self, time_ms: int) -> list[int]:
        """Removes detections whose place is older; returns their numbers."""
        return self._remove([each for each in self.all() if each.updated_ms < time_ms])

    def remove_out_of_view(self) -> list[int]:
        """Removes detections none of whose corners is in the image; returns their numbers."""
        return self._remove([each for each in self.all() if ((each.corners() < 0) | (each.corners() > 1)).any(1).all()])

    def _remove(self, detections: list[TrackedDetection]) -> list[int]:
        numbers = [each.unique_id for each in detections]
        for number in numbers:
            self._detections.pop(number, None)
        return numbers
