"""The calculator around flow and camera: kinds of images, sizes, and options that do not exist."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from graphflow.calculators.tracking.motion_analysis import MotionAnalysis
from graphflow.calculators.tracking.region_flow import MotionType
from tracking_scenes import Picture, texture

from graphflow.testing import run_calculator

POLICY = {"analysis_policy": "ANALYSIS_POLICY_CAMERA_MOBILE"}
PICTURE = texture(300, 400, 8)
PARTS = [np.ascontiguousarray(PICTURE[20 : 20 + 240, 10 + 3 * i : 330 + 3 * i]) for i in range(4)]


def analyse(pictures: list[Picture], flow: dict[str, Any] | None = None, **side: Any) -> dict[str, Any]:
    options = {"analysis_options": POLICY | {"flow_options": flow or {}}}
    packets = [(i * 33333, picture) for i, picture in enumerate(pictures)]
    return run_calculator(MotionAnalysis, {"VIDEO": packets}, options, side)


def kinds(picture: Picture) -> dict[str, Picture]:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return {"grey": grey, "one channel": grey[..., None], "RGBA": cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA)}


@pytest.mark.parametrize("kind", ["grey", "one channel", "RGBA"])
def test_kinds_of_images(kind: str) -> None:
    expected = analyse(PARTS)["FLOW"]
    found = analyse([kinds(picture)[kind] for picture in PARTS])["FLOW"]
    for (_, one), (_, other) in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one.flows, other.flows)


def test_one_result_for_each_frame() -> None:
    results = analyse(PARTS)
    times = [i * 33333 for i in range(4)]
    assert [timestamp for timestamp, _ in results["FLOW"]] == times
    assert [timestamp for timestamp, _ in results["CAMERA"]] == times
    assert len(results["FLOW"][0][1]) == 0
    for _, motion in results["CAMERA"][1:]:
        assert motion.type == MotionType.VALID
        np.testing.assert_allclose(motion.homography[:2, 2], (3, 0), atol=0.2)


@pytest.mark.parametrize(
    ("flow", "side", "factor"),
    [
        ({}, {}, 1),
        ({"downsample_factor": 3.0}, {}, 1),
        ({"downsample_mode": "DOWNSAMPLE_TO_INPUT_SIZE"}, {}, 2),
        ({"downsample_mode": "DOWNSAMPLE_TO_INPUT_SIZE", "downsample_factor": 3.0}, {}, 3),
        ({"downsample_mode": "DOWNSAMPLE_TO_INPUT_SIZE", "downsample_factor": 3.0}, {"DOWNSAMPLE": 1.5}, 1.5),
    ],
)
def test_results_are_in_the_size_before_downsampling(flow: dict[str, Any], side: Any, factor: float) -> None:
    results = analyse(PARTS, flow, **side)
    _, last = results["FLOW"][-1]
    assert last.frame_size == (320 * factor, 240 * factor)
    np.testing.assert_allclose(np.median(last.flows, 0), (3 * factor, 0), atol=0.1 * factor)
    np.testing.assert_allclose(results["CAMERA"][-1][1].translation[:2, 2], (3 * factor, 0), atol=0.1 * factor)


def test_fast_corners() -> None:
    _, last = analyse(PARTS, {"tracking_options": {"corner_extraction_method": "EXTRACTION_FAST"}})["FLOW"][-1]
    assert len(last) > 100
    np.testing.assert_allclose(np.median(last.flows, 0), (3, 0), atol=0.1)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "analysis_policy.* ANALYSIS_POLICY_LEGACY"),
    ({"analysis_policy": "ANALYSIS_POLICY_VIDEO"}, "analysis_policy.* ANALYSIS_POLICY_VIDEO"),
    (POLICY | {"estimation_clip_size": 4}, "estimation_clip_size"),
    (POLICY | {"compute_motion_saliency": True}, "compute_motion_saliency"),
    (POLICY | {"flow_options": {"gain_correction": True}}, "flow_options.gain_correction"),
    (POLICY | {"flow_options": {"downsample_mode": "DOWNSAMPLE_BY_SCHEDULE"}}, "flow_options.downsample_mode"),
    (POLICY | {"flow_options": {"downsample_factor": 0.5}}, "flow_options.downsample_factor"),
    (
        POLICY | {"flow_options": {"tracking_options": {"tracking_window_size": 3}}},
        "tracking_options.tracking_window_size",
    ),
    (POLICY | {"motion_options": {"mix_homography_estimation": "x"}}, "motion_options.mix_homography_estimation"),
]


@pytest.mark.parametrize(("options", "named"), WRONG, ids=[named for _, named in WRONG])
def test_options_that_do_not_exist(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        run_calculator(MotionAnalysis, {"VIDEO": []}, {"analysis_options": options})


@pytest.mark.parametrize("picture", [np.zeros((20, 30, 3), np.float32), np.zeros((20, 30, 2), np.uint8)])
def test_other_images(picture: Any) -> None:
    with pytest.raises(ValueError, match="VIDEO takes images of uint8"):
        analyse([picture])


def test_another_size() -> None:
    with pytest.raises(ValueError, match="320 x 240 pixels so far; this one is 300 x 240"):
        analyse([PARTS[0], np.ascontiguousarray(PARTS[1][:, :300])])
