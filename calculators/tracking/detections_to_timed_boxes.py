"""DetectionsToTimedBoxList: boxes for a tracker to begin with."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from graphflow import Calculator, Context, Input, Output
from graphflow.context import Binding

from ..payloads import Detection
from .timed_box import TimedBox
from .tracked_detection import relative_box


class DetectionsToTimedBoxList(Calculator):
    """The boxes of detections, with their numbers, at the time of the packet.

    Source: MediaPipe DetectionsToTimedBoxListCalculator.
    """

    detections = Input("DETECTIONS", list[Detection], "with normalized boxes; this or DETECTION_LIST", optional=True)
    detection_list = Input("DETECTION_LIST", list[Detection], "the same", optional=True)
    boxes = Output("BOXES", list[TimedBox], "their boxes")

    def check(self, binding: Binding) -> Iterable[str]:
        if not binding.inputs:
            yield "connect DETECTIONS or DETECTION_LIST"

    def process(self, context: Context) -> None:
        given = [context[port] for port in (self.detection_list, self.detections)]
        if any(detections is not None for detections in given):
            context[self.boxes] = [
                _timed_box(detection, context.timestamp // 1000) for each in given for detection in each or ()
            ]


def _timed_box(detection: Detection, time_ms: int) -> TimedBox:
    left, top, width, height = relative_box(detection)
    return TimedBox(
        float(left),
        float(top),
        float(np.float32(left + width)),
        float(np.float32(top + height)),
        time_ms=time_ms,
        box_id=detection.detection_id,
    )
