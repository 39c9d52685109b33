"""The one-euro filter: smooth when slow, quick when fast."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..lazy import njit
from ..payloads import FloatArray

OneEuroReference: TypeAlias = Literal["mediapipe", "tfjs", "paper"]
"""Whose one-euro filter: MediaPipe's, tfjs-models', or the authors' own."""

_Doubles: TypeAlias = npt.NDArray[np.float64]


class OneEuroFilter:
    """Smooths each value of an array on its own, the less the faster it changes.

    Args:
        frequency: values a second, until two timestamps tell.
        min_cutoff: Hz; the lower, the less slow values jitter.
        beta: how much speed raises the cutoff; the higher, the less fast values lag.
        derivate_cutoff: Hz, for the speed itself.
        reference: whose filter. "mediapipe" computes in float32, the others in double precision, and returns the type
            of the values; "tfjs" passes over a first timestamp of 0, too; "paper" takes speeds from the last filtered
            value, and filters at timestamps that do not rise as if one step of the last length had passed.
        threshold_cutoff: with it, steps far beyond this plus `threshold_beta` times the speed count by the logarithm of
            their size; not for "mediapipe", which has no such thing.
        threshold_beta: see there.

    Raises:
        ValueError: a frequency is not positive, or there is a threshold that the reference does not know.

    Source: Casiez, Roussel, Vogel, "1€ Filter", CHI 2012, in the arithmetic of MediaPipe's
    `util/filtering/one_euro_filter`: speeds are differences of unfiltered values, and the step that begins at
    timestamp 0 counts as one of `frequency`. "tfjs" is tfjs-models' `one_euro_filter.ts`, "paper" the authors' own.
    """

    def __init__(
        self,
        frequency: float = 30.0,
        min_cutoff: float = 1.0,
        beta: float = 0.0,
        derivate_cutoff: float = 1.0,
        reference: OneEuroReference = "mediapipe",
        threshold_cutoff: float | None = None,
        threshold_beta: float = 0.0,
    ) -> None:
        for name, hertz in (("frequency", frequency), ("min_cutoff", min_cutoff), ("derivate_cutoff", derivate_cutoff)):
            if not hertz > 1e-6:
                raise ValueError(f"{name} must be positive, not {hertz}")
        if threshold_cutoff is not None and reference == "mediapipe":
            raise ValueError("MediaPipe's one-euro filter has no threshold; ask for reference='tfjs'")
        self.frequency = frequency
        self.min_cutoff = min_cutoff
        self.beta = beta
        self.derivate_cutoff = derivate_cutoff
        self.reference: OneEuroReference = reference
        self.threshold_cutoff = threshold_cutoff
        self.threshold_beta = threshold_beta
        self.reset()

    def reset(self) -> None:
        """Forgets all values; the next ones pass as they are."""
        self._shape: tuple[int, ...] | None = None
        self._state: FloatArray | None = None  # [3, ...]: last values, last results, last speeds
        self._exact: _Doubles | None = None  # the same in double precision
        self._last_us: float = 0
        self._rate = self.frequency

    def apply(self, timestamp_us: float, values: FloatArray, value_scale: float = 1.0) -> FloatArray:
        """The smoothed values, of the shape given: float32 [...], the same at each call until `reset`.

        Args:
            timestamp_us: microseconds, rising from call to call; where it does not rise the values pass as they are.
            values: float32 [...].
            value_scale: what differences are multiplied by before they count as speed, one over the object's size.

        Raises:
            ValueError: the shape differs from that of the last call.
        """
        if self._shape is None:
            self._shape = values.shape
        elif values.shape != self._shape:
            raise ValueError(f"values of shape {list(self._shape)} are held, not {list(values.shape)}: reset")
        if self.reference != "mediapipe":
            return self._in_double(timestamp_us, values, value_scale)
        if timestamp_us < 0 or (self._state is not None and timestamp_us <= self._last_us):
            return values
        flat = np.ascontiguousarray(values, np.float32).reshape(-1)
        last_us, self._last_us = self._last_us, timestamp_us
        if self._state is None:
            self._state = np.stack([flat, flat, np.zeros_like(flat)])
            return values
        if last_us != 0:  # MediaPipe takes 0 for no timestamp here
            self._rate = 1.0 / ((timestamp_us - last_us) * 1000 * 1e-9)
        smoothed = np.empty_like(flat)
        numbers = (self._rate, self.min_cutoff, self.beta, self.derivate_cutoff, float(value_scale))
        _one_euro(flat, self._state, *numbers, smoothed)
        return smoothed.reshape(values.shape)

    def _in_double(self, timestamp_us: float, values: FloatArray, value_scale: float) -> FloatArray:
        paper = self.reference == "paper"
        if not paper and timestamp_us <= self._last_us:
            return values
        if self._last_us and timestamp_us > self._last_us:  # 0 is no timestamp for either
            self._rate = 1e6 / (timestamp_us - self._last_us)
        self._last_us = timestamp_us
        flat = values.astype(np.float64).reshape(-1)
        if self._exact is None:
            self._exact = np.stack([flat, flat, np.zeros_like(flat)])
            return values
        smoothed = np.empty_like(flat)
        _one_euro_double(
            flat,
            self._exact,
            1 if paper else 0,
            np.array([self._rate, self.min_cutoff, self.beta, self.derivate_cutoff, value_scale]),
            np.nan if self.threshold_cutoff is None else self.threshold_cutoff,
            self.threshold_beta,
            smoothed,
        )
        return smoothed.reshape(values.shape).astype(values.dtype)


@njit(cache=True, nogil=True, error_model="numpy")
def _one_euro_double(
    values: _Doubles,
    state: _Doubles,
    compared: int,
    numbers: _Doubles,
    threshold_cutoff: float,
    threshold_beta: float,
    smoothed: _Doubles,
) -> None:
    """`compared`: the row of the state that speeds are taken from; a threshold of NaN is none."""
    rate, min_cutoff, beta, derivate_cutoff, value_scale = numbers
    speed_alpha = _alpha(derivate_cutoff, rate)
    for i in range(values.size):
        speed = (values[i] - state[compared, i]) * value_scale * rate
        speed = state[2, i] + speed_alpha * (speed - state[2, i])
        alpha = _alpha(min_cutoff + beta * abs(speed), rate)
        step = values[i] - state[1, i]
        if not math.isnan(threshold_cutoff):
            threshold = threshold_cutoff + threshold_beta * abs(speed)
            step = threshold * np.arcsinh(step / threshold)
        smoothed[i] = state[1, i] + alpha * step
        state[0, i], state[1, i], state[2, i] = values[i], smoothed[i], speed


@njit(cache=True, nogil=True)
def _alpha(cutoff: float, rate: float) -> float:
    return 1.0 / (1.0 + (1.0 / (2 * math.pi * cutoff)) / (1.0 / rate))


@njit(cache=True, nogil=True, error_model="numpy")
def _one_euro(
    values: FloatArray,
    state: FloatArray,
    rate: float,
    min_cutoff: float,
    beta: float,
    derivate_cutoff: float,
    value_scale: float,
    smoothed: FloatArray,
) -> None:
    speed_alpha = np.float32(_alpha(derivate_cutoff, rate))
    for i in range(values.size):
        change = np.float64(values[i]) - np.float64(state[0, i])
        speed = np.float32(change * value_scale * rate)
        # the low-pass filters inside hold floats, and multiply one term in float and the other in double
        smooth_speed = np.float32(np.float64(speed_alpha * speed) + (1.0 - np.float64(speed_alpha)) * state[2, i])
        alpha = np.float32(_alpha(min_cutoff + beta * abs(np.float64(smooth_speed)), rate))
        smoothed[i] = np.float64(alpha * values[i]) + (1.0 - np.float64(alpha)) * state[1, i]
        state[0, i], state[1, i], state[2, i] = values[i], smoothed[i], smooth_speed
