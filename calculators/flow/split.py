"""Split: parts of a list, each on a stream of its own."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, get_args

import numpy as np

from graphflow import Calculator, Context, Input, Option, OptionGroup, Output
from graphflow.context import Binding, Connection

from ..payloads import Classification, Detection, LandmarkList, NormalizedLandmarkList, NormalizedRect
from .items import Item


class Range(OptionGroup):
    """Items `begin` up to, not including, `end`."""

    begin: int = 0
    end: int = 0


class Split(Calculator):
    """Emits ranges of a list of anything, or of a landmark list: one output for each range.

    A single landmark goes out as a list of one. Source: MediaPipe SplitVectorCalculator and SplitListsCalculator, whose
    names for single payload types are aliases here.
    """

    fusible = True
    aliases = {
        "SplitAffineMatrixVector": list[np.ndarray],
        "SplitClassificationListVector": list[list[Classification]],
        "SplitDetectionVector": list[Detection],
        "SplitFloatVector": list[float],
        "SplitImageVector": list[np.ndarray],
        "SplitLandmarkList": LandmarkList,
        "SplitLandmarkVector": list[Any],
        "SplitMatrixVector": list[np.ndarray],
        "SplitNormalizedLandmarkList": NormalizedLandmarkList,
        "SplitNormalizedLandmarkListVector": list[NormalizedLandmarkList],
        "SplitNormalizedRectVector": list[NormalizedRect],
        "SplitTensorVector": list[np.ndarray],
        "SplitTfLiteTensorVector": list[np.ndarray],
        "SplitUint64tVector": list[int],
        "MovableSplitGlBufferVector": list[np.ndarray],
        "MovableSplitImageFrameVector": list[np.ndarray],
    }

    items = Input("", Item, "a list, or a landmark list")
    parts = Output("", doc="the items of one range, or of all of them combined", repeated=True)

    ranges: list[Range] = Option(doc="the ranges, in the order of the outputs")
    element_only: bool = Option(False, "whether ranges are single items that go out bare, not as lists")
    combine_outputs: bool = Option(False, "whether one output takes the items of all ranges, in order")

    def check(self, binding: Binding) -> Iterable[str]:
        outputs = len(binding.outputs)
        if not self.ranges or any(not 0 <= part.begin < part.end for part in self.ranges):
            yield "every range needs 0 <= begin < end"
        if self.combine_outputs and self.element_only:
            yield "combine_outputs and element_only exclude each other"
        if self.combine_outputs and outputs != 1:
            yield f"combined ranges take one output, not {outputs}"
        if not self.combine_outputs and outputs != len(self.ranges):
            yield f"{len(self.ranges)} ranges need as many outputs, not {outputs}"
        if self.element_only and any(part.end - part.begin != 1 for part in self.ranges):
            yield "with element_only every range holds exactly one item"
        if self.combine_outputs and _overlapping(self.ranges):
            yield "combined ranges must not overlap"

    def output_types(self, binding: Binding) -> Mapping[Connection, Any]:
        container = self.items.type
        if isinstance(container, TypeVar):
            return {}
        items = get_args(container)
        emitted = items[0] if self.element_only and items else container
        return dict.fromkeys(binding.outputs, emitted)

    def process(self, context: Context) -> None:
        items = context[self.items]
        if items is None:
            return
        last = max(part.end for part in self.ranges)
        if last > len(items):
            raise ValueError(f"a range ends at {last}, but there are {len(items)} items")
        if self.combine_outputs:
            context[self.parts] = take(items, [i for part in self.ranges for i in range(part.begin, part.end)])
            return
        for index, part in enumerate(self.ranges):
            bare = self.element_only and not isinstance(items, LandmarkList | NormalizedLandmarkList)
            value = items[part.begin] if bare else take(items, range(part.begin, part.end))
            context.emit(self.parts, value, index=index)


def take(items: Any, indices: Sequence[int]) -> Any:
    """The items at `indices` as a value of the same kind: a list, or a landmark list."""
    if not isinstance(items, LandmarkList | NormalizedLandmarkList):
        return [items[index] for index in indices]
    chosen = np.asarray(indices, dtype=np.intp)
    columns = {field.name: getattr(items, field.name) for field in dataclasses.fields(items)}
    taken: dict[str, Any] = {name: None if column is None else column[chosen] for name, column in columns.items()}
    return type(items)(**taken)


def _overlapping(ranges: Sequence[Range]) -> bool:
    ordered = sorted(ranges, key=lambda part: part.begin)
    return any(first.end > second.begin for first, second in itertools.pairwise(ordered))
