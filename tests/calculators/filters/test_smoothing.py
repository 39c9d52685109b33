"""What the smoothing calculators do beside filtering: scales, absent landmarks, wrong use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graphflow.calculators.filters.smoothing import LandmarksSmoothing, VisibilitySmoothing
from graphflow.calculators.payloads import LandmarkList, NormalizedLandmarkList, NormalizedRect, Rect

from graphflow import Calculator
from graphflow.testing import run_calculator

STEP = 33333
SQUARE = np.float32([[0.0, 0.0, 0.0], [1.0, 1.0, 0.5]])
MOVED = SQUARE + np.float32(0.125)


def _norm(*frames: np.ndarray, **more: np.ndarray) -> list[tuple[int, Any]]:
    return [((i + 1) * STEP, NormalizedLandmarkList(frame, **more)) for i, frame in enumerate(frames)]


def _every(value: Any, count: int = 2) -> list[tuple[int, Any]]:
    return [((i + 1) * STEP, value) for i in range(count)]


def _smoothed(options: dict[str, Any], frames: list[tuple[int, Any]], **more: Any) -> list[tuple[int, Any]]:
    inputs = {"NORM_LANDMARKS": frames, "IMAGE_SIZE": _every((100, 50), 4), **more}
    (found,) = run_calculator(LandmarksSmoothing, inputs, options, outputs=["NORM_FILTERED_LANDMARKS"]).values()
    return found


def test_without_a_filter_nothing_changes() -> None:
    found = _smoothed({"no_filter": {}}, _norm(SQUARE, MOVED))
    assert [each.xyz.tolist() for _, each in found] == [SQUARE.tolist(), MOVED.tolist()]


@pytest.mark.parametrize("name", ["one_euro_filter", "velocity_filter"])
def test_the_region_sets_the_scale(name: str) -> None:
    small, large = NormalizedRect(0.5, 0.5, 0.01, 0.01), NormalizedRect(0.5, 0.5, 10.0, 10.0)
    options = {name: {"beta": 1.0} if name == "one_euro_filter" else {}}
    follows, lags = (
        _smoothed(options, _norm(SQUARE, MOVED), OBJECT_SCALE_ROI=_every(roi))[1][1].xyz[0, 0] for roi in (small, large)
    )
    assert 0.0 < lags < follows < 0.125


@pytest.mark.parametrize("name", ["one_euro_filter", "velocity_filter"])
def test_an_object_too_small_passes_as_it_is(name: str) -> None:
    dot = NormalizedRect(0.5, 0.5, 0.0, 0.0)
    found = _smoothed({name: {}}, _norm(SQUARE, MOVED), OBJECT_SCALE_ROI=_every(dot))
    assert found[1][1].xyz.tolist() == MOVED.tolist()
    unscaled = _smoothed({name: {"disable_value_scaling": True}}, _norm(SQUARE, MOVED), OBJECT_SCALE_ROI=_every(dot))
    assert unscaled[1][1].xyz.tolist() != MOVED.tolist()


def test_scores_pass_and_world_landmarks_need_no_image() -> None:
    scores = np.float32([0.5, 0.25])
    found = _smoothed({"one_euro_filter": {}}, _norm(SQUARE, MOVED, visibility=scores, presence=scores))
    assert found[1][1].visibility is scores
    frames = [(timestamp, LandmarkList(each.xyz)) for timestamp, each in _norm(SQUARE, MOVED)]
    inputs = {"LANDMARKS": frames, "OBJECT_SCALE_ROI": _every(Rect(0, 0, 1, 1))}
    world = run_calculator(LandmarksSmoothing, inputs, {"one_euro_filter": {}}, outputs=["FILTERED_LANDMARKS"])
    assert 0.0 < world["FILTERED_LANDMARKS"][1][1].xyz[0, 0] < 0.125


@pytest.mark.parametrize("name", ["one_euro_filter", "velocity_filter"])
def test_an_empty_list_fails_where_there_is_a_filter(name: str) -> None:
    frames = _norm(SQUARE, np.zeros((0, 3), np.float32))
    with pytest.raises(ValueError, match="an empty list of landmarks cannot be smoothed"):
        _smoothed({name: {}}, frames)
    assert len(_smoothed({"no_filter": {}}, frames)[1][1]) == 0


def test_visibility_of_landmarks_without_any_is_zero() -> None:
    options = {"low_pass_filter": {"alpha": 0.5}}
    known = _norm(SQUARE, visibility=np.float32([1.0, 0.5]))
    inputs = {"NORM_LANDMARKS": [*known, (2 * STEP, NormalizedLandmarkList(MOVED))]}
    found = run_calculator(VisibilitySmoothing, inputs, options, outputs=["NORM_FILTERED_LANDMARKS"])
    last = found["NORM_FILTERED_LANDMARKS"][1][1]
    assert (last.visibility.tolist(), last.xyz is MOVED) == ([0.5, 0.25], True)


@pytest.mark.parametrize(
    ("calculator", "inputs", "outputs", "options", "message"),
    [
        (LandmarksSmoothing, ["NORM_LANDMARKS"], ["NORM_FILTERED_LANDMARKS"], {"no_filter": {}}, "need IMAGE_SIZE"),
        (LandmarksSmoothing, ["LANDMARKS", "IMAGE_SIZE"], ["FILTERED_LANDMARKS"], {"no_filter": {}}, "goes with NORM"),
        (LandmarksSmoothing, ["LANDMARKS"], ["NORM_FILTERED_LANDMARKS"], {"no_filter": {}}, "to FILTERED_LANDMARKS"),
        (LandmarksSmoothing, ["LANDMARKS"], ["FILTERED_LANDMARKS"], {}, "exactly one of no_filter, velocity"),
        (LandmarksSmoothing, [], ["FILTERED_LANDMARKS"], {"no_filter": {}}, "exactly one of NORM_LANDMARKS"),
        (VisibilitySmoothing, ["LANDMARKS"], ["NORM_FILTERED_LANDMARKS"], {"no_filter": {}}, "to FILTERED_LANDMARKS"),
        (VisibilitySmoothing, ["LANDMARKS"], ["FILTERED_LANDMARKS"], {}, "exactly one of no_filter and low_pass"),
        (
            VisibilitySmoothing,
            ["LANDMARKS", "NORM_LANDMARKS"],
            ["FILTERED_LANDMARKS"],
            {"no_filter": {}},
            "exactly one of NORM_LANDMARKS",
        ),
        (
            LandmarksSmoothing,
            ["LANDMARKS"],
            ["FILTERED_LANDMARKS"],
            {"one_euro_filter": {"min_cutoff": 0}},
            "min_cutoff must be positive",
        ),
    ],
)
def test_wrong_use_is_told(
    calculator: type[Calculator], inputs: list[str], outputs: list[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        run_calculator(calculator, {name: [] for name in inputs}, options, outputs=outputs)


def test_a_region_on_another_scale_is_told() -> None:
    with pytest.raises(ValueError, match="on the scale of the landmarks; it is a Rect"):
        _smoothed({"velocity_filter": {}}, _norm(SQUARE), OBJECT_SCALE_ROI=_every(Rect(0, 0, 1, 1), 1))


def _moving(times: list[int]) -> list[tuple[int, LandmarkList]]:
    return [(time, LandmarkList(np.full((3, 3), frame, np.float32))) for frame, time in enumerate(times)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"low_pass_filter": {"alpha": 0.25}}, [0, 0.25, 0.6875, 1.265625]),
        ({"low_pass_filter": {"alpha": 0.25}, "max_gap": 100}, [0, 0.25, 2, 2.25]),
        ({"one_euro_filter": {"min_cutoff": 1e9}, "max_gap": 100}, [0, 1, 2, 3]),
    ],
)
def test_landmarks_are_smoothed_exponentially_and_gaps_begin_anew(
    options: dict[str, Any], expected: list[float]
) -> None:
    given = _moving([10, 20, 500, 510])
    emitted = run_calculator(LandmarksSmoothing, {"LANDMARKS": given}, options, outputs=["FILTERED_LANDMARKS"])
    found = [float(value.xyz[0, 0]) for _, value in emitted["FILTERED_LANDMARKS"]]
    assert found == pytest.approx(expected, abs=1e-5)


def test_the_one_euro_filter_of_tfjs_resists_outliers_and_mediapipes_knows_no_threshold() -> None:
    given = _moving([33_333 * frame for frame in range(1, 5)])
    given[2] = (given[2][0], LandmarkList(np.full((3, 3), 1000, np.float32)))
    plain = {"min_cutoff": 2.5, "beta": 300.0, "derivate_cutoff": 2.5, "disable_value_scaling": True}
    loud, calm = (
        run_calculator(
            LandmarksSmoothing,
            {"LANDMARKS": given},
            {"one_euro_filter": {**plain, "reference": "tfjs", **more}},
            outputs=["FILTERED_LANDMARKS"],
        )["FILTERED_LANDMARKS"][2][1].xyz[0, 0]
        for more in ({}, {"threshold_cutoff": 0.5, "threshold_beta": 0.001})
    )
    assert calm < loud / 2
    with pytest.raises(ValueError, match="needs the reference"):
        run_calculator(
            LandmarksSmoothing,
            {"LANDMARKS": given},
            {"one_euro_filter": {"threshold_cutoff": 0.5}},
            outputs=["FILTERED_LANDMARKS"],
        )
