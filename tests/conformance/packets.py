"""Packets of the recorded conformance cases as graphflow's values, and back.

A case file writes a packet as `{"type": T, "value": v}`: messages in protobuf JSON, images and matrices as flat lists.
`to_value` gives what flows in our graphs, `to_json` what `compare.py` of the recordings expects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from graphflow.calculators.payloads import (
    Classification,
    Detection,
    LandmarkList,
    NormalizedLandmarkList,
    NormalizedRect,
    Rect,
)

Json = Any
PacketJson = Mapping[str, Any]

_CHANNELS = {"GRAY8": 1, "GRAY16": 1, "SRGB": 3, "SRGBA": 4, "VEC32F1": 1, "VEC32F2": 2, "VEC32F4": 4}
_SAMPLES: dict[str, Any] = {"GRAY16": np.uint16, "VEC32F1": np.float32, "VEC32F2": np.float32, "VEC32F4": np.float32}
_INTEGERS = ("int", "int64", "uint", "uint64")


def to_value(packet: PacketJson) -> Any:
    """The value of a packet of a case file.

    Raises:
        ValueError: the packet's type is none that case files use.
    """
    kind, value = packet["type"], packet.get("value")
    if kind in _INTEGERS:
        return int(value)  # type: ignore[arg-type]
    if kind == "float":
        return _float32(value)
    if kind == "double":
        return float(value)  # type: ignore[arg-type]
    if kind in ("string", "bool"):
        return value
    if kind == "matrix":
        return np.array(value["data"], np.float32).reshape(value["rows"], value["cols"])  # type: ignore[index]
    if kind in ("image", "image_frame"):
        return _image(value)
    if kind.startswith("vector<"):
        item = kind[len("vector<") : -1]
        return [to_value({"type": item, "value": each}) for each in value or ()]
    if kind.startswith("proto:"):
        message = kind.rpartition(".")[2]
        if message in _MESSAGES:
            return _MESSAGES[message](value or {})
    raise ValueError(f"no value for packets of type {kind!r}")


def to_json(value: Any, type_hint: str | None = None) -> dict[str, Any]:
    """A value as case files write it: `{"type": T, "value": v}`.

    `type_hint` is the type expected, for values that say too little themselves: a list of floats may be a vector or a
    `ClassificationList`, a float array an image, a matrix, or one of the fixed-size arrays that read as
    `vector<float>`. A hint that does not suit the value is ignored, so that a wrong type shows as a wrong type.

    Raises:
        ValueError: no packet of a case file holds such a value.
    """
    hint = type_hint or ""
    if isinstance(value, bool | np.bool_):
        return {"type": "bool", "value": bool(value)}
    if isinstance(value, int | np.integer):
        return {"type": "uint" if hint.startswith("uint") else "int", "value": int(value)}
    if isinstance(value, float | np.floating):
        return {"type": "float", "value": _number(value)}
    if isinstance(value, str):
        return {"type": "string", "value": value}
    if isinstance(value, np.ndarray):
        return _array_to_json(value, hint)
    for cls, (name, write) in _WRITERS.items():
        if type(value) is cls:
            return {"type": f"proto:mediapipe.{name}", "value": write(value)}
    if isinstance(value, list | tuple):
        return _sequence_to_json(value, hint)
    raise ValueError(f"no packet type for {type(value).__name__} ({str(value)[:60]!r})")


def _sequence_to_json(values: Sequence[Any], hint: str) -> dict[str, Any]:
    if hint.endswith("ClassificationList") and all(isinstance(each, Classification) for each in values):
        return {"type": hint, "value": {"classification": [_classification_to_json(each) for each in values]}}
    if not values:
        return {"type": hint if hint.startswith("vector<") else "vector<proto>", "value": []}
    item_hint = hint[len("vector<") : -1] if hint.startswith("vector<") else None
    if type(values[0]) is Classification:
        return {
            "type": "proto:mediapipe.ClassificationList",
            "value": {"classification": [_classification_to_json(each) for each in values]},
        }
    items = [to_json(each, item_hint) for each in values]
    return {"type": f"vector<{items[0]['type']}>", "value": [item["value"] for item in items]}


def _array_to_json(array: npt.NDArray[Any], hint: str) -> dict[str, Any]:
    if hint.endswith("Anchor>") and array.ndim == 2:
        return {
            "type": hint,
            "value": [dict(zip(("x_center", "y_center", "w", "h"), _numbers(row), strict=True)) for row in array],
        }
    if hint in ("image", "image_frame") or (array.dtype == np.uint8 and array.ndim >= 2):
        return {"type": hint if hint in ("image", "image_frame") else "image_frame", "value": _image_to_json(array)}
    if hint == "matrix" or (array.ndim == 2 and not hint.startswith("vector<") and array.shape != (4, 4)):
        rows, cols = array.shape if array.ndim == 2 else (len(array), 1)
        return {"type": "matrix", "value": {"rows": rows, "cols": cols, "data": _numbers(array)}}
    kinds = {"b": "bool", "i": "int", "u": "int", "f": "float"}
    return {"type": f"vector<{kinds[array.dtype.kind]}>", "value": _numbers(array)}


def _float32(value: Any) -> float:
    return float(np.float32(value))


def _number(value: Any) -> Any:
    """A float as protobuf JSON writes it, which has no literal for what is not finite."""
    number = float(value)
    if np.isfinite(number):
        return number
    return "NaN" if np.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _numbers(array: npt.NDArray[Any]) -> list[Any]:
    flat = array.reshape(-1).tolist()
    return [_number(each) for each in flat] if array.dtype.kind == "f" else flat


def _field(items: Sequence[Mapping[str, Any]], name: str) -> npt.NDArray[np.float32]:
    return np.array([item.get(name, 0.0) for item in items], np.float32)


def _image(value: Mapping[str, Any]) -> npt.NDArray[Any]:
    channels, sample = _CHANNELS[value["format"]], _SAMPLES.get(value["format"], np.uint8)
    shape = (value["height"], value["width"]) + ((channels,) if channels > 1 else ())
    if "fill" in value:
        return np.full(shape, value["fill"], sample)
    return np.array(value["data"], sample).reshape(shape)


def _image_to_json(array: npt.NDArray[Any]) -> dict[str, Any]:
    channels = array.shape[2] if array.ndim == 3 else 1
    sample = array.dtype.type
    name = next(
        (name for name, count in _CHANNELS.items() if count == channels and _SAMPLES.get(name, np.uint8) is sample),
        f"{array.dtype}x{channels}",
    )
    return {"format": name, "width": array.shape[1], "height": array.shape[0], "data": _numbers(array)}


def _landmarks(cls: type) -> Callable[[Mapping[str, Any]], Any]:
    def read(message: Mapping[str, Any]) -> Any:
        items = message.get("landmark", [])
        xyz = np.stack([_field(items, axis) for axis in "xyz"], axis=1)
        visibility = _field(items, "visibility") if any("visibility" in item for item in items) else None
        presence = _field(items, "presence") if any("presence" in item for item in items) else None
        return cls(xyz, visibility, presence)

    return read


def _landmarks_to_json(landmarks: LandmarkList | NormalizedLandmarkList) -> Json:
    columns = {"x": landmarks.xyz[:, 0], "y": landmarks.xyz[:, 1], "z": landmarks.xyz[:, 2]}
    if landmarks.visibility is not None:
        columns["visibility"] = landmarks.visibility
    if landmarks.presence is not None:
        columns["presence"] = landmarks.presence
    written = [_numbers(column) for column in columns.values()]
    return {"landmark": [dict(zip(columns, row, strict=True)) for row in zip(*written, strict=True)]}


def _normalized_rect(message: Mapping[str, Any]) -> NormalizedRect:
    numbers = (_float32(message.get(name, 0.0)) for name in ("x_center", "y_center", "width", "height", "rotation"))
    return NormalizedRect(*numbers, rect_id=int(message.get("rect_id", 0)))


def _rect(message: Mapping[str, Any]) -> Rect:
    numbers = (int(message.get(name, 0)) for name in ("x_center", "y_center", "width", "height"))
    return Rect(*numbers, rotation=_float32(message.get("rotation", 0.0)), rect_id=int(message.get("rect_id", 0)))


def _rect_to_json(rect: NormalizedRect | Rect) -> Json:
    names = ("x_center", "y_center", "width", "height", "rotation")
    numbers = [getattr(rect, name) for name in names]
    written: dict[str, Any] = {
        name: number if isinstance(number, int) else _number(number)
        for name, number in zip(names, numbers, strict=True)
    }
    return written | ({"rect_id": str(rect.rect_id)} if rect.rect_id else {})


_BOXES = {"relative": ("RELATIVE_BOUNDING_BOX", "relative_bounding_box"), "pixel": ("BOUNDING_BOX", "bounding_box")}
_BOX_FIELDS = ("xmin", "ymin", "width", "height")


def _detection(message: Mapping[str, Any]) -> Detection:
    location = message.get("location_data", {})
    box_format, field = next(
        ((key, field) for key, (name, field) in _BOXES.items() if name == location.get("format")),
        ("relative", "relative_bounding_box"),
    )
    box = location.get(field)
    points = location.get("relative_keypoints", [])
    return Detection(
        box=None if box is None else np.array([box.get(name, 0) for name in _BOX_FIELDS], np.float32),
        scores=np.array(message.get("score", []), np.float32),
        label_ids=np.array(message.get("label_id", []), np.int32),
        labels=tuple(message.get("label", [])),
        keypoints=np.stack([_field(points, "x"), _field(points, "y")], axis=1),
        box_format=box_format,  # type: ignore[arg-type]
        detection_id=int(message.get("detection_id", 0)),
    )


def _detection_to_json(detection: Detection) -> Json:
    location: dict[str, Any] = {}
    if detection.box is not None:
        name, field = _BOXES[detection.box_format]
        numbers = _numbers(detection.box)
        if detection.box_format == "pixel":
            numbers = [int(number) for number in numbers]
        location = {"format": name, field: dict(zip(_BOX_FIELDS, numbers, strict=True))}
    if len(detection.keypoints):
        location["relative_keypoints"] = [
            dict(zip("xy", _numbers(point), strict=True)) for point in detection.keypoints
        ]
    written = {
        "label": list(detection.labels),
        "label_id": _numbers(detection.label_ids),
        "score": _numbers(detection.scores),
        "location_data": location,
        "detection_id": str(detection.detection_id) if detection.detection_id else 0,
    }
    return {name: value for name, value in written.items() if value}


def _classifications(message: Mapping[str, Any]) -> list[Classification]:
    return [
        Classification(int(item.get("index", 0)), _float32(item.get("score", 0.0)), item.get("label", ""))
        for item in message.get("classification", [])
    ]


def _classification_to_json(classification: Classification) -> Json:
    written = {"index": classification.index, "score": _number(classification.score)}
    return written | ({"label": classification.label} if classification.label else {})


_MESSAGES: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "NormalizedLandmarkList": _landmarks(NormalizedLandmarkList),
    "LandmarkList": _landmarks(LandmarkList),
    "NormalizedRect": _normalized_rect,
    "Rect": _rect,
    "Detection": _detection,
    "ClassificationList": _classifications,
}

_WRITERS: dict[type, tuple[str, Callable[[Any], Json]]] = {
    NormalizedLandmarkList: ("NormalizedLandmarkList", _landmarks_to_json),
    LandmarkList: ("LandmarkList", _landmarks_to_json),
    NormalizedRect: ("NormalizedRect", _rect_to_json),
    Rect: ("Rect", _rect_to_json),
    Detection: ("Detection", _detection_to_json),
    Classification: ("Classification", _classification_to_json),
}
