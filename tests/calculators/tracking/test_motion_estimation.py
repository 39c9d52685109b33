"""The camera's motion from points, some of which move on their own: the models found, and which of them is believed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from graphflow.calculators.tracking import motion_models as models
from graphflow.calculators.tracking.motion_estimation import MotionEstimator
from graphflow.calculators.tracking.motion_models import Model
from graphflow.calculators.tracking.region_flow import MotionType, RegionFlow
from tracking_scenes import rotation_about

SIZE = (640, 480)
CENTRED = rotation_about(320, 240, 0.05, 1.02).astype(np.float32)


def bent(x: float, y: float) -> Model:
    """A small perspective about the middle of the frame."""
    middle = models.translation(320, 240)
    model = np.eye(3, dtype=np.float32)
    model[2, :2] = x, y
    return models.compose(middle, model, models.invert(middle))


def moved(model: Model, count: int = 300, own: float = 0.0, noise: float = 0.05, seed: int = 1) -> RegionFlow:
    """Points all over a frame that move as a model says; a part of them, in its middle, on their own."""
    rng = np.random.default_rng(seed)
    points = rng.uniform((4, 4), (636, 476), (count, 2)).astype(np.float32)
    flows = models.motion(model, points) + rng.normal(0, noise, (count, 2)).astype(np.float32)
    order = np.argsort(np.hypot(*(points - (320, 240)).T))
    flows[order[: int(own * count)]] += np.array([12, -7], np.float32)
    return RegionFlow(SIZE, points, flows, np.arange(count, dtype=np.int32), np.ones(count, np.float32))


def estimate(*flows: RegionFlow) -> Any:
    estimator = MotionEstimator(SIZE, True)
    return [estimator.estimate(flow) for flow in flows][-1]


CAMERAS = [
    ("still", models.identity()),
    ("shift", models.translation(6, -4)),
    ("far shift", models.translation(45, 20)),
    ("turn and zoom", CENTRED),
    ("perspective", bent(6e-5, -4e-5)),
]


@pytest.mark.parametrize("own", [0.0, 0.3])
@pytest.mark.parametrize(("name", "camera"), CAMERAS, ids=[name for name, _ in CAMERAS])
def test_finds_the_motion(name: str, camera: Model, own: float) -> None:
    flow = moved(camera, own=own)
    weighed, motion = estimate(flow)
    assert motion.type == MotionType.VALID
    corners = np.array([[0, 0], [639, 0], [0, 479], [639, 479], [320, 240]], np.float32)
    expected = models.transform(camera, corners)
    np.testing.assert_allclose(models.transform(motion.homography, corners), expected, atol=0.6 if own else 0.1)
    if name != "perspective":
        np.testing.assert_allclose(models.transform(motion.similarity, corners), expected, atol=0.1)
    middle = np.hypot(*(flow.positions - (320, 240)).T)
    alone = np.argsort(middle)[: int(own * len(flow))]
    background = np.median(np.delete(weighed.weights, alone))
    assert background > 5
    assert (weighed.weights[alone] < 0.05 * background).all()


def test_magnitude_without_the_extremes() -> None:
    flow = moved(models.translation(3, 4), noise=0)
    flows = flow.flows.copy()
    flows[:20] = 100
    _, motion = estimate(replace(flow, flows=flows))
    assert motion.average_magnitude == pytest.approx(5, abs=1e-3)


def test_the_last_frames_decide_where_halves_disagree() -> None:
    one, other = models.translation(10, 0), models.translation(-10, 0)
    left = moved(one, 200)
    flows = left.flows.copy()
    right = left.positions[:, 0] > 320
    flows[right] = models.motion(other, left.positions[right])
    both = replace(left, flows=flows)
    for camera in (one, other):
        before = [moved(camera, seed=seed) for seed in range(6)]
        _, motion = estimate(*before, both)
        np.testing.assert_allclose(motion.translation[:2, 2], camera[:2, 2], atol=0.5)


UNSTABLE = [
    ("a model that does not hold", moved(rotation_about(320, 240, 0, 0.78).astype(np.float32)), MotionType.UNSTABLE),
    ("too few points for more", moved(models.translation(5, 0), 20), MotionType.UNSTABLE),
    ("points of an unstable frame", replace(moved(models.translation(5, 0)), unstable=True), MotionType.UNSTABLE),
    ("too few points", moved(models.translation(5, 0), 2), MotionType.INVALID),
    ("everything elsewhere", moved(models.identity(), noise=120), MotionType.INVALID),
    ("a bend that is too strong", moved(bent(6e-4, 0)), MotionType.UNSTABLE_SIM),
]


@pytest.mark.parametrize(("name", "flow", "expected"), UNSTABLE, ids=[name for name, _, _ in UNSTABLE])
def test_what_is_not_believed(name: str, flow: RegionFlow, expected: MotionType) -> None:
    weighed, motion = estimate(flow)
    assert motion.type == expected, name
    if expected == MotionType.INVALID:
        np.testing.assert_array_equal(motion.homography, models.identity())
        np.testing.assert_array_equal(weighed.weights, flow.weights)
    else:
        simpler = motion.similarity if expected == MotionType.UNSTABLE_SIM else motion.translation
        np.testing.assert_array_equal(motion.homography, simpler)
    assert np.isfinite(weighed.weights).all()


def test_no_points() -> None:
    for empty_is_valid, kind in ((True, MotionType.VALID), (False, MotionType.INVALID)):
        flow, motion = MotionEstimator(SIZE, empty_is_valid).estimate(RegionFlow(SIZE))
        assert len(flow) == 0
        assert motion.type == kind
        np.testing.assert_array_equal(motion.homography, models.identity())


def test_points_that_are_one() -> None:
    flow = moved(models.identity(), 100)
    same = replace(flow, positions=np.full((100, 2), 50, np.float32), flows=np.ones((100, 2), np.float32))
    _, motion = estimate(same)
    assert motion.type == MotionType.UNSTABLE
    np.testing.assert_allclose(motion.translation[:2, 2], (1, 1), atol=1e-4)
