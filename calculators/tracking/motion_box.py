"""Follows one box from frame to frame."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from . import motion_models as models
from .box_apply import apply_camera_motion, apply_object_motion, apply_plane, pull_towards
from .box_inliers import Inliers, record_inliers
from .box_priors import Priors, lerp, ramp, weigh
from .box_state import BoxState, TrackStatus, is_convex, scaled
from .motion_vectors import FRAME_MS, MotionVectors, Vectors, domain
from .object_motion import ObjectMotion, estimate, estimate_plane
from .track_options import TrackStepOptions

_HISTORY: Final = 10
_FAILURE: Final = 0.8
_LEAST_SIZE: Final = 1e-3
_LARGEST_SIZE: Final = 10000.0
_LEAST_GOOD: Final = 3
_LEAST_ERROR: Final = 1.25e-3
_ERROR_OF_MOTION: Final = np.array([0.1, 0.25])
_LOST_CONTINUITY: Final = 0.15
_LOST_SWAPPED: Final = 2.5
_PERFECT_RATIO: Final = (0.85, 1.15)
_LEAST_BLEND: Final = 0.2
_MANY_INLIERS: Final = 30
_OUTSIDE: Final = 0.3
_CONFIDENT: Final = (10, 30)


class MotionBox:
    """A box with its states frame by frame, from one it began at. Source: MediaPipe MotionBox.

    Args:
        options: how it follows.
        frame: number of the frame it begins at.
        state: the box there.
    """

    def __init__(self, options: TrackStepOptions, frame: int, state: BoxState) -> None:
        self._options = options
        self._first = frame
        extent = state.inlier_extent if state.inlier_extent.all() else state.size
        self._start = replace(state, status=TrackStatus.TRACKED, inlier_extent=extent)
        self._states = deque([self._start])
        self._discarded: set[int] = set()
        """Tracks that ended on purpose since points were last compared."""

    def state(self, frame: int) -> BoxState | None:
        """The box at a frame, where it is known."""
        position = frame - self._first
        return self._states[position] if 0 <= position < len(self._states) else None

    def trim(self, size: int, forward: bool) -> None:
        """Forgets all but the last states; the first ones where it goes back in time."""
        while len(self._states) > size:
            if forward:
                self._states.popleft()
                self._first += 1
            else:
                self._states.pop()

    def step(self, frame: int, vectors: MotionVectors, forward: bool) -> BoxState | None:
        """The box one frame on, or back, from a frame where it is known, by the motion from that frame.

        None where it is lost.
        """
        state = self.state(frame)
        if state is None or state.status < TrackStatus.TRACKED:
            return None
        states, position = self._states, frame - self._first
        self._discarded |= vectors.discarded_track_ids
        if vectors.is_duplicated:
            after = replace(state, status=TrackStatus.DUPLICATED)
        else:
            past = range(position - 1, max(0, position - _HISTORY) - 1, -1)
            if not forward:
                past = range(position + 1, min(len(states) - 1, position + _HISTORY) + 1)
            after = self._step(frame, state, vectors, [states[i] for i in past])
        if after.status < TrackStatus.TRACKED:
            return None
        if after.confidence is None:
            after.confidence = 1.0
        position += 1 if forward else -1
        if position < 0:
            states.appendleft(after)
            self._first -= 1
            position = 0
        elif position == len(states):
            states.append(after)
        else:
            states[position] = after
        if self._keeps_failing(position, forward):
            after.status = TrackStatus.UNTRACKED
            return None
        return after

    def _keeps_failing(self, position: int, forward: bool) -> bool:
        most = self._options.max_track_failures
        first = position - most if forward else position
        if first < 0 or first + most >= len(self._states) + (0 if forward else -1):
            return False
        recent = [self._states[i] for i in range(first, first + most + 1)]
        failures = sum(
            state.status != TrackStatus.TRACKED_OUT_OF_BOUND
            and abs(state.motion_disparity) * state.prior_weight > _FAILURE
            for state in recent
        )
        return failures >= most

    def _step(self, frame: int, state: BoxState, vectors: MotionVectors, history: Sequence[BoxState]) -> BoxState:
        """The next state, in the units that states are kept in."""
        lengths = domain(vectors.aspect)
        time = vectors.duration_ms / FRAME_MS if vectors.duration_ms else 1.0
        after = self._advance(frame, scaled(state, lengths, time), vectors, history, time)
        after = scaled(after, 1 / lengths, 1 / time)
        still = self._options.static_motion_temporal_ratio * time
        if after.speed > still:
            beyond_low = (after.position < -after.size * _OUTSIDE) & (after.velocity < -still / 2)
            beyond_high = (after.position > 1 - after.size * (1 - _OUTSIDE)) & (after.velocity > still / 2)
            if (beyond_low | beyond_high).any():
                after.status = TrackStatus.UNTRACKED
        return after

    def _advance(
        self, frame: int, state: BoxState, vectors: MotionVectors, history: Sequence[BoxState], time: float
    ) -> BoxState:
        """The next state in parts of the frame's longer side and in this frame's time.

        Source: MediaPipe MotionBox::TrackStepImplDeNormalized.
        """
        options = self._options
        after = replace(state)
        if not (state.size <= _LARGEST_SIZE).all():
            return replace(after, status=TrackStatus.UNTRACKED)
        extent = domain(vectors.aspect)
        still = state.speed <= options.static_motion_temporal_ratio * time
        margin = self._margin(state)
        corners = state.corners()
        low, high = corners.min(0) - margin, corners.max(0) + margin
        near = vectors.select(_between(vectors.positions, low, high))
        if not len(near.positions) or (low >= extent - margin).any() or (high <= margin).any():
            return self._advance_without_points(frame, state, vectors, still)
        bounds = (np.clip(low, 0, extent), np.clip(high, 0, extent))
        if (bounds[0] >= bounds[1]).any() or (state.size < _LEAST_SIZE).any():
            return replace(after, status=TrackStatus.EMPTY)

        priors = weigh(near, state, self._start, history, bounds, margin, time, options)
        if state.plane is None and priors.good < _LEAST_GOOD and still:
            after.status = TrackStatus.TRACKED
            apply_camera_motion(after, state, vectors.background_model, options)
            return _unless_bent(after)

        error_scale = _error_scale(priors, state)
        motion = ObjectMotion(state.velocity, models.identity(), priors.weights)
        if priors.good:
            motion = estimate(priors, error_scale, options)
        discrimination = state.background_discrimination
        translation = motion.translation
        if vectors.background_stable:
            discrimination = float(
                ramp(
                    math.hypot(*translation),
                    options.background_discrimination_low_level,
                    options.background_discrimination_high_level,
                )
            )
        inliers = record_inliers(after, state, priors, motion.weights, bounds, discrimination, options)
        kept_before = set(state.inlier_ids.tolist()) - self._discarded
        self._discarded.clear()
        continuity = inliers.continued / len(kept_before) if len(kept_before) else 1.0
        plane = None
        if state.plane is not None:
            plane = estimate_plane(state.plane, priors.vectors, inliers.weights)
            if plane is None:
                return replace(after, status=TrackStatus.UNTRACKED)
        after.motion_disparity = 1.0
        if priors.good:
            measured = translation if vectors.background_stable else state.velocity
            after.motion_disparity = self._disparity(state, measured, float(error_scale[0]), inliers)
        occlusion = options.cancel_tracking_with_occlusion_options
        watched = occlusion.activated and state.status != TrackStatus.DUPLICATED
        if watched and continuity < occlusion.min_motion_continuity:
            return replace(after, status=TrackStatus.UNTRACKED)

        swapped = inliers.swapped / len(state.inlier_ids) if len(state.inlier_ids) else 0.0
        if (
            max(continuity, inliers.alike) < _LOST_CONTINUITY
            or abs(after.motion_disparity) >= 1.0
            or swapped >= _LOST_SWAPPED
        ):
            after.forget_inliers()
            after.motion_disparity = 1.0
            inliers = replace(inliers, weights=np.zeros_like(inliers.weights))
            translation, discrimination = state.velocity, state.background_discrimination
        self._record_strength(after, state, inliers, history, discrimination)
        followed = sum(past.status == TrackStatus.TRACKED for past in history)
        if watched and followed > 1 and after.inlier_ratio < occlusion.min_inlier_ratio:
            return replace(after, status=TrackStatus.UNTRACKED)

        perfect = _PERFECT_RATIO[0] < after.inlier_ratio < _PERFECT_RATIO[1]
        if vectors.background_stable and not perfect:
            translation = lerp(translation, state.velocity, min(1 - _LEAST_BLEND, abs(after.motion_disparity)))
        if plane is not None:
            apply_plane(after, plane, extent)
        else:
            apply_object_motion(after, state, translation, motion.model, options)
            apply_camera_motion(after, state, vectors.background_model, options)
        if after.quad is not None and not is_convex(after.quad):
            return replace(after, status=TrackStatus.UNTRACKED)
        self._record_place(after, state, priors.vectors, inliers)
        self._record_velocity(after, state, translation, perfect, vectors.background_stable)
        after.status = TrackStatus.TRACKED
        return after

    def _advance_without_points(self, frame: int, state: BoxState, vectors: MotionVectors, still: bool) -> BoxState:
        """The box moves with the background where it has been at rest, else it is lost."""
        if not still or (not vectors.background_stable and frame != self._first):
            return replace(state, status=TrackStatus.NO_FEATURES)
        after = replace(state, status=TrackStatus.TRACKED_OUT_OF_BOUND)
        apply_camera_motion(after, state, vectors.background_model, self._options)
        if after.quad is not None:
            inside = ((after.quad > 0) & (after.quad < domain(vectors.aspect))).all(1)
            if not inside.any():
                return replace(after, status=TrackStatus.UNTRACKED)
        return _unless_bent(after)

    def _margin(self, state: BoxState) -> float:
        """How far around the box points count: twice as far as it moves, but not more than a quarter of its size."""
        if state.plane is not None:
            return 0.0
        return max(self._options.expansion_size, min(math.hypot(*state.size) / 4, state.speed * 2))

    def _disparity(self, state: BoxState, translation: Vectors, error_scale: float, inliers: Inliers) -> float:
        """How little the speed is what it was: -1 much slower ... 1 much faster."""
        options = self._options
        speed = math.hypot(*translation)
        measured = float(
            ramp(
                abs(speed - state.speed) * error_scale,
                options.motion_disparity_low_level,
                options.motion_disparity_high_level,
            )
        )
        # MediaPipe limits by the number of points that go on where it means their part, so that two rule it out
        limited = min(1.0 - inliers.continued, measured)
        disparity = max(state.motion_disparity * options.disparity_decay, limited) * state.prior_weight
        return min(1.0 - float(ramp(inliers.count, 20, 40)), disparity) * (-1.0 if speed < state.speed else 1.0)

    def _record_strength(
        self,
        after: BoxState,
        state: BoxState,
        inliers: Inliers,
        history: Sequence[BoxState],
        discrimination: float,
    ) -> None:
        after.inlier_sum = float(inliers.weights.sum())
        after.confidence = float(ramp(len(after.inlier_ids), *_CONFIDENT)) if history else 1.0
        after.background_discrimination = discrimination
        after.kinetic_energy = max(
            self._options.kinetic_energy_decay * state.kinetic_energy,
            inliers.mean_speed * (1.0 - abs(after.motion_disparity)),
        )
        most = max(past.inlier_sum for past in (state, *history))
        after.inlier_ratio = after.inlier_sum / (most + 1e-3) if most > 0 else 0.0

    def _record_place(self, after: BoxState, state: BoxState, vectors: MotionVectors, inliers: Inliers) -> None:
        """Where the points on the object are, which pulls the box."""
        center, extent, total = inliers.place(vectors, after)
        discrimination = after.background_discrimination
        apart = math.hypot(*(center - state.inlier_center)) / math.hypot(*state.size)
        center = lerp(center, state.inlier_center, min(lerp(0.95, 0.6, discrimination), apart) * state.prior_weight)
        after.inlier_center = center
        if extent is not None and total > _MANY_INLIERS:
            after.inlier_extent = lerp(
                extent, state.inlier_extent, state.prior_weight * lerp(1.0, 0.85, discrimination)
            )
        options = self._options
        force = min(1.0, options.inlier_spring_force * discrimination)
        pull_towards(after, center, options.inlier_center_relative_distance, force)

    def _record_velocity(
        self, after: BoxState, state: BoxState, translation: Vectors, perfect: bool, background_stable: bool
    ) -> None:
        options = self._options
        kept = 0.0 if perfect else options.velocity_update_weight * state.prior_weight
        if not background_stable:
            kept = 1.0
        after.velocity = lerp(translation, state.velocity, kept)
        change = options.prior_weight_increase if background_stable else -options.prior_weight_increase
        after.prior_weight = min(1.0, max(0.0, state.prior_weight + change))


def _between(points: Vectors, low: Vectors, high: Vectors) -> Vectors:
    """Which points lie in a range of x; at its ends y decides."""
    x, y = points.T
    after_low = (x > low[0]) | ((x == low[0]) & (y >= low[1]))
    before_high = (x < high[0]) | ((x == high[0]) & (y < high[1]))
    between: Vectors = after_low & before_high
    return between


def _unless_bent(state: BoxState) -> BoxState:
    if state.quad is not None and not is_convex(state.quad):
        return replace(state, status=TrackStatus.UNTRACKED)
    return state


def _error_scale(priors: Priors, state: BoxState) -> Vectors:
    """What errors are multiplied with along the motion and across: less where the motion is large."""
    vectors = priors.vectors
    rough = priors.weights @ (vectors.background + vectors.own)
    expected = max(math.hypot(*rough), state.speed * state.prior_weight) * _ERROR_OF_MOTION
    scale: Vectors = np.where(expected > _LEAST_ERROR, _LEAST_ERROR / np.maximum(expected, _LEAST_ERROR), 1.0)
    return scale
