"""One box, step by step, on vectors made by hand: geometry, degrees of freedom, and how it is lost."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from graphflow.calculators.tracking import motion_models as models
from graphflow.calculators.tracking.box_apply import pull_towards
from graphflow.calculators.tracking.box_state import BoxState, TrackStatus, is_convex, scaled, to_timed_box
from graphflow.calculators.tracking.motion_box import MotionBox
from graphflow.calculators.tracking.motion_models import Model
from graphflow.calculators.tracking.motion_vectors import MotionVectors, from_tracking_data, inverted
from graphflow.calculators.tracking.region_flow import TrackingData
from graphflow.calculators.tracking.timed_box import TimedBox, mix
from graphflow.calculators.tracking.track_options import Degrees, TrackStepOptions
from tracking_scenes import rotation_about

ASPECT = 4 / 3
HIGH = 1 / ASPECT


def state(left: float = 0.4, top: float = 0.4, width: float = 0.2, height: float = 0.2, **more: Any) -> BoxState:
    return BoxState(np.array([left, top]), np.array([width, height]), **more)


def vectors(
    own: tuple[float, float] = (0.0, 0.0),
    inside: tuple[float, float, float, float] = (0.4, 0.3, 0.6, 0.45),
    background: Model | None = None,
    step: float = 0.02,
    **more: Any,
) -> MotionVectors:
    """A grid of points over a frame of 4 x 3, of which those in a part move on their own."""
    model = models.identity() if background is None else background
    x, y = np.meshgrid(np.arange(step / 2, 1, step), np.arange(step / 2, HIGH, step), indexing="ij")
    points = np.stack([x.ravel(), y.ravel()], 1)
    on_object = ((points >= inside[:2]) & (points <= inside[2:])).all(1)
    return MotionVectors(
        points,
        models.motion(model, points).astype(np.float64),
        np.where(on_object[:, None], np.array(own), 0.0),
        np.arange(len(points), dtype=np.int32),
        model,
        True,
        False,
        ASPECT,
        **more,
    )


def nothing(background: Model | None = None, **more: Any) -> MotionVectors:
    """The same frame without points."""
    return replace(vectors(background=background).select(np.zeros(0, np.int64)), **more)


def test_corners_go_round() -> None:
    turned = state(scale=2.0, rotation=math.pi / 2)
    np.testing.assert_allclose(state().corners(), [[0.4, 0.4], [0.4, 0.6], [0.6, 0.6], [0.6, 0.4]])
    np.testing.assert_allclose(turned.corners(), [[0.7, 0.3], [0.3, 0.3], [0.3, 0.7], [0.7, 0.7]], atol=1e-12)
    assert is_convex(turned.corners())
    assert not is_convex(turned.corners()[::-1])
    assert not is_convex(turned.corners()[[0, 2, 1, 3]])


def test_how_far_points_are_outside() -> None:
    distances = state().distances(np.array([[0.5, 0.5], [0.35, 0.5], [0.5, 0.65]]))
    np.testing.assert_allclose(distances.max(1), [-0.1, 0.05, 0.05])
    np.testing.assert_allclose(distances[1], [0.05, -0.1, -0.25, -0.1])


def test_other_units_and_back() -> None:
    given = state(velocity=np.array([0.1, 0.2]), kinetic_energy=0.5, quad=state().corners())
    there = scaled(given, np.array([1.0, 0.75]), 2.0)
    np.testing.assert_allclose(there.velocity, [0.2, 0.3])
    assert there.kinetic_energy == 1.0
    assert there.quad is not None
    np.testing.assert_allclose(there.quad, state().corners() * (1, 0.75))
    back = scaled(there, np.array([1.0, 4 / 3]), 0.5)
    np.testing.assert_allclose(back.position, given.position)
    np.testing.assert_allclose(back.velocity, given.velocity)


def test_the_box_that_goes_out() -> None:
    box = to_timed_box(state(scale=1.5, rotation=0.2, confidence=0.5), 40)
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((0.35, 0.35, 0.65, 0.65))
    assert (box.rotation, box.time_ms, box.confidence) == (pytest.approx(0.2), 40, 0.5)


def test_between_two_boxes() -> None:
    quad = np.array([[0, 0], [0, 1], [1, 1], [1, 0]], np.float32)
    one = TimedBox(0.0, 0.0, 0.2, 0.2, 0.0, 100, quad=quad, aspect_ratio=1.0)
    other = TimedBox(0.4, 0.2, 0.6, 0.4, 0.2, 200, 5, quad=quad + 1, aspect_ratio=2.0, reacquisition=True)
    half = mix(one, other, 0.5, 0.5)
    assert (half.left, half.top, half.right, half.bottom) == pytest.approx((0.2, 0.1, 0.4, 0.3))
    assert (half.rotation, half.time_ms, half.box_id, half.reacquisition) == (pytest.approx(0.1), 150, 5, True)
    assert half.aspect_ratio == 1.5
    assert half.quad is not None
    np.testing.assert_allclose(half.quad, quad + 0.5)
    assert mix(one, replace(other, quad=None), 0.5, 0.5).quad is None


def test_tracking_data_forth_and_back() -> None:
    shift = models.translation(4, -2)
    positions = np.array([[10, 20], [100, 80], [254, 3]], np.int32)
    own = np.array([[0, 0], [5, 5], [0, 0]], np.float32)
    data = TrackingData((256, 192), ASPECT, shift, True, False, positions, own, np.arange(3, dtype=np.int32), (8,))
    to_before = from_tracking_data(data)
    scale = np.array([1 / 256, 0.75 / 192])
    np.testing.assert_allclose(to_before.positions, positions * scale)
    np.testing.assert_allclose(to_before.background, np.tile((4, -2) * scale, (3, 1)), atol=1e-7)
    np.testing.assert_allclose(to_before.own, own * scale)
    from_before = inverted(to_before)
    assert from_before.track_ids.tolist() == [0, 1], "the third has left the frame"
    np.testing.assert_allclose(from_before.positions, ([[14, 18], [109, 83]]) * scale, atol=1e-7)
    np.testing.assert_allclose(from_before.matches, positions[:2] * scale, atol=1e-7)
    np.testing.assert_allclose(from_before.background_model @ to_before.background_model, np.eye(3), atol=1e-6)
    assert from_before.discarded_track_ids == {8}


ROTATED = rotation_about(0.3, 0.2, 0.1, 1.1).astype(np.float32)

# degrees, with the camera, what the camera's motion does: scale, rotation in radians
DEGREES: list[tuple[Degrees, bool, float, float]] = [
    ("TRACKING_DEGREE_TRANSLATION", True, 1.0, 0.0),
    ("TRACKING_DEGREE_CAMERA_SCALE", True, 1.1, 0.0),
    ("TRACKING_DEGREE_CAMERA_ROTATION", True, 1.0, 0.1),
    ("TRACKING_DEGREE_CAMERA_ROTATION_SCALE", True, 1.1, 0.1),
    ("TRACKING_DEGREE_OBJECT_SCALE", True, 1.1, 0.0),
    ("TRACKING_DEGREE_OBJECT_ROTATION", True, 1.0, 0.1),
    ("TRACKING_DEGREE_OBJECT_ROTATION_SCALE", True, 1.1, 0.1),
    ("TRACKING_DEGREE_OBJECT_ROTATION_SCALE", False, 1.0, 0.0),
]


@pytest.mark.parametrize(("degrees", "with_camera", "scale", "rotation"), DEGREES)
def test_a_box_at_rest_moves_with_the_background(
    degrees: Degrees, with_camera: bool, scale: float, rotation: float
) -> None:
    options = TrackStepOptions(tracking_degrees=degrees, track_object_and_camera=with_camera)
    after = MotionBox(options, 0, state()).step(0, nothing(ROTATED), True)
    assert after is not None
    assert after.status == TrackStatus.TRACKED_OUT_OF_BOUND
    assert (after.scale, after.rotation) == (pytest.approx(scale, abs=1e-5), pytest.approx(rotation, abs=1e-5))
    center = models.transform(ROTATED, np.array([[0.5, 0.5 * HIGH]]))[0] / (1, HIGH)
    np.testing.assert_allclose(after.center, center, atol=1e-5)


def test_a_quad_at_rest_moves_with_the_background() -> None:
    quad = state().corners()
    options = TrackStepOptions(tracking_degrees="TRACKING_DEGREE_OBJECT_PERSPECTIVE", track_object_and_camera=True)
    after = MotionBox(options, 0, state(quad=quad)).step(0, nothing(ROTATED), True)
    assert after is not None
    assert after.quad is not None
    np.testing.assert_allclose(after.quad, models.transform(ROTATED, quad * (1, HIGH)) / (1, HIGH), atol=1e-5)
    bent = np.array([[0.4, 0.4], [0.6, 0.6], [0.4, 0.6], [0.6, 0.4]])
    assert MotionBox(options, 0, state(quad=bent)).step(0, nothing(ROTATED), True) is None
    outside = MotionBox(options, 0, state(1.5, 0.4, quad=quad + np.array([1.1, 0])))
    assert outside.step(0, nothing(ROTATED), True) is None


@pytest.mark.parametrize("own", [(0.01, 0.0), (-0.008, 0.006), (0.0, 0.0)])
@pytest.mark.parametrize("camera", [models.identity(), models.translation(-0.004, 0.002)])
def test_follows_its_points(own: tuple[float, float], camera: Model) -> None:
    box = MotionBox(TrackStepOptions(), 5, state())
    moved = np.array([0.4, 0.3])
    for frame in range(5, 15):
        part = (*moved, *(moved + np.array([0.2, 0.15])))
        after = box.step(frame, vectors(own, part, camera, 0.01), True)
        moved = moved + own + camera[:2, 2]
        assert after is not None
        assert after.status == TrackStatus.TRACKED
        np.testing.assert_allclose(after.position, moved / (1, HIGH), atol=2e-3)
    np.testing.assert_allclose(after.velocity, np.array(own) / (1, HIGH), atol=2e-3)
    assert after.prior_weight == 1.0
    last = box.state(15)
    assert last is after
    assert last.inlier_lengths.max() > 5


def test_back_as_forth() -> None:
    forth, back = MotionBox(TrackStepOptions(), 0, state()), MotionBox(TrackStepOptions(), 10, state())
    for frame in range(4):
        one = forth.step(frame, vectors((0.01, 0.0)), True)
        other = back.step(10 - frame, vectors((0.01, 0.0)), False)
        assert one is not None
        assert other is not None
        np.testing.assert_array_equal(one.position, other.position)
    assert back.state(6) is not None
    assert back.state(5) is None


def test_time_between_frames() -> None:
    slow, fast = (MotionBox(TrackStepOptions(), 0, state()) for _ in range(2))
    for frame in range(3):
        one = slow.step(frame, vectors((0.01, 0.0)), True)
        other = fast.step(frame, vectors((0.01, 0.0), duration_ms=1000 / 15), True)
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(other.velocity, one.velocity / 2, rtol=0.2)


def test_velocity_changes_slowly_where_points_on_the_object_are_lost() -> None:
    box = MotionBox(TrackStepOptions(), 0, state())
    for frame in range(6):
        left = 0.4 + 0.01 * frame
        assert box.step(frame, vectors((0.01, 0.0), (left, 0.3, left + 0.2, 0.45), step=0.01), True) is not None
    faster = vectors((0.013, 0.0), (0.46, 0.3, 0.66, 0.45), step=0.01)
    after = box.step(6, faster.select(np.arange(len(faster.positions)) % 2 == 0), True)
    assert after is not None
    assert after.inlier_ratio < 0.85
    assert 0.0105 < after.velocity[0] < 0.0115, "it keeps seven tenths of its velocity"


PULLED = [
    ((0.5, 0.5), 1.0, (0.0, 0.0)),
    ((0.515, 0.485), 1.0, (0.0, 0.0)),
    ((0.56, 0.42), 1.0, (0.04, -0.06)),
    ((0.56, 0.42), 0.5, (0.02, -0.03)),
    ((0.56, 0.42), 0.0, (0.0, 0.0)),
]


@pytest.mark.parametrize(("point", "force", "moved"), PULLED)
def test_pulled_towards_a_point(point: tuple[float, float], force: float, moved: tuple[float, float]) -> None:
    box = state()
    pull_towards(box, np.array(point), 0.1, force)
    np.testing.assert_allclose(box.position, np.array([0.4, 0.4]) + moved, atol=1e-12)


def test_pulled_towards_the_points_on_the_object() -> None:
    """The upper half of the box moves: with a force, the box moves up."""
    results = []
    for force in (0.0, 0.9):
        box = MotionBox(TrackStepOptions(inlier_spring_force=force), 0, state(height=0.3))
        for frame in range(8):
            left = 0.4 + 0.012 * frame
            after = box.step(frame, vectors((0.012, 0.0), (left, 0.3, left + 0.2, 0.38), step=0.01), True)
            assert after is not None
        results.append(after.position[1])
    assert results[0] == pytest.approx(0.4, abs=2e-3)
    assert results[1] < 0.395


def test_the_same_frame_again() -> None:
    box = MotionBox(TrackStepOptions(), 0, state())
    after = box.step(0, replace(vectors(), is_duplicated=True), True)
    assert after is not None
    assert after.status == TrackStatus.DUPLICATED
    np.testing.assert_array_equal(after.position, state().position)
    assert box.step(1, vectors((0.01, 0.0)), True) is not None


FAST = np.array([0.02, 0.0])
LOST: list[tuple[str, BoxState, MotionVectors]] = [
    ("no points under a moving box", state(velocity=FAST), nothing()),
    ("too thin", state(width=5e-4), vectors()),
    ("larger than anything", state(width=20000.0), vectors()),
    ("leaves to the right", state(0.95, velocity=FAST), vectors(tuple(FAST), (0.9, 0.25, 1.0, 0.5))),
    ("leaves to the left", state(-0.1, velocity=-FAST), vectors(tuple(-FAST), (0.0, 0.25, 0.15, 0.5))),
]


@pytest.mark.parametrize(("name", "start", "motion"), LOST, ids=[name for name, _, _ in LOST])
def test_lost(name: str, start: BoxState, motion: MotionVectors) -> None:
    assert MotionBox(TrackStepOptions(), 0, start).step(0, motion, True) is None, name


def test_unknown_background_without_points() -> None:
    box = MotionBox(TrackStepOptions(), 0, state())
    unknown = nothing(background_stable=False)
    assert box.step(0, unknown, True) is not None, "at the beginning nothing is known of the velocity"
    assert box.step(1, unknown, True) is None


def test_from_a_frame_that_is_not_known() -> None:
    box = MotionBox(TrackStepOptions(), 3, state())
    assert box.step(4, vectors(), True) is None
    assert box.step(2, vectors(), False) is None


def test_forgets_old_frames() -> None:
    box = MotionBox(TrackStepOptions(), 0, state())
    for frame in range(6):
        assert box.step(frame, vectors(), True) is not None
    box.trim(3, True)
    assert [frame for frame in range(8) if box.state(frame) is not None] == [4, 5, 6]
    box.trim(2, False)
    assert [frame for frame in range(8) if box.state(frame) is not None] == [4, 5]


def test_gives_up_after_many_frames_it_does_not_understand() -> None:
    options = TrackStepOptions(max_track_failures=3)
    box = MotionBox(options, 0, state())
    rng = np.random.default_rng(2)
    for frame in range(6):
        assert box.step(frame, vectors(), True) is not None
    understood = 0
    for frame in range(6, 20):
        points = vectors()
        directions = rng.uniform(0, 2 * math.pi, len(points.positions))
        chaos = replace(
            points,
            own=0.05 * np.stack([np.cos(directions), np.sin(directions)], 1),
            track_ids=(points.track_ids + 10000 * frame).astype(np.int32),
        )
        if box.step(frame, chaos, True) is None:
            break
        understood += 1
    assert understood == 2, "the third in four frames is too much"
