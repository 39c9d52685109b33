"""FilterCollection: the items of a list that another list allows."""

from __future__ import annotations

from graphflow import Calculator, Context, Input, Output

from ..payloads import Classification, LandmarkList, NormalizedLandmarkList, NormalizedRect
from .items import Items


class FilterCollection(Calculator):
    """Keeps the items whose condition is true; nothing goes out where the items or the conditions are missing.

    Source: MediaPipe FilterCollectionCalculator.
    """

    fusible = True
    aliases = {
        "FilterClassificationListCollection": list[Classification],
        "FilterLandmarkListCollection": LandmarkList,
        "FilterNormalizedLandmarkListCollection": NormalizedLandmarkList,
        "FilterNormalizedRectCollection": NormalizedRect,
        "FilterUInt64Collection": int,
    }

    iterable = Input("ITERABLE", Items, "a list")
    condition = Input("CONDITION", list[bool], "for each item whether it stays")
    filtered = Output("ITERABLE", Items, "the items that stay")

    def process(self, context: Context) -> None:
        items, conditions = context[self.iterable], context[self.condition]
        if items is None or conditions is None:
            return
        if len(items) != len(conditions):
            raise ValueError(f"{len(items)} items, but {len(conditions)} conditions")
        context[self.filtered] = [item for item, stays in zip(items, conditions, strict=True) if stays]
