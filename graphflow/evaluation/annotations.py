"""The truth: people and their keypoints as COCO's annotation files have them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

_FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
# COCO's persons fill about half of their boxes
_AREA_OF_BOX = 0.53


@dataclass(frozen=True, slots=True, eq=False)
class TruePerson:
    """One annotated person.

    Attributes:
        keypoints: float64 [K, 3]: x, y in pixels, and 0 where not labelled, 1 hidden, 2 visible.
        box: float64 [4]: x, y, width, height in pixels.
        area: square pixels of the person.
        crowd: whether this is a group whose members are not told apart.
        head_length: pixels, MPII's reference length; NaN where neither file nor face says it.
    """

    keypoints: Doubles
    box: Doubles
    area: float
    crowd: bool
    head_length: float

    @property
    def labelled(self) -> npt.NDArray[np.bool_]:
        """bool [K]: which keypoints the truth has."""
        known: npt.NDArray[np.bool_] = self.keypoints[:, 2] > 0
        return known


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedImage:
    """One image and the people in it."""

    image_id: int
    file_name: str
    people: tuple[TruePerson, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Annotations:
    """What an annotation file holds.

    Attributes:
        keypoint_names: of the category of persons.
        images: those with an annotation or without.
        coco: the file's content, for COCO's own evaluation.
    """

    keypoint_names: tuple[str, ...]
    images: tuple[AnnotatedImage, ...]
    coco: Mapping[str, Any] = field(repr=False)

    def limited(self, count: int) -> Annotations:
        """The same with the first `count` images only."""
        kept = {image.image_id for image in self.images[:count]}
        coco = {
            **self.coco,
            "images": [image for image in self.coco["images"] if image["id"] in kept],
            "annotations": [each for each in self.coco["annotations"] if each["image_id"] in kept],
        }
        return Annotations(self.keypoint_names, self.images[:count], coco)


def read_annotations(path: str | Path) -> Annotations:
    """Read a COCO keypoint file.

    Its `annotations` need `image_id` and `keypoints`; `bbox`, `area`, `iscrowd` and `num_keypoints` are made up where
    they are missing (the area as that part of the box which persons fill on average). An annotation's `head_length`
    or `head_box` (x1, y1, x2, y2), which COCO does not have, is used for PCKh.

    Raises:
        ValueError: the file is no COCO keypoint file; the message says what is missing.
        OSError: it cannot be read.
    """
    try:
        data = json.loads(Path(path).read_text("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not a JSON file: {error}") from error
    missing = [key for key in ("images", "annotations") if not isinstance(data, dict) or not _is_list(data.get(key))]
    if missing:
        raise ValueError(f"{path} is not a COCO keypoint file: it has no list of {' and '.join(missing)}")
    names = _keypoint_names(data)
    try:
        annotations = [_completed(each, number) for number, each in enumerate(data["annotations"], 1)]
        images = tuple(_image(entry, annotations, names) for entry in data["images"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a COCO keypoint file: {type(error).__name__}: {error}") from error
    coco = {"info": {}, "categories": [_category(names)], **data, "annotations": annotations}
    return Annotations(names, images, coco)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _keypoint_names(data: Mapping[str, Any]) -> tuple[str, ...]:
    from ..inference.cards import COCO_KEYPOINTS

    for category in data.get("categories", ()):
        if category.get("keypoints"):
            return tuple(category["keypoints"])
    return COCO_KEYPOINTS


def _category(names: Iterable[str]) -> Mapping[str, Any]:
    return {"id": 1, "name": "person", "keypoints": list(names)}


def _completed(annotation: Mapping[str, Any], number: int) -> dict[str, Any]:
    points = np.asarray(annotation["keypoints"], np.float64).reshape(-1, 3)
    labelled = points[points[:, 2] > 0, :2]
    box = annotation.get("bbox")
    if box is None:
        low = labelled.min(axis=0) if len(labelled) else np.zeros(2)
        size = np.ptp(labelled, axis=0) if len(labelled) else np.zeros(2)
        # keypoints lie inside of a person's outline
        box = [*(low - 0.1 * size), *(1.2 * size)]
    return {
        "id": number,
        "category_id": 1,
        "iscrowd": 0,
        "num_keypoints": len(labelled),
        **annotation,
        "bbox": [float(side) for side in box],
        "area": float(annotation.get("area") or max(_AREA_OF_BOX * box[2] * box[3], 1.0)),
    }


def _image(
    entry: Mapping[str, Any], annotations: Iterable[Mapping[str, Any]], names: tuple[str, ...]
) -> AnnotatedImage:
    people = tuple(_person(each, names) for each in annotations if each["image_id"] == entry["id"])
    return AnnotatedImage(entry["id"], entry["file_name"], people)


def _person(annotation: Mapping[str, Any], names: tuple[str, ...]) -> TruePerson:
    points = np.asarray(annotation["keypoints"], np.float64).reshape(-1, 3)
    if len(points) != len(names):
        raise ValueError(f"an annotation has {len(points)} keypoints, its category names {len(names)}")
    return TruePerson(
        points,
        np.asarray(annotation["bbox"], np.float64),
        annotation["area"],
        bool(annotation["iscrowd"]),
        _head_length(annotation, points, names),
    )


def _head_length(annotation: Mapping[str, Any], points: Doubles, names: tuple[str, ...]) -> float:
    if annotation.get("head_length"):
        return float(annotation["head_length"])
    if annotation.get("head_box"):
        left, top, right, bottom = annotation["head_box"]
        return 0.6 * float(np.hypot(right - left, bottom - top))
    face = [names.index(name) for name in _FACE if name in names]
    seen = points[[place for place in face if points[place, 2] > 0], :2]
    if len(seen) < 3:
        return float("nan")
    # the span of a face, ear to ear or nose to ear, is about MPII's 0.6 of the diagonal of a head
    return float(np.linalg.norm(seen[:, None] - seen[None], axis=2).max())
