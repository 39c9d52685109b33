"""Boxes over pictures: what MediaPipe's own tests of its tracker ask for, and scenes that it has no tests for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest
from graphflow.calculators.tracking.box_tracker import BoxTracker
from graphflow.calculators.tracking.timed_box import TimedBox
from tracking_scenes import Scene, bounds, overlap, rotation_about, shift, texture

import graphflow
from graphflow import GraphConfigError
from graphflow.testing import run_calculator

GRAPH = """
graph: Tracker
params:
  track: {}
  cache: 100
  transition: 0
  downsampling: DOWNSAMPLE_NONE
inputs:
  IMAGE: image
  START_POS: start_pos
  RESTART_POS: restart_pos
  CANCEL: cancel
  RA_TRACK: ra_track
  TRACK_TIME: track_time
outputs: {BOXES: boxes, RA_BOXES: ra_boxes}
nodes:
  analysis:
    calculator: MotionAnalysis
    inputs: {VIDEO: image}
    outputs: {FLOW: flow, CAMERA: camera}
    options:
      analysis_options:
        analysis_policy: ANALYSIS_POLICY_CAMERA_MOBILE
        flow_options:
          downsample_mode: $downsampling
          frac_inlier_error_threshold: 3.0e-3
          verification_distance: 5.0
          verify_long_feature_acceleration: true
          verify_long_feature_trigger_ratio: 0.1
          tracking_options:
            max_features: 500
            adaptive_extraction_levels: 2
            min_eig_val_settings: {adaptive_lowest_quality_level: 2.0e-4}
  packager:
    calculator: FlowPackager
    inputs: {FLOW: flow, CAMERA: camera}
    outputs: {TRACKING: tracking}
    options: {flow_packager_options: {binary_tracking_data_support: false}}
  tracker:
    calculator: BoxTracker
    inputs:
      TRACKING: tracking
      TRACK_TIME: track_time
      START_POS: start_pos
      RESTART_POS: restart_pos
      CANCEL_OBJECT_ID: cancel
      RA_TRACK: ra_track
    outputs: {BOXES: boxes, RA_BOXES: ra_boxes}
    input_policy:
      name: sync_sets
      sync_set:
        - {tag_index: [TRACKING, TRACK_TIME]}
        - {tag_index: [START_POS]}
        - {tag_index: [RESTART_POS]}
        - {tag_index: [CANCEL_OBJECT_ID]}
        - {tag_index: [RA_TRACK]}
    options:
      tracker_options: {track_step_options: $track}
      streaming_track_data_cache_size: $cache
      start_pos_transition_frames: $transition
"""

STEP_US = 30_000
BOX_SCALE: dict[str, Any] = {
    "track_object_and_camera": True,
    "tracking_degrees": "TRACKING_DEGREE_OBJECT_SCALE",
    "inlier_spring_force": 0.0,
    "static_motion_temporal_ratio": 3e-2,
}
QUAD: dict[str, Any] = BOX_SCALE | {
    "tracking_degrees": "TRACKING_DEGREE_OBJECT_PERSPECTIVE",
    "object_similarity_min_contd_inliers": 10,
}

Boxes = dict[int, list[TimedBox]]
Step = tuple[str, Any, int]


def track(steps: Iterable[Step], **params: Any) -> tuple[Boxes, Boxes]:
    """The boxes by timestamp, on BOXES and RA_BOXES, after packets of (stream, value, timestamp) one after another."""
    graph = graphflow.load(GRAPH, params=params)
    found: tuple[Boxes, Boxes] = ({}, {})
    for name, values in zip(("boxes", "ra_boxes"), found, strict=True):
        graph.observe(name, lambda packet, values=values: values.__setitem__(packet.timestamp, packet.value))
    graph.start()
    for stream, value, timestamp in steps:
        graph.add_packet(stream, value, timestamp)
        graph.wait_until_idle()
    graph.close_all_inputs()
    graph.wait_until_done()
    return found


def by_frame(pictures: Iterable[Any]) -> list[list[Step]]:
    """The packets of each frame."""
    return [[("image", picture, i * STEP_US), ("track_time", i, i * STEP_US)] for i, picture in enumerate(pictures)]


def frames(pictures: Iterable[Any]) -> list[Step]:
    """The packets of all frames."""
    return [step for steps in by_frame(pictures) for step in steps]


# MediaPipe's tracking_graph_test: a picture of which each frame shows a part ten pixels further right and down

SHIFT = 10
COUNT = 8
SIDE = 512 - SHIFT * COUNT
START = np.array([[0.25, 0.25], [0.25, 0.75], [0.75, 0.75], [0.75, 0.25]])
NEAR = 1e-3


@pytest.fixture(scope="module")
def sliding() -> list[Any]:
    picture = texture(512, 512, 5)
    return [np.ascontiguousarray(picture[i * SHIFT : i * SHIFT + SIDE, i * SHIFT : i * SHIFT + SIDE]) for i in range(8)]


def start_box(time_us: int, box_id: int = 0, quad: bool = False, plane: bool = False, again: bool = False) -> TimedBox:
    place = (0.0, 0.0, 0.0, 0.0) if quad else (0.25, 0.25, 0.75, 0.75)
    return TimedBox(
        *place,
        time_ms=time_us // 1000,
        box_id=box_id,
        quad=START.astype(np.float32) if quad else None,
        aspect_ratio=1.0 if plane else None,
        reacquisition=again,
    )


def assert_at_frame(box: TimedBox, frame: float, quad: bool, plane: bool = False, again: bool = False) -> None:
    expected = START - frame * SHIFT / SIDE
    assert box.reacquisition == again
    if quad:
        assert box.quad is not None
        assert box.aspect_ratio == (pytest.approx(1.0, abs=NEAR) if plane else None)
        np.testing.assert_allclose(box.quad, expected, atol=NEAR)
    else:
        assert box.rotation == pytest.approx(0.0, abs=NEAR)
        np.testing.assert_allclose((box.left, box.top, box.right, box.bottom), bounds(expected), atol=NEAR)


def test_box_on_the_background(sliding: list[Any]) -> None:
    steps = [("start_pos", [start_box(0)], 0), *frames(sliding)]
    found, _ = track(steps, track=BOX_SCALE)
    assert sorted(found) == [i * STEP_US for i in range(COUNT)]
    for i in range(COUNT):
        assert len(found[i * STEP_US]) == 1
        assert_at_frame(found[i * STEP_US][0], i, quad=False)


KINDS = [(True, False, True), (True, True, False), (False, False, True)]
"""quad, plane, reacquisition of the boxes 0, 1, 2."""


def all_kinds(time_us: int, again: bool | None = None) -> list[TimedBox]:
    return [
        start_box(time_us, i, quad, plane, kept if again is None else again)
        for i, (quad, plane, kept) in enumerate(KINDS)
    ]


def test_quads_planes_and_boxes_at_once(sliding: list[Any]) -> None:
    found, _ = track([("start_pos", all_kinds(0), 0), *frames(sliding)], track=QUAD)
    assert sorted(found) == [i * STEP_US for i in range(COUNT)]
    for i in range(COUNT):
        assert [box.box_id for box in found[i * STEP_US]] == [0, 1, 2]
        for box, (quad, plane, again) in zip(found[i * STEP_US], KINDS, strict=True):
            assert_at_frame(box, i, quad, plane, again)


def test_other_times_forth_and_back(sliding: list[Any]) -> None:
    box, back = start_box(0, quad=True, plane=True), start_box(STEP_US + 1000, quad=True, plane=True)
    asked = [box, start_box(2 * STEP_US), back, start_box(0)]
    steps = [("start_pos", [box], 0), *frames(sliding), ("ra_track", asked, 0)]
    found, at_other_times = track(steps, track=QUAD)
    assert list(at_other_times) == [0]
    forth, back_then = at_other_times[0]
    forward = found[2 * STEP_US][0]
    assert forward.quad is not None
    assert forth.quad is not None
    np.testing.assert_allclose(forth.quad, forward.quad, atol=NEAR)
    assert_at_frame(forth, 2, quad=True, plane=True)
    # it begins a little after frame 1, that is with the motion from frame 2 to it, and goes on to frame 0
    assert_at_frame(back_then, -2, quad=True, plane=True)


def test_other_times_beyond_the_cache(sliding: list[Any]) -> None:
    second, last = 1_000_000, (COUNT - 1) * STEP_US
    spans = [
        (-second, last),
        (0, last),
        (STEP_US, last + second),
        (last + second, last + 2 * second),
        (0, -second),
        (last, 0),
        (last, -second),
        (last + second, STEP_US),
    ]
    asked = [start_box(time, quad=True, plane=True) for span in spans for time in span]
    _, at_other_times = track([*frames(sliding), ("ra_track", asked, 0)], track=QUAD, cache=COUNT - 1)
    assert at_other_times == {0: []}


def test_moves_over_to_the_place_it_begins_anew_at(sliding: list[Any]) -> None:
    restart, transition = 3, 3
    steps: list[Step] = [("start_pos", all_kinds(0, True), 0)]
    for i, packets in enumerate(by_frame(sliding)):
        if i:
            steps.append(("track_time", 0, i * STEP_US - STEP_US // 2))
        steps += packets
        if i == restart:
            steps.append(("restart_pos", all_kinds(restart * STEP_US, True), restart * STEP_US))
    found, _ = track(steps, track=QUAD, transition=transition)
    assert sorted(found) == [i * STEP_US // 2 for i in range(2 * COUNT - 1)]
    for i in range(2 * COUNT - 1):
        frame = i / 2
        since = frame - restart
        expected = since + max(0.0, restart * (1 - since / transition)) if since > 0 else frame
        for box, (quad, plane, _) in zip(found[i * STEP_US // 2], KINDS, strict=True):
            assert_at_frame(box, expected, quad, plane, again=True)


def test_forgets_a_box(sliding: list[Any]) -> None:
    steps: list[Step] = [("start_pos", [start_box(0, 4), start_box(0, 5)], 0)]
    for i, packets in enumerate(by_frame(sliding)):
        steps += [("cancel", 4, 1)] if i == 3 else [("cancel", 9, 2)] if i == 4 else []
        steps += packets
    found, _ = track(steps, track=BOX_SCALE)
    assert [[box.box_id for box in found[i * STEP_US]] for i in range(COUNT)] == [[4, 5]] * 3 + [[5]] * 5


def test_catches_up_with_a_box_of_the_past(sliding: list[Any]) -> None:
    steps: list[Step] = []
    for i, packets in enumerate(by_frame(sliding)):
        steps += packets
        if i == 5:
            steps.append(("start_pos", [start_box(2 * STEP_US)], 1))
    found, _ = track(steps, track=BOX_SCALE)
    assert [len(found[i * STEP_US]) for i in range(COUNT)] == [0] * 6 + [1] * 2
    assert_at_frame(found[7 * STEP_US][0], 5, quad=False)
    forgetful, _ = track(steps, track=BOX_SCALE, cache=0)
    assert not any(forgetful.values()), "frame 2 is not there any more"


BEGIN = 2
"""The frame that boxes of the scenes begin at: from the first one on, nothing is known about points."""

# name, camera and patch by frame, frames, least overlap, degrees


def _moving(i: int) -> tuple[Any, Any]:
    return shift(-2 * i, -i), shift(150 + 4 * i, 120 + 2 * i)


def _growing(i: int) -> tuple[Any, Any]:
    return shift(-i, 0), shift(200 + 2 * i, 180 + i) @ rotation_about(60, 60, 0, 1.01**i)


def _turning(i: int) -> tuple[Any, Any]:
    return shift(-i, i), shift(260 - 2 * i, 160) @ rotation_about(60, 60, 0.02 * i)


def _resting(i: int) -> tuple[Any, Any]:
    return rotation_about(320, 240, 0.004 * i, 1 + 0.002 * i), rotation_about(
        320, 240, 0.004 * i, 1 + 0.002 * i
    ) @ shift(200, 150)


def _zooming(i: int) -> tuple[Any, Any]:
    return rotation_about(320, 240, 0, 1.004**i), shift(150 + 3 * i, 200)


SCENES = [
    ("patch and camera move", _moving, 30, 0.99, "TRACKING_DEGREE_OBJECT_SCALE"),
    ("patch grows", _growing, 25, 0.98, "TRACKING_DEGREE_OBJECT_SCALE"),
    ("patch turns", _turning, 25, 0.95, "TRACKING_DEGREE_OBJECT_ROTATION_SCALE"),
    ("patch belongs to a turning, growing background", _resting, 25, 0.98, "TRACKING_DEGREE_OBJECT_ROTATION_SCALE"),
    ("patch moves before a growing background", _zooming, 25, 0.97, "TRACKING_DEGREE_OBJECT_SCALE"),
]


@pytest.mark.parametrize(("name", "motion", "count", "least", "degrees"), SCENES, ids=[scene[0] for scene in SCENES])
def test_follows_a_patch(name: str, motion: Any, count: int, least: float, degrees: str) -> None:
    results = follow([motion(i) for i in range(count)], {}, tracking_degrees=degrees)
    overlaps = [result[0] if result is not None else 0.0 for result in results[BEGIN:]]
    assert min(overlaps) > least, f"{name}: {min(overlaps):.3f} at frame {BEGIN + int(np.argmin(overlaps))}"


def scene_corners(box: TimedBox, size: tuple[int, int]) -> Any:
    """A box's corners, normalized, rotated in pixels."""
    corners = np.array([[box.left, box.top], [box.left, box.bottom], [box.right, box.bottom], [box.right, box.top]])
    pixels = corners * size
    middle = pixels.mean(0)
    turn = rotation_about(*middle, box.rotation)
    return (np.concatenate([pixels, np.ones((4, 1))], 1) @ turn.T)[:, :2] / size


def follow(poses: list[tuple[Any, Any]], covers: dict[int, Any], **options: Any) -> list[tuple[float, float] | None]:
    """Overlap with the truth and confidence of a box on the patch at each frame, None where it is not there."""
    scene = Scene()
    first = bounds(scene.corners(poses[BEGIN][1]))
    pictures = [scene.picture(*pose, covers.get(i)) for i, pose in enumerate(poses)]
    start = TimedBox(*first, time_ms=BEGIN * STEP_US // 1000, box_id=1)
    options = BOX_SCALE | {"object_similarity_min_contd_inliers": 10} | options
    found, _ = track(
        [("start_pos", [start], 0), *frames(pictures)], track=options, downsampling="DOWNSAMPLE_TO_INPUT_SIZE"
    )
    results: list[tuple[float, float] | None] = []
    for i, (_, patch) in enumerate(poses):
        boxes = found[i * STEP_US]
        truth = bounds(scene.corners(patch))
        results.append(
            (overlap(bounds(scene_corners(boxes[0], scene.size)), truth), boxes[0].confidence) if boxes else None
        )
    return results


def test_leaves_the_image() -> None:
    poses = [(shift(-i, 0), shift(300 + 12 * i, 150)) for i in range(40)]
    results = follow(poses, {}, static_motion_temporal_ratio=3e-3)
    gone = results.index(None, BEGIN)
    place = 300 + 12 * gone
    assert 640 - 120 < place < 640, f"lost while it leaves on the right, not at {place}"
    assert all(result is not None and result[0] > 0.9 for result in results[BEGIN : (640 - 300 - 120) // 12])
    assert results[gone:] == [None] * (40 - gone)


@pytest.mark.slow
def test_passes_behind_something_narrow() -> None:
    poses = [(shift(-i, 0), shift(60 + 6 * i, 150)) for i in range(55)]
    results = follow(poses, dict.fromkeys(range(55), (300, 0, 320, 480)))
    assert all(result is not None and result[0] > 0.75 for result in results[BEGIN:])


@pytest.mark.parametrize("activated", [True, False])
def test_is_hidden(activated: bool) -> None:
    poses = [(shift(-i, 0), shift(100 + 3 * i, 150)) for i in range(40)]
    covers = dict.fromkeys(range(20, 40), (60, 90, 420, 340))
    results = follow(poses, covers, cancel_tracking_with_occlusion_options={"activated": activated})
    assert all(result is not None and result[0] > 0.95 for result in results[BEGIN:20])
    if activated:
        assert results[21:] == [None] * 19
    else:
        confidences = [result[1] for result in results[21:] if result is not None]
        assert confidences, "it goes on"
        assert confidences[0] < 0.5, "but is not sure any more"


def test_frames_that_come_twice_change_nothing() -> None:
    poses = [_moving(i) for i in range(20)]
    twice = [pose for pose in poses for _ in range(2)]
    results = follow(twice, {})
    assert all(result is not None and result[0] > 0.98 for result in results[BEGIN:])


UNKNOWN: list[tuple[Mapping[str, Any], str]] = [
    ({"visualize_state": True}, "visualize_state"),
    ({"tracker_options": {"num_tracking_workers": 2}}, "num_tracking_workers"),
    ({"tracker_options": {"track_step_options": {"return_internal_state": True}}}, "return_internal_state"),
    ({"tracker_options": {"track_step_options": {"irls_initialization": {"activated": True}}}}, "irls_initialization"),
    (
        {"tracker_options": {"track_step_options": {"tracking_degrees": "TRACKING_DEGREE_CAMERA_PERSPECTIVE"}}},
        "tracking_degrees",
    ),
    ({"initial_position": {"box": [{"left": 0, "top": 0, "right": 1, "bottom": 1, "id": -1}]}}, "initial_position"),
]


@pytest.mark.parametrize(("options", "named"), UNKNOWN, ids=[named for _, named in UNKNOWN])
def test_options_that_do_not_exist(options: Mapping[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        run_calculator(BoxTracker, {"TRACKING": []}, options)


def test_options_that_do_not_exist_in_a_graph() -> None:
    with pytest.raises(GraphConfigError, match="spatial_prior"):
        graphflow.load(GRAPH, params={"track": BOX_SCALE | {"compute_spatial_prior": True}})


def test_asked_in_pairs_only() -> None:
    with pytest.raises(ValueError, match="pairs"):
        run_calculator(BoxTracker, {"TRACKING": [], "RA_TRACK": [(0, [start_box(0)])]})


def test_initial_position(sliding: list[Any]) -> None:
    text = GRAPH.replace(
        "      start_pos_transition_frames",
        "      initial_position: {box: [{left: 0.25, top: 0.25, right: 0.75, bottom: 0.75, time_msec: 60, id: 3}]}\n"
        "      start_pos_transition_frames",
    )
    graph = graphflow.load(text, params={"track": BOX_SCALE})
    found: Boxes = {}
    graph.observe("boxes", lambda packet: found.__setitem__(packet.timestamp, packet.value))
    graph.start()
    for stream, value, timestamp in frames(sliding):
        graph.add_packet(stream, value, timestamp)
    graph.close_all_inputs()
    graph.wait_until_done()
    assert [len(found[i * STEP_US]) for i in range(COUNT)] == [0, 0, 1, 1, 1, 1, 1, 1]
    assert found[7 * STEP_US][0].box_id == 3
    assert_at_frame(found[7 * STEP_US][0], 5, quad=False)
