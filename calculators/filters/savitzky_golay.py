"""Savitzky-Golay: values of a polynomial through the neighbours in time; it keeps peaks that averages flatten."""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Doubles: TypeAlias = npt.NDArray[np.float64]
Edges: TypeAlias = Literal["interp", "nearest", "mirror", "constant"]
"""What continues a trajectory beyond its ends: the polynomial at the end itself, the last value, a mirror, or 0."""

_REGULAR = 0.01  # steps within this share of their mean are taken as equal


def coefficients(window: int, order: int, position: float | None = None, derivative: int = 0) -> Doubles:
    """The weights that give the polynomial's value (or derivative) at one place of a window of equally spaced samples.

    Args:
        window: samples.
        order: of the polynomial, below `window`.
        position: of the value among the samples, in order of time; default the middle.
        derivative: 0 for the value, 1 for the speed per sample, ….

    Returns:
        float64 [window], in order of time, to be multiplied with the samples and summed.

    Raises:
        ValueError: the order is not below the window, or the derivative is negative.

    Source: Savitzky and Golay, 1964; Gorry, 1990, for places other than the middle.

    >>> coefficients(5, 2).round(4).tolist()
    [-0.0857, 0.3429, 0.4857, 0.3429, -0.0857]
    """
    where = (window - 1) / 2 if position is None else position
    return _weights(tuple(sample - where for sample in range(window)), order, derivative).copy()


@lru_cache(maxsize=256)
def _weights(times: tuple[float, ...], order: int, derivative: int) -> Doubles:
    """The weights of samples at `times` for the derivative at time 0 of the polynomial through them."""
    if not 0 <= order < len(times):
        raise ValueError(f"a window of {len(times)} samples takes orders 0 to {len(times) - 1}, not {order}")
    if derivative < 0:
        raise ValueError(f"derivative must not be negative, as {derivative} is")
    if derivative > order:
        return np.zeros(len(times))
    places = np.asarray(times)
    reach = float(np.abs(places).max()) or 1.0  # times near 1 keep the powers near 1
    powers = (places / reach)[:, None] ** np.arange(order + 1)
    fitted: Doubles = np.linalg.pinv(powers)[derivative]
    factorial = float(np.prod(np.arange(1, derivative + 1)))
    return fitted * factorial / reach**derivative


def smooth(values: npt.ArrayLike, window: int, order: int, edges: Edges = "interp") -> Doubles:
    """A whole trajectory of equally spaced samples, each replaced by the polynomial through its neighbours.

    Args:
        values: [T, ...], along time.
        window: odd number of samples.
        order: of the polynomial, below `window`.
        edges: what continues the trajectory beyond its ends.

    Returns:
        float64 [T, ...].

    Raises:
        ValueError: the window is even, or longer than the trajectory where the edges need that many samples.

    Source: `scipy.signal.savgol_filter`.
    """
    samples = np.asarray(values, np.float64)
    half = window // 2
    if window % 2 == 0:
        raise ValueError(f"a centred window has an odd number of samples, not {window}")
    if edges in ("interp", "mirror") and len(samples) < window:
        raise ValueError(f"edges '{edges}' need at least {window} samples; there are {len(samples)}")
    if edges == "interp":
        padded = samples
    else:
        mode = {"nearest": "edge", "mirror": "reflect", "constant": "constant"}[edges]
        padded = np.pad(samples, [(half, half)] + [(0, 0)] * (samples.ndim - 1), mode=mode)  # type: ignore[call-overload]
    windows = np.lib.stride_tricks.sliding_window_view(padded, window, axis=0)
    middle: Doubles = windows @ coefficients(window, order)
    if edges != "interp":
        return middle
    out = np.empty_like(samples)
    out[half : len(out) - half] = middle
    for place in range(half):
        out[place] = np.tensordot(coefficients(window, order, place), samples[:window], 1)
        out[len(out) - 1 - place] = np.tensordot(coefficients(window, order, window - 1 - place), samples[-window:], 1)
    return out


class CausalSavitzkyGolay:
    """Smooths values as they come: the polynomial through the last ones, taken at the newest.

    It waits for nothing, and overshoots where the movement turns. Steps between timestamps may differ: the polynomial
    runs through the times as they are.

    Args:
        window: samples, newest included.
        order: of the polynomial, below `window`.
        derivative: 0 for the value, 1 for the speed.
        unit_spacing: take the samples as one unit of time apart whatever the timestamps; else derivatives are per
            second.

    Raises:
        ValueError: the order is not below the window.
    """

    def __init__(self, window: int = 7, order: int = 2, derivative: int = 0, unit_spacing: bool = False) -> None:
        coefficients(window, order, derivative=derivative)  # refuses what cannot be
        self.window = window
        self.order = order
        self.derivative = derivative
        self.unit_spacing = unit_spacing
        self._held: deque[tuple[int, npt.NDArray[np.floating]]] = deque(maxlen=window)

    def apply(self, timestamp_us: int, values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating] | None:
        """The smoothed values, of the type and shape given; None until the window is full.

        Raises:
            ValueError: the shape differs from that of the last call, or the timestamp does not rise.
        """
        _hold(self._held, timestamp_us, values)
        if len(self._held) < self.window:
            return None
        weights = _of_times(
            [time for time, _ in self._held], timestamp_us, self.order, self.derivative, self.unit_spacing
        )
        return _weighed(weights, [held for _, held in self._held]).astype(values.dtype)

    def reset(self) -> None:
        """Forgets all values."""
        self._held.clear()


class CentredSavitzkyGolay:
    """Smooths values with as many after as before: no lag, but each is known `delay` samples late.

    At both ends of a trajectory the polynomial of the nearest full window is taken, as `smooth` does with "interp"; of
    a trajectory shorter than the window all that there is.

    Args:
        window: odd number of samples.
        order: of the polynomial, below `window`.

    Raises:
        ValueError: the window is even, or the order not below it.
    """

    def __init__(self, window: int = 7, order: int = 2) -> None:
        coefficients(window, order)
        if window % 2 == 0:
            raise ValueError(f"a centred window has an odd number of samples, not {window}")
        self.window = window
        self.order = order
        self._held: deque[tuple[int, npt.NDArray[np.floating]]] = deque(maxlen=window)
        self._given = 0  # of the held ones, how many were given out

    @property
    def delay(self) -> int:
        """How many samples later a value is known."""
        return self.window // 2

    def apply(self, timestamp_us: int, values: npt.NDArray[np.floating]) -> list[tuple[int, npt.NDArray[np.floating]]]:
        """Takes the values of one timestamp; gives those that became known, as (timestamp, values), oldest first.

        Raises:
            ValueError: the shape differs from that of the last call, or the timestamp does not rise.
        """
        full = len(self._held) == self.window
        _hold(self._held, timestamp_us, values)
        if full:
            self._given -= 1  # the oldest was pushed out
        if len(self._held) < self.window:
            return []
        return self._until(self.delay + 1)

    def flush(self) -> list[tuple[int, npt.NDArray[np.floating]]]:
        """The values that wait for later ones that will not come; the next ones begin anew."""
        rest = self._until(len(self._held))
        self._held.clear()
        self._given = 0
        return rest

    def _until(self, end: int) -> list[tuple[int, npt.NDArray[np.floating]]]:
        times, held = [time for time, _ in self._held], [values for _, values in self._held]
        order = min(self.order, len(held) - 1)
        found: list[tuple[int, npt.NDArray[np.floating]]] = []
        for place in range(self._given, end):
            weights = _of_times(times, times[place], order, 0, False)
            found.append((times[place], _weighed(weights, held).astype(held[place].dtype)))
        self._given = end
        return found


def _hold(
    held: deque[tuple[int, npt.NDArray[np.floating]]], timestamp_us: int, values: npt.NDArray[np.floating]
) -> None:
    if held:
        last_us, last = held[-1]
        if timestamp_us <= last_us:
            raise ValueError(f"timestamps must rise: {timestamp_us} comes after {last_us}")
        if values.shape != last.shape:
            raise ValueError(f"values of shape {list(last.shape)} are held, not {list(values.shape)}: reset")
    held.append((timestamp_us, values))


def _of_times(times_us: list[int], at_us: int, order: int, derivative: int, unit_spacing: bool) -> Doubles:
    """The weights of samples at times in microseconds for the value at one of them."""
    count, place = len(times_us), times_us.index(at_us)
    step_us = (times_us[-1] - times_us[0]) / max(count - 1, 1)
    regular = all(abs(times_us[i + 1] - times_us[i] - step_us) <= _REGULAR * step_us for i in range(count - 1))
    if unit_spacing or regular:  # a few tuples only, whose weights are kept
        weights = _weights(tuple(float(sample - place) for sample in range(count)), order, derivative)
        return weights if unit_spacing or not derivative else weights / (step_us * 1e-6) ** derivative
    return _weights.__wrapped__(tuple((time - at_us) * 1e-6 for time in times_us), order, derivative)


def _weighed(weights: Doubles, held: list[npt.NDArray[np.floating]]) -> Doubles:
    total: Doubles = np.tensordot(weights, np.stack(held).astype(np.float64), 1)
    return total
