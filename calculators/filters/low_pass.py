"""Exponential smoothing of arrays of values."""

from __future__ import annotations

import numpy as np

from ..lazy import njit
from ..payloads import FloatArray


class LowPassFilter:
    """Smooths each value of an array on its own: `alpha` of the new one, the rest of the last result.

    The first values pass as they are. `alpha` is in 0..1; the smaller, the smoother and the later.

    >>> smooth = LowPassFilter(0.25)
    >>> smooth.apply(np.float32([8.0])), smooth.apply(np.float32([0.0]))
    (array([8.], dtype=float32), array([6.], dtype=float32))

    Raises:
        ValueError: `alpha` is not in 0..1.

    Source: MediaPipe `util/filtering/low_pass_filter`.
    """

    def __init__(self, alpha: float) -> None:
        if not 0.0 <= alpha <= 1.0:
            raise ValueError(f"alpha must be in 0..1, not {alpha}")
        self.alpha = alpha
        self._smoothed: FloatArray | None = None

    def apply(self, values: FloatArray) -> FloatArray:
        """The smoothed values, of the shape given: float32 [...], the same at each call until `reset`.

        Raises:
            ValueError: the shape differs from that of the last call.
        """
        if self._smoothed is None:
            self._smoothed = values.astype(np.float32)
        else:
            if values.shape != (held := self._smoothed.shape):
                raise ValueError(f"values of shape {list(held)} are held, not {list(values.shape)}: reset")
            self._smoothed = _low_pass(np.ascontiguousarray(values, np.float32), self._smoothed, self.alpha)
        return self._smoothed

    def reset(self) -> None:
        """Forgets all values; the next ones pass as they are."""
        self._smoothed = None


@njit(cache=True, nogil=True)
def _low_pass(values: FloatArray, last: FloatArray, alpha: float) -> FloatArray:
    weight = np.float32(alpha)
    smoothed = np.empty_like(values)
    for i in range(values.size):
        # one product is a float and the other a double, as in MediaPipe
        smoothed.flat[i] = np.float64(weight * values.flat[i]) + (1.0 - weight) * last.flat[i]
    return smoothed
