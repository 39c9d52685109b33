"""Exponential smoothing of arrays of values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..lazy import njit
from ..payloads import FloatArray


class LowPassFilter:
    """Smooths each value of an array on its own: `alpha` of the new one, the rest of the last result.

    The first values pass as they are. `alpha` is in 0..1; the smaller, the smoother and the later.

    With a `threshold`, steps far beyond it count by the logarithm of their size: the filter follows outliers less. That
    is computed in double precision and returned in the type of the values.

    >>> smooth = LowPassFilter(0.25)
    >>> smooth.apply(np.float32([8.0])), smooth.apply(np.float32([0.0]))
    (array([8.], dtype=float32), array([6.], dtype=float32))

    Raises:
        ValueError: `alpha` is not in 0..1, or `threshold` not positive.

    Source: MediaPipe `util/filtering/low_pass_filter`; the threshold is tfjs-models' `low_pass_filter.ts`.
    """

    def __init__(self, alpha: float, threshold: float | None = None) -> None:
        if not 0.0 <= alpha <= 1.0:
            raise ValueError(f"alpha must be in 0..1, not {alpha}")
        if threshold is not None and not threshold > 0.0:
            raise ValueError(f"threshold must be positive, not {threshold}")
        self.alpha = alpha
        self.threshold = threshold
        self._smoothed: FloatArray | None = None
        self._exact: npt.NDArray[np.float64] | None = None

    def apply(self, values: FloatArray) -> FloatArray:
        """The smoothed values, of the shape given: float32 [...], the same at each call until `reset`.

        Raises:
            ValueError: the shape differs from that of the last call.
        """
        if self.threshold is not None:
            return self._followed(values, self.threshold)
        if self._smoothed is None:
            self._smoothed = values.astype(np.float32)
        else:
            if values.shape != (held := self._smoothed.shape):
                raise ValueError(f"values of shape {list(held)} are held, not {list(values.shape)}: reset")
            flat = np.ascontiguousarray(values, np.float32).reshape(-1)
            smoothed = np.empty_like(flat)
            _low_pass(flat, self._smoothed.reshape(-1), self.alpha, smoothed)
            self._smoothed = smoothed.reshape(held)
        return self._smoothed

    def reset(self) -> None:
        """Forgets all values; the next ones pass as they are."""
        self._smoothed = None
        self._exact = None

    def _followed(self, values: FloatArray, threshold: float) -> FloatArray:
        held = self._exact
        if held is None:
            self._exact = values.astype(np.float64)
        elif values.shape != held.shape:
            raise ValueError(f"values of shape {list(held.shape)} are held, not {list(values.shape)}: reset")
        else:
            self._exact = held + self.alpha * threshold * np.arcsinh((values - held) / threshold)
        return self._exact.astype(values.dtype)


@njit(cache=True, nogil=True)
def _low_pass(values: FloatArray, last: FloatArray, alpha: float, smoothed: FloatArray) -> None:
    weight = np.float32(alpha)
    for i in range(values.size):
        # one product is a float and the other a double, as in MediaPipe
        smoothed[i] = np.float64(weight * values[i]) + (1.0 - weight) * last[i]
