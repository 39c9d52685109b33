"""Boxes on faces of real videos, begun where MediaPipe detects them, compared with where it detects them later on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphflow.calculators.payloads import Detection
from recordings import FRAME_US, Frames, decode
from tracking_scenes import overlap

import graphflow

GRAPH = """
graph: ObjectTracking
inputs: {VIDEO: video, DETECTIONS: new_detections}
outputs: {DETECTIONS: tracked_detections, BOXES: boxes}
nodes:
  number:
    calculator: DetectionUniqueId
    inputs: {DETECTIONS: new_detections}
    outputs: {DETECTIONS: numbered}
  starts:
    calculator: DetectionsToTimedBoxList
    inputs: {DETECTIONS: numbered}
    outputs: {BOXES: start_pos}
  small:
    calculator: ImageTransformation
    inputs: {IMAGE: video}
    outputs: {IMAGE: small_video}
    options: {output_width: 320, output_height: 240}
  analysis:
    calculator: MotionAnalysis
    inputs: {VIDEO: small_video}
    outputs: {FLOW: flow, CAMERA: camera}
    options:
      analysis_options:
        analysis_policy: ANALYSIS_POLICY_CAMERA_MOBILE
        flow_options:
          downsample_mode: DOWNSAMPLE_TO_INPUT_SIZE
          frac_inlier_error_threshold: 3.0e-3
          verification_distance: 5.0
          verify_long_feature_acceleration: true
          verify_long_feature_trigger_ratio: 0.1
          tracking_options: {max_features: 500, adaptive_extraction_levels: 2}
  packager:
    calculator: FlowPackager
    inputs: {FLOW: flow, CAMERA: camera}
    outputs: {TRACKING: tracking}
  tracker:
    calculator: BoxTracker
    inputs:
      TRACKING: tracking
      TRACK_TIME: video
      START_POS: start_pos
      CANCEL_OBJECT_ID: {stream: cancel, back_edge: true}
    outputs: {BOXES: boxes}
    input_policy:
      name: sync_sets
      sync_set: [{tag_index: [TRACKING, TRACK_TIME]}, {tag_index: [START_POS]}, {tag_index: [CANCEL_OBJECT_ID]}]
    options:
      streaming_track_data_cache_size: 100
      tracker_options:
        track_step_options:
          track_object_and_camera: true
          tracking_degrees: TRACKING_DEGREE_OBJECT_SCALE
          inlier_spring_force: 0.0
          static_motion_temporal_ratio: 3.0e-2
  manager:
    calculator: TrackedDetectionManager
    inputs: {DETECTIONS: numbered, TRACKING_BOXES: boxes}
    outputs: {DETECTIONS: tracked_detections, CANCEL_OBJECT_ID: cancel}
    input_policy:
      name: sync_sets
      sync_set: [{tag_index: [TRACKING_BOXES]}, {tag_index: [DETECTIONS]}]
"""


EVERY = 10
"""Frames from one detection to the next."""


def faces(shared: Path, video: str) -> list[Any]:
    """What MediaPipe detected in each frame: left, top, width, height of the topmost, None where there is nothing.

    It takes hands for faces, too, but they are lower.
    """
    recorded = np.load(shared / "data" / "goldens" / "videos" / video / "face_detection_short.npz")["detections"]
    found = [[each[1:5] for each in detections if not np.isnan(each[0])] for detections in recorded]
    return [min(each, key=lambda box: box[1]) if each else None for each in found]


def track(frames: Frames, found: list[Any], every: int) -> dict[int, list[Detection]]:
    """The tracked detections by frame, where every so many frames are searched for faces."""
    graph = graphflow.load(GRAPH)
    tracked: dict[int, list[Detection]] = {}
    graph.observe(
        "tracked_detections", lambda packet: tracked.__setitem__(round(packet.timestamp / FRAME_US), packet.value)
    )
    graph.start()
    for i, frame in enumerate(frames):
        graph.add_packet("video", frame, i * FRAME_US)
        if i % every == 1 and found[i] is not None:
            detection = Detection(found[i], np.ones(1, np.float32), labels=("face",))
            graph.add_packet("new_detections", [detection], i * FRAME_US)
        graph.wait_until_idle()
    graph.close_all_inputs()
    graph.wait_until_done()
    return tracked


def corners(box: Any) -> tuple[float, ...]:
    left, top, width, height = box.tolist()
    return (left, top, left + width, top + height)


# video, least and mean overlap with the face that is detected in the frame itself; hands pass before faces, and the
# signer of sign_walk turns away
VIDEOS = [
    pytest.param("sign_walk.mkv", 0.45, 0.88, marks=pytest.mark.slow),
    pytest.param("sign_again.mkv", 0.6, 0.9),
    pytest.param("sign_book.mkv", 0.5, 0.84, marks=pytest.mark.slow),
    pytest.param("sign_help.mkv", 0.5, 0.82, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("video", "least", "mean"), VIDEOS)
def test_follows_a_face(video: str, least: float, mean: float, shared: Path) -> None:
    frames = decode(shared / "data" / "videos" / video)
    found = faces(shared, video)
    tracked = track(frames, found, EVERY)
    assert sorted(tracked) == list(range(len(frames)))
    assert {len(each) for each in list(tracked.values())[2:]} == {1}, "new detections are the face that is followed"
    overlaps = [
        overlap(corners(tracked[i][0].box), corners(face)) for i, face in enumerate(found) if i > 1 and face is not None
    ]
    assert min(overlaps) > least
    assert np.mean(overlaps) > mean
