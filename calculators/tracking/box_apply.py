"""Moves a box by the motion of its object, of the camera, and towards the points on it."""

from __future__ import annotations

from typing import Final

import numpy as np

from . import motion_models as models
from .box_state import BoxState, fit_to_quad, rectangle_in_space
from .motion_models import Model
from .motion_vectors import Vectors
from .track_options import TrackStepOptions

_SCALES: Final = ("TRACKING_DEGREE_CAMERA_SCALE", "TRACKING_DEGREE_OBJECT_SCALE")
_ROTATES: Final = ("TRACKING_DEGREE_CAMERA_ROTATION", "TRACKING_DEGREE_OBJECT_ROTATION")
_SCALES_AND_ROTATES: Final = (
    "TRACKING_DEGREE_CAMERA_ROTATION_SCALE",
    "TRACKING_DEGREE_OBJECT_ROTATION_SCALE",
)
_PERSPECTIVE: Final = "TRACKING_DEGREE_OBJECT_PERSPECTIVE"


def apply_camera_motion(after: BoxState, state: BoxState, background: Model, options: TrackStepOptions) -> None:
    """Moves a box as the background moves where it was; turns and scales it where the options ask for it.

    Source: MediaPipe ApplyCameraTrackingDegrees.
    """
    degrees = options.tracking_degrees
    if degrees == "TRACKING_DEGREE_TRANSLATION" or not options.track_object_and_camera:
        after.position = after.position + models.motion(background, state.center[None])[0]
        return
    corners = state.corners()
    similarity = models.fit_similarity(corners, models.motion(background, corners), np.ones(4))
    if similarity is None:
        similarity = models.identity()
    _move(after, state, similarity)
    _turn_and_scale(
        after, similarity, degrees in _SCALES + _SCALES_AND_ROTATES, degrees in _ROTATES + _SCALES_AND_ROTATES
    )
    if degrees == _PERSPECTIVE:
        _bend(after, state, background)
        if state.plane is not None:
            after.plane = models.compose(state.plane, background)
            fit_to_quad(after)


def apply_object_motion(
    after: BoxState, state: BoxState, translation: Vectors, model: Model, options: TrackStepOptions
) -> None:
    """Moves a box as its object moves; turns, scales or bends it where the options ask for it.

    Source: MediaPipe ApplyObjectMotion.
    """
    degrees = options.tracking_degrees
    if not degrees.startswith("TRACKING_DEGREE_OBJECT"):
        after.position = after.position + translation
        return
    _move(after, state, model)
    if degrees == _PERSPECTIVE:
        _bend(after, state, model)
    else:
        _turn_and_scale(after, model, degrees not in _ROTATES, degrees not in _SCALES)


def apply_plane(after: BoxState, plane: Model, extent: Vectors) -> None:
    """Puts the corners where a rectangle in space is seen. Source: MediaPipe ApplyObjectMotionPerspectively."""
    assert after.aspect_ratio is not None, "planes have an aspect ratio"
    after.quad = models.transform(plane, rectangle_in_space(after.aspect_ratio)) + extent / 2
    after.plane = plane
    fit_to_quad(after)


def pull_towards(state: BoxState, point: Vectors, slack: float, force: float) -> None:
    """Moves a box by a part of how much farther than the slack, a part of its size, its middle is from a point."""
    apart = point - state.center
    excess = np.maximum(np.abs(apart) - state.size * slack, 0.0)
    state.position = state.position + np.copysign(excess * force, apart)


def _move(after: BoxState, state: BoxState, model: Model) -> None:
    after.position = after.position + models.motion(model, state.center[None])[0]


def _turn_and_scale(after: BoxState, model: Model, scales: bool, rotates: bool) -> None:
    scale, rotation = models.scale_and_rotation(model)
    if scales:
        after.scale *= scale
    if rotates:
        after.rotation += rotation


def _bend(after: BoxState, state: BoxState, model: Model) -> None:
    corners = state.corners()
    after.quad = (corners if after.quad is None else after.quad) + models.motion(model, corners)
