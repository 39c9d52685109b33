"""Smooths landmarks by polynomials through time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..payloads import LandmarkList, NormalizedLandmarkList
from .savitzky_golay import CausalSavitzkyGolay, CentredSavitzkyGolay
from .smoothing import one_kind

_Landmarks: TypeAlias = LandmarkList | NormalizedLandmarkList


class LandmarksSavitzkyGolay(Calculator):
    """Smooths the coordinates of landmarks, each by a polynomial through its neighbours in time.

    "centred" is for files: it does not lag, but each frame comes out when `window_size // 2` more have come in, or the
    stream ends, at its own timestamp. "causal" is for live sources: each frame comes out at once, unsmoothed until the
    window is full. Timestamps count: steps between frames may differ. A frame without landmarks begins anew, and so
    does a gap longer than `max_gap`; what waited comes out first.

    Source: Savitzky and Golay, "Smoothing and Differentiation of Data by Simplified Least Squares", 1964.
    """

    timestamp_offset = None

    norm_landmarks = Input("NORM_LANDMARKS", NormalizedLandmarkList, optional=True)
    landmarks = Input("LANDMARKS", LandmarkList, optional=True)
    norm_filtered = Output("NORM_FILTERED_LANDMARKS", NormalizedLandmarkList, optional=True)
    filtered = Output("FILTERED_LANDMARKS", LandmarkList, optional=True)

    window_size: int = Option(7, "frames of a polynomial; odd where centred")
    polynomial_order: int = Option(2, "the higher, the quicker and the less smooth; below `window_size`")
    mode: Literal["causal", "centred"] = Option("causal", "from past frames alone, or from as many later ones, too")
    max_gap: int = Option(500_000, "microseconds between frames after which all begins anew")

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        if self.mode == "causal":
            self.timestamp_offset = 0

    def check(self, binding: Binding) -> Iterable[str]:
        yield from one_kind(binding, self.norm_landmarks, self.landmarks, self.norm_filtered, self.filtered)
        if not 0 <= self.polynomial_order < self.window_size:
            yield f"option 'polynomial_order' must be in 0..{self.window_size - 1}, not {self.polynomial_order}"
        if self.mode == "centred" and self.window_size % 2 == 0:
            yield f"option 'window_size' must be odd where centred, not {self.window_size}"

    def open(self, context: Context) -> None:
        self._causal = CausalSavitzkyGolay(self.window_size, self.polynomial_order)
        self._centred = (
            CentredSavitzkyGolay(self.window_size, self.polynomial_order) if self.mode == "centred" else None
        )
        self._waiting: deque[_Landmarks] = deque()
        self._last_us: int | None = None

    def process(self, context: Context) -> None:
        port = self.norm_landmarks if context.is_connected(self.norm_landmarks) else self.landmarks
        landmarks: _Landmarks | None = context[port]
        if landmarks is None or (self._last_us is not None and context.timestamp - self._last_us > self.max_gap):
            self._begin_anew(context)
        self._last_us = None if landmarks is None else context.timestamp
        if landmarks is None:
            return
        if self._centred is None:
            smoothed = self._causal.apply(context.timestamp, landmarks.xyz)
            context[self._output(context)] = landmarks if smoothed is None else replace(landmarks, xyz=smoothed)
            return
        self._waiting.append(landmarks)
        for timestamp, xyz in self._centred.apply(context.timestamp, landmarks.xyz):
            context.emit(self._output(context), replace(self._waiting.popleft(), xyz=xyz), timestamp)

    def close(self, context: Context) -> None:
        self._begin_anew(context)

    def _begin_anew(self, context: Context) -> None:
        self._causal.reset()
        for timestamp, xyz in self._centred.flush() if self._centred is not None else ():
            context.emit(self._output(context), replace(self._waiting.popleft(), xyz=xyz), timestamp)

    def _output(self, context: Context) -> Output:
        return self.norm_filtered if context.is_connected(self.norm_filtered) else self.filtered
