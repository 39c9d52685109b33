"""Estimates how the camera moved: a translation, a similarity and a homography of the points that agree on one.

Each model is fitted again and again to the points with weights that fall with their distance from the model before
(iteratively reweighted least squares), beginning with the points that most random samples agree with.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..payloads import FloatArray, ImageSize
from . import motion_models as models
from .grid_density import gather, scatter
from .inlier_mask import InlierMask, cells
from .motion_models import Model
from .random_picks import picks
from .region_flow import CameraMotion, MotionType, RegionFlow
from .stability import (
    homography_is_stable,
    perimeter_weights,
    similarity_is_stable,
    translation_is_stable,
    translation_variance,
)

_EPSILON: Final = 1e-4
_OUTLIER: Final = 1e-10
_ROUNDS: Final = 10
_SAMPLES: Final = 50
_CUTOFF: Final = 0.003
_MAGNITUDE_FRACTION: Final = 0.08
_LEAST_ERROR: Final = 1.25e-3
_DENSITY_GRID: Final = 10
_SIMILARITY_INLIER: Final = 0.003
_LEAST_HOMOGRAPHY_POINTS: Final = 9

Weights = npt.NDArray[np.float64]


class MotionEstimator:
    """Motion of the camera between frames, one after another. Source: MediaPipe MotionEstimation.

    Settings are those of MediaPipe's policy for cameras (ANALYSIS_POLICY_CAMERA_MOBILE), but sums and solutions are
    double where that saves time with float.

    Args:
        frame_size: width, height of the frames that flow is measured in.
        empty_is_valid: whether a frame without points counts as one where the camera stood still.
    """

    def __init__(self, frame_size: ImageSize, empty_is_valid: bool) -> None:
        width, height = frame_size
        self._size = frame_size
        self._empty_is_valid = empty_is_valid
        self._diagonal = math.hypot(width, height)
        self._domain = np.array(frame_size) / self._diagonal
        limit = (640, 360) if width > height else (360, 640)
        self._error_scale = math.hypot(min(limit[0], width), min(limit[1], height))
        """Errors are weighed as if frames had at most 640 x 360 pixels."""
        self._mask = InlierMask()

    def estimate(self, flow: RegionFlow) -> tuple[RegionFlow, CameraMotion]:
        """The camera's motion for one frame, and the flow with weights that tell how far each point agrees with it."""
        if not len(flow):
            kind = MotionType.VALID if self._empty_is_valid else MotionType.INVALID
            return flow, CameraMotion(self._size, kind)
        frame = _Frame(flow, self._diagonal, self._domain)
        motion = CameraMotion(self._size, MotionType.VALID, average_magnitude=frame.average_magnitude)
        residual_scale = _residual_scale(frame.average_magnitude / self._diagonal)
        self._pixels = self._error_scale * residual_scale
        self._cutoff = _CUTOFF / residual_scale
        motion = self._estimate_translation(frame, motion)
        if motion.type == MotionType.VALID:
            motion = self._estimate_similarity(frame, motion)
        if motion.type == MotionType.VALID:
            motion = self._estimate_homography(frame, motion)
        return replace(flow, weights=frame.weights.astype(np.float32)), motion

    def _estimate_translation(self, frame: _Frame, motion: CameraMotion) -> CameraMotion:
        first = self._sample_translation(frame)
        fitted = self._reweigh(frame, first, lambda weights: _mean_translation(frame.flows, weights))
        assert fitted is not None, "a translation can always be fitted"
        model, weights = fitted
        shift = model[:2, 2] * self._diagonal
        variance = translation_variance(frame.flows * self._diagonal, shift, weights)
        if not translation_is_stable(shift, variance, len(frame.flow), self._diagonal):
            return replace(motion, type=MotionType.INVALID)
        frame.weights = weights
        pixels = models.translation(*shift)
        return replace(motion, translation=pixels, similarity=pixels, homography=pixels)

    def _estimate_similarity(self, frame: _Frame, motion: CameraMotion) -> CameraMotion:
        first = self._sample_similarity(frame)
        fitted = self._reweigh(frame, first, lambda weights: models.fit_similarity(frame.points, frame.flows, weights))
        if fitted is None:
            return replace(motion, type=MotionType.UNSTABLE)
        model, weights = fitted
        if not similarity_is_stable(model, frame.flow, weights):
            return replace(motion, type=MotionType.UNSTABLE)
        frame.weights = weights
        pixels = self._in_pixels(model)
        return replace(motion, similarity=pixels, homography=pixels)

    def _estimate_homography(self, frame: _Frame, motion: CameraMotion) -> CameraMotion:
        similarity = models.compose(
            models.scaling(1 / self._diagonal, 1 / self._diagonal),
            motion.similarity,
            models.scaling(self._diagonal, self._diagonal),
        )
        apart = np.hypot(*(models.motion(similarity, frame.points) - frame.flows).T)
        first = np.where(
            apart < _SIMILARITY_INLIER, perimeter_weights(frame.points, self._domain) * frame.density_weights, _OUTLIER
        )
        fitted = None
        if (first > _OUTLIER).sum() >= _LEAST_HOMOGRAPHY_POINTS:
            fitted = self._reweigh(
                frame, first, lambda weights: models.fit_homography(frame.points, frame.flows, weights)
            )
        if fitted is None:
            return replace(motion, type=MotionType.UNSTABLE_SIM)
        model, weights = fitted
        pixels = self._in_pixels(model)
        if not homography_is_stable(pixels, frame.points, weights, self._domain, self._diagonal):
            return replace(motion, type=MotionType.UNSTABLE_SIM)
        frame.weights = weights
        return replace(motion, homography=pixels)

    def _reweigh(
        self, frame: _Frame, first: Weights, fit: Callable[[Weights], Model | None]
    ) -> tuple[Model, Weights] | None:
        """A model after all rounds, and 1 / error of each point; None where it cannot be fitted.

        Between the rounds the first weights stay in force; the last ones tell nothing but the error.
        """
        weights, model = first, None
        for round_number in range(_ROUNDS):
            model = fit(weights)
            if model is None:
                return None
            error = np.hypot(*(models.motion(model, frame.points) - frame.flows).T) * self._pixels
            numerator = first if round_number + 1 < _ROUNDS else 1.0
            weights = numerator / (error + _EPSILON)
        return (model, weights) if model is not None else None

    def _sample_translation(self, frame: _Frame) -> Weights:
        """Weights to begin with: low for points that move otherwise than most."""
        chosen = frame.flows[picks(len(frame.flow), _SAMPLES)]
        agreeing = ((frame.flows[None] - chosen[:, None]) ** 2).sum(2) < self._cutoff**2
        best, inliers = self._best_sample(frame, agreeing)
        weights = _favour(frame.density_weights, inliers)
        shift = chosen[best]  # not in pixels as the flows are: so MediaPipe tests the length of the flow, in effect
        variance = translation_variance(frame.flows * self._diagonal, shift, weights)
        if not translation_is_stable(shift, variance, len(frame.flow), self._diagonal):
            self._mask.reset()
            return frame.density_weights
        self._mask.record_translation(shift)
        self._mask.record(frame.cells[inliers], frame.density_weights[inliers].astype(np.float32))
        return weights

    def _sample_similarity(self, frame: _Frame) -> Weights:
        pairs = picks(len(frame.flow), 2 * _SAMPLES).reshape(-1, 2)
        factors, shifts = _similarities_of_two(frame.points[pairs], frame.flows[pairs])
        points, flows = _complex(frame.points), _complex(frame.flows)
        agreeing = np.abs(factors[:, None] * points + shifts[:, None] - flows) < self._cutoff
        best, inliers = self._best_sample(frame, agreeing)
        weights = _favour(frame.density_weights, inliers)
        factor, shift = complex(factors[best]), complex(shifts[best])
        model = models.similarity(shift.real, shift.imag, 1 + factor.real, factor.imag)
        if not similarity_is_stable(model, frame.flow, inliers=2 * int(inliers.sum())):
            return frame.density_weights
        self._mask.record(frame.cells[inliers], frame.density_weights[inliers].astype(np.float32))
        return weights

    def _best_sample(self, frame: _Frame, agreeing: npt.NDArray[np.bool_]) -> tuple[int, npt.NDArray[np.bool_]]:
        """The first of the samples, bool [S, N], whose points together count most, and its points."""
        value = frame.density_weights * self._mask.scores(frame.cells, frame.flows)
        best = int(np.argmax(np.where(agreeing, value, 0.0).sum(1)))  # a product would not round equal rows alike
        return best, agreeing[best]

    def _in_pixels(self, model: Model) -> Model:
        return models.compose(
            models.scaling(self._diagonal, self._diagonal),
            model,
            models.scaling(1 / self._diagonal, 1 / self._diagonal),
        )


class _Frame:
    """The points of one frame, in parts of its diagonal, and their weights so far."""

    def __init__(self, flow: RegionFlow, diagonal: float, domain: npt.NDArray[np.float64]) -> None:
        self.flow = flow
        self.points: FloatArray = (flow.positions / np.float32(diagonal)).astype(np.float32)
        self.flows: FloatArray = (flow.flows / np.float32(diagonal)).astype(np.float32)
        self.weights: Weights = flow.weights.astype(np.float64)
        self.cells = cells(self.points, domain)
        self._domain = domain
        self.density_weights = self._density_weights()
        magnitudes = np.sort(np.hypot(*flow.flows.T))
        middle = magnitudes[len(magnitudes) // 10 : len(magnitudes) * 9 // 10]
        self.average_magnitude = float(middle.mean()) if len(middle) else 0.0

    def _density_weights(self) -> Weights:
        """Less for points with many others around; 1 on average."""
        place = self.points / self._domain * (_DENSITY_GRID - 1)
        density = gather(scatter(place, np.ones(len(place)), _DENSITY_GRID), place)
        weights = np.where(density > 0, 1 / np.sqrt(np.maximum(density, 1e-30)), 0.0)
        normalized: Weights = weights * (len(weights) / (weights.sum() + 1e-6))
        return normalized


def _residual_scale(magnitude: float) -> float:
    """How much smaller errors count where motion is large, which makes all errors larger."""
    expected = magnitude * _MAGNITUDE_FRACTION
    return _LEAST_ERROR / expected if expected > _LEAST_ERROR else 1.0


def _mean_translation(flows: FloatArray, weights: Weights) -> Model:
    total = weights.sum()
    return models.translation(*(weights @ flows / total if total > 0 else (0.0, 0.0)))


def _complex(points: FloatArray) -> npt.NDArray[np.complex128]:
    """x + iy of points [..., 2]: a similarity of the plane is a product with a number, and a sum."""
    numbers: npt.NDArray[np.complex128] = points[..., 0].astype(np.complex128) + 1j * points[..., 1]
    return numbers


def _similarities_of_two(
    points: FloatArray, flows: FloatArray
) -> tuple[npt.NDArray[np.complex128], npt.NDArray[np.complex128]]:
    """The similarities by which pairs of points, [S, 2, 2], flow: factors and shifts of p -> p * factor + shift.

    A pair of one point and itself only shifts.
    """
    first, second = _complex(points).T
    first_flow, second_flow = _complex(flows).T
    apart = second - first
    factors = np.divide(second_flow - first_flow, apart, out=np.zeros_like(apart), where=apart != 0)
    return factors, first_flow - factors * first


def _favour(weights: Weights, inliers: npt.NDArray[np.bool_]) -> Weights:
    """At least the median weight for points that agree, next to none for the others."""
    if not inliers.any():
        return np.full_like(weights, _OUTLIER)
    chosen: npt.NDArray[Any] = weights[inliers]
    median = np.partition(chosen, len(chosen) // 2)[len(chosen) // 2]
    return np.where(inliers, np.maximum(weights, median), _OUTLIER)
