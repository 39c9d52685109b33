"""Smoothed pose landmarks of whole videos, from the unsmoothed ones that MediaPipe recorded, as its pose graph does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.filters.smoothing import LandmarksSmoothing, VisibilitySmoothing
from graphflow.calculators.geometry.detections_to_rects import AlignmentPointsRects
from graphflow.calculators.geometry.landmarks_to_detection import LandmarksToDetection
from graphflow.calculators.payloads import NormalizedLandmarkList

from graphflow import Calculator
from graphflow.testing import run_calculator

VIDEOS = [
    "asl_hand.25fps.mp4", "hand_reach.mp4", "pose_1.mp4", "pose_squats.mp4",
    "sign_again.mkv", "sign_book.mkv", "sign_help.mkv", "sign_walk.mkv",
]  # fmt: skip
STEP_US = 33333
POSE = {"min_cutoff": 0.05, "beta": 80.0, "derivate_cutoff": 1.0}
AUXILIARY = {"min_cutoff": 0.01, "beta": 10.0, "derivate_cutoff": 1.0}

Frames = list[tuple[int, Any]]


def _landmarks(points: npt.NDArray[np.float32]) -> Frames:
    return [
        ((frame + 1) * STEP_US, NormalizedLandmarkList(each[:, :3].copy(), each[:, 3].copy(), each[:, 4].copy()))
        for frame, each in enumerate(points)
        if np.isfinite(each).all()
    ]


def _run(calculator: type[Calculator], output: str, options: dict[str, Any], **inputs: Frames) -> Frames:
    return run_calculator(calculator, inputs, options, outputs=[output])[output]


def _smoothed(landmarks: Frames, roi: Frames, sizes: Frames, one_euro: dict[str, float]) -> Frames:
    output = "NORM_FILTERED_LANDMARKS"
    visible = _run(VisibilitySmoothing, output, {"low_pass_filter": {"alpha": 0.1}}, NORM_LANDMARKS=landmarks)
    return _run(
        LandmarksSmoothing,
        output,
        {"one_euro_filter": one_euro},
        NORM_LANDMARKS=visible,
        OBJECT_SCALE_ROI=roi,
        IMAGE_SIZE=sizes,
    )


@pytest.mark.parametrize("video", VIDEOS)
def test_smoothed_landmarks_are_those_of_mediapipe(shared: Path, video: str) -> None:
    with np.load(shared / "data/goldens/videos" / video / "holistic.npz") as arrays:
        goldens = dict(arrays)
    timestamps = [(frame + 1) * STEP_US for frame in range(len(goldens["image_size_wh"]))]
    sizes = list(zip(timestamps, map(tuple, goldens["image_size_wh"].tolist()), strict=True))
    auxiliary = _landmarks(goldens["pose_auxiliary_unfiltered"])
    roi = _run(
        AlignmentPointsRects,
        "NORM_RECT",
        {
            "rotation_vector_start_keypoint_index": 0,
            "rotation_vector_end_keypoint_index": 1,
            "rotation_vector_target_angle_degrees": 90,
        },
        DETECTION=_run(LandmarksToDetection, "DETECTION", {}, NORM_LANDMARKS=auxiliary),
        IMAGE_SIZE=sizes,
    )
    for name, options in (("pose_landmarks", POSE), ("pose_auxiliary", AUXILIARY)):
        smoothed = _smoothed(_landmarks(goldens[f"{name}_unfiltered"]), roi, sizes, options)
        recorded = _landmarks(goldens[name])
        assert [timestamp for timestamp, _ in smoothed] == [timestamp for timestamp, _ in recorded]
        assert recorded
        for (_, ours), (_, theirs) in zip(smoothed, recorded, strict=True):
            assert (ours.xyz == theirs.xyz).all()
            assert (ours.visibility == theirs.visibility).all()
            assert (ours.presence == theirs.presence).all()
