"""The filters over arrays against one filter for each value, written in numpy's scalars."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.filters.low_pass import LowPassFilter
from graphflow.calculators.filters.one_euro import OneEuroFilter
from graphflow.calculators.filters.relative_velocity import RelativeVelocityFilter

Floats = npt.NDArray[np.float32]
F = np.float32

REGULAR = [33333 * frame for frame in range(1, 30)]
IRREGULAR = np.cumsum(np.random.default_rng(3).integers(1, 200_000, 30)).tolist()
GAP = [5, 10, 10**12, 10**12 + 9]
CLOCKS = {"regular": REGULAR, "irregular": IRREGULAR, "from zero": [0, *REGULAR], "a long gap": GAP}


def _signal(frames: int) -> Floats:
    rng = np.random.default_rng(5)
    return np.cumsum(rng.normal(0.0, 0.02, (frames, 7, 3)), axis=0).astype(np.float32)


class TwinLowPass:
    def __init__(self) -> None:
        self.last: np.float32 | None = None

    def apply(self, value: np.float32, alpha: np.float32) -> np.float32:
        last = value if self.last is None else self.last
        known = self.last is not None
        self.last = F(np.float64(alpha * value) + (1.0 - np.float64(alpha)) * np.float64(last)) if known else value
        return self.last


class TwinOneEuro:
    def __init__(self, frequency: float, min_cutoff: float, beta: float, derivate_cutoff: float) -> None:
        self.rate, self.min_cutoff, self.beta, self.derivate_cutoff = frequency, min_cutoff, beta, derivate_cutoff
        self.values, self.speeds = TwinLowPass(), TwinLowPass()
        self.raw: np.float32 | None = None
        self.last_us = 0

    def _alpha(self, cutoff: float) -> np.float32:
        return F(1 / (1 + (1 / (2 * math.pi * cutoff)) * self.rate))

    def apply(self, timestamp_us: int, value: np.float32, scale: float) -> np.float32:
        if self.raw is not None and self.last_us:
            self.rate = 1e6 / (timestamp_us - self.last_us)
        self.last_us = timestamp_us
        change = 0.0 if self.raw is None else float(value) - float(self.raw)
        self.raw = value
        speed = self.speeds.apply(F(change * scale * self.rate), self._alpha(self.derivate_cutoff))
        return self.values.apply(value, self._alpha(self.min_cutoff + self.beta * abs(float(speed))))


class TwinVelocity:
    def __init__(self, window_size: int, velocity_scale: float) -> None:
        self.size, self.velocity_scale = window_size, F(velocity_scale)
        self.steps: list[tuple[np.float32, int]] = []
        self.values = TwinLowPass()
        self.last: tuple[int, np.float32, np.float32] | None = None

    def apply(self, timestamp_us: int, value: np.float32, scale: float) -> np.float32:
        alpha, scaled = F(1), F(scale)
        if self.last is not None:
            distance, duration = F(value * scaled - self.last[1] * self.last[2]), (timestamp_us - self.last[0]) * 1000
            way, time = distance, duration
            for each_way, each_time in self.steps:
                if time + each_time > (1 + self.size) * 33333333:
                    break
                way, time = F(way + each_way), time + each_time
            speed = F(np.float64(way) / (time * 1e-9))
            alpha = F(1) - F(1) / (F(1) + self.velocity_scale * abs(speed))
            self.steps = [(distance, duration), *self.steps][: self.size]
        self.last = (timestamp_us, value, scaled)
        return self.values.apply(value, alpha)


def _compare(ours: Any, make_twin: Callable[[], Any], clock: list[int], scales: Floats) -> None:
    signal = _signal(len(clock))
    twins = [[make_twin() for _ in range(3)] for _ in range(7)]
    for timestamp, frame, scale in zip(clock, signal, scales.tolist(), strict=True):
        twin = [[twins[i][j].apply(timestamp, frame[i, j], scale) for j in range(3)] for i in range(7)]
        np.testing.assert_allclose(ours.apply(timestamp, frame, scale), twin, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("options", [(30.0, 1.0, 0.0, 1.0), (30.0, 0.05, 80.0, 1.0), (5.0, 0.01, 10.0, 3.0)])
@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
def test_one_euro(clock: list[int], options: tuple[float, float, float, float]) -> None:
    scales = np.random.default_rng(1).uniform(0.001, 3.0, len(clock)).astype(np.float32)
    _compare(OneEuroFilter(*options), lambda: TwinOneEuro(*options), clock, scales)


@pytest.mark.parametrize("options", [(5, 10.0), (1, 0.1), (0, 3.0), (9, 1.0)])
@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
def test_relative_velocity(clock: list[int], options: tuple[int, float]) -> None:
    scales = np.random.default_rng(1).uniform(0.001, 3.0, len(clock)).astype(np.float32)
    _compare(RelativeVelocityFilter(*options), lambda: TwinVelocity(*options), clock, scales)


@pytest.mark.parametrize("alpha", [0.0, 0.1, 1.0])
def test_low_pass(alpha: float) -> None:
    ours, twins = LowPassFilter(alpha), [TwinLowPass() for _ in range(21)]
    for frame in _signal(20):
        twin = [twin.apply(value, F(alpha)) for twin, value in zip(twins, frame.reshape(-1), strict=True)]
        np.testing.assert_allclose(ours.apply(frame).reshape(-1), twin, rtol=1e-6)


def _apply_of(make: Callable[[], Any]) -> tuple[Any, Callable[[int, Floats], Floats]]:
    made = make()
    if isinstance(made, LowPassFilter):
        return made, lambda timestamp, values: made.apply(values)
    return made, lambda timestamp, values: made.apply(timestamp, values)


@pytest.mark.parametrize("make", [lambda: LowPassFilter(0.5), OneEuroFilter, RelativeVelocityFilter])
class TestEveryFilter:
    def test_the_first_values_pass_and_so_do_those_after_a_reset(self, make: Callable[[], Any]) -> None:
        made, apply = _apply_of(make)
        first, second = np.float32([1.0, 2.0]), np.float32([1.5, 1.0])
        assert apply(100_000, first).tolist() == [1.0, 2.0]
        assert apply(200_000, second).tolist() != [1.5, 1.0]
        made.reset()
        assert apply(300_000, second).tolist() == [1.5, 1.0]

    def test_another_shape_is_an_error_until_reset(self, make: Callable[[], Any]) -> None:
        made, apply = _apply_of(make)
        apply(100_000, np.zeros((3, 3), np.float32))
        with pytest.raises(ValueError, match=r"\[3, 3\] are held, not \[4, 3\]: reset"):
            apply(200_000, np.zeros((4, 3), np.float32))
        made.reset()
        apply(300_000, np.zeros((4, 3), np.float32))

    def test_inputs_are_not_written_and_results_do_not_change_later(self, make: Callable[[], Any]) -> None:
        _, apply = _apply_of(make)
        results = []
        for step, frame in enumerate(_signal(4), 1):
            frame.flags.writeable = False
            results.append(apply(step * 33333, frame))
        kept = [result.copy() for result in results]
        for result in results:
            result.flags.writeable = False  # as a consumer's packet is: the filter must not need to write there
        apply(5 * 33333, _signal(5)[4])
        assert all((one == other).all() for one, other in zip(results, kept, strict=True))

    def test_what_is_no_number_spoils_only_itself(self, make: Callable[[], Any]) -> None:
        _, apply = _apply_of(make)
        apply(33333, np.float32([0.0, 0.0]))
        spoiled = apply(66666, np.float32([np.nan, 1.0]))
        assert np.isnan(spoiled[0])
        assert np.isfinite(spoiled[1])


@pytest.mark.parametrize("filter_type", [OneEuroFilter, RelativeVelocityFilter])
def test_time_that_stands_still_or_runs_back_lets_values_pass(
    filter_type: type[OneEuroFilter] | type[RelativeVelocityFilter],
) -> None:
    made = filter_type()
    made.apply(100, np.float32([0.0]))
    for timestamp in (100, 50, -7):
        assert made.apply(timestamp, np.float32([5.0])).tolist() == [5.0]
    assert made.apply(33433, np.float32([5.0])) < 5.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LowPassFilter(1.5), "alpha must be in 0..1, not 1.5"),
        (lambda: LowPassFilter(math.nan), "alpha must be"),
        (lambda: OneEuroFilter(frequency=0.0), "frequency must be positive"),
        (lambda: OneEuroFilter(min_cutoff=-1.0), "min_cutoff must be positive"),
        (lambda: OneEuroFilter(derivate_cutoff=0.0), "derivate_cutoff must be positive"),
        (lambda: RelativeVelocityFilter(window_size=-1), "window_size must not be negative"),
    ],
)
def test_senseless_settings(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
