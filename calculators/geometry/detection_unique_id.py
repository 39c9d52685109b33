"""DetectionUniqueId: a number for every detection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from graphflow import Calculator, Context, Input, Output
from graphflow.context import Binding

from ..payloads import Detection


class DetectionUniqueId(Calculator):
    """Numbers detections 1, 2, 3, … in the order they come, in place of the number they had; each run starts anew.

    Source: MediaPipe DetectionUniqueIdCalculator.
    """

    fusible = True

    detections = Input("DETECTIONS", list[Detection], "detections; this or DETECTION_LIST", optional=True)
    detection_list = Input("DETECTION_LIST", list[Detection], "detections", optional=True)
    numbered = Output("DETECTIONS", list[Detection], "the same with numbers", optional=True)
    numbered_list = Output("DETECTION_LIST", list[Detection], "the same with numbers", optional=True)

    def check(self, binding: Binding) -> Iterable[str]:
        tags = [{entry.tag for entry in entries} for entries in (binding.inputs, binding.outputs)]
        if not tags[0] or tags[0] != tags[1]:
            yield "connect DETECTIONS or DETECTION_LIST, as an input and as an output"

    def open(self, context: Context) -> None:
        self._last = 0

    def process(self, context: Context) -> None:
        for source, target in ((self.detection_list, self.numbered_list), (self.detections, self.numbered)):
            detections = context[source]
            if detections is not None:
                first = self._last + 1
                self._last += len(detections)
                context[target] = [replace(each, detection_id=first + i) for i, each in enumerate(detections)]
