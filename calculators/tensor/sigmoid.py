"""The logistic function in float32, as MediaPipe computes it."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np

from ..lazy import njit
from ..payloads import FloatArray

Activation: TypeAlias = Literal["NONE", "SIGMOID"]
"""What is applied to a model's raw numbers."""


@njit(cache=True, nogil=True, error_model="numpy")
def logistic(value: np.float32) -> np.float32:
    """1 / (1 + exp(-value)), each step rounded to float32; for use in kernels."""
    one = np.float32(1)
    return np.float32(one / (one + np.float32(math.exp(-value))))


@njit(cache=True, nogil=True)
def _logistic_of(values: FloatArray, out: FloatArray) -> None:
    for i in range(len(values)):
        out[i] = logistic(values[i])


def activate(values: FloatArray, activation: Activation) -> FloatArray:
    """Applies an activation to flat float32 values; the input itself where there is none to apply."""
    if activation == "NONE":
        return values
    out = np.empty_like(values)
    _logistic_of(values, out)
    return out
