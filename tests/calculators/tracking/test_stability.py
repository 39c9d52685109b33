"""Which motions of the camera are believed, at the edges of what is."""

from __future__ import annotations

import numpy as np
import pytest
from graphflow.calculators.tracking import motion_models as models
from graphflow.calculators.tracking.motion_models import Model
from graphflow.calculators.tracking.region_flow import RegionFlow
from graphflow.calculators.tracking.stability import (
    homography_is_stable,
    perimeter_weights,
    similarity_is_stable,
    translation_is_stable,
    translation_variance,
)

SIZE = (640, 480)
DIAGONAL = 800.0
DOMAIN = np.array(SIZE) / DIAGONAL

TRANSLATIONS = [
    ((10, 0), 0.0, 3, True),
    ((10, 0), 0.0, 2, False),
    ((130, 0), 0.0, 100, True),
    ((130, 0), 8.1**2, 100, False),
    ((110, 0), 8.1**2, 100, True),
    ((0, 0), 51.0**2, 100, True),
    ((0, 0), 53.0**2, 100, False),
]


@pytest.mark.parametrize(("shift", "variance", "count", "stable"), TRANSLATIONS)
def test_translations(shift: tuple[float, float], variance: float, count: int, stable: bool) -> None:
    assert translation_is_stable(np.array(shift), variance, count, DIAGONAL) == stable


def test_variance() -> None:
    flows = np.array([[1, 0], [3, 0], [50, 50]], np.float32)
    assert translation_variance(flows, np.array([2.0, 0.0]), np.array([1.0, 1.0, 0.0])) == 1.0
    assert translation_variance(flows, np.array([2.0, 0.0]), np.zeros(3)) == 0.0


def flow(count: int, unstable: bool = False) -> RegionFlow:
    return RegionFlow(SIZE, np.zeros((count, 2), np.float32), unstable=unstable)


SIMILARITIES = [
    (models.similarity(0, 0, 1, 0), flow(100), 30, True),
    (models.similarity(0, 0, 1, 0), flow(100), 29, False),
    (models.similarity(0, 0, 1, 0), flow(300), 44, False),
    (models.similarity(0, 0, 1, 0), flow(300), 45, True),
    (models.similarity(0, 0, 1, 0), flow(100, unstable=True), 100, False),
    (models.similarity(0, 0, 1.26, 0), flow(100), 100, False),
    (models.similarity(0, 0, 0.79, 0), flow(100), 100, False),
    (models.similarity(0, 0, 1, -0.26), flow(100), 100, False),
    (models.similarity(99, 99, 1.2, -0.24), flow(100), 100, True),
]


@pytest.mark.parametrize(("model", "points", "inliers", "stable"), SIMILARITIES)
def test_similarities(model: Model, points: RegionFlow, inliers: int, stable: bool) -> None:
    assert similarity_is_stable(model, points, inliers=inliers) == stable
    weights = np.where(np.arange(len(points)) < inliers, 0.5, 0.49)
    assert similarity_is_stable(model, points, weights) == stable


def bent(x: float) -> Model:
    model = models.identity()
    model[2, 0] = x
    return model


def points() -> np.ndarray:
    x, y = np.meshgrid((np.arange(40) + 0.5) / 40, (np.arange(40) + 0.5) / 40)
    return (np.stack([x.ravel(), y.ravel()], 1) * DOMAIN).astype(np.float32)


# the part of the frame, from the left, where points agree within a pixel; elsewhere they are ten pixels off
COVERED = [(0.0, False), (0.1, False), (0.25, False), (0.5, True), (1.0, True)]


@pytest.mark.parametrize(("part", "stable"), COVERED)
def test_homographies_need_points_all_over_the_frame(part: float, stable: bool) -> None:
    weights = np.where(points()[:, 0] < part * DOMAIN[0], 1.0, 0.1)
    assert homography_is_stable(models.identity(), points(), weights, DOMAIN, DIAGONAL) == stable


def test_homographies_with_small_errors_need_no_more() -> None:
    few = points()[:5]
    assert homography_is_stable(models.identity(), few, np.full(5, 11.0), DOMAIN, DIAGONAL)
    assert not homography_is_stable(models.identity(), few, np.full(5, 0.5), DOMAIN, DIAGONAL)


@pytest.mark.parametrize(
    ("model", "stable"),
    [
        (bent(3.9e-4), True),
        (bent(-4.1e-4), False),
        (models.scaling(1, 1.26), False),
        (models.scaling(0.81, 1.24), True),
        (models.similarity(0, 0, 1, 0.26), False),
    ],
)
def test_homographies(model: Model, stable: bool) -> None:
    assert homography_is_stable(model, points(), np.full(1600, 20.0), DOMAIN, DIAGONAL) == stable


def test_the_middle_counts_half() -> None:
    weights = perimeter_weights(np.array([[0.4, 0.3], [0.0, 0.0]]), np.array([0.8, 0.6]))
    assert weights[0] == 0.5
    assert 0.95 < weights[1] < 1
