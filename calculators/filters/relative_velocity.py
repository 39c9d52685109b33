"""Smoothing by speed over a window: still values stay, moving ones pass."""

from __future__ import annotations

from collections import deque
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..lazy import njit
from ..payloads import FloatArray

_LONGEST_STEP_NS = 1_000_000_000 // 30


class RelativeVelocityFilter:
    """Smooths each value of an array on its own, the less the faster it moved over the last few steps.

    Args:
        window_size: steps that count, as long as they lie within as many thirtieths of a second.
        velocity_scale: how much speed counts; the lower, the smoother and the later.
        reference: whose filter. MediaPipe's computes in float32, and counts the window as full from the start; that of
            tfjs-models computes in double precision, and lets the window grow.

    Source: MediaPipe `util/filtering/relative_velocity_filter`, with its default estimate of distances; tfjs-models'
    `relative_velocity_filter.ts`.
    """

    def __init__(
        self,
        window_size: int = 5,
        velocity_scale: float = 10.0,
        reference: Literal["mediapipe", "tfjs"] = "mediapipe",
    ) -> None:
        if window_size < 0:
            raise ValueError(f"window_size must not be negative, as {window_size} is")
        self.window_size = window_size
        self.velocity_scale = velocity_scale
        self.reference = reference
        self.reset()

    def reset(self) -> None:
        """Forgets all values; the next ones pass as they are."""
        self._shape: tuple[int, ...] | None = None
        self._last: FloatArray | None = None  # [2, ...]: last values, last results
        self._exact: npt.NDArray[np.float64] | None = None  # the same in double precision
        self._steps: deque[tuple[float, npt.NDArray[np.float64]]] = deque(maxlen=self.window_size)  # newest first
        self._last_scale = 1.0
        self._last_us = 0
        # newest first; empty places count as steps of no length, as they do in MediaPipe
        self._durations_ns = np.zeros(self.window_size, np.int64)
        self._distances = np.zeros((self.window_size, 0), np.float32)

    def apply(self, timestamp_us: int, values: FloatArray, value_scale: float = 1.0) -> FloatArray:
        """The smoothed values, of the shape given: float32 [...], the same at each call until `reset`.

        Args:
            timestamp_us: microseconds, rising from call to call; where it does not rise the values pass as they are.
            values: float32 [...].
            value_scale: what values are multiplied by before they are compared, one over the object's size.

        Raises:
            ValueError: the shape differs from that of the last call.
        """
        if self._shape is None:
            self._shape = values.shape
        elif values.shape != self._shape:
            raise ValueError(f"values of shape {list(self._shape)} are held, not {list(values.shape)}: reset")
        if self.reference == "tfjs":
            return self._in_double(timestamp_us, values, value_scale)
        flat = np.ascontiguousarray(values, np.float32).reshape(-1)
        if self._last is None:
            if timestamp_us < 0:
                return values
            self._last = np.stack([flat, flat])
            self._distances = np.zeros((self.window_size, flat.size), np.float32)
            smoothed = flat
        elif timestamp_us <= self._last_us:
            return values
        else:
            duration_ns = (timestamp_us - self._last_us) * 1000
            smoothed = np.empty_like(flat)
            _relative_velocity(
                flat,
                self._last,
                self._distances,
                self._durations_ns,
                duration_ns,
                float(value_scale),
                self._last_scale,
                self.velocity_scale,
                smoothed,
            )
        self._last_us, self._last_scale = timestamp_us, float(value_scale)
        return smoothed.reshape(values.shape)

    def _in_double(self, timestamp_us: int, values: FloatArray, value_scale: float) -> FloatArray:
        exact = values.astype(np.float64)
        if self._exact is None:
            if timestamp_us < 0:
                return values
            self._exact = np.stack([exact, exact])
        elif timestamp_us <= self._last_us:
            return values
        else:
            before, smoothed = self._exact
            duration = timestamp_us - self._last_us
            distance = exact * value_scale - before * self._last_scale
            total, way = float(duration), distance
            longest = (1 + len(self._steps)) * 1e6 / 30
            for step_duration, step_distance in self._steps:
                if total + step_duration > longest:
                    break
                total, way = total + step_duration, way + step_distance
            alpha = 1 - 1 / (1 + self.velocity_scale * np.abs(way / (total * 1e-6)))
            if self.window_size:
                self._steps.appendleft((duration, distance))
            self._exact = np.stack([exact, smoothed + alpha * (exact - smoothed)])
        self._last_us, self._last_scale = timestamp_us, float(value_scale)
        result: FloatArray = self._exact[1].astype(values.dtype)
        return result


@njit(cache=True, nogil=True, error_model="numpy")
def _relative_velocity(
    values: FloatArray,
    last: FloatArray,
    distances: FloatArray,
    durations: npt.NDArray[np.int64],
    duration: int,
    value_scale: float,
    last_scale: float,
    velocity_scale: float,
    smoothed: FloatArray,
) -> None:
    window, one = durations.size, np.float32(1.0)
    scale, scale_before, speed_scale = np.float32(value_scale), np.float32(last_scale), np.float32(velocity_scale)
    steps, total = 0, duration
    while steps < window and total + durations[steps] <= (1 + window) * _LONGEST_STEP_NS:
        total += durations[steps]
        steps += 1
    for i in range(values.size):
        distance = values[i] * scale - last[0, i] * scale_before
        way = distance
        for step in range(steps):
            way += distances[step, i]
        velocity = np.float32(way / (total * 1e-9))
        alpha = one - one / (one + speed_scale * abs(velocity))
        smoothed[i] = np.float64(alpha * values[i]) + (1.0 - np.float64(alpha)) * last[1, i]
        last[0, i], last[1, i] = values[i], smoothed[i]
        for step in range(window - 1, 0, -1):
            distances[step, i] = distances[step - 1, i]
        if window:
            distances[0, i] = distance
    for step in range(window - 1, 0, -1):
        durations[step] = durations[step - 1]
    if window:
        durations[0] = duration
