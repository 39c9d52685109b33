"""ClipVectorSize: the first items of a list."""

from __future__ import annotations

from collections.abc import Iterable

from graphflow import Calculator, Context, Input, Option, Output, SideInput
from graphflow.context import Binding

from ..payloads import Detection, NormalizedRect
from .items import Items


class ClipVectorSize(Calculator):
    """Cuts a list behind its first `max_vec_size` items.

    Source: MediaPipe ClipVectorSizeCalculator.
    """

    fusible = True
    aliases = {
        "ClipDetectionVectorSize": Detection,
        "ClipNormalizedRectVectorSize": NormalizedRect,
    }

    items = Input("", Items, "a list")
    size = SideInput("", int, "in place of max_vec_size", optional=True)
    clipped = Output("", Items, "its first items")

    max_vec_size: int = Option(1, "how many items stay; at least 1")

    def check(self, binding: Binding) -> Iterable[str]:
        if self.max_vec_size < 1:
            yield f"max_vec_size must be at least 1, not {self.max_vec_size}"

    def process(self, context: Context) -> None:
        given = context[self.size]
        size = self.max_vec_size if given is None else given
        if size < 1:
            raise ValueError(f"the side packet for max_vec_size must be at least 1, not {size}")
        items = context[self.items]
        if items is not None:
            context[self.clipped] = list(items[:size])
