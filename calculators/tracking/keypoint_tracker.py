"""Identities of people from frame to frame, by how alike their keypoints or their boxes are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import Detection, FloatArray, NormalizedLandmarkList

Doubles = npt.NDArray[np.float64]

COCO_FALLOFF: tuple[float, ...] = (
    *(0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072),
    *(0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089),
)
"""How far COCO's 17 keypoints may be off, in units of the square root of a person's area."""


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """What is known of one person in one frame.

    Attributes:
        keypoints: float64 [K, 2], normalized by the image.
        scores: float64 [K] in 0..1.
        box: float64 [4] x_min, y_min, x_max, y_max, normalized; None where only keypoints count.
    """

    keypoints: Doubles = field(default_factory=lambda: np.zeros((0, 2)))
    scores: Doubles = field(default_factory=lambda: np.zeros(0))
    box: Doubles | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One identity: how its person looked when last seen."""

    id: int
    timestamp_us: int
    person: Person


class PersonTracker:
    """Gives people identities that last: each, the surest first, takes the free track that it is most alike to.

    People come the surest first. A track that was not seen for `max_age_us` ends; of more than `max_tracks` those seen
    last are kept. Identities count from 1 and are never given twice.

    Args:
        similarity: "oks", of keypoints, or "iou", of boxes.
        max_tracks: tracks that are remembered.
        max_age_us: microseconds that a track is remembered unseen.
        min_similarity: how alike a person must be to a track, 0..1.
        keypoint_threshold: keypoints below this score do not count, 0..1.
        keypoint_falloff: of each keypoint; COCO's for 17 keypoints by default, 0.1 for other numbers.
        min_keypoints: keypoints that must count in both, else they are not alike at all.

    Raises:
        ValueError: a number is out of its range.

    Source: tfjs-models `pose-detection/src/calculators/tracker.ts`.
    """

    def __init__(
        self,
        similarity: Literal["oks", "iou"] = "oks",
        max_tracks: int = 18,
        max_age_us: int = 1_000_000,
        min_similarity: float = 0.2,
        keypoint_threshold: float = 0.3,
        keypoint_falloff: Sequence[float] | None = None,
        min_keypoints: int = 4,
    ) -> None:
        for name, number in (("max_tracks", max_tracks), ("max_age_us", max_age_us), ("min_keypoints", min_keypoints)):
            if number < 1:
                raise ValueError(f"{name} must be at least 1, not {number}")
        for name, share in (("min_similarity", min_similarity), ("keypoint_threshold", keypoint_threshold)):
            if not 0 <= share <= 1:
                raise ValueError(f"{name} must be in 0..1, not {share}")
        if keypoint_falloff is not None and not all(number > 0 for number in keypoint_falloff):
            raise ValueError(f"keypoint_falloff must be positive numbers, not {list(keypoint_falloff)}")
        self.similarity = similarity
        self.max_tracks = max_tracks
        self.max_age_us = max_age_us
        self.min_similarity = min_similarity
        self.keypoint_threshold = keypoint_threshold
        self.keypoint_falloff = keypoint_falloff
        self.min_keypoints = min_keypoints
        self.reset()

    def reset(self) -> None:
        """Forgets all tracks; identities count from 1 again."""
        self.tracks: list[Track] = []
        self._next_id = 1

    def apply(self, timestamp_us: int, people: Sequence[Person]) -> list[int]:
        """The identities of the people of one frame, in their order.

        Args:
            timestamp_us: microseconds.
            people: the surest first.

        Raises:
            ValueError: boxes are compared, and a person has none.
        """
        self.tracks = [track for track in self.tracks if timestamp_us - track.timestamp_us <= self.max_age_us]
        free = list(range(len(self.tracks)))
        identities: list[int] = []
        for person in people:
            best, place = -1.0, -1
            for index in free:
                alike = self.alikeness(person, self.tracks[index].person)
                if alike >= self.min_similarity and alike > best:
                    best, place = alike, index
            if place >= 0:
                free.remove(place)
                self.tracks[place] = Track(self.tracks[place].id, timestamp_us, person)
                identities.append(self.tracks[place].id)
            else:
                self.tracks.append(Track(self._next_id, timestamp_us, person))
                identities.append(self._next_id)
                self._next_id += 1
        self.tracks.sort(key=lambda track: -track.timestamp_us)
        del self.tracks[self.max_tracks :]
        return identities

    def alikeness(self, person: Person, known: Person) -> float:
        """How alike a person is to a track's, 0..1."""
        if self.similarity == "oks":
            return self._oks(person, known)
        if person.box is None or known.box is None:
            raise ValueError("people have no boxes to be compared; use similarity 'oks'")
        return intersection_over_union(person.box, known.box)

    def _oks(self, person: Person, known: Person) -> float:
        both = (person.scores >= self.keypoint_threshold) & (known.scores >= self.keypoint_threshold)
        if both.sum() < self.min_keypoints:
            return 0.0
        falloff = self.keypoint_falloff
        if falloff is None:
            falloff = COCO_FALLOFF if len(both) == len(COCO_FALLOFF) else [0.1] * len(both)
        reach = 2 * np.asarray(falloff, np.float64)[both]
        apart = ((person.keypoints[both] - known.keypoints[both]) ** 2).sum(axis=1)
        spread = 2 * (self.area(known) + 1e-6) * reach**2
        return float(np.exp(-apart / spread).mean())

    def area(self, person: Person) -> float:
        """The area of the box around a person's confident keypoints, normalized by the image."""
        places = person.keypoints[person.scores > self.keypoint_threshold]
        low, high = places.min(axis=0, initial=1.0), places.max(axis=0, initial=0.0)
        return float(np.prod(high - low))


def intersection_over_union(box: Doubles, other: Doubles) -> float:
    """The shared part of two boxes [4] (x_min, y_min, x_max, y_max): 0..1.

    >>> intersection_over_union(np.array([0, 0, 2, 1.0]), np.array([1, 0, 3, 1.0])) == 1 / 3
    True
    """
    shared = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
    if not (shared > 0).all():
        return 0.0
    common = float(np.prod(shared))
    return common / (float(np.prod(box[2:] - box[:2])) + float(np.prod(other[2:] - other[:2])) - common)


class PersonIdentities(Calculator):
    """Gives the people of each frame identities that last from frame to frame.

    People come as landmarks, as detections, or both in the same order; they should be the surest first.

    Source: tfjs-models' keypoint and bounding box trackers.
    """

    landmarks = Input("NORM_LANDMARKS", list[NormalizedLandmarkList], "scores as visibility", optional=True)
    detections = Input("DETECTIONS", list[Detection], "with normalized boxes, for 'iou'", optional=True)
    ids = Output("IDS", list[int], "one for each person, from 1 on")
    named = Output("DETECTIONS", list[Detection], "the detections with their `detection_id`", optional=True)

    similarity: Literal["oks", "iou"] = Option("oks", "of keypoints, or of boxes")
    max_tracks: int = Option(18, "tracks that are remembered")
    max_age: int = Option(1_000_000, "microseconds that a track is remembered unseen")
    min_similarity: float = Option(0.2, "how alike a person must be to a track, 0..1")
    keypoint_threshold: float = Option(0.3, "keypoints below this score do not count, 0..1")
    keypoint_falloff: list[float] = Option([], "of each keypoint; default COCO's for 17, else 0.1")
    min_keypoints: int = Option(4, "keypoints that must count in both")

    def open(self, context: Context) -> None:
        self._tracker = PersonTracker(
            self.similarity,
            self.max_tracks,
            self.max_age,
            self.min_similarity,
            self.keypoint_threshold,
            self.keypoint_falloff or None,
            self.min_keypoints,
        )

    def process(self, context: Context) -> None:
        landmarks: list[NormalizedLandmarkList] | None = context[self.landmarks]
        detections: list[Detection] | None = context[self.detections]
        if landmarks is None and detections is None:
            self._tracker.apply(context.timestamp, [])
            return
        if landmarks is not None and detections is not None and len(landmarks) != len(detections):
            raise ValueError(
                f"{len(landmarks)} NORM_LANDMARKS and {len(detections)} DETECTIONS are not the same people"
            )
        count = len(landmarks if landmarks is not None else detections or [])
        people = [
            _person(landmarks[i] if landmarks is not None else None, detections[i] if detections is not None else None)
            for i in range(count)
        ]
        ids = self._tracker.apply(context.timestamp, people)
        context[self.ids] = ids
        if detections is not None:
            context[self.named] = [replace(each, detection_id=id) for each, id in zip(detections, ids, strict=True)]


def _person(landmarks: NormalizedLandmarkList | None, detection: Detection | None) -> Person:
    box: Doubles | None = None
    if detection is not None and detection.box is not None:
        low = detection.box[:2].astype(np.float64)
        box = np.concatenate([low, low + detection.box[2:]])
    if landmarks is None:
        points: FloatArray = np.zeros((0, 2), np.float32) if detection is None else detection.keypoints
        return Person(points.astype(np.float64), np.ones(len(points)), box)
    scores = np.ones(len(landmarks)) if landmarks.visibility is None else landmarks.visibility.astype(np.float64)
    points_px = landmarks.xyz[:, :2].astype(np.float64)
    if box is None and len(points_px):
        box = np.concatenate([points_px.min(axis=0), points_px.max(axis=0)])
    return Person(points_px, scores, box)
