"""ResultsWriter: what a graph found, as lines of JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option

from ..payloads import Classification, Detection, LandmarkList, NormalizedLandmarkList, NormalizedRect, Rect
from .float_text import rows_to_json
from .output_file import check_folder


class ResultsWriter(Calculator):
    """Writes one JSON object a line for every timestamp: `{"timestamp": µs, "frame": n, "pose_landmarks": […], …}`.

    Every input but TICK is written under its tag in lower case, and left out where it had no packet. TICK brings the
    frames themselves, so that one where nothing was found has its line too. Numbers are the shortest that read back as
    the same float32. Lines are complete as soon as they are written: an interrupted run keeps them.
    """

    tick = Input("TICK", doc="anything that comes with every frame", optional=True)
    results = Input("*", doc="landmarks, rectangles, detections, classifications, numbers; lists of them")
    path: str = Option(doc="the file; .jsonl")

    def open(self, context: Context) -> None:
        path = Path(self.path).expanduser()
        if path.suffix.lower() != ".jsonl":
            raise ValueError(f"cannot write results to {path}: the name must end in .jsonl")
        check_folder(path)
        self._keys = [json.dumps(connection.tag.lower()) for connection in context.connections(self.results)]
        self._path = path
        # unbuffered: each line reaches the file in one write
        self._file = path.open("wb", buffering=0)
        self._frame = 0

    def process(self, context: Context) -> None:
        parts = [f'{{"timestamp":{context.timestamp},"frame":{self._frame}']
        for key, value in zip(self._keys, context[self.results], strict=True):
            if value is not None:
                parts.append(f"{key}:{to_json(value)}")
        line = (",".join(parts) + "}\n").encode()
        try:
            written = self._file.write(line)
            if written is not None and written < len(line):
                self._file.write(line[written:])  # says why, where the first write only came short
        except OSError as error:
            message = f"{self._path} cannot be written after {self._frame} frames: {error.strerror}"
            raise OSError(message) from error
        self._frame += 1

    def close(self, context: Context) -> None:
        self._file.close()

    def reset(self, context: Context) -> None:
        self.close(context)
        self.open(context)


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
            return rows_to_json(_landmark_rows(value))
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
        case bool() | int() | float() | str() | dict() | None:
            return json.dumps(value)
    if isinstance(value, np.float32):
        return rows_to_json(np.full((1, 1), value))[2:-2]
    if isinstance(value, np.integer | np.bool_):
        return json.dumps(value.item())
    if isinstance(value, np.ndarray) and value.dtype == np.float32 and value.ndim in (1, 2):
        return rows_to_json(value) if value.ndim == 2 else rows_to_json(value[None])[1:-1]
    raise TypeError(f"{type(value).__name__} has no JSON form; results are landmarks, rectangles, detections, numbers")


def _landmark_rows(landmarks: NormalizedLandmarkList | LandmarkList) -> npt.NDArray[np.float32]:
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
