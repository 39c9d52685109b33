"""TrackedDetectionManager: detections now and then, boxes at every frame, together detections at every frame."""

from __future__ import annotations

from typing import Final

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import Detection, NormalizedRect
from .timed_box import TimedBox
from .tracked_detection import TrackedDetection, TrackedDetectionManagerConfig, TrackedDetections, from_detection

_TIMEOUT_MS: Final = 5000
_MS: Final = 1000


class TrackedDetectionManager(Calculator):
    """Moves detections with the boxes of a tracker, and removes those that are doubled, lost or out of view.

    A detection counts from the moment the tracker has a box with its number, which must be within five seconds.
    DETECTIONS go out where boxes come in, under the number that the same thing had first; numbers to follow no more go
    out one by one, one microsecond apart. Source: MediaPipe TrackedDetectionManagerCalculator.
    """

    timestamp_offset = None

    detections = Input("DETECTIONS", list[Detection], "new detections, numbered", optional=True)
    detection_list = Input("DETECTION_LIST", list[Detection], "the same", optional=True)
    tracking_boxes = Input("TRACKING_BOXES", list[TimedBox], "where the tracker has them", optional=True)
    cancel_object_id = Output("CANCEL_OBJECT_ID", int, "the number of a box to follow no more", optional=True)
    tracked = Output("DETECTIONS", list[Detection], "the detections where they are now", optional=True)
    boxes = Output("DETECTION_BOXES", list[NormalizedRect], "their boxes, rotated", optional=True)

    tracked_detection_manager_options: TrackedDetectionManagerConfig = Option(
        TrackedDetectionManagerConfig(), "when two detections are the same thing"
    )

    def open(self, context: Context) -> None:
        self._followed = TrackedDetections(self.tracked_detection_manager_options)
        self._waiting: dict[int, TrackedDetection] = {}

    def process(self, context: Context) -> None:
        boxes = context[self.tracking_boxes]
        if boxes is not None:
            self._move(boxes, context)
        for port in (self.detections, self.detection_list):
            for detection in context[port] or ():
                found = from_detection(detection, context.timestamp // _MS)
                self._waiting[found.unique_id] = found

    def _move(self, boxes: list[TimedBox], context: Context) -> None:
        now_ms = context.timestamp // _MS
        removed: list[int] = []
        for box in boxes:
            place = NormalizedRect(
                (box.left + box.right) / 2,
                (box.top + box.bottom) / 2,
                box.right - box.left,
                box.bottom - box.top,
                box.rotation,
            )
            waiting = self._waiting.pop(box.box_id, None)
            if waiting is not None:
                removed += self._followed.add(waiting)
            removed += self._followed.update(box.box_id, place, box.time_ms)
        removed += self._followed.remove_not_updated_since(now_ms - _TIMEOUT_MS)
        self._waiting = {
            number: each for number, each in self._waiting.items() if each.initial_ms >= now_ms - _TIMEOUT_MS
        }
        removed += self._followed.remove_out_of_view()
        for i, number in enumerate(removed):
            context.emit(self.cancel_object_id, number, context.timestamp + i)
        current = [each for each in self._followed.all() if each.updated_ms >= now_ms]
        context[self.tracked] = [each.to_detection() for each in current]
        context[self.boxes] = [each.box for each in current]
