"""Compares with what MediaPipe's own C++ sources answer, frame by frame.

`mediapipe_tracking.npz` was recorded from RegionFlowComputation, MotionEstimation, FlowPackager and MotionBox, compiled
for Linux with OpenCV 4.6, under the options of box_tracking_cpu.pbtxt, on frames 52 to 71 of the shared video
sign_walk.mkv: the points of each frame with their flow, the camera's motion, and a box on the face from the third frame
on. Where they differ, MediaPipe computes in float what is double here.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.tracking import motion_models as models
from graphflow.calculators.tracking.box_state import from_timed_box
from graphflow.calculators.tracking.flow_packager import pack
from graphflow.calculators.tracking.motion_analysis import MotionAnalysis
from graphflow.calculators.tracking.motion_box import MotionBox
from graphflow.calculators.tracking.motion_estimation import MotionEstimator
from graphflow.calculators.tracking.motion_vectors import from_tracking_data, inverted
from graphflow.calculators.tracking.region_flow import CameraMotion, MotionType, RegionFlow
from graphflow.calculators.tracking.timed_box import TimedBox
from graphflow.calculators.tracking.track_options import TrackStepOptions
from recordings import decode

from graphflow.testing import run_calculator

Recorded = dict[str, npt.NDArray[Any]]

START = 2
FLOW_OPTIONS = {
    "fast_estimation_min_block_size": 100,
    "top_inlier_sets": 1,
    "frac_inlier_error_threshold": 3e-3,
    "downsample_mode": "DOWNSAMPLE_TO_INPUT_SIZE",
    "verification_distance": 5.0,
    "verify_long_feature_acceleration": True,
    "verify_long_feature_trigger_ratio": 0.1,
    "tracking_options": {
        "max_features": 500,
        "adaptive_extraction_levels": 2,
        "min_eig_val_settings": {"adaptive_lowest_quality_level": 2e-4},
    },
}
STEP = TrackStepOptions(
    track_object_and_camera=True,
    tracking_degrees="TRACKING_DEGREE_OBJECT_SCALE",
    inlier_spring_force=0.0,
    static_motion_temporal_ratio=3e-2,
)


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    with np.load(Path(__file__).parent / "mediapipe_tracking.npz") as file:
        return dict(file)


def flows(recorded: Recorded) -> list[RegionFlow]:
    """The recorded points of each frame."""
    ends, discarded_ends = np.cumsum(recorded["counts"]), np.cumsum(recorded["discarded_counts"])
    found = []
    for i, (end, discarded_end) in enumerate(zip(ends.tolist(), discarded_ends.tolist(), strict=True)):
        chosen = slice(end - int(recorded["counts"][i]), end)
        discarded = recorded["discarded"][discarded_end - int(recorded["discarded_counts"][i]) : discarded_end]
        points = recorded["points"][chosen]
        found.append(
            RegionFlow(
                tuple(recorded["frame_size"].tolist()),
                points[:, :2],
                points[:, 2:],
                recorded["track_ids"][chosen],
                recorded["consistency"][chosen],
                bool(recorded["unstable"][i]),
                bool(recorded["duplicated"][i]),
                tuple(discarded.tolist()),
            )
        )
    return found


def cameras(recorded: Recorded) -> list[CameraMotion]:
    """The recorded motion of the camera."""
    return [
        CameraMotion(
            tuple(recorded["frame_size"].tolist()),
            MotionType(int(kind)),
            homography=homography,
            average_magnitude=float(magnitude),
        )
        for kind, homography, magnitude in zip(
            recorded["motion_type"], recorded["homography"], recorded["average_magnitude"], strict=True
        )
    ]


def test_points_and_flow(recorded: Recorded, shared: Path) -> None:
    first = int(recorded["first_frame"])
    frames = decode(shared / "data" / "videos" / "sign_walk.mkv")[first : first + len(recorded["counts"])]
    options = {"analysis_policy": "ANALYSIS_POLICY_CAMERA_MOBILE", "flow_options": FLOW_OPTIONS}
    found = run_calculator(MotionAnalysis, {"VIDEO": list(enumerate(frames))}, {"analysis_options": options})["FLOW"]
    for expected, (_, flow) in zip(flows(recorded), found, strict=True):
        assert flow.track_ids.tolist() == expected.track_ids.tolist()
        np.testing.assert_allclose(flow.positions, expected.positions, atol=1e-3)
        np.testing.assert_allclose(flow.flows, expected.flows, atol=1e-3)
        assert (flow.unstable, flow.is_duplicated) == (expected.unstable, expected.is_duplicated)
        assert sorted(flow.discarded_track_ids) == sorted(expected.discarded_track_ids)


def test_motion_of_the_camera(recorded: Recorded) -> None:
    width, height = recorded["frame_size"].tolist()
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]])
    estimator = MotionEstimator((width, height), True)
    apart = []
    for i, (flow, expected) in enumerate(zip(flows(recorded), cameras(recorded), strict=True)):
        _, motion = estimator.estimate(flow)
        assert motion.type == expected.type
        assert motion.average_magnitude == pytest.approx(expected.average_magnitude, rel=1e-4)
        np.testing.assert_allclose(motion.translation[:2, 2], recorded["translation"][i], atol=1e-3)
        dx, dy, a, b = recorded["similarity"][i].tolist()
        np.testing.assert_allclose(motion.similarity, models.similarity(dx, dy, a, b), atol=5e-3)
        expected_corners = models.transform(expected.homography, corners)
        apart.append(np.abs(models.transform(motion.homography, corners) - expected_corners).max())
    assert np.median(apart) < 0.02, "pixels of a frame of 1280 x 960"
    assert max(apart) < 0.4


def test_box(recorded: Recorded) -> None:
    data = [pack(flow, camera, (256, 192)) for flow, camera in zip(flows(recorded), cameras(recorded), strict=True)]
    start = TimedBox(*recorded["start"].tolist())
    box = MotionBox(STEP, START, from_timed_box(start, data[START]))
    for expected in recorded["boxes"][1:]:
        frame = int(expected[0])
        vectors = replace(inverted(from_tracking_data(data[frame])), duration_ms=33.0)
        after = box.step(frame - 1, vectors, True)
        assert after is not None
        names = ("x", "y", "width", "height", "scale", "rotation", "dx", "dy", "energy", "prior", "disparity")
        found = dict(
            zip(
                names,
                (
                    *after.position,
                    *after.size,
                    after.scale,
                    after.rotation,
                    *after.velocity,
                    after.kinetic_energy,
                    after.prior_weight,
                    after.motion_disparity,
                ),
                strict=True,
            )
        )
        assert found == pytest.approx(dict(zip(names, expected[1:12].tolist(), strict=True)), abs=1e-4), frame
        assert abs(len(after.inlier_ids) - int(expected[12])) <= 1
        assert (after.inlier_ratio, after.background_discrimination, after.confidence) == pytest.approx(
            tuple(expected[13:16].tolist()), abs=5e-3
        )
        assert after.status == int(expected[16])
