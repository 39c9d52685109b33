"""The face graphs against MediaPipe's recorded answers: videos, unrelated images, and without the tracking loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recorded_lists import (
    counts,
    measure,
    paired,
    recorded_images,
    recorded_video,
    regions,
    run_images,
    run_video,
)
from recordings import EXACT, VIDEOS, Bar, shortfall

FACES = "multi_face_landmarks"

DETECTORS: dict[str, dict[str, Any]] = {
    "face_detection_short": {"model_selection": 0, "min_detection_confidence": 0.5},
    "face_detection_full": {"model_selection": 1, "min_detection_confidence": 0.6},
}
"""The recorded full-range graph ran with the threshold of its own file."""

BY_REGION = """
graph: FacesByRegion
inputs: {IMAGE: image, ROIS: face_rects}
outputs: {LANDMARKS: multi_face_landmarks}
nodes:
  each_face:
    calculator: BeginLoopNormalizedRect
    inputs: {ITERABLE: face_rects, CLONE: image}
    outputs: {ITEM: face_rect, CLONE: face_image, BATCH_END: end}
  landmarks:
    calculator: FaceLandmarks
    inputs: {IMAGE: face_image, ROI: face_rect}
    outputs: {LANDMARKS: landmarks}
  all_faces:
    calculator: EndLoopNormalizedLandmarkListVector
    inputs: {ITEM: landmarks, BATCH_END: end}
    outputs: {ITERABLE: multi_face_landmarks}
"""
"""Every region's landmarks, without detection and tracking."""


@pytest.mark.slow
@pytest.mark.parametrize("video", VIDEOS)
def test_the_mesh_in_videos(video: str, shared: Path) -> None:
    recorded = recorded_video(shared, video, "face_mesh")
    found = run_video("face_mesh", recorded.frames, (FACES, "face_detections"))
    seen = measure(found[FACES], recorded.golden[FACES], recorded.sizes)
    failures = shortfall(video, "face_mesh", seen, EXACT)
    detections = measure(found["face_detections"], recorded.golden["face_detections"], recorded.sizes)
    failures += shortfall(video, "face_mesh detections", detections, EXACT)
    assert not failures, "\n".join(failures)


@pytest.mark.slow
@pytest.mark.parametrize("video", VIDEOS)
def test_landmarks_of_the_regions_mediapipe_looked_at(video: str, shared: Path) -> None:
    recorded = recorded_video(shared, video, "face_mesh")
    fed = {"face_rects": regions(recorded.golden["face_rects"])}
    found = run_video(BY_REGION, recorded.frames, (FACES,), fed=fed)
    seen = measure(found[FACES], recorded.golden[FACES], recorded.sizes)
    assert not shortfall(video, "face_mesh by region", seen, EXACT)


@pytest.mark.slow
@pytest.mark.parametrize("solution", DETECTORS)
@pytest.mark.parametrize("video", VIDEOS)
def test_detections_in_videos(video: str, solution: str, shared: Path) -> None:
    recorded = recorded_video(shared, video, solution)
    found = run_video("face_detection", recorded.frames, ("detections",), DETECTORS[solution])["detections"]
    seen = measure(found, recorded.golden["detections"], recorded.sizes)
    assert not shortfall(video, solution, seen, EXACT)


@pytest.mark.slow
@pytest.mark.parametrize("video", VIDEOS)
def test_holistic_refines_the_face_in_videos(video: str, shared: Path) -> None:
    recorded = recorded_video(shared, video, "holistic_refine_seg")
    found = run_video("holistic", recorded.frames, ("face_landmarks",), {"refine_face_landmarks": True})
    seen = measure(found["face_landmarks"], recorded.golden["face_landmarks"][:, None], recorded.sizes)
    assert not shortfall(video, "face_landmarks refined", seen, Bar())


@pytest.mark.slow
def test_holistic_refines_the_face_in_images(shared: Path) -> None:
    recorded = recorded_images(shared, "holistic_refine_seg")
    params = {"refine_face_landmarks": True, "use_previous_landmarks": False, "smooth_landmarks": False}
    found = run_images("holistic", recorded.frames, ("face_landmarks",), params)["face_landmarks"]
    seen = measure(found, recorded.golden["face_landmarks"][:, None], recorded.sizes)
    assert not shortfall("images", "face_landmarks refined", seen, Bar(agreement=0.95))


@pytest.mark.parametrize(("solution", "refine"), [("face_mesh", False), ("face_mesh_refine", True)])
def test_the_mesh_in_unrelated_images(solution: str, refine: bool, shared: Path) -> None:
    recorded = recorded_images(shared, solution)
    params = {"refine_landmarks": refine, "num_faces": 3, "use_previous_landmarks": False}
    found = run_images("face_mesh", recorded.frames, (FACES,), params)[FACES]
    seen = measure(found, recorded.golden[FACES], recorded.sizes)
    assert not shortfall("images", solution, seen, Bar(0.01, 0.1, 0.95) if refine else EXACT)
    depths = [face.xyz[:, 2] - expected[:, 2] for face, expected in paired(found, recorded.golden[FACES])]
    assert len(depths) >= 10
    assert np.percentile(np.abs(np.concatenate(depths)), 95) <= (1e-4 if refine else 0)


@pytest.mark.parametrize("solution", DETECTORS)
def test_detections_in_images(solution: str, shared: Path) -> None:
    recorded = recorded_images(shared, solution)
    found = run_images("face_detection", recorded.frames, ("detections",), DETECTORS[solution])["detections"]
    seen = measure(found, recorded.golden["detections"], recorded.sizes)
    assert not shortfall("images", solution, seen, EXACT)
    scores = [
        abs(detection.scores[0] - expected[0]) for detection, expected in paired(found, recorded.golden["detections"])
    ]
    assert len(scores) >= 15
    assert max(scores) < 1e-5


def test_a_few_frames(shared: Path) -> None:
    recorded = recorded_video(shared, "sign_walk.mkv", "face_mesh", 12)
    found = run_video("face_mesh", recorded.frames, (FACES,))[FACES]
    assert not shortfall("sign_walk.mkv", "face_mesh", measure(found, recorded.golden[FACES], recorded.sizes), EXACT)
    assert counts(recorded.golden[FACES]) == [1] * 12


def test_no_more_faces_than_asked_for(shared: Path) -> None:
    recorded = recorded_images(shared, "face_mesh")
    row = next(index for index, count in enumerate(counts(recorded.golden[FACES])) if count == 3)
    params = {"num_faces": 2, "use_previous_landmarks": False}
    found = run_images("face_mesh", recorded.frames[row : row + 1], (FACES, "face_detections"), params)
    assert len(found[FACES][0]) == len(found["face_detections"][0]) == 2


def test_confidences_are_thresholds(shared: Path) -> None:
    recorded = recorded_images(shared, "face_mesh")
    row = next(index for index, count in enumerate(counts(recorded.golden[FACES])) if count)
    frames = recorded.frames[row : row + 1]
    for name, left in (("min_detection_confidence", ()), ("min_tracking_confidence", ("face_detections",))):
        found = run_images("face_mesh", frames, (FACES, "face_detections"), {name: 1.0})
        assert [stream for stream, lists in found.items() if lists[0]] == list(left)
