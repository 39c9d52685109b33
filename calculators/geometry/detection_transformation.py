"""Turns normalized boxes of detections into boxes in pixels, and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from graphflow import Calculator, Context, Input, Output
from graphflow.context import Binding

from ..payloads import Detection, FloatArray, ImageSize


class DetectionTransformation(Calculator):
    """Gives detections with a normalized box one in whole pixels, or the other way round; both cut to the image."""

    fusible = True

    detection = Input("DETECTION", Detection, optional=True)
    detections = Input("DETECTIONS", list[Detection], optional=True)
    image_size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels")
    pixel_detection = Output("PIXEL_DETECTION", Detection, optional=True)
    pixel_detections = Output("PIXEL_DETECTIONS", list[Detection], optional=True)
    pixel_detection_list = Output("PIXEL_DETECTION_LIST", list[Detection], optional=True)
    relative_detection = Output("RELATIVE_DETECTION", Detection, optional=True)
    relative_detections = Output("RELATIVE_DETECTIONS", list[Detection], optional=True)
    relative_detection_list = Output("RELATIVE_DETECTION_LIST", list[Detection], optional=True)

    def check(self, binding: Binding) -> Iterable[str]:
        if (self.detection in binding.slots) == (self.detections in binding.slots):
            yield "exactly one of DETECTION and DETECTIONS must be connected"
        pixel = (self.pixel_detection, self.pixel_detections, self.pixel_detection_list)
        relative = (self.relative_detection, self.relative_detections, self.relative_detection_list)
        if any(port in binding.slots for port in pixel) == any(port in binding.slots for port in relative):
            yield "the outputs must be PIXEL_… ones or RELATIVE_… ones"
        lists = (*pixel[1:], *relative[1:])
        if self.detections in binding.slots and not any(port in binding.slots for port in lists):
            yield "DETECTIONS need an output that takes several: …_DETECTIONS or …_DETECTION_LIST"

    def process(self, context: Context) -> None:
        single, detections, size = context[self.detection], context[self.detections], context[self.image_size]
        if single is None and detections is None:
            return
        if size is None:
            raise ValueError("detections without IMAGE_SIZE at the same timestamp")
        if detections is None:
            detections = [single] if single.box is not None else []
        to_pixels = any(
            context.is_connected(port)
            for port in (self.pixel_detection, self.pixel_detections, self.pixel_detection_list)
        )
        given, wanted = ("relative", "pixel") if to_pixels else ("pixel", "relative")
        converted = [replace(each, box=_converted(each, given, size), box_format=wanted) for each in detections]
        first = converted[0] if converted else Detection(None)
        context[self.pixel_detection if to_pixels else self.relative_detection] = first
        context[self.pixel_detections if to_pixels else self.relative_detections] = converted
        context[self.pixel_detection_list if to_pixels else self.relative_detection_list] = converted


def _converted(detection: Detection, given: str, size: ImageSize) -> FloatArray:
    if detection.box is None or detection.box_format != given:
        found = "no box" if detection.box is None else f"a box in {detection.box_format} coordinates"
        raise ValueError(f"the outputs need detections with a box in {given} coordinates; this one has {found}")
    sides = np.array([*size, *size], np.float32)
    box, largest = (np.trunc(detection.box * sides), sides) if given == "relative" else (detection.box / sides, 1.0)
    clipped: FloatArray = np.clip(box, 0.0, largest).astype(np.float32, copy=False)
    return clipped
