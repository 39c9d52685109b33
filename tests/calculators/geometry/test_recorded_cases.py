"""What MediaPipe's own calculators answered, from ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance.chains import differences, load_case, run_chain

CASES = [
    "det_projection_matrix", "det_to_rect_bbox_rot", "det_to_rect_plain", "det_transformation_single_back",
    "dets_to_first_rect", "lm_projection_ignore_rotation", "lm_refinement_average",
    "lm_to_detection_selected", "lm_visibility", "lm_visibility_copy_copy_presence", "lm_world_projection",
    "lm_world_projection_missing", "lm_world_projection_no_rect", "rect_transform_everything",
    "rect_transform_identity", "rect_transform_missing", "rect_transform_scale",
    "rect_transform_shift_scale_square", "rect_transform_square_long", "rect_transform_square_short",
    "rects_associate_0_05", "rects_associate_0_5", "rects_associate_0_95", "rects_associate_prev",
    "rects_vector_transform", "roi_tracking_landmarks", "threshold_outputs", "threshold_side",
]  # fmt: skip

FAILURES = {
    "det_to_rect_both_angles": "set one of rotation_vector_target_angle",
    "lm_projection_mismatch": "as many NORM_LANDMARKS outputs as inputs",
    "lm_refinement_gap": "without gaps",
    "lm_visibility_many": "exactly one landmark",
    "rect_transform_both_rotations": "only one of rotation and rotation_degrees",
}


@pytest.mark.parametrize("name", CASES)
def test_as_recorded(shared: Path, name: str) -> None:
    case = load_case(shared, name)
    assert case["expect"]["error"] is None
    streams = run_chain(case)
    assert differences(shared, case, streams) == []


@pytest.mark.parametrize(("name", "message"), FAILURES.items())
def test_fails_where_the_recording_failed(shared: Path, name: str, message: str) -> None:
    case = load_case(shared, name)
    assert case["expect"]["error"] is not None
    with pytest.raises(ValueError, match=message):
        run_chain(case)
