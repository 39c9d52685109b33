"""Smooths landmarks and their visibility over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from graphflow import Calculator, Context, Input, Option, OptionGroup, Output
from graphflow.context import Binding

from ..geometry.kernels import LOWEST, surrounding_box
from ..payloads import FloatArray, ImageSize, LandmarkList, NormalizedLandmarkList, NormalizedRect, Rect
from .low_pass import LowPassFilter
from .one_euro import OneEuroFilter, OneEuroReference
from .relative_velocity import RelativeVelocityFilter


class NoFilter(OptionGroup):
    """Leave everything as it is."""


class VelocityFilterOptions(OptionGroup):
    """Smooth by speed over a window of steps."""

    window_size: int = 5
    velocity_scale: float = 10.0
    min_allowed_object_scale: float = 1e-6
    disable_value_scaling: bool = False


class OneEuroFilterOptions(OptionGroup):
    """Smooth by the one-euro filter; frequencies in Hz.

    `reference` and the thresholds are those of `OneEuroFilter`; MediaPipe has neither.
    """

    frequency: float = 30.0
    min_cutoff: float = 1.0
    beta: float = 0.0
    derivate_cutoff: float = 1.0
    min_allowed_object_scale: float = 1e-6
    disable_value_scaling: bool = False
    reference: OneEuroReference = "mediapipe"
    threshold_cutoff: float | None = None
    threshold_beta: float = 0.0


class LowPassFilterOptions(OptionGroup):
    """Smooth exponentially; `alpha` is the weight of the new value."""

    alpha: float = 0.1


class LandmarksSmoothing(Calculator):
    """Smooths the coordinates of landmarks, each on its own, on the scale of the object they belong to.

    A frame without landmarks begins anew, and so does a longer gap than `max_gap`. Landmarks of an object too small to
    have a scale pass as they are. The number of landmarks must not change from frame to frame.
    """

    fusible = True

    norm_landmarks = Input("NORM_LANDMARKS", NormalizedLandmarkList, optional=True)
    landmarks = Input("LANDMARKS", LandmarkList, optional=True)
    image_size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels; with NORM_LANDMARKS", optional=True)
    roi = Input(
        "OBJECT_SCALE_ROI",
        NormalizedRect | Rect,
        "the object; its mean side is the scale, else that of the box around the landmarks",
        optional=True,
    )
    norm_filtered = Output("NORM_FILTERED_LANDMARKS", NormalizedLandmarkList, optional=True)
    filtered = Output("FILTERED_LANDMARKS", LandmarkList, optional=True)
    no_filter: NoFilter | None = Option(None, "do not smooth")
    velocity_filter: VelocityFilterOptions | None = Option(None, "smooth by speed over a window")
    one_euro_filter: OneEuroFilterOptions | None = Option(None, "smooth by the one-euro filter")
    low_pass_filter: LowPassFilterOptions | None = Option(None, "smooth exponentially, frame by frame")
    max_gap: int | None = Option(None, "microseconds between frames after which all begins anew; never by default")

    def check(self, binding: Binding) -> Iterable[str]:
        connected = binding.slots.keys()
        normalized = self.norm_landmarks in connected
        yield from one_kind(binding, self.norm_landmarks, self.landmarks, self.norm_filtered, self.filtered)
        if normalized != (self.image_size in connected):
            yield "NORM_LANDMARKS need IMAGE_SIZE" if normalized else "IMAGE_SIZE goes with NORM_LANDMARKS only"
        filters = (self.no_filter, self.velocity_filter, self.one_euro_filter, self.low_pass_filter)
        if sum(each is not None for each in filters) != 1:
            yield "exactly one of no_filter, velocity_filter, one_euro_filter and low_pass_filter must be set"
        one_euro = self.one_euro_filter
        if one_euro is not None and one_euro.threshold_cutoff is not None and one_euro.reference == "mediapipe":
            yield "option 'one_euro_filter.threshold_cutoff' needs the reference tfjs or paper"

    def open(self, context: Context) -> None:
        self._filter: OneEuroFilter | RelativeVelocityFilter | None = None
        self._low_pass = None if self.low_pass_filter is None else LowPassFilter(_float32(self.low_pass_filter.alpha))
        self._last_us: int | None = None
        options = self.one_euro_filter or self.velocity_filter
        if isinstance(options, OneEuroFilterOptions):
            self._filter = OneEuroFilter(
                _float32(options.frequency),
                _float32(options.min_cutoff),
                _float32(options.beta),
                _float32(options.derivate_cutoff),
                options.reference,
                options.threshold_cutoff,
                options.threshold_beta,
            )
        elif isinstance(options, VelocityFilterOptions):
            self._filter = RelativeVelocityFilter(options.window_size, _float32(options.velocity_scale))
        self._scaled = options is not None and not options.disable_value_scaling
        self._min_scale = 0.0 if options is None else _float32(options.min_allowed_object_scale)

    def process(self, context: Context) -> None:
        normalized = context.is_connected(self.norm_landmarks)
        landmarks = context[self.norm_landmarks if normalized else self.landmarks]
        last_us, self._last_us = self._last_us, None if landmarks is None else context.timestamp
        late = last_us is not None and self.max_gap is not None and context.timestamp - last_us > self.max_gap
        if landmarks is None or late:
            for memory in (self._filter, self._low_pass):
                if memory is not None:
                    memory.reset()
        if landmarks is None:
            return
        sides: FloatArray | None = None
        if normalized:
            if (size := context[self.image_size]) is None:
                raise ValueError("NORM_LANDMARKS without IMAGE_SIZE at the same timestamp")
            sides = np.array([size[0], size[1], size[0]], np.float32)  # z is on the scale of x
        xyz = landmarks.xyz if sides is None else landmarks.xyz * sides
        smoothed = self._smoothed(context.timestamp, xyz, _roi_scale(context[self.roi], sides))
        back = smoothed if sides is None else smoothed / sides
        context[self.norm_filtered if normalized else self.filtered] = replace(landmarks, xyz=back)

    def _smoothed(self, timestamp_us: int, xyz: FloatArray, scale: float | None) -> FloatArray:
        if self._filter is None and self._low_pass is None:
            return xyz
        if not len(xyz):
            raise ValueError("an empty list of landmarks cannot be smoothed; send nothing to begin anew")
        if self._filter is None:
            return xyz if self._low_pass is None else self._low_pass.apply(xyz)
        value_scale = np.float32(1.0)
        if self._scaled:
            if scale is None:
                scale = _box_scale(xyz)
            if scale < self._min_scale:
                return xyz
            value_scale = value_scale / np.float32(scale)
        return self._filter.apply(timestamp_us, xyz, float(value_scale))


class VisibilitySmoothing(Calculator):
    """Smooths the visibility of landmarks over time, each on its own; a frame without landmarks begins anew."""

    fusible = True

    norm_landmarks = Input("NORM_LANDMARKS", NormalizedLandmarkList, optional=True)
    landmarks = Input("LANDMARKS", LandmarkList, optional=True)
    norm_filtered = Output("NORM_FILTERED_LANDMARKS", NormalizedLandmarkList, optional=True)
    filtered = Output("FILTERED_LANDMARKS", LandmarkList, optional=True)
    no_filter: NoFilter | None = Option(None, "do not smooth")
    low_pass_filter: LowPassFilterOptions | None = Option(None, "smooth exponentially")

    def check(self, binding: Binding) -> Iterable[str]:
        yield from one_kind(binding, self.norm_landmarks, self.landmarks, self.norm_filtered, self.filtered)
        if (self.no_filter is None) == (self.low_pass_filter is None):
            yield "exactly one of no_filter and low_pass_filter must be set"

    def open(self, context: Context) -> None:
        options = self.low_pass_filter
        self._filter = None if options is None else LowPassFilter(_float32(options.alpha))

    def process(self, context: Context) -> None:
        normalized = context.is_connected(self.norm_landmarks)
        landmarks = context[self.norm_landmarks if normalized else self.landmarks]
        if landmarks is None:
            if self._filter is not None:
                self._filter.reset()
            return
        if self._filter is not None:
            visibility = landmarks.visibility
            known = np.zeros(len(landmarks), np.float32) if visibility is None else visibility
            landmarks = replace(landmarks, visibility=self._filter.apply(known))
        context[self.norm_filtered if normalized else self.filtered] = landmarks


def one_kind(
    binding: Binding, norm_landmarks: Input, landmarks: Input, norm_filtered: Output, filtered: Output
) -> Iterator[str]:
    """What is wrong with the connections of a calculator that takes image landmarks or others, and gives the same."""
    connected = binding.slots.keys()
    normalized = norm_landmarks in connected
    if normalized == (landmarks in connected):
        yield "exactly one of NORM_LANDMARKS and LANDMARKS must be connected"
    if normalized == (filtered in connected) or normalized != (norm_filtered in connected):
        yield "NORM_LANDMARKS go to NORM_FILTERED_LANDMARKS, LANDMARKS to FILTERED_LANDMARKS"


def _float32(number: float) -> float:
    """The value of an option, which MediaPipe's messages hold as a float."""
    return float(np.float32(number))


def _roi_scale(roi: Any, sides: FloatArray | None) -> float | None:
    if roi is None:
        return None
    if isinstance(roi, Rect) != (sides is None):
        raise ValueError(f"OBJECT_SCALE_ROI must be on the scale of the landmarks; it is a {type(roi).__name__}")
    width, height = np.float32(roi.width), np.float32(roi.height)
    if sides is not None:
        width, height = width * sides[0], height * sides[1]
    return float((width + height) / np.float32(2.0))


def _box_scale(xyz: FloatArray) -> float:
    box = surrounding_box(xyz, LOWEST)
    return float((box[2] + box[3]) / np.float32(2.0))
