"""Split: parts of a list, each on a stream of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from graphflow import Calculator, Context, Input, Option, OptionGroup, Output
from graphflow.context import Binding

from ..payloads import LandmarkList, NormalizedLandmarkList


class Range(OptionGroup):
    """Items `begin` up to, not including, `end`."""

    begin: int
    end: int


class Split(Calculator):
    """Emits ranges of a list of anything, or of a landmark list: one output for each range.

    Source: MediaPipe SplitVectorCalculator and SplitLandmarksCalculator, whose names for single payload types are
    aliases here.
    """

    aliases = (
        "SplitDetectionVector",
        "SplitLandmarkList",
        "SplitNormalizedLandmarkList",
        "SplitNormalizedLandmarkListVector",
        "SplitNormalizedRectVector",
        "SplitTensorVector",
        "SplitFloatVector",
    )

    items = Input("", doc="a list, or a landmark list")
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
            value = items[part.begin] if self.element_only else take(items, range(part.begin, part.end))
            context.emit(self.parts, value, index=index)


def take(items: Any, indices: Sequence[int]) -> Any:
    """The items at `indices` as a value of the same kind: a list, or a landmark list."""
    if not isinstance(items, LandmarkList | NormalizedLandmarkList):
        return [items[index] for index in indices]
    chosen = np.asarray(indices, dtype=np.intp)
    columns = {field.name: getattr(items, field.name) for field in dataclasses.fields(items)}
    return type(items)(**{name: None if column is None else column[chosen] for name, column in columns.items()})


def _overlapping(ranges: Sequence[Range]) -> bool:
    ordered = sorted(ranges, key=lambda part: part.begin)
    return any(first.end > second.begin for first, second in zip(ordered, ordered[1:], strict=False))
