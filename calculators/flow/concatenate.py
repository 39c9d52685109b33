"""Concatenate: several lists or single items as one list."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import Classification, Detection, LandmarkList, NormalizedLandmarkList
from .items import Item, ItemOrItems, Items


class Concatenate(Calculator):
    """Joins lists and single items, in the order of the inputs; what has no packet at a timestamp is left out.

    Source: MediaPipe ConcatenateVectorCalculator.
    """

    fusible = True
    aliases = {
        "ConcatenateBoolVector": bool,
        "ConcatenateClassificationListVector": list[Classification],
        "ConcatenateDetectionVector": Detection,
        "ConcatenateFloatVector": float,
        "ConcatenateGlBufferVector": np.ndarray,
        "ConcatenateImageVector": np.ndarray,
        "ConcatenateInt32Vector": int,
        "ConcatenateLandmarListVector": NormalizedLandmarkList,
        "ConcatenateLandmarkListVector": LandmarkList,
        "ConcatenateLandmarkVector": Any,
        "ConcatenateNormalizedLandmarkListVector": NormalizedLandmarkList,
        "ConcatenateRenderDataVector": Any,
        "ConcatenateStringVector": str,
        "ConcatenateTensorVector": np.ndarray,
        "ConcatenateTfLiteTensorVector": np.ndarray,
        "ConcatenateUInt64Vector": int,
    }

    inputs = Input("", ItemOrItems, "items, or lists of them", repeated=True)
    joined = Output("", Items, "one list")

    only_emit_if_all_present: bool = Option(False, "whether nothing goes out where an input has no packet")

    def process(self, context: Context) -> None:
        present = _present(context[self.inputs], self.only_emit_if_all_present)
        if present is None:
            return
        joined: list[Any] = []
        for value in present:
            if isinstance(value, list) and not _is_classification_list(value):
                joined += value
            else:
                joined.append(value)
        context[self.joined] = joined


class ConcatenateLists(Calculator):
    """Joins landmark lists, or lists of classes, in the order of the inputs.

    Source: MediaPipe ConcatenateListsCalculator.
    """

    fusible = True
    aliases = {
        "ConcatenateNormalizedLandmarkList": NormalizedLandmarkList,
        "ConcatenateLandmarkList": LandmarkList,
        "ConcatenateClassificationList": list[Classification],
    }

    inputs = Input("", Item, "lists", repeated=True)
    joined = Output("", Item, "one list")

    only_emit_if_all_present: bool = Option(False, "whether nothing goes out where an input has no packet")

    def process(self, context: Context) -> None:
        present = _present(context[self.inputs], self.only_emit_if_all_present)
        if present is None:
            return
        if isinstance(present[0], list):
            context[self.joined] = [item for items in present for item in items]
        else:
            context[self.joined] = _joined_landmarks(present)


def _present(values: Sequence[Any], all_needed: bool) -> list[Any] | None:
    present = [value for value in values if value is not None]
    return None if all_needed and len(present) < len(values) else present


def _is_classification_list(value: list[Any]) -> bool:
    # MediaPipe's ClassificationList is one item, and a list of them is what these calculators join
    return bool(value) and isinstance(value[0], Classification)


def _joined_landmarks(lists: Sequence[LandmarkList | NormalizedLandmarkList]) -> LandmarkList | NormalizedLandmarkList:
    """Landmarks of all lists; where only some say how visible they are, the others count as 0, as unset fields do."""
    columns: dict[str, Any] = {}
    for field in dataclasses.fields(lists[0]):
        parts = [getattr(each, field.name) for each in lists]
        if all(part is None for part in parts):
            columns[field.name] = None
            continue
        columns[field.name] = np.concatenate(
            [np.zeros(len(each), np.float32) if part is None else part for each, part in zip(lists, parts, strict=True)]
        )
    return type(lists[0])(**columns)
