"""Turns normalized boxes of detections into boxes in pixels, and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from graphflow import Calculator, Context, Input, Output
from graphflow.context import Binding

from ..payloads import Detection, ImageSize


class DetectionTransformation(Calculator):
    """Gives detections with a normalized box one in whole pixels, or the other way round; both cut to the image."""

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
        for detection in detections:
            if detection.box is None or detection.box_format != given:
                found = "no box" if detection.box is None else f"a box in {detection.box_format} coordinates"
                raise ValueError(f"{wanted} boxes are made of {given} ones; this detection has {found}")
        converted = [_to_pixels(each, size) if to_pixels else _to_relative(each, size) for each in detections]
        first = converted[0] if converted else Detection(None)
        context[self.pixel_detection if to_pixels else self.relative_detection] = first
        context[self.pixel_detections if to_pixels else self.relative_detections] = converted
        context[self.pixel_detection_list if to_pixels else self.relative_detection_list] = converted


def _to_pixels(detection: Detection, size: ImageSize) -> Detection:
    sides = np.array([*size, *size], np.float32)
    box = np.clip(np.trunc(detection.box * sides), np.float32(0.0), sides)
    return replace(detection, box=box, box_format="pixel")


def _to_relative(detection: Detection, size: ImageSize) -> Detection:
    sides = np.array([*size, *size], np.float32)
    box = np.clip(detection.box / sides, np.float32(0.0), np.float32(1.0))
    return replace(detection, box=box, box_format="relative")
