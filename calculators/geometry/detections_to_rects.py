"""Turns detections into rotated rectangles, the regions that later stages look at."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..payloads import Detection, FloatArray, ImageSize, NormalizedRect, Rect
from .kernels import surrounding_rect
from .rect_kernels import hand_from_pose, keypoints_rotation, square_around_keypoint


class DetectionsToRects(Calculator):
    """Turns the box or the key points of detections into rectangles, rotated as two key points lie.

    Where many detections go in and one rectangle comes out, the first one counts.
    """

    fusible = True

    detection = Input("DETECTION", Detection, optional=True)
    detections = Input("DETECTIONS", list[Detection], optional=True)
    image_size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels; needed for rotations", optional=True)
    rect = Output("RECT", Rect, optional=True)
    norm_rect = Output("NORM_RECT", NormalizedRect, optional=True)
    rects = Output("RECTS", list[Rect], optional=True)
    norm_rects = Output("NORM_RECTS", list[NormalizedRect], optional=True)
    rotation_vector_start_keypoint_index: int | None = Option(None, "key point the rotation's vector begins at")
    rotation_vector_end_keypoint_index: int | None = Option(None, "key point it ends at")
    rotation_vector_target_angle: float | None = Option(
        None, "radians, counterclockwise from the x axis: where the vector points in an unrotated object"
    )
    rotation_vector_target_angle_degrees: float | None = Option(None, "the same in degrees")
    output_zero_rect_for_empty_detections: bool = Option(False, "answer no detections with a rectangle of zeros")
    conversion_mode: Literal["DEFAULT", "USE_BOUNDING_BOX", "USE_KEYPOINTS"] = Option(
        "DEFAULT", "what the rectangle surrounds; DEFAULT is the bounding box"
    )

    def check(self, binding: Binding) -> Iterable[str]:
        if (self.detection in binding.slots) == (self.detections in binding.slots):
            yield "exactly one of DETECTION and DETECTIONS must be connected"
        outputs = (self.rect, self.norm_rect, self.rects, self.norm_rects)
        if sum(port in binding.slots for port in outputs) != 1:
            yield "exactly one of RECT, NORM_RECT, RECTS and NORM_RECTS must be connected"
        yield from self.check_rotation(binding)

    def check_rotation(self, binding: Binding) -> Iterable[str]:
        """Says what is missing for the rotation, if one is asked for."""
        if self.rotation_vector_start_keypoint_index is None:
            return
        if self.rotation_vector_end_keypoint_index is None:
            yield "rotation_vector_start_keypoint_index needs rotation_vector_end_keypoint_index"
        if (self.rotation_vector_target_angle is None) == (self.rotation_vector_target_angle_degrees is None):
            yield "set one of rotation_vector_target_angle and rotation_vector_target_angle_degrees"
        if self.image_size not in binding.slots:
            yield "a rotation needs IMAGE_SIZE"

    @property
    def rotates(self) -> bool:
        """Whether rectangles get a rotation."""
        return self.rotation_vector_start_keypoint_index is not None

    def open(self, context: Context) -> None:
        degrees = self.rotation_vector_target_angle_degrees
        angle = self.rotation_vector_target_angle or 0.0 if degrees is None else math.pi * np.float32(degrees) / 180.0
        self._target_rad = float(np.float32(angle))

    def process(self, context: Context) -> None:
        detection, detections, size = context[self.detection], context[self.detections], context[self.image_size]
        if detections is None:
            detections = [] if detection is None else [detection]
            if not detections:
                return
        if self.rotates and size is None:
            return
        if not detections:
            if self.output_zero_rect_for_empty_detections:
                zero = NormalizedRect(0.0, 0.0, 0.0, 0.0)
                context[self.rect] = Rect(0, 0, 0, 0)
                context[self.norm_rect] = zero
                context[self.norm_rects] = [zero]
        elif context.is_connected(self.norm_rect):
            context[self.norm_rect] = self._normalized_rect(detections[0], size)
        elif context.is_connected(self.norm_rects):
            context[self.norm_rects] = [self._normalized_rect(each, size) for each in detections]
        elif context.is_connected(self.rect):
            context[self.rect] = self._pixel_rect(detections[0], size)
        else:
            context[self.rects] = [self._pixel_rect(each, size) for each in detections]

    def normalized_box(self, detection: Detection, size: ImageSize | None) -> tuple[float, float, float, float]:
        """Centre and size of the rectangle, normalized."""
        if self.conversion_mode == "USE_KEYPOINTS":
            return _box_of_keypoints(detection.keypoints)
        box = _box(detection, "relative", "NORM_RECT")
        x_center, y_center = (box[:2] + box[2:] / np.float32(2.0)).tolist()
        return x_center, y_center, float(box[2]), float(box[3])

    def rotation(self, detection: Detection, size: ImageSize) -> float:
        """Rotation of the rectangle in radians, clockwise."""
        start, end = self.rotation_vector_start_keypoint_index, self.rotation_vector_end_keypoint_index
        assert start is not None and end is not None  # noqa: PT018 - `check` saw to it
        _need_keypoints(detection, max(start, end) + 1)
        return keypoints_rotation(detection.keypoints, start, end, self._target_rad, size)

    def _normalized_rect(self, detection: Detection, size: ImageSize | None) -> NormalizedRect:
        rotation = self.rotation(detection, size) if self.rotates and size is not None else 0.0
        return NormalizedRect(*self.normalized_box(detection, size), rotation=rotation)

    def _pixel_rect(self, detection: Detection, size: ImageSize | None) -> Rect:
        rotation = self.rotation(detection, size) if self.rotates and size is not None else 0.0
        if self.conversion_mode == "USE_KEYPOINTS":
            if size is None:
                raise ValueError("a rectangle in pixels around key points needs IMAGE_SIZE, which has no packet here")
            x, y, width, height = (
                _round(np.float32(number) * np.float32(side))
                for number, side in zip(_box_of_keypoints(detection.keypoints), (*size, *size), strict=True)
            )
            return Rect(x, y, width, height, rotation)
        x, y, width, height = (int(number) for number in _box(detection, "pixel", "RECT"))
        return Rect(x + int(width / 2), y + int(height / 2), width, height, rotation)


class AlignmentPointsRects(DetectionsToRects):
    """Turns detections into squares in pixels around one key point, with another on the edge, which also turns them.

    `rotation_vector_start_keypoint_index` is the centre, `rotation_vector_end_keypoint_index` half a side away from it.
    """

    aliases = ("AlignmentPointsToRects",)

    def check_rotation(self, binding: Binding) -> Iterable[str]:
        """Says what is missing for the rotation, which is never optional here."""
        if self.rotation_vector_start_keypoint_index is None:
            yield "rotation_vector_start_keypoint_index must be set: the centre of the rectangle"
        yield from super().check_rotation(binding)

    def normalized_box(self, detection: Detection, size: ImageSize | None) -> tuple[float, float, float, float]:
        start, end = self.rotation_vector_start_keypoint_index, self.rotation_vector_end_keypoint_index
        assert start is not None and end is not None and size is not None  # noqa: PT018 - `check` saw to it
        _need_keypoints(detection, max(start, end) + 1)
        return square_around_keypoint(detection.keypoints, start, end, size)


class HandDetectionsFromPoseToRects(DetectionsToRects):
    """Turns detections made of a pose's wrist, pinky and index finger into squares in pixels around the hand."""

    aliases = ("HandDetectionFromPoseToRects",)

    def check_rotation(self, binding: Binding) -> Iterable[str]:
        """Says what is missing for the rotation, which is never optional here."""
        if self.image_size not in binding.slots:
            yield "IMAGE_SIZE must be connected: the rectangle is rotated"

    @property
    def rotates(self) -> bool:
        return True

    def normalized_box(self, detection: Detection, size: ImageSize | None) -> tuple[float, float, float, float]:
        assert size is not None  # `process` saw to it
        _need_keypoints(detection, 3)
        return hand_from_pose(detection.keypoints, size)[:4]

    def rotation(self, detection: Detection, size: ImageSize) -> float:
        _need_keypoints(detection, 3)
        return hand_from_pose(detection.keypoints, size)[4]


def _need_keypoints(detection: Detection, count: int) -> None:
    if len(detection.keypoints) < count:
        raise ValueError(f"the detection has {len(detection.keypoints)} key points; {count} are needed")


def _box(detection: Detection, box_format: str, output: str) -> Any:
    if detection.box is None or detection.box_format != box_format:
        found = "no box" if detection.box is None else f"a box in {detection.box_format} coordinates"
        raise ValueError(f"{output} needs detections with a box in {box_format} coordinates; this one has {found}")
    return detection.box


def _box_of_keypoints(keypoints: FloatArray) -> tuple[float, float, float, float]:
    if len(keypoints) < 2:
        raise ValueError(f"a rectangle around key points needs two or more; the detection has {len(keypoints)}")
    return surrounding_rect(keypoints)


def _round(number: np.float32) -> int:
    """Half away from zero, as C rounds."""
    return int(math.copysign(math.floor(abs(float(number)) + 0.5), number))
