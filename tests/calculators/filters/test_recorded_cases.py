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
