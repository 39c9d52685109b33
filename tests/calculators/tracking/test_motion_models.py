"""Motions of the plane: known points go where they must, and fits find the model that moved the points."""

from __future__ import annotations

import math

import numpy as np
import pytest
from graphflow.calculators.tracking import motion_models as models
from graphflow.calculators.tracking.motion_models import Model

RNG = np.random.default_rng(7)
POINTS = RNG.uniform(0, 1, (40, 2))
PERSPECTIVE = np.array([[1.02, 0.03, 0.01], [-0.02, 0.98, 0.02], [0.05, -0.04, 1.0]], np.float32)

MAPPED: list[tuple[Model, tuple[float, float], tuple[float, float]]] = [
    (models.identity(), (3, 4), (3, 4)),
    (models.translation(1, -2), (3, 4), (4, 2)),
    (models.similarity(0, 0, 0, 1), (3, 4), (-4, 3)),
    (models.similarity(1, 1, 2, 0), (3, 4), (7, 9)),
    (models.scaling(2, 0.5), (3, 4), (6, 2)),
    (np.array([[1, 0, 0], [0, 1, 0], [0.5, 0, 1]], np.float32), (2, 4), (1, 2)),
    (np.array([[1, 0, 0], [0, 1, 0], [-0.5, 0, 1]], np.float32), (2, 4), (0, 0)),
]


@pytest.mark.parametrize(("model", "point", "expected"), MAPPED)
def test_transform(model: Model, point: tuple[float, float], expected: tuple[float, float]) -> None:
    found = models.transform(model, np.array([point]))
    np.testing.assert_allclose(found, [expected], atol=1e-6)
    np.testing.assert_allclose(models.motion(model, np.array([point])), found - np.array([point]), atol=1e-6)
    assert found.dtype == np.float32


def test_compose_and_invert() -> None:
    turned = models.similarity(0.1, 0.2, 1.1, 0.3)
    both = models.compose(PERSPECTIVE, turned)
    one_after_another = models.transform(PERSPECTIVE, models.transform(turned, POINTS))
    np.testing.assert_allclose(models.transform(both, POINTS), one_after_another, atol=1e-6)
    np.testing.assert_allclose(models.transform(models.invert(both), models.transform(both, POINTS)), POINTS, atol=1e-5)
    assert both[2, 2] == 1


def test_what_cannot_be_undone() -> None:
    flat = models.scaling(1, 0)
    np.testing.assert_array_equal(models.invert(flat), models.identity())
    assert not models.is_inverse_stable(flat)
    assert models.is_inverse_stable(PERSPECTIVE)
    np.testing.assert_array_equal(models.normalized(np.zeros((3, 3))), models.identity())


def test_scale_and_rotation() -> None:
    scale, rotation = models.scale_and_rotation(models.similarity(5, 6, 2 * math.cos(0.3), 2 * math.sin(0.3)))
    assert (scale, rotation) == (pytest.approx(2), pytest.approx(0.3))


def test_nearest_similarity() -> None:
    turned = models.similarity(0.1, 0.2, 1.1, 0.3)
    np.testing.assert_allclose(models.nearest_similarity(turned, 1, 1), turned, atol=1e-6)
    near = models.nearest_similarity(PERSPECTIVE, 1, 1)
    middle = np.array([[0.5, 0.5]])
    np.testing.assert_allclose(models.transform(near, middle), models.transform(PERSPECTIVE, middle), atol=0.02)
    assert near[0, 0] == near[1, 1]
    assert near[0, 1] == -near[1, 0]


def test_fit_similarity() -> None:
    truth = models.similarity(0.03, -0.02, 1.05, 0.1)
    flows = models.motion(truth, POINTS)
    flows[:10] += 1
    weights = np.ones(len(POINTS))
    weights[:10] = 0
    found = models.fit_similarity(POINTS, flows, weights)
    assert found is not None
    np.testing.assert_allclose(found, truth, atol=1e-5)


def test_fit_homography() -> None:
    flows = models.motion(PERSPECTIVE, POINTS)
    flows[:10] += 1
    weights = np.ones(len(POINTS))
    weights[:10] = 0
    found = models.fit_homography(POINTS, flows, weights)
    assert found is not None
    np.testing.assert_allclose(found, PERSPECTIVE, atol=1e-4)


UNDECIDED = [
    (np.zeros((0, 2)), np.zeros(0)),
    (np.array([[1.0, 2.0]]), np.ones(1)),
    (np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]), np.ones(3)),
    (POINTS[:5], np.zeros(5)),
    (np.full((5, 2), np.nan), np.ones(5)),
]


@pytest.mark.parametrize(("points", "weights"), UNDECIDED)
def test_points_that_decide_nothing(points: np.ndarray, weights: np.ndarray) -> None:
    flows = np.ones_like(points)
    assert models.fit_similarity(points, flows, weights) is None
    assert models.fit_homography(points, flows, weights) is None
