"""VectorSize, CollectionHasMinSize, VectorIndices: what there is to say about a list's length."""

from __future__ import annotations

from collections.abc import Iterable

from graphflow import Calculator, Context, Input, Option, Output, SideInput
from graphflow.context import Binding

from ..payloads import Classification, LandmarkList, NormalizedLandmarkList, NormalizedRect
from .items import Items


class VectorSize(Calculator):
    """The number of items of a list.

    Source: MediaPipe VectorSizeCalculator.
    """

    fusible = True
    aliases = {
        "ClassificationListVectorSize": list[Classification],
        "LandmarkListVectorSize": LandmarkList,
    }

    vector = Input("VECTOR", Items, "a list")
    size = Output("SIZE", int, "how many items it has")

    def process(self, context: Context) -> None:
        context[self.size] = len(context[self.vector])


class CollectionHasMinSize(Calculator):
    """Whether a list has at least `min_size` items.

    Source: MediaPipe CollectionHasMinSizeCalculator.
    """

    fusible = True
    aliases = {
        "ClassificationListVectorHasMinSize": list[Classification],
        "NormalizedLandmarkListVectorHasMinSize": NormalizedLandmarkList,
        "NormalizedRectVectorHasMinSize": NormalizedRect,
    }

    iterable = Input("ITERABLE", Items, "a list")
    size = SideInput("", int, "in place of min_size", optional=True)
    has_min_size = Output("", bool, "whether it is long enough")

    min_size: int = Option(0, "how many items are enough")

    def check(self, binding: Binding) -> Iterable[str]:
        if self.min_size < 0:
            yield f"min_size cannot be {self.min_size}"

    def process(self, context: Context) -> None:
        given = context[self.size]
        context[self.has_min_size] = len(context[self.iterable]) >= (self.min_size if given is None else given)


class VectorIndices(Calculator):
    """The numbers of the items of a list: 0, 1, 2, …

    Source: MediaPipe VectorIndicesCalculator.
    """

    fusible = True
    aliases = {
        "IntVectorIndices": int,
        "NormalizedLandmarkListVectorIndices": NormalizedLandmarkList,
        "Uint64tVectorIndices": int,
    }

    vector = Input("VECTOR", Items, "a list")
    indices = Output("INDICES", list[int], "as many numbers as items")

    def process(self, context: Context) -> None:
        context[self.indices] = list(range(len(context[self.vector])))
