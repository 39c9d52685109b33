"""Regions of interest that MediaPipe made in whole videos, from the recorded landmarks that they came from."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.geometry.detections_to_rects import (
    AlignmentPointsRects,
    DetectionsToRects,
    HandDetectionsFromPoseToRects,
)
from graphflow.calculators.geometry.hand_rect import HandLandmarksToRect
from graphflow.calculators.geometry.landmarks_to_detection import LandmarksToDetection
from graphflow.calculators.geometry.rect_transformation import RectTransformation
from graphflow.calculators.geometry.roi_tracking import RoiTracking
from graphflow.calculators.payloads import Detection, NormalizedLandmarkList, NormalizedRect

from graphflow import Calculator
from graphflow.testing import run_calculator

VIDEOS = [
    "asl_hand.25fps.mp4", "hand_reach.mp4", "pose_1.mp4", "pose_squats.mp4",
    "sign_again.mkv", "sign_book.mkv", "sign_help.mkv", "sign_walk.mkv",
]  # fmt: skip
TOLERANCE = 1e-6  # equal to the last bit where the C library is that of the recording

Goldens = dict[str, npt.NDArray[Any]]
Frames = list[tuple[int, Any]]


@cache
def _goldens(folder: Path, video: str) -> Goldens:
    with np.load(folder / "data/goldens/videos" / video / "holistic.npz") as arrays:
        return dict(arrays)


def _landmarks(points: npt.NDArray[np.float32]) -> Frames:
    """Packets of the frames that have landmarks; float32 [frames, N, 3 or more]."""
    return [
        (frame, NormalizedLandmarkList(np.ascontiguousarray(each[:, :3])))
        for frame, each in enumerate(points)
        if np.isfinite(each[:, :3]).all()
    ]


def _rects(rows: npt.NDArray[np.float32]) -> Frames:
    return [(frame, NormalizedRect(*row)) for frame, row in enumerate(rows.tolist()) if np.isfinite(row).all()]


def _sizes(goldens: Goldens) -> Frames:
    return [(frame, tuple(size)) for frame, size in enumerate(goldens["image_size_wh"].tolist())]


def _run(calculator: type[Calculator], output: str, options: dict[str, Any], **inputs: Frames) -> Frames:
    return run_calculator(calculator, inputs, options, outputs=[output])[output]


def _rects_of_detections(calculator: type[Calculator], goldens: Goldens, detections: Frames, **options: Any) -> Frames:
    return _run(calculator, "NORM_RECT", options, DETECTION=detections, IMAGE_SIZE=_sizes(goldens))


def _transformed(goldens: Goldens, rects: Frames, **options: Any) -> Frames:
    return _run(RectTransformation, "", options, NORM_RECT=rects, IMAGE_SIZE=_sizes(goldens))


def _detections(landmarks: Frames) -> Frames:
    return _run(LandmarksToDetection, "DETECTION", {}, NORM_LANDMARKS=landmarks)


def pose_rect_from_landmarks(goldens: Goldens) -> Frames:
    rects = _rects_of_detections(
        AlignmentPointsRects,
        goldens,
        _detections(_landmarks(goldens["pose_auxiliary"])),
        rotation_vector_start_keypoint_index=0,
        rotation_vector_end_keypoint_index=1,
        rotation_vector_target_angle_degrees=90,
    )
    return _transformed(goldens, rects, scale_x=1.25, scale_y=1.25, square_long=True)


def pose_rect_from_detection(goldens: Goldens) -> Frames:
    rects = _rects_of_detections(
        AlignmentPointsRects,
        goldens,
        _recorded_detections(goldens["pose_detection"]),
        rotation_vector_start_keypoint_index=0,
        rotation_vector_end_keypoint_index=1,
        rotation_vector_target_angle_degrees=90,
    )
    return _transformed(goldens, rects, scale_x=1.25, scale_y=1.25, square_long=True)


def _hand_roi_from_pose(goldens: Goldens, wrist: int, pinky: int, index: int) -> Frames:
    landmarks = _landmarks(goldens["pose_landmarks"][:, [wrist, pinky, index]])
    rects = _rects_of_detections(HandDetectionsFromPoseToRects, goldens, _detections(landmarks))
    return _transformed(goldens, rects, scale_x=2.7, scale_y=2.7, shift_y=-0.1, square_long=True)


def left_hand_roi_from_pose(goldens: Goldens) -> Frames:
    return _hand_roi_from_pose(goldens, 15, 17, 19)


def right_hand_roi_from_pose(goldens: Goldens) -> Frames:
    return _hand_roi_from_pose(goldens, 16, 18, 20)


def face_roi_from_pose(goldens: Goldens) -> Frames:
    rects = _rects_of_detections(
        DetectionsToRects,
        goldens,
        _detections(_landmarks(goldens["pose_landmarks"][:, :11])),
        rotation_vector_start_keypoint_index=5,
        rotation_vector_end_keypoint_index=2,
        rotation_vector_target_angle_degrees=0,
    )
    return _transformed(goldens, rects, scale_x=3.0, scale_y=3.0, square_long=True)


def face_roi_from_detection(goldens: Goldens) -> Frames:
    rects = _rects_of_detections(
        DetectionsToRects,
        goldens,
        _recorded_detections(goldens["face_detections"][:, 0]),
        rotation_vector_start_keypoint_index=0,
        rotation_vector_end_keypoint_index=1,
        rotation_vector_target_angle_degrees=0,
        conversion_mode="USE_KEYPOINTS",
    )
    return _transformed(goldens, rects, scale_x=2.0, scale_y=2.0, shift_y=-0.1, square_long=True)


def _recorded_detections(rows: npt.NDArray[np.float32]) -> Frames:
    """Rows of score, box and key points."""
    return [
        (frame, Detection(row[1:5].copy(), keypoints=row[5:].reshape(-1, 2).copy()))
        for frame, row in enumerate(rows)
        if np.isfinite(row).all()
    ]


def _of_the_frame_before(goldens: Goldens, points: str) -> Frames:
    frames = len(goldens["image_size_wh"])
    return [(frame + 1, value) for frame, value in _landmarks(goldens[points]) if frame + 1 < frames]


def _tracked(goldens: Goldens, previous: Frames, rects: Frames, recrop: Frames, **options: Any) -> Frames:
    return _run(
        RoiTracking,
        "TRACKING_RECT",
        options,
        PREV_LANDMARKS=previous,
        PREV_LANDMARKS_RECT=rects,
        RECROP_RECT=recrop,
        IMAGE_SIZE=_sizes(goldens),
    )


def _hand_tracking_roi(goldens: Goldens, side: str) -> Frames:
    previous = _of_the_frame_before(goldens, f"{side}_hand_landmarks")
    rects = _run(HandLandmarksToRect, "NORM_RECT", {}, NORM_LANDMARKS=previous, IMAGE_SIZE=_sizes(goldens))
    rects = _transformed(goldens, rects, scale_x=2.0, scale_y=2.0, shift_y=-0.1, square_long=True)
    return _tracked(
        goldens,
        previous,
        rects,
        _rects(goldens[f"{side}_hand_roi_from_recrop"]),
        rect_requirements={"rotation_degrees": 40.0, "translation": 0.2, "scale": 0.4},
        landmarks_requirements={"recrop_rect_margin": -0.1},
    )


def left_hand_tracking_roi(goldens: Goldens) -> Frames:
    return _hand_tracking_roi(goldens, "left")


def right_hand_tracking_roi(goldens: Goldens) -> Frames:
    return _hand_tracking_roi(goldens, "right")


def face_tracking_roi(goldens: Goldens) -> Frames:
    previous = _of_the_frame_before(goldens, "face_landmarks")
    rects = _rects_of_detections(
        DetectionsToRects,
        goldens,
        _detections(previous),
        rotation_vector_start_keypoint_index=33,
        rotation_vector_end_keypoint_index=263,
        rotation_vector_target_angle_degrees=0,
    )
    return _tracked(
        goldens,
        previous,
        _transformed(goldens, rects, scale_x=1.5, scale_y=1.5, square_long=True),
        _rects(goldens["face_roi_from_detection"]),
        rect_requirements={"rotation_degrees": 15.0, "translation": 0.1, "scale": 0.3},
        landmarks_requirements={"recrop_rect_margin": -0.2},
    )


REGIONS: list[Callable[[Goldens], Frames]] = [
    pose_rect_from_landmarks, pose_rect_from_detection, left_hand_roi_from_pose, right_hand_roi_from_pose,
    face_roi_from_pose, face_roi_from_detection, left_hand_tracking_roi, right_hand_tracking_roi, face_tracking_roi,
]  # fmt: skip


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.__name__)
@pytest.mark.parametrize("video", VIDEOS)
def test_a_region_is_where_mediapipe_put_it(shared: Path, video: str, region: Callable[[Goldens], Frames]) -> None:
    goldens = _goldens(shared, video)
    recorded = goldens[region.__name__]
    computed = np.full(recorded.shape, np.nan)
    for frame, rect in region(goldens):
        computed[frame] = tuple(rect)
    present = np.isfinite(recorded).all(axis=1)
    if "roi_from_pose" not in region.__name__:  # those are shut off where the wrist is hidden
        assert (np.isfinite(computed).all(axis=1) == present).all()
    assert np.isfinite(computed[present]).all()
    assert np.abs(computed[present] - recorded[present]).max(initial=0.0) <= TOLERANCE
