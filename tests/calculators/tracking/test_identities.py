"""Trackers and non-maximum suppression of people: what they are for, on made-up people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.payloads import Detection, NormalizedLandmarkList
from graphflow.calculators.tracking.keypoint_tracker import Person, PersonIdentities, PersonTracker
from graphflow.calculators.tracking.oks_nms import box_nms, oks_nms, soft_oks_nms
from graphflow.calculators.tracking.pose_flow import PoseFlow, PoseFlowIdentities, orb_correspondences
from graphflow.calculators.tracking.pose_nms import ALPHAPOSE, PoseNms, PoseNmsParameters, pose_nms, pose_similarity
from graphflow.calculators.tracking.pose_proposals import ProposalDistribution, sample_proposals

from graphflow.testing import run_calculator

Floats = npt.NDArray[np.float32]
FIGURE = np.random.default_rng(4).uniform(0, 1, (17, 2))


def _pose(x: float, y: float = 100.0, size: float = 100.0) -> Floats:
    return (FIGURE * size + (x, y)).astype(np.float32)


def _landmarks(x: float) -> NormalizedLandmarkList:
    xyz = np.zeros((17, 3), np.float32)
    xyz[:, :2] = _pose(x) / (640, 480)
    return NormalizedLandmarkList(xyz, visibility=np.full(17, 0.9, np.float32))


def _twin_similarity(poses: Floats, scores: Floats, reach: Floats, parameters: PoseNmsParameters) -> Floats:
    distance = np.linalg.norm(poses[:, None].astype(float) - poses[None], axis=3)
    sure = np.tanh(scores / parameters.delta1)
    within = reach[:, None, None] if parameters.reference == "paper" else 1.0
    alike = np.where(distance <= within, sure[:, None] * sure[None], 0).sum(axis=2)
    if parameters.reference == "paper":
        close = np.exp(-((distance / (parameters.delta2 * reach / parameters.alpha)[:, None, None]) ** 2)).sum(axis=2)
    else:
        close = np.exp(-distance / parameters.delta2).sum(axis=2)
    total: Floats = alike + parameters.mu * close
    return total


@pytest.mark.parametrize("parameters", [ALPHAPOSE, PoseNmsParameters()], ids=["alphapose", "paper"])
@pytest.mark.parametrize("seed", range(3))
def test_the_similarity_equals_its_twin(parameters: PoseNmsParameters, seed: int) -> None:
    rng = np.random.default_rng(seed)
    poses = (_pose(100)[None] + rng.normal(0, 3, (6, 17, 2))).astype(np.float32)
    poses[1] = poses[0]
    scores, reach = rng.random((6, 17), np.float32), rng.uniform(2, 20, 6).astype(np.float32)
    similarity, _ = pose_similarity(poses, scores, reach, parameters)
    np.testing.assert_allclose(similarity, _twin_similarity(poses, scores, reach, parameters), rtol=1e-4)


@pytest.mark.parametrize("parameters", [ALPHAPOSE, PoseNmsParameters()], ids=["alphapose", "paper"])
def test_two_poses_of_one_person_become_one(parameters: PoseNmsParameters) -> None:
    poses = np.stack([_pose(100), _pose(101), _pose(400)])
    scores = np.stack([np.full(17, each, np.float32) for each in (0.8, 0.9, 0.7)])
    boxes = np.concatenate([poses.min(axis=1), poses.max(axis=1)], axis=1)
    result = pose_nms(boxes, [1, 1, 1], poses, scores, parameters)
    assert result.picks.tolist() == [1, 2]
    assert [sorted(group) for group in result.groups] == [[0, 1], [2]]
    assert (result.poses[0, :, 0] > poses[0, :, 0]).all()
    assert (result.poses[0, :, 0] < poses[1, :, 0]).all()


def test_poses_that_say_nothing_are_dropped_and_nan_is_survived() -> None:
    poses, boxes = np.stack([_pose(100)] * 2), [[100, 100, 200, 200]] * 2
    weak = pose_nms(boxes, [1, 1], poses, np.full((2, 17), 0.2))
    assert len(weak.picks) == 0
    assert weak.poses.shape == (0, 17, 2)
    small = pose_nms(boxes, [1, 1], poses, np.full((2, 17), 0.9), replace(ALPHAPOSE, area_threshold=1e9))
    assert len(small.picks) == 0
    broken = poses.copy()
    broken[0] = np.nan
    assert len(pose_nms(boxes, [1, 1], broken, np.full((2, 17), 0.9)).picks) >= 1
    assert len(pose_nms(np.zeros((0, 4)), [], np.zeros((0, 17, 2)), np.zeros((0, 17))).picks) == 0
    with pytest.raises(ValueError, match="poses are"):
        pose_similarity(poses, np.ones((3, 17), np.float32), np.ones(2, np.float32))
    with pytest.raises(ValueError, match="2 poses, 1 boxes"):
        pose_nms(boxes[:1], [1, 1], poses, np.ones((2, 17)))


def test_the_calculator_keeps_one_pose_for_each_person() -> None:
    given = {"NORM_LANDMARKS": [(0, [_landmarks(100), _landmarks(100.5), _landmarks(400)]), (1, [])]}
    emitted = run_calculator(PoseNms, {**given, "IMAGE_SIZE": [(0, (640, 480)), (1, (640, 480))]})
    assert [len(people) for _, people in emitted["NORM_LANDMARKS"]] == [2, 0]
    assert emitted["PICKS"] == [(0, [0, 2]), (1, [])]
    np.testing.assert_allclose(emitted["NORM_LANDMARKS"][0][1][1].xyz, _landmarks(400).xyz, atol=1e-6)


def test_suppression_by_keypoints_and_by_boxes() -> None:
    people = np.stack([np.column_stack([_pose(x), np.ones(17)]) for x in (100, 101, 400)])
    areas = np.full(3, 10_000.0)
    assert oks_nms(people, [0.5, 0.9, 0.7], areas, 0.7).tolist() == [1, 2]
    assert soft_oks_nms(people, [0.8, 0.9, 0.7], areas, 0.7).tolist() == [1, 2, 0]
    assert soft_oks_nms(people, [0.8, 0.9, 0.7], areas, 0.7, most=2).tolist() == [1, 2]
    assert box_nms([[0, 0, 9, 9], [0, 0, 9, 8], [50, 50, 60, 60]], [0.5, 0.9, 0.7], 0.5).tolist() == [1, 2]
    for empty in (oks_nms([], [], [], 0.5), soft_oks_nms([], [], [], 0.5), box_nms([], [], 0.5)):
        assert empty.tolist() == []


def test_proposals_are_seeded_and_stay_near() -> None:
    boxes = np.tile([100.0, 100.0, 300.0, 400.0], (500, 1))
    found = sample_proposals(boxes, (640, 480), 3)
    np.testing.assert_array_equal(found, sample_proposals(boxes, (640, 480), 3))
    assert not np.array_equal(found, sample_proposals(boxes, (640, 480), 4))
    assert (found[:, 2:] > found[:, :2]).all()
    off = (found - boxes) / [200, 300, 200, 300]
    np.testing.assert_allclose(off.mean(axis=0), 0, atol=0.05)
    still = ProposalDistribution((0, 0, 0, 0), (0, 0, 0, 0), 0.0)
    np.testing.assert_array_equal(sample_proposals(boxes, (640, 480), 3, still), boxes)


@pytest.mark.parametrize("similarity", ["oks", "iou"])
def test_people_keep_their_identity_as_they_walk(similarity: str) -> None:
    frames = [[_landmarks(100 + 4 * t), _landmarks(400 - 4 * t)] for t in range(10)]
    frames[5] = [frames[5][1]]
    frames[6].reverse()
    given = {"NORM_LANDMARKS": [(t * 33_333, people) for t, people in enumerate(frames)]}
    ids = [value for _, value in run_calculator(PersonIdentities, given, {"similarity": similarity})["IDS"]]
    assert ids[4:8] == [[1, 2], [2], [2, 1], [1, 2]]


def test_a_track_ends_when_it_was_not_seen_for_long() -> None:
    person = Person(FIGURE / 2, np.ones(17))
    tracker = PersonTracker(max_age_us=100)
    assert [tracker.apply(time, [person]) for time in (0, 100, 201, 202)] == [[1], [1], [2], [2]]
    tracker.reset()
    assert tracker.apply(0, [person, person]) == [1, 2]


def test_detections_are_named() -> None:
    boxes = [Detection(np.array([x, 0.1, 0.2, 0.5], np.float32)) for x in (0.1, 0.6)]
    given = {"DETECTIONS": [(0, boxes), (1, boxes[::-1])]}
    emitted = run_calculator(PersonIdentities, given, {"similarity": "iou"})["DETECTIONS"]
    assert [[each.detection_id for each in people] for _, people in emitted] == [[1, 2], [2, 1]]


def _scene(x: int, other: int) -> npt.NDArray[np.uint8]:
    texture = np.random.default_rng(0).integers(0, 256, (2, 120, 100), dtype=np.uint8)
    image = np.full((480, 640), 90, np.uint8)
    image[90:210, x : x + 100] = texture[0]
    image[90:210, other : other + 100] = texture[1]
    return image


def test_pose_flow_follows_the_image_where_poses_alone_would_swap() -> None:
    places = [(100 + 12 * t, 300 - 12 * t) for t in range(12)]
    images = [(t, _scene(x, other)) for t, (x, other) in enumerate(places)]
    people = [(t, [_landmarks(x), _landmarks(other)]) for t, (x, other) in enumerate(places)]
    given = {"IMAGE": images, "NORM_LANDMARKS": people}
    ids = [value for _, value in run_calculator(PoseFlowIdentities, given)["IDS"]]
    assert all(sorted(each) == [1, 2] for each in ids)
    assert ids[:6] == [[1, 2]] * 6
    moved = orb_correspondences(images[0][1], images[1][1])
    assert np.median(np.abs(moved[:, 2:] - moved[:, :2])[:, 0]) == pytest.approx(12, abs=1)


def test_pose_flow_remembers_whoever_left_and_survives_empty_frames() -> None:
    flow = PoseFlow((640, 480))
    assert flow.apply([_pose(100)], [0.9], None) == ([1], [0.0])
    assert flow.apply([], [], None) == ([], [])
    ids, scores = flow.apply([_pose(101), _pose(500)], [0.9, 0.9], None)
    assert ids == [1, 2]
    assert scores[0] > 1.5
    blank = np.zeros((48, 64), np.uint8)
    still = orb_correspondences(blank, blank)
    np.testing.assert_array_equal(still[:, :2], still[:, 2:])
