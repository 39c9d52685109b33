"""Results as lines of JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..payloads import Classification, Detection, LandmarkList, NormalizedLandmarkList, NormalizedRect, Rect
from .float_text import rows_to_json
from .result_row import ResultRow
from .text_lines import TextLines


class JsonLines:
    """One object a line: `{"timestamp": µs, "frame": n, "pose_landmarks": […], …}`; see `to_json` for the values.

    What was found of several people stands under `people`, `[{"id": n, "pose_landmarks": […], …}]`.
    """

    def __init__(self, path: Path) -> None:
        self._lines = TextLines(path)

    def write(self, row: ResultRow) -> None:
        fields = [f'{{"timestamp":{row.timestamp},"frame":{row.frame}']
        fields += [f"{json.dumps(key)}:{to_json(value)}" for key, value in row.merged().items()]
        self._lines.write(",".join(fields) + "}\n")

    def close(self) -> None:
        self._lines.close()


def to_json(value: Any) -> str:
    """A value of a stream as JSON.

    Landmarks are `[x, y, z]`, or `[x, y, z, visibility, presence]` where the model says them; rectangles
    `[x centre, y centre, width, height, rotation]`; detections objects with `box` `[xmin, ymin, width, height]`,
    `score`, `label_id`, `keypoints` and, where known, `label` and `id`.

    Raises:
        TypeError: there is no way to write it, as with images.
    """
    match value:
        case NormalizedLandmarkList() | LandmarkList():
            return rows_to_json(landmark_rows(value))
        case NormalizedRect() | Rect():
            numbers = (value.x_center, value.y_center, value.width, value.height, value.rotation)
            return rows_to_json(np.array([numbers], np.float32))[1:-1]
        case Detection():
            return _object(_detection_fields(value))
        case Classification():
            fields = {"index": value.index, "score": np.float32(value.score)}
            return _object(fields | ({"label": value.label} if value.label else {}))
        case list() | tuple():
            return "[" + ",".join(to_json(item) for item in value) + "]"
        case dict():
            return _object({str(key): item for key, item in value.items()})
        case bool() | int() | float() | str() | None:
            return json.dumps(value)
    if isinstance(value, np.float32):
        return rows_to_json(np.full((1, 1), value))[2:-2]
    if isinstance(value, np.integer | np.bool_):
        return json.dumps(value.item())
    if isinstance(value, np.ndarray) and value.dtype == np.float32 and value.ndim in (1, 2):
        return rows_to_json(value) if value.ndim == 2 else rows_to_json(value[None])[1:-1]
    raise TypeError(f"{type(value).__name__} has no JSON form; results are landmarks, rectangles, detections, numbers")


def landmark_rows(landmarks: NormalizedLandmarkList | LandmarkList) -> npt.NDArray[np.float32]:
    """The points as rows, float32 [N, 3]: x, y, z; or [N, 5] with visibility and presence where either is known."""
    if landmarks.visibility is None and landmarks.presence is None:
        return landmarks.xyz
    unknown = np.full(len(landmarks), np.nan, np.float32)
    visibility = unknown if landmarks.visibility is None else landmarks.visibility
    presence = unknown if landmarks.presence is None else landmarks.presence
    return np.column_stack((landmarks.xyz, visibility, presence))


def _detection_fields(detection: Detection) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if detection.box is not None:
        fields["box"] = detection.box
    if len(detection.scores):
        fields["score"] = np.float32(detection.scores[0])
    if len(detection.label_ids):
        fields["label_id"] = int(detection.label_ids[0])
    if detection.labels:
        fields["label"] = detection.labels[0]
    if len(detection.keypoints):
        fields["keypoints"] = detection.keypoints
    if detection.detection_id:
        fields["id"] = detection.detection_id
    return fields


def _object(fields: dict[str, Any]) -> str:
    return "{" + ",".join(f"{json.dumps(key)}:{to_json(value)}" for key, value in fields.items()) + "}"
