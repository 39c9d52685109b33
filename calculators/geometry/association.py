"""Joins regions of several sources so that no two lie on the same object."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..payloads import NormalizedRect
from .rect_kernels import iou


class AssociationNormRect(Calculator):
    """Collects rectangles; where two overlap, the later one stays: of a later input, or later in the same list."""

    fusible = True

    rects = Input(type=list[NormalizedRect], doc="in order of rising priority", repeated=True)
    previous = Input("PREV", list[NormalizedRect], "changes nothing: rectangles pass on no identity", optional=True)
    associated = Output(type=list[NormalizedRect])
    min_similarity_threshold: float = Option(1.0, "intersection over union above which two are the same")

    def check(self, binding: Binding) -> Iterable[str]:
        if self.min_similarity_threshold < 0:
            yield f"min_similarity_threshold must not be negative, as {self.min_similarity_threshold} is"

    def process(self, context: Context) -> None:
        threshold = float(np.float32(self.min_similarity_threshold))
        kept: list[NormalizedRect] = []
        for rects in context[self.rects]:
            for rect in rects or ():
                kept = [other for other in kept if not iou(rect, other) > threshold]
                kept.append(rect)
        context[self.associated] = kept
