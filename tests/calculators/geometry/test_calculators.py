"""What the geometry calculators do beside their arithmetic: absent packets, several connections, wrong use."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from graphflow.calculators.geometry.association import AssociationNormRect
from graphflow.calculators.geometry.detection_transformation import DetectionTransformation
from graphflow.calculators.geometry.detections_to_rects import (
    AlignmentPointsRects,
    DetectionsToRects,
    HandDetectionsFromPoseToRects,
)
from graphflow.calculators.geometry.hand_rect import HandLandmarksToRect
from graphflow.calculators.geometry.landmarks_to_detection import LandmarksToDetection
from graphflow.calculators.geometry.letterbox import DetectionLetterboxRemoval, LandmarkLetterboxRemoval
from graphflow.calculators.geometry.projection import (
    DetectionProjection,
    InverseMatrix,
    LandmarkProjection,
    WorldLandmarkProjection,
)
from graphflow.calculators.geometry.rect_transformation import RectTransformation
from graphflow.calculators.geometry.refinement import LandmarksRefinement
from graphflow.calculators.geometry.roi_tracking import RoiTracking
from graphflow.calculators.geometry.thresholding import Thresholding
from graphflow.calculators.geometry.visibility import LandmarkVisibility, SetLandmarkVisibility, VisibilityCopy
from graphflow.calculators.payloads import Detection, LandmarkList, NormalizedLandmarkList, NormalizedRect, Rect

from graphflow import Calculator, registry
from graphflow.testing import run_calculator

SIZE = (640, 480)
ROI = NormalizedRect(0.5, 0.5, 0.5, 0.5, math.pi / 2)
POINTS = NormalizedLandmarkList(
    np.float32([[0.25, 0.5, 0.125], [0.75, 0.25, -0.5]]), np.float32([0.9, 0.1]), np.float32([0.8, 0.2])
)
PADDING = np.float32([0.25, 0.0, 0.25, 0.0])
BOX = Detection(np.float32([0.25, 0.25, 0.5, 0.25]), np.float32([0.5]), keypoints=np.float32([[0.5, 0.5], [0.5, 0.25]]))
PIXELS = Detection(np.float32([10, 21, 30, 41]), box_format="pixel", keypoints=BOX.keypoints)


def _run(calculator: type[Calculator], outputs: str, options: dict[str, Any] | None = None, **inputs: Any) -> list[Any]:
    """The values a calculator emits, all inputs being at one timestamp; `TAG_0` means `TAG:0`."""
    fed = {name.replace("__", ":").removeprefix("_"): [(0, value)] for name, value in inputs.items()}
    emitted = run_calculator(calculator, fed, options, outputs=outputs.split())
    return [value for packets in emitted.values() for _, value in packets]


NAMES = [
    "AlignmentPointsRects", "AssociationNormRect", "DetectionLetterboxRemoval", "DetectionProjection",
    "DetectionTransformation", "DetectionsToRects", "HandDetectionsFromPoseToRects", "HandLandmarksToRect",
    "InverseMatrix", "LandmarkLetterboxRemoval", "LandmarkProjection", "LandmarkVisibility", "LandmarksRefinement",
    "LandmarksSmoothing", "LandmarksToDetection", "RectTransformation", "RoiTracking", "SetLandmarkVisibility",
    "Thresholding", "VisibilityCopy", "VisibilitySmoothing", "WorldLandmarkProjection",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_found_by_mediapipes_name(name: str) -> None:
    assert registry.find(f"{name}Calculator").__name__ == name


def test_detections_leave_the_letterbox_but_pixels_stay() -> None:
    first, second = _run(
        DetectionLetterboxRemoval, "DETECTIONS", DETECTIONS=[BOX, PIXELS], LETTERBOX_PADDING=PADDING
    )[0]
    assert first.box.tolist() == [0.0, 0.25, 1.0, 0.25]
    assert first.keypoints.tolist() == [[0.5, 0.5], [0.5, 0.25]]
    assert first.scores is BOX.scores
    assert second.box is PIXELS.box


def test_landmarks_of_several_streams_leave_the_letterbox() -> None:
    outputs = "LANDMARKS:0 LANDMARKS:1"
    found = _run(
        LandmarkLetterboxRemoval, outputs, LANDMARKS__0=POINTS, LANDMARKS__1=POINTS, LETTERBOX_PADDING=PADDING
    )
    assert [each.xyz.tolist() for each in found] == [[[0.0, 0.5, 0.25], [1.0, 0.25, -1.0]]] * 2
    assert found[0].visibility is POINTS.visibility


def test_landmarks_are_projected_by_rectangle_or_matrix() -> None:
    by_rect = _run(LandmarkProjection, "NORM_LANDMARKS", NORM_LANDMARKS=POINTS, NORM_RECT=ROI)[0]
    np.testing.assert_allclose(by_rect.xyz, [[0.5, 0.375, 0.0625], [0.625, 0.625, -0.25]], atol=1e-6)
    upright = _run(
        LandmarkProjection, "NORM_LANDMARKS", {"ignore_rotation": True}, NORM_LANDMARKS=POINTS, NORM_RECT=ROI
    )[0]
    np.testing.assert_allclose(upright.xyz, [[0.375, 0.5, 0.0625], [0.625, 0.375, -0.25]], atol=1e-6)
    with_size = _run(
        LandmarkProjection, "NORM_LANDMARKS", NORM_LANDMARKS=POINTS, NORM_RECT=ROI, IMAGE_DIMENSIONS=(200, 200)
    )[0]
    np.testing.assert_allclose(with_size.xyz, by_rect.xyz, atol=1e-6)
    matrix = np.diag(np.float32([2.0, 3.0, 1.0, 1.0]))
    by_matrix = _run(LandmarkProjection, "NORM_LANDMARKS", NORM_LANDMARKS=POINTS, PROJECTION_MATRIX=matrix)[0]
    assert by_matrix.xyz.tolist() == [[0.5, 1.5, 0.25], [1.5, 0.75, -1.0]]
    assert by_matrix.presence is POINTS.presence


def test_the_rectangle_around_a_projected_detection_is_upright() -> None:
    turn = np.float32([[0, -1, 0, 1], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    found = _run(DetectionProjection, "DETECTIONS", DETECTIONS=[BOX], PROJECTION_MATRIX=turn)[0][0]
    assert found.box.tolist() == [0.5, 0.25, 0.25, 0.5]
    assert found.keypoints.tolist() == [[0.5, 0.5], [0.75, 0.5]]


def test_a_matrix_times_its_inverse() -> None:
    matrix = np.random.default_rng(1).normal(size=(4, 4)).astype(np.float32)
    np.testing.assert_allclose(_run(InverseMatrix, "MATRIX", MATRIX=matrix)[0] @ matrix, np.eye(4), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "output", "detections", "expected"),
    [
        ({}, "NORM_RECT", [BOX, BOX], NormalizedRect(0.5, 0.375, 0.5, 0.25)),
        ({}, "NORM_RECTS", [BOX, BOX], [NormalizedRect(0.5, 0.375, 0.5, 0.25)] * 2),
        ({}, "RECT", [PIXELS], Rect(25, 41, 30, 41)),
        ({}, "RECTS", [PIXELS], [Rect(25, 41, 30, 41)]),
        ({"conversion_mode": "USE_KEYPOINTS"}, "NORM_RECT", [BOX], NormalizedRect(0.5, 0.375, 0.0, 0.25)),
        ({"conversion_mode": "USE_KEYPOINTS"}, "RECT", [BOX], Rect(320, 180, 0, 120)),
        ({"output_zero_rect_for_empty_detections": True}, "NORM_RECT", [], NormalizedRect(0.0, 0.0, 0.0, 0.0)),
        ({"output_zero_rect_for_empty_detections": True}, "NORM_RECTS", [], [NormalizedRect(0.0, 0.0, 0.0, 0.0)]),
        ({"output_zero_rect_for_empty_detections": True}, "RECT", [], Rect(0, 0, 0, 0)),
        ({"output_zero_rect_for_empty_detections": True}, "RECTS", [], None),
        ({}, "NORM_RECT", [], None),
    ],
)
def test_detections_to_rects(options: dict[str, Any], output: str, detections: list[Detection], expected: Any) -> None:
    found = _run(DetectionsToRects, output, options, DETECTIONS=detections, IMAGE_SIZE=SIZE)
    assert found == ([] if expected is None else [expected])


@pytest.mark.parametrize("angle", [{"rotation_vector_target_angle_degrees": 0}, {"rotation_vector_target_angle": 0.0}])
def test_key_points_give_the_rotation(angle: dict[str, float]) -> None:
    options = {"rotation_vector_start_keypoint_index": 0, "rotation_vector_end_keypoint_index": 1} | angle
    rect = _run(DetectionsToRects, "NORM_RECT", options, DETECTION=BOX, IMAGE_SIZE=SIZE)[0]
    assert rect.rotation == pytest.approx(-math.pi / 2)
    square = _run(AlignmentPointsRects, "NORM_RECT", options, DETECTION=BOX, IMAGE_SIZE=SIZE)[0]
    assert tuple(square) == pytest.approx((0.5, 0.5, 0.375, 0.5, -math.pi / 2))


def test_a_rotation_waits_for_the_image_size() -> None:
    options = {
        "rotation_vector_start_keypoint_index": 0,
        "rotation_vector_end_keypoint_index": 1,
        "rotation_vector_target_angle": 0.0,
    }
    inputs = {"DETECTION": [(0, BOX), (1, BOX)], "IMAGE_SIZE": [(1, SIZE)]}
    found = run_calculator(DetectionsToRects, inputs, options, outputs=["NORM_RECT"])["NORM_RECT"]
    assert [timestamp for timestamp, _ in found] == [1]


def test_rects_of_every_kind_are_transformed() -> None:
    pixels, rect = Rect(10, 10, 20, 40), NormalizedRect(0.5, 0.5, 0.5, 0.25)
    options = {"scale_x": 2.0, "shift_y": 0.5, "square_long": True}
    assert _run(RectTransformation, "0", options, RECT=pixels) == [Rect(10, 30, 80, 40)]
    assert _run(RectTransformation, "0", options, RECTS=[pixels]) == [[Rect(10, 30, 80, 40)]]
    wide = NormalizedRect(0.5, 0.625, 1.0, 0.5)
    assert _run(RectTransformation, "0", options, NORM_RECT=rect, IMAGE_SIZE=(100, 100)) == [wide]
    assert _run(RectTransformation, "0", options, NORM_RECTS=[rect, rect], IMAGE_SIZE=(100, 100)) == [[wide, wide]]


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, True),
        ({"rect_requirements": {}}, True),
        ({"rect_requirements": {"rotation_degrees": 1.0}}, False),
        ({"rect_requirements": {"translation": 0.0}}, False),
        ({"landmarks_requirements": {}}, True),
        ({"landmarks_requirements": {"recrop_rect_margin": -0.9}}, False),
        ({"iou_requirements": {"min_iou": 0.5}}, True),
        ({"iou_requirements": {"min_iou": 0.99}}, False),
    ],
)
def test_roi_tracking(options: dict[str, Any], kept: bool) -> None:
    previous, recrop = NormalizedRect(0.52, 0.5, 0.8, 0.8, 0.1), NormalizedRect(0.5, 0.5, 0.8, 0.8)
    found = _run(
        RoiTracking,
        "TRACKING_RECT",
        options,
        PREV_LANDMARKS=POINTS,
        PREV_LANDMARKS_RECT=previous,
        RECROP_RECT=recrop,
        IMAGE_SIZE=SIZE,
    )
    assert found == [previous if kept else recrop]
    alone = run_calculator(
        RoiTracking,
        {"PREV_LANDMARKS": [], "PREV_LANDMARKS_RECT": [(1, previous)], "RECROP_RECT": [(0, recrop)], "IMAGE_SIZE": []},
        options,
    )
    assert alone["TRACKING_RECT"] == [(0, recrop)]


def test_some_landmarks_make_a_detection() -> None:
    found = _run(LandmarksToDetection, "DETECTION", {"selected_landmark_indices": 1}, NORM_LANDMARKS=POINTS)[0]
    assert found.box.tolist() == [0.75, 0.25, 0.0, 0.0]
    assert found.keypoints.tolist() == [[0.75, 0.25]]


def test_visibility_is_copied_read_and_set() -> None:
    world = LandmarkList(np.zeros((3, 3), np.float32), np.ones(3, np.float32))
    copied = _run(VisibilityCopy, "LANDMARKS_TO", NORM_LANDMARKS_FROM=POINTS, LANDMARKS_TO=world)[0]
    assert (copied.visibility.tolist(), copied.presence.tolist()) == (
        POINTS.visibility.tolist(),  # type: ignore[union-attr]
        POINTS.presence.tolist(),  # type: ignore[union-attr]
    )
    assert len(copied) == 2
    kept = _run(
        VisibilityCopy,
        "LANDMARKS_TO",
        {"copy_visibility": False, "copy_presence": False},
        LANDMARKS_FROM=LandmarkList(world.xyz),
        LANDMARKS_TO=world,
    )[0]
    assert (kept.visibility.tolist(), kept.presence) == ([1.0, 1.0, 1.0], None)
    blank = _run(VisibilityCopy, "LANDMARKS_TO", LANDMARKS_FROM=LandmarkList(world.xyz), LANDMARKS_TO=world)[0]
    assert blank.visibility.tolist() == [0.0, 0.0, 0.0]
    one = NormalizedLandmarkList(POINTS.xyz[:1])
    assert _run(LandmarkVisibility, "VISIBILITY", NORM_LANDMARKS=one) == [0.0]
    changed = _run(SetLandmarkVisibility, "NORM_LANDMARKS", NORM_LANDMARKS=one, VISIBILITY=0.5)[0]
    assert _run(LandmarkVisibility, "VISIBILITY", NORM_LANDMARKS=changed) == [0.5]


def test_a_threshold_holds_until_the_next() -> None:
    inputs = {"FLOAT": [(0, 0.5), (1, 0.5), (2, 0.5)], "THRESHOLD": [(1, 0.25), (2, 0.5)]}
    found = run_calculator(Thresholding, inputs)
    assert found == {
        "FLAG": [(0, True), (1, True), (2, False)],
        "ACCEPT": [(0, True), (1, True)],
        "REJECT": [(2, False)],
    }


def test_boxes_become_pixels_and_back_cut_to_the_image() -> None:
    outside = Detection(np.float32([-0.5, 0.125, 2.0, 0.3]))
    pixel = _run(DetectionTransformation, "PIXEL_DETECTIONS", DETECTIONS=[outside], IMAGE_SIZE=(64, 48))[0][0]
    assert (pixel.box.tolist(), pixel.box_format) == ([0.0, 6.0, 64.0, 14.0], "pixel")
    back = _run(DetectionTransformation, "RELATIVE_DETECTION", DETECTION=pixel, IMAGE_SIZE=(64, 48))[0]
    assert (back.box.tolist(), back.box_format) == (np.float32([0.0, 0.125, 1.0, 14 / 48]).tolist(), "relative")
    assert _run(DetectionTransformation, "PIXEL_DETECTIONS", DETECTIONS=[], IMAGE_SIZE=SIZE) == [[]]


def test_the_later_of_two_overlapping_rectangles_stays() -> None:
    first, near, far = (NormalizedRect(x, 0.5, 0.2, 0.2) for x in (0.3, 0.31, 0.8))
    options = {"min_similarity_threshold": 0.5}
    assert _run(AssociationNormRect, "0", options, _0=[first, far], _1=[near]) == [[far, near]]
    assert _run(AssociationNormRect, "0", options, _0=[first, near], _1=[]) == [[near]]


WRONG_CONNECTIONS: list[tuple[type[Calculator], str, dict[str, Any], dict[str, Any], str]] = [
    (DetectionsToRects, "NORM_RECT", {}, {}, "exactly one of DETECTION and DETECTIONS"),
    (DetectionsToRects, "NORM_RECT RECT", {}, {"DETECTION": BOX}, "exactly one of RECT, NORM_RECT"),
    (
        DetectionsToRects,
        "NORM_RECT",
        {"rotation_vector_start_keypoint_index": 0},
        {"DETECTION": BOX},
        "needs rotation_vector_end_keypoint_index.*IMAGE_SIZE",
    ),
    (AlignmentPointsRects, "NORM_RECT", {}, {"DETECTION": BOX}, "must be set: the centre"),
    (HandDetectionsFromPoseToRects, "NORM_RECT", {}, {"DETECTION": BOX}, "IMAGE_SIZE must be connected"),
    (RectTransformation, "0", {}, {"NORM_RECT": ROI}, "need IMAGE_SIZE"),
    (RectTransformation, "0", {}, {"NORM_RECT": ROI, "RECT": Rect(0, 0, 1, 1)}, "exactly one of NORM_RECT"),
    (RectTransformation, "0", {"square_long": True, "square_short": True}, {"RECT": Rect(0, 0, 1, 1)}, "only one of"),
    (LandmarkProjection, "NORM_LANDMARKS", {}, {"NORM_LANDMARKS": POINTS}, "exactly one of NORM_RECT and PROJ"),
    (LandmarkLetterboxRemoval, "LANDMARKS:0 LANDMARKS:1", {}, {"LANDMARKS": POINTS}, "1 inputs, 2 outputs"),
    (DetectionProjection, "DETECTIONS:0 DETECTIONS:1", {}, {"DETECTIONS": [BOX]}, "1 inputs, 2 outputs"),
    (LandmarksToDetection, "DETECTION", {"selected_landmark_indices": [-1]}, {"NORM_LANDMARKS": POINTS}, "from 0"),
    (VisibilityCopy, "LANDMARKS_TO", {}, {"NORM_LANDMARKS_TO": POINTS}, "exactly one of LANDMARKS_FROM.*must both be"),
    (Thresholding, "FLAG", {"threshold": 0.5}, {"FLOAT": 0.5, "THRESHOLD": 0.5}, "from one place"),
    (DetectionTransformation, "PIXEL_DETECTION RELATIVE_DETECTION", {}, {"DETECTION": BOX}, "PIXEL_… ones or"),
    (DetectionTransformation, "PIXEL_DETECTION", {}, {"DETECTIONS": [BOX]}, "takes several"),
    (AssociationNormRect, "0", {"min_similarity_threshold": -1}, {"_0": []}, "must not be negative"),
    (LandmarksRefinement, "REFINED_LANDMARKS", {}, {"LANDMARKS": POINTS}, "1 streams, 0 refinements"),
]


@pytest.mark.parametrize(("calculator", "outputs", "options", "inputs", "message"), WRONG_CONNECTIONS)
def test_wrong_connections_are_told(
    calculator: type[Calculator], outputs: str, options: dict[str, Any], inputs: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        _run(calculator, outputs, options, **inputs)


FAILURES: list[tuple[type[Calculator], str, dict[str, Any], dict[str, Any], str]] = [
    (DetectionsToRects, "NORM_RECT", {}, {"DETECTION": PIXELS}, "in relative coordinates; this one has a box in pixel"),
    (DetectionsToRects, "RECT", {}, {"DETECTION": Detection(None)}, "this one has no box"),
    (
        DetectionsToRects,
        "NORM_RECT",
        {"conversion_mode": "USE_KEYPOINTS"},
        {"DETECTION": Detection(None)},
        "needs two or more; the detection has 0",
    ),
    (DetectionsToRects, "RECT", {"conversion_mode": "USE_KEYPOINTS"}, {"DETECTION": BOX}, "needs IMAGE_SIZE"),
    (HandDetectionsFromPoseToRects, "NORM_RECT", {}, {"DETECTION": BOX, "IMAGE_SIZE": SIZE}, "2 key points; 3 are"),
    (HandLandmarksToRect, "NORM_RECT", {}, {"NORM_LANDMARKS": POINTS, "IMAGE_SIZE": SIZE}, "21 landmarks.*are 2"),
    (LandmarksToDetection, "DETECTION", {"selected_landmark_indices": [2]}, {"NORM_LANDMARKS": POINTS}, "landmark 2"),
    (
        LandmarksToDetection,
        "DETECTION",
        {},
        {"NORM_LANDMARKS": NormalizedLandmarkList(np.zeros((0, 3), np.float32))},
        "empty list",
    ),
    (InverseMatrix, "MATRIX", {}, {"MATRIX": np.zeros((4, 4), np.float32)}, "no inverse"),
    (InverseMatrix, "MATRIX", {}, {"MATRIX": np.full((4, 4), np.nan, np.float32)}, "no inverse"),
    (
        DetectionProjection,
        "DETECTIONS",
        {},
        {"DETECTIONS": [PIXELS], "PROJECTION_MATRIX": np.eye(4, dtype=np.float32)},
        "one in pixel coordinates",
    ),
    (
        DetectionTransformation,
        "PIXEL_DETECTION",
        {},
        {"DETECTION": PIXELS, "IMAGE_SIZE": SIZE},
        "box in relative coordinates; this one has a box in pixel",
    ),
    (LandmarkVisibility, "VISIBILITY", {}, {"NORM_LANDMARKS": POINTS}, "exactly one landmark"),
    (
        VisibilityCopy,
        "NORM_LANDMARKS_TO",
        {},
        {"NORM_LANDMARKS_FROM": POINTS, "NORM_LANDMARKS_TO": NormalizedLandmarkList(POINTS.xyz[:1])},
        "2 landmarks to 1",
    ),
]


@pytest.mark.parametrize(("calculator", "output", "options", "inputs", "message"), FAILURES)
def test_what_cannot_be_computed_is_told(
    calculator: type[Calculator], output: str, options: dict[str, Any], inputs: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        _run(calculator, output, options, **inputs)


@pytest.mark.parametrize(
    ("calculator", "output", "present", "absent"),
    [
        (LandmarkProjection, "NORM_LANDMARKS", {"NORM_LANDMARKS": POINTS}, ["NORM_RECT"]),
        (LandmarkProjection, "NORM_LANDMARKS", {"NORM_RECT": ROI}, ["NORM_LANDMARKS"]),
        (LandmarkProjection, "NORM_LANDMARKS", {"NORM_LANDMARKS": POINTS, "NORM_RECT": ROI}, ["IMAGE_DIMENSIONS"]),
        (WorldLandmarkProjection, "LANDMARKS", {"LANDMARKS": LandmarkList(POINTS.xyz)}, ["NORM_RECT"]),
        (DetectionProjection, "DETECTIONS", {"DETECTIONS": [BOX]}, ["PROJECTION_MATRIX"]),
        (DetectionLetterboxRemoval, "DETECTIONS", {"LETTERBOX_PADDING": PADDING}, ["DETECTIONS"]),
        (LandmarkLetterboxRemoval, "LANDMARKS", {"LANDMARKS": POINTS}, ["LETTERBOX_PADDING"]),
        (HandLandmarksToRect, "NORM_RECT", {"IMAGE_SIZE": SIZE}, ["NORM_LANDMARKS"]),
        (RectTransformation, "0", {"IMAGE_SIZE": SIZE}, ["NORM_RECT"]),
        (SetLandmarkVisibility, "NORM_LANDMARKS", {"VISIBILITY": 0.5}, ["NORM_LANDMARKS"]),
        (VisibilityCopy, "NORM_LANDMARKS_TO", {"NORM_LANDMARKS_TO": POINTS}, ["NORM_LANDMARKS_FROM"]),
    ],
)
def test_nothing_comes_of_half_the_inputs(
    calculator: type[Calculator], output: str, present: dict[str, Any], absent: list[str]
) -> None:
    inputs: dict[str, Any] = {name: [(0, value)] for name, value in present.items()}
    emitted = run_calculator(calculator, inputs | {name: [] for name in absent}, outputs=[output])
    assert not any(emitted.values())
