"""MergeToVector: single packets as a list."""

from __future__ import annotations

import numpy as np

from graphflow import Calculator, Context, Input, Output

from ..payloads import Detection
from .items import Item, Items


class MergeToVector(Calculator):
    """Lists the packets the inputs have at a timestamp, in their order.

    Source: MediaPipe MergeToVectorCalculator.
    """

    fusible = True
    aliases = {
        "MergeDetectionsToVector": Detection,
        "MergeGpuBuffersToVector": np.ndarray,
        "MergeImagesToVector": np.ndarray,
    }

    inputs = Input("", Item, "single items", repeated=True)
    merged = Output("", Items, "those that are there")

    def process(self, context: Context) -> None:
        context[self.merged] = [value for value in context[self.inputs] if value is not None]
