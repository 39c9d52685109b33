"""Detections and classifications with the fields of MediaPipe's: `location_data.relative_bounding_box.xmin`."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from graphflow.calculators import payloads

from .messages import Fields, Message, Views


class LocationFormat(enum.IntEnum):
    """How a detection says where something is."""

    GLOBAL = 0
    BOUNDING_BOX = 1
    RELATIVE_BOUNDING_BOX = 2
    MASK = 3


class RelativeBoundingBox(Message):
    """An upright box: `xmin`, `width` divided by the image width, `ymin`, `height` by its height.

    Attributes:
        array: float32 [4], in this order: xmin, ymin, width, height.
    """

    __slots__ = ("array",)
    field_names = ("xmin", "ymin", "width", "height")

    def __init__(self, array: npt.NDArray[np.float32]) -> None:
        self.array = array

    @property
    def xmin(self) -> float:
        return float(self.array[0])

    @property
    def ymin(self) -> float:
        return float(self.array[1])

    @property
    def width(self) -> float:
        return float(self.array[2])

    @property
    def height(self) -> float:
        return float(self.array[3])

    def fields(self) -> Fields:
        return zip(self.field_names, self.array.tolist(), strict=True)


class RelativeKeypoint(Message):
    """A point: `x` divided by the image width, `y` by its height.

    Attributes:
        array: float32 [2].
    """

    __slots__ = ("array",)
    field_names = ("x", "y")

    def __init__(self, array: npt.NDArray[np.float32]) -> None:
        self.array = array

    @property
    def x(self) -> float:
        return float(self.array[0])

    @property
    def y(self) -> float:
        return float(self.array[1])

    def fields(self) -> Fields:
        return zip(self.field_names, self.array.tolist(), strict=True)


class RelativeKeypoints(Views):
    """The key points of a detection, one by one.

    Attributes:
        array: float32 [K, 2], all of them.
    """

    __slots__ = ("array",)

    def __init__(self, array: npt.NDArray[np.float32]) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def view(self, index: int) -> RelativeKeypoint:
        return RelativeKeypoint(self.array[index])


class LocationData(Message):
    """Where something is: a box and key points."""

    __slots__ = ("relative_bounding_box", "relative_keypoints")
    field_names = ("format", "relative_bounding_box", "relative_keypoints")
    format: Final = LocationFormat.RELATIVE_BOUNDING_BOX
    RELATIVE_BOUNDING_BOX: Final = LocationFormat.RELATIVE_BOUNDING_BOX

    def __init__(self, detection: payloads.Detection) -> None:
        box = np.zeros(4, np.float32) if detection.box is None else detection.box
        self.relative_bounding_box = RelativeBoundingBox(box)
        self.relative_keypoints = RelativeKeypoints(detection.keypoints)

    def fields(self) -> Fields:
        yield "format", self.format
        yield "relative_bounding_box", self.relative_bounding_box
        yield from (("relative_keypoints", point) for point in self.relative_keypoints)


class Detection(Message):
    """Something found in an image: `score` and `label_id`, one for each class, and `location_data`."""

    __slots__ = ("label", "label_id", "location_data", "score")
    field_names = ("label", "label_id", "score", "location_data")

    def __init__(self, detection: payloads.Detection) -> None:
        self.score: list[float] = detection.scores.tolist()
        self.label_id: list[int] = detection.label_ids.tolist()
        self.label = list(detection.labels)
        self.location_data = LocationData(detection)

    def fields(self) -> Fields:
        yield from (("label", label) for label in self.label)
        yield from (("label_id", index) for index in self.label_id)
        yield from (("score", score) for score in self.score)
        yield "location_data", self.location_data


class Classification(Message):
    """One class a classifier names: its `index`, `score` in 0..1 and `label`."""

    __slots__ = ("index", "label", "score")
    field_names = ("index", "score", "label", "display_name")
    display_name: Final = ""

    def __init__(self, classification: payloads.Classification) -> None:
        self.index = classification.index
        self.score = float(np.float32(classification.score))
        self.label = classification.label

    def fields(self) -> Fields:
        yield "index", self.index
        yield "score", self.score
        if self.label:
            yield "label", self.label


class ClassificationList(Message):
    """The classes a classifier names, best first."""

    __slots__ = ("classification",)
    field_names = ("classification",)

    def __init__(self, classifications: Sequence[payloads.Classification]) -> None:
        self.classification = [Classification(each) for each in classifications]

    def fields(self) -> Fields:
        return (("classification", each) for each in self.classification)
