"""Results as the pose formats of other programs: COCO keypoints and OpenPose's JSON files, both in pixels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..payloads import NormalizedLandmarkList
from .output_file import partial_path
from .result_row import ResultRow

# rows of BlazePose's 33 points
COCO_FROM_BLAZEPOSE: Final = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
"""COCO's 17 keypoints: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles, left before right."""
COCO_FEET_FROM_BLAZEPOSE: Final = (31, -1, 29, 32, -1, 30)
"""COCO-WholeBody's feet: big toe, small toe (which BlazePose lacks), heel, left before right."""
_BODY_25: Final = (0, -2, 12, 14, 16, 11, 13, 15, -3, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7, 31, -1, 29, 32, -1, 30)
"""OpenPose's BODY_25; -2 is the middle of the shoulders, -3 of the hips, -1 what BlazePose lacks."""
_BODY_25_FROM_COCO: Final = (0, -2, 6, 8, 10, 5, 7, 9, -3, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3, -1, -1, -1, -1, -1, -1)

_COCO_NAMES: Final = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
_COCO_SKELETON: Final = (
    (16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9), (8, 10), (9, 11),
    (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7),
)  # fmt: skip

_VISIBLE: Final = 0.5

Points = npt.NDArray[np.float32]
"""float32 [N, 3]: x, y in pixels, confidence in 0..1; 0 where the point is not there."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person's points in pixels; None where a part was not found.

    Attributes:
        body: 33 BlazePose or 17 COCO points.
        left_hand: 21 points.
        right_hand: 21 points.
        track_id: of the person, 0 where none.
    """

    body: Points
    left_hand: Points | None = None
    right_hand: Points | None = None
    track_id: int = 0


def people_in(row: ResultRow) -> Iterator[Person]:
    """The persons of one timestamp: landmarks under a key that names the pose, one or a list, and hands beside them.

    A list of mappings (`people`) has the same keys for each person.
    """
    values = row.merged()
    people = values.get("people")
    if isinstance(people, list | tuple):
        for each in people:
            if isinstance(each, Mapping):
                yield from _of_values(each, row.size, int(each.get("id", 0)))
        return
    yield from _of_values(values, row.size, 0)


def _of_values(values: Mapping[str, Any], size: tuple[int, int], track_id: int) -> Iterator[Person]:
    hands = {side: _hand(values, side, size) for side in ("left", "right")}
    bodies = [body for value in values.values() for body in _bodies(value)]
    for number, landmarks in enumerate(bodies):
        alone = len(bodies) == 1
        yield Person(
            _pixels(landmarks, size), hands["left"] if alone else None, hands["right"] if alone else None,
            track_id or (0 if alone else number + 1),
        )  # fmt: skip


def _bodies(value: Any) -> list[NormalizedLandmarkList]:
    found = value if isinstance(value, list | tuple) else [value]
    return [each for each in found if isinstance(each, NormalizedLandmarkList) and len(each) in (17, 33)]


def _hand(values: Mapping[str, Any], side: str, size: tuple[int, int]) -> Points | None:
    for key, value in values.items():
        if side in key and "hand" in key and isinstance(value, NormalizedLandmarkList) and len(value) == 21:
            return _pixels(value, size)
    return None


def _pixels(landmarks: NormalizedLandmarkList, size: tuple[int, int]) -> Points:
    confidence = landmarks.visibility
    if confidence is None:
        confidence = landmarks.presence if landmarks.presence is not None else np.ones(len(landmarks), np.float32)
    points = np.column_stack((landmarks.xyz[:, :2] * np.array(size, np.float32), confidence)).astype(np.float32)
    points[~np.isfinite(points).all(axis=1)] = 0
    return points


def _picked(points: Points, rows: tuple[int, ...]) -> Points:
    left, right = (5, 6) if len(points) == 17 else (11, 12)
    middles = {-2: (left, right), -3: (11, 12) if len(points) == 17 else (23, 24)}
    found = np.zeros((len(rows), 3), np.float32)
    for position, row in enumerate(rows):
        if row >= 0:
            found[position] = points[row]
        elif row in middles:
            first, second = (points[index] for index in middles[row])
            found[position, :2] = (first[:2] + second[:2]) / 2
            found[position, 2] = min(first[2], second[2])
    return found


def _flat(points: Points | None, rows: int) -> list[float]:
    if points is None:
        return [0.0] * (3 * rows)
    return [float(str(number)) for number in points.ravel()]


class CocoKeypoints:
    """A COCO keypoint file: `images` (one a frame), `annotations` (one a person) and the category of persons.

    `keypoints` are COCO's 17 with 0, 1 or 2 for absent, hidden, visible; where hands and feet were found, the keys of
    COCO-WholeBody (`lefthand_kpts`, …) stand beside them. Written at the end.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []

    def write(self, row: ResultRow) -> None:
        width, height = row.size
        image = {"id": row.frame, "file_name": f"{row.frame:012d}", "width": width, "height": height}
        self._images.append({**image, "timestamp": row.timestamp})
        for person in people_in(row):
            self._annotations.append(self._annotation(person, row.frame))

    def _annotation(self, person: Person, frame: int) -> dict[str, Any]:
        body = person.body if len(person.body) == 17 else _picked(person.body, COCO_FROM_BLAZEPOSE)
        present = body[body[:, 2] > 0]
        corner = present[:, :2].min(axis=0) if len(present) else np.zeros(2, np.float32)
        sides = (present[:, :2].max(axis=0) - corner) if len(present) else np.zeros(2, np.float32)
        box = [float(str(number)) for number in (*corner, *sides)]
        found = {
            "id": len(self._annotations) + 1,
            "image_id": frame,
            "category_id": 1,
            "keypoints": _with_flags(body),
            "num_keypoints": int((body[:, 2] > 0).sum()),
            "score": float(str(np.float32(body[:, 2].mean()))),
            "bbox": box,
            "area": box[2] * box[3],
            "iscrowd": 0,
        }
        if person.track_id:
            found["track_id"] = person.track_id
        if len(person.body) == 33:
            found["foot_kpts"] = _with_flags(_picked(person.body, COCO_FEET_FROM_BLAZEPOSE))
        for key, hand in (("lefthand_kpts", person.left_hand), ("righthand_kpts", person.right_hand)):
            if hand is not None:
                found[key] = _with_flags(hand)
        return found

    def close(self) -> None:
        category = {"id": 1, "name": "person", "keypoints": _COCO_NAMES, "skeleton": _COCO_SKELETON}
        content = {"images": self._images, "annotations": self._annotations, "categories": [category]}
        partial = partial_path(self._path)
        try:
            partial.write_text(json.dumps(content, separators=(",", ":")), "utf-8")
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        partial.replace(self._path)


def _with_flags(points: Points) -> list[float]:
    flags = np.where(points[:, 2] <= 0, 0, np.where(points[:, 2] > _VISIBLE, 2, 1))
    rows = zip(points, flags, strict=True)
    return [number for (x, y, _), flag in rows for number in (float(str(x)), float(str(y)), int(flag))]


class OpenPoseFolder:
    """A folder of OpenPose's files, `NAME_000000000012_keypoints.json` for frame 12: BODY_25 and both hands."""

    def __init__(self, path: Path) -> None:
        path.mkdir(exist_ok=True)
        self._path = path

    def write(self, row: ResultRow) -> None:
        people = [self._person(person) for person in people_in(row)]
        name = f"{self._path.stem}_{row.frame:012d}_keypoints.json"
        target = self._path / name
        try:
            target.write_text(json.dumps({"version": 1.3, "people": people}, separators=(",", ":")), "utf-8")
        except OSError:
            target.unlink(missing_ok=True)
            raise

    @staticmethod
    def _person(person: Person) -> dict[str, Any]:
        rows = _BODY_25_FROM_COCO if len(person.body) == 17 else _BODY_25
        return {
            "person_id": [person.track_id or -1],
            "pose_keypoints_2d": _flat(_picked(person.body, rows), 25),
            "face_keypoints_2d": [],
            "hand_left_keypoints_2d": _flat(person.left_hand, 21),
            "hand_right_keypoints_2d": _flat(person.right_hand, 21),
            "pose_keypoints_3d": [],
            "face_keypoints_3d": [],
            "hand_left_keypoints_3d": [],
            "hand_right_keypoints_3d": [],
        }

    def close(self) -> None:
        """Every file is complete already."""
