"""GetVectorItem: one item of a list."""

from __future__ import annotations

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import Classification, Detection, LandmarkList, NormalizedLandmarkList, NormalizedRect, Rect
from .items import Item, Items


class GetVectorItem(Calculator):
    """Emits the item of a list that INDEX names, or the option where INDEX has no packet.

    Source: MediaPipe GetVectorItemCalculator.
    """

    fusible = True
    aliases = {
        "GetClassificationListVectorItem": list[Classification],
        "GetDetectionVectorItem": Detection,
        "GetLandmarkListVectorItem": LandmarkList,
        "GetNormalizedLandmarkListVectorItem": NormalizedLandmarkList,
        "GetNormalizedRectVectorItem": NormalizedRect,
        "GetRectVectorItem": Rect,
    }

    vector = Input("VECTOR", Items, "a list")
    index = Input("INDEX", int, "number of the item, from 0", optional=True)
    item = Output("ITEM", Item, "the item")

    item_index: int | None = Option(None, "number of the item where INDEX does not say")
    output_empty_on_oob: bool = Option(False, "whether a number behind the end emits nothing instead of failing")

    def open(self, context: Context) -> None:
        if self.item_index is None and not context.is_connected(self.index):
            raise ValueError("which item? Connect INDEX or set the option item_index")

    def process(self, context: Context) -> None:
        items = context[self.vector]
        given = context[self.index]
        index = self.item_index if given is None else given
        if items is None or index is None:
            return
        if index < 0 or (index >= len(items) and not self.output_empty_on_oob):
            raise ValueError(f"there is no item {index} in a list of {len(items)}")
        if index < len(items):
            context[self.item] = items[index]
