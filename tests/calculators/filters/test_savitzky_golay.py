"""Savitzky-Golay against scipy, and its calculator on gaps, ends and irregular time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graphflow.calculators.filters.landmarks_savitzky_golay import LandmarksSavitzkyGolay
from graphflow.calculators.filters.savitzky_golay import (
    CausalSavitzkyGolay,
    CentredSavitzkyGolay,
    coefficients,
    smooth,
)
from graphflow.calculators.payloads import LandmarkList, NormalizedLandmarkList
from scipy.signal import savgol_coeffs, savgol_filter

from graphflow.testing import run_calculator

SIGNAL = np.cumsum(np.random.default_rng(3).normal(size=(40, 3)), axis=0)
STEP = 33_333


@pytest.mark.parametrize(("window", "order"), [(5, 2), (7, 3), (21, 5), (3, 0), (1, 0), (6, 2)])
@pytest.mark.parametrize("derivative", [0, 1, 2])
def test_coefficients_equal_scipys(window: int, order: int, derivative: int) -> None:
    for position in range(window):
        expected = savgol_coeffs(window, order, derivative, pos=position, use="dot")
        np.testing.assert_allclose(coefficients(window, order, position, derivative), expected, atol=1e-9)


@pytest.mark.parametrize("edges", ["interp", "nearest", "mirror", "constant"])
@pytest.mark.parametrize(("window", "order"), [(5, 2), (11, 3), (1, 0)])
def test_whole_trajectories_equal_scipys(edges: Any, window: int, order: int) -> None:
    expected = savgol_filter(SIGNAL, window, order, axis=0, mode=edges)
    np.testing.assert_allclose(smooth(SIGNAL, window, order, edges), expected, atol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: coefficients(3, 3), "orders 0 to 2"),
        (lambda: coefficients(3, 1, derivative=-1), "derivative"),
        (lambda: smooth(SIGNAL, 4, 2), "odd"),
        (lambda: smooth(SIGNAL[:3], 5, 2), "at least 5"),
        (lambda: CentredSavitzkyGolay(4, 2), "odd"),
    ],
)
def test_what_cannot_be_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_frame_by_frame_the_centred_one_equals_the_whole_trajectory() -> None:
    stream = CentredSavitzkyGolay(7, 2)
    found = [each for frame, row in enumerate(SIGNAL) for each in stream.apply(frame * STEP, row)]
    assert stream.delay == 3
    assert len(found) == len(SIGNAL) - 3
    found += stream.flush()
    assert [time for time, _ in found] == [frame * STEP for frame in range(len(SIGNAL))]
    np.testing.assert_allclose([row for _, row in found], smooth(SIGNAL, 7, 2), atol=1e-9)
    assert stream.flush() == []


@pytest.mark.parametrize("frames", range(1, 7))
def test_a_trajectory_shorter_than_the_window_comes_out_whole(frames: int) -> None:
    stream = CentredSavitzkyGolay(7, 2)
    found = [each for frame in range(frames) for each in stream.apply(frame * STEP, SIGNAL[frame])] + stream.flush()
    assert [time for time, _ in found] == [frame * STEP for frame in range(frames)]


def test_a_parabola_passes_in_irregular_time() -> None:
    times = np.cumsum(np.random.default_rng(0).integers(5_000, 80_000, 30)).tolist()
    values = [np.array([(time * 1e-6) ** 2, time * 1e-6]) for time in times]
    causal, speed, centred = CausalSavitzkyGolay(5, 2), CausalSavitzkyGolay(5, 2, 1), CentredSavitzkyGolay(5, 2)
    for time, value in zip(times[:-1], values, strict=False):
        smoothed, slope = causal.apply(time, value), speed.apply(time, value)
        for at, row in centred.apply(time, value):
            np.testing.assert_allclose(row, values[times.index(at)], atol=1e-6)
        if smoothed is not None and slope is not None:
            np.testing.assert_allclose(smoothed, value, atol=1e-6)
            np.testing.assert_allclose(slope, [2 * time * 1e-6, 1.0], atol=1e-5)
    with pytest.raises(ValueError, match="must rise"):
        causal.apply(times[0], values[0])
    with pytest.raises(ValueError, match="reset"):
        causal.apply(times[-1], np.zeros(3))


def _landmarks(frames: range, cls: Any) -> list[tuple[int, Any]]:
    return [(frame * STEP, cls(SIGNAL[frame : frame + 1].astype(np.float32))) for frame in frames]


@pytest.mark.parametrize(
    ("cls", "given", "taken"),
    [
        (NormalizedLandmarkList, "NORM_LANDMARKS", "NORM_FILTERED_LANDMARKS"),
        (LandmarkList, "LANDMARKS", "FILTERED_LANDMARKS"),
    ],
)
def test_the_calculator_keeps_timestamps_whatever_the_mode(cls: Any, given: str, taken: str) -> None:
    for mode, expected in (("causal", None), ("centred", smooth(SIGNAL[:20], 5, 2))):
        emitted = run_calculator(
            LandmarksSavitzkyGolay,
            {given: _landmarks(range(20), cls)},
            {"mode": mode, "window_size": 5},
            outputs=[taken],
        )[taken]
        assert [time for time, _ in emitted] == [frame * STEP for frame in range(20)]
        xyz = np.concatenate([value.xyz for _, value in emitted])
        if expected is not None:
            np.testing.assert_allclose(xyz, expected, atol=1e-5)
        else:
            np.testing.assert_array_equal(xyz[:4], SIGNAL[:4].astype(np.float32))
            causal = [coefficients(5, 2, 4) @ SIGNAL[end - 5 : end] for end in range(5, 21)]
            np.testing.assert_allclose(xyz[4:], causal, atol=1e-5)


def test_a_gap_begins_anew() -> None:
    late = [(time + 10_000_000, value) for time, value in _landmarks(range(8, 16), NormalizedLandmarkList)]
    emitted = run_calculator(
        LandmarksSavitzkyGolay,
        {"NORM_LANDMARKS": _landmarks(range(8), NormalizedLandmarkList) + late},
        {"mode": "centred", "window_size": 5},
        outputs=["NORM_FILTERED_LANDMARKS"],
    )["NORM_FILTERED_LANDMARKS"]
    xyz = np.concatenate([value.xyz for _, value in emitted])
    np.testing.assert_allclose(xyz[:8], smooth(SIGNAL[:8], 5, 2), atol=1e-5)
    np.testing.assert_allclose(xyz[8:], smooth(SIGNAL[8:16], 5, 2), atol=1e-5)


def test_options_that_cannot_be_are_named() -> None:
    frames = {"NORM_LANDMARKS": _landmarks(range(2), NormalizedLandmarkList)}
    for options, message in (
        ({"mode": "centred", "window_size": 4}, "must be odd"),
        ({"window_size": 3, "polynomial_order": 3}, "must be in 0..2"),
    ):
        with pytest.raises(ValueError, match=message):
            run_calculator(LandmarksSavitzkyGolay, frames, options, outputs=["NORM_FILTERED_LANDMARKS"])
