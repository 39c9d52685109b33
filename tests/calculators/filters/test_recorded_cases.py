"""What MediaPipe's smoothing calculators answered, from ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance.chains import differences, load_case, run_chain

CASES = [
    "smooth_irregular_velocity", "smooth_missing_resets_euro", "smooth_norm_euro_default",
    "smooth_norm_euro_pose", "smooth_norm_velocity_default", "smooth_norm_velocity_unscaled",
    "smooth_norm_velocity_w3", "smooth_roi_euro", "smooth_roi_velocity", "smooth_visibility_a01",
    "smooth_visibility_world_gap", "smooth_world_euro", "smooth_world_scaled_euro",
]  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_as_recorded(shared: Path, name: str) -> None:
    case = load_case(shared, name)
    assert case["expect"]["error"] is None
    streams = run_chain(case)
    assert differences(shared, case, streams) == []


def test_another_number_of_landmarks_fails(shared: Path) -> None:
    case = load_case(shared, "smooth_count_change_velocity")
    assert case["expect"]["error"] is not None
    with pytest.raises(ValueError, match="are held, not"):
        run_chain(case)


def _node(calculator: str, inputs: str, output: str, options: str = "") -> str:
    streams = " ".join(f'input_stream: "{stream}"' for stream in inputs.split())
    kind = {"AlignmentPointsRects": "DetectionsToRects"}.get(calculator, calculator)
    extension = f"options {{ [mediapipe.{kind}CalculatorOptions.ext] {{ {options} }} }}" if options else ""
    return f'node {{ calculator: "{calculator}Calculator" {streams} output_stream: "{output}" {extension} }}\n'


@pytest.mark.parametrize("enabled", [True, False])
def test_the_filtering_of_the_pose_graph(shared: Path, enabled: bool) -> None:
    """`PoseLandmarkFiltering` written out, without the switches that its side packet sets."""
    case = load_case(shared, f"sub_PoseLandmarkFiltering_{str(enabled).lower()}")
    visible = "low_pass_filter { alpha: 0.1 }" if enabled else "no_filter {}"
    image = "one_euro_filter { min_cutoff: 0.05 beta: 80.0 derivate_cutoff: 1.0 }" if enabled else "no_filter {}"
    world = "one_euro_filter { min_cutoff: 0.1 beta: 40.0 disable_value_scaling: true }" if enabled else "no_filter {}"
    scaled = "IMAGE_SIZE:size OBJECT_SCALE_ROI:roi"
    points = (
        "rotation_vector_start_keypoint_index: 0 rotation_vector_end_keypoint_index: 1 "
        "rotation_vector_target_angle_degrees: 90"
    )
    case["graph"] = (
        "".join(f'input_stream: "{name}"\n' for name in ("img", "l", "x", "w"))
        + _node("ImageProperties", "IMAGE:img", "SIZE:size")
        + _node("LandmarksToDetection", "NORM_LANDMARKS:x", "DETECTION:detection")
        + _node("AlignmentPointsRects", "DETECTION:detection IMAGE_SIZE:size", "NORM_RECT:roi", points)
        + _node("VisibilitySmoothing", "NORM_LANDMARKS:l", "NORM_FILTERED_LANDMARKS:lv", visible)
        + _node("LandmarksSmoothing", f"NORM_LANDMARKS:lv {scaled}", "NORM_FILTERED_LANDMARKS:fl", image)
        + _node("VisibilitySmoothing", "LANDMARKS:w", "FILTERED_LANDMARKS:wv", visible)
        + _node("LandmarksSmoothing", "LANDMARKS:wv", "FILTERED_LANDMARKS:fw", world)
        + _node("VisibilitySmoothing", "NORM_LANDMARKS:x", "NORM_FILTERED_LANDMARKS:xv", "low_pass_filter {}")
        + _node(
            "LandmarksSmoothing",
            f"NORM_LANDMARKS:xv {scaled}",
            "NORM_FILTERED_LANDMARKS:fx",
            "one_euro_filter { min_cutoff: 0.01 beta: 10.0 derivate_cutoff: 1.0 }",
        )
    )
    assert all(case["expect"]["outputs"].values())
    assert differences(shared, case, run_chain(case)) == []
