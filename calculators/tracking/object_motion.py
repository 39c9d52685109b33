"""Estimates how an object moves from the motion of the points on it, beside the background's motion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..lazy import cv2
from . import motion_models as models
from .box_priors import Priors
from .motion_models import Model
from .motion_vectors import MotionVectors, Vectors, domain
from .track_options import TrackStepOptions

_EPSILON: Final = 1e-8
_LEAST_PLANE_POINTS: Final = 4
_OUTLIER: Final = 0.1

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ObjectMotion:
    """Motion of an object in parts of the frame's longer side, without the background's.

    Attributes:
        translation: float64 [2].
        model: float32 [3, 3], a similarity or a homography where there is one, else the translation.
        weights: float64 [N], 1 / error of each point.
    """

    translation: Vectors
    model: Model
    weights: Numbers


def estimate(priors: Priors, error_scale: Vectors, options: TrackStepOptions) -> ObjectMotion:
    """Fits a translation and, where enough points go on from the frame before, what the tracking degrees ask for.

    Source: MediaPipe MotionBox::EstimateObjectMotion.

    Args:
        priors: the points, and what they count at first.
        error_scale: float64 [2], what errors are multiplied with, along the motion and across.
        options: of the step.
    """
    vectors = priors.vectors

    def mean(weights: Numbers) -> Model | None:
        total = weights.sum()
        return models.translation(*(weights @ vectors.own / total)) if total > 0 else None

    def similarity(weights: Numbers) -> Model | None:
        if len(vectors.own) < _LEAST_PLANE_POINTS:
            return None
        return models.fit_similarity(vectors.positions, vectors.own, weights)

    def homography(weights: Numbers) -> Model | None:
        return models.fit_homography(vectors.positions, vectors.own, weights)

    found = _reweigh(priors, error_scale, options.irls_iterations, mean)
    model, weights = found if found is not None else (models.identity(), priors.weights)
    translation = model[:2, 2].astype(np.float64)
    degrees = options.tracking_degrees
    if degrees.startswith("TRACKING_DEGREE_OBJECT") and (
        priors.continued >= options.object_similarity_min_contd_inliers
    ):
        fit = homography if degrees == "TRACKING_DEGREE_OBJECT_PERSPECTIVE" else similarity
        found = _reweigh(priors, error_scale, options.irls_iterations, fit)
        if found is not None and _is_believable(found[0], options):
            model, weights = found
    return ObjectMotion(translation, model, weights)


def _reweigh(
    priors: Priors, error_scale: Vectors, rounds: int, fit: Callable[[Numbers], Model | None]
) -> tuple[Model, Numbers] | None:
    vectors, weights, model = priors.vectors, priors.weights, None
    for round_number in range(rounds):
        model = fit(weights)
        if model is None:
            return None
        moved = models.motion(model, vectors.positions).astype(np.float64)
        error = _errors(vectors.own - moved, moved, error_scale)
        weights = (priors.weights if round_number + 1 < rounds else 1.0) / (error + _EPSILON)
    return (model, weights) if model is not None else None


def _errors(apart: Vectors, motion: Vectors, scale: Vectors) -> Numbers:
    """Length of differences whose parts along a motion and across are scaled; 0 where there is no motion."""
    lengths = np.hypot(*motion.T)
    along = motion / np.where(lengths > 0, lengths, 1.0)[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    error: Numbers = np.hypot((apart * along).sum(1) * scale[0], (apart * across).sum(1) * scale[1])
    return error


def _is_believable(model: Model, options: TrackStepOptions) -> bool:
    """Whether an object can change so much in one step."""
    max_scale, max_rotation = options.box_similarity_max_scale, options.box_similarity_max_rotation
    if options.tracking_degrees == "TRACKING_DEGREE_OBJECT_PERSPECTIVE":
        if not models.is_inverse_stable(model):
            return False
        model = models.nearest_similarity(model, 1.0, 1.0)
        max_scale, max_rotation = options.quad_homography_max_scale, options.quad_homography_max_rotation
    scale, rotation = models.scale_and_rotation(model)
    return 1 / max_scale <= scale <= max_scale and abs(rotation) <= max_rotation


def estimate_plane(plane: Model, vectors: MotionVectors, inlier_weights: Numbers) -> Model | None:
    """The homography from a rectangle in space to the image after a step; None where too few points show it.

    Source: MediaPipe MotionBox::EstimatePnpHomography.

    Args:
        plane: the same before the step.
        vectors: the points.
        inlier_weights: [N], in 0..1.
    """
    inlier = inlier_weights >= _OUTLIER
    if inlier.sum() < _LEAST_PLANE_POINTS:
        return None
    center = domain(vectors.aspect) / 2
    flat = models.transform(models.invert(plane), vectors.positions[inlier] - center)
    space = np.concatenate([flat, np.zeros((len(flat), 1), np.float32)], 1)
    seen = (vectors.matches[inlier] - center).astype(np.float32)
    solved, rotation, shift = cv2.solvePnP(space, seen, np.eye(3), np.zeros(5))
    if not solved:
        return None
    matrix = cv2.Rodrigues(rotation)[0]
    matrix[:, 2] = shift.ravel()
    return models.normalized(matrix)
