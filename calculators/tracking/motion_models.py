"""Motions of the plane as 3 x 3 matrices: translations, similarities and homographies, composed, inverted and fitted.

A model maps column vectors (x, y, 1) and has 1 in its lower right corner; models are float32, and sums and solutions
double. A similarity is [[a, -b, dx], [b, a, dy], [0, 0, 1]]. Source: MediaPipe util/tracking motion models.
"""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..payloads import FloatArray

Model: TypeAlias = npt.NDArray[np.float32]
"""float32 [3, 3], the lower right number 1."""

Points: TypeAlias = npt.NDArray[np.floating[Any]] | npt.NDArray[np.integer[Any]]
"""[N, 2] x, y."""

_INVERTIBLE: Final = 1e-10
_STABLE: Final = 1e-2
_FITS: Final = 0.1
_ONE_POINT: Final = 1e-20
"""Squared distances that are no more than rounding, as a part of the squared coordinates."""


def identity() -> Model:
    """No motion."""
    return np.eye(3, dtype=np.float32)


def translation(dx: float, dy: float) -> Model:
    """A shift."""
    return np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1]], np.float32)


def similarity(dx: float, dy: float, a: float, b: float) -> Model:
    """A shift after a turn and scaling about the origin: a = scale * cos, b = scale * sin."""
    return np.array([[a, -b, dx], [b, a, dy], [0, 0, 1]], np.float32)


def scaling(x: float, y: float) -> Model:
    """Another unit for each axis."""
    return np.diag(np.array([x, y, 1], np.float32))


def compose(*models: Model) -> Model:
    """The models one after another, the last one first, as a product of matrices."""
    product = np.eye(3)
    for model in models:
        product = product @ model
    return normalized(product)


def normalized(matrix: npt.NDArray[Any]) -> Model:
    """The matrix with 1 in its lower right corner; no motion where it has 0 there."""
    corner = matrix[2, 2]
    return (matrix / corner).astype(np.float32) if corner else identity()


def invert(model: Model) -> Model:
    """The motion back; no motion where there is none."""
    matrix = model.astype(np.float64)
    return identity() if np.linalg.det(matrix) < _INVERTIBLE else normalized(np.linalg.inv(matrix))


def transform(model: Model, points: Points) -> FloatArray:
    """Where the points go: float32 [N, 2]."""
    mapped = points @ model[:, :2].T.astype(np.float64) + model[:, 2]
    divisor = mapped[:, 2:]
    where: FloatArray = np.divide(mapped[:, :2], divisor, out=np.zeros_like(mapped[:, :2]), where=divisor != 0).astype(
        np.float32
    )
    return where


def motion(model: Model, points: Points) -> FloatArray:
    """How far the points go: float32 [N, 2]."""
    return (transform(model, points) - points).astype(np.float32)


def scale_and_rotation(model: Model) -> tuple[float, float]:
    """A similarity's scale, and its rotation in radians, clockwise in image space."""
    return math.hypot(model[0, 0], model[1, 0]), math.atan2(model[1, 0], model[0, 0])


def is_inverse_stable(model: Model) -> bool:
    """Whether the motion can be undone without blowing up."""
    return bool(np.linalg.det(model.astype(np.float64)) > _STABLE)


def nearest_similarity(model: Model, width: float, height: float) -> Model:
    """The similarity that does to the middle of a frame what a homography does there.

    Source: MediaPipe ModelAdapter<LinearSimilarityModel>::ProjectFrom.
    """
    forth, back = translation(width * 0.5, height * 0.5), translation(-width * 0.5, -height * 0.5)
    centred = compose(back, model, forth).astype(np.float64)
    scale = math.sqrt(max(centred[0, 0] * centred[1, 1] - centred[0, 1] * centred[1, 0], 0.0))
    middle = _unit(_unit(centred[:2, 0]) + _unit(centred[:2, 1]))
    a, b = _unit(np.array([middle[0] + middle[1], middle[1] - middle[0]])) * scale
    return compose(forth, similarity(centred[0, 2], centred[1, 2], a, b), back)


def _unit(vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    length = np.hypot(*vector)
    return vector / length if length else vector


def fit_similarity(points: Points, motions: Points, weights: npt.NDArray[np.floating[Any]]) -> Model | None:
    """The similarity that moves points as they moved, by weighted least squares.

    Args:
        points: [N, 2].
        motions: [N, 2], how far each of them moved.
        weights: [N], not negative.

    Returns:
        the model; None where the points do not decide it.
    """
    weights = weights.astype(np.float64)
    total = weights.sum()
    if len(points) < 2 or not total > 0:
        return None
    centre, mean = weights @ points / total, weights @ motions / total
    around, moved = points - centre, motions - mean
    spread = weights @ (around**2).sum(1)
    if not spread > _ONE_POINT * (weights @ (points**2).sum(1)):
        return None
    a = weights @ (around * moved).sum(1) / spread
    b = weights @ (around[:, 0] * moved[:, 1] - around[:, 1] * moved[:, 0]) / spread
    shift = mean - np.array([a * centre[0] - b * centre[1], b * centre[0] + a * centre[1]])
    return similarity(shift[0], shift[1], 1 + a, b)


def fit_homography(points: Points, motions: Points, weights: npt.NDArray[np.floating[Any]]) -> Model | None:
    """The homography that moves points as they moved, by weighted least squares.

    What is minimized is the distance times the denominator, which the model itself decides.

    Args and returns: as of `fit_similarity`.
    """
    x, y = points.T.astype(np.float64)
    target_x, target_y = (points + motions).T.astype(np.float64)
    one, zero = np.ones_like(x), np.zeros_like(x)
    rows = np.concatenate(
        [
            np.stack([x, y, one, zero, zero, zero, -x * target_x, -y * target_x], 1),
            np.stack([zero, zero, zero, x, y, one, -x * target_y, -y * target_y], 1),
        ]
    )
    weighted = rows.T * np.concatenate([weights, weights])
    matrix, right = weighted @ rows, weighted @ np.concatenate([target_x, target_y])
    try:
        solution = np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return None
    if not np.linalg.norm(matrix @ solution - right) <= _FITS * np.linalg.norm(right):
        return None
    return np.append(solution, 1.0).reshape(3, 3).astype(np.float32)
