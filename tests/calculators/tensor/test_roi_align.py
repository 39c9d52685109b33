"""RoIAlign: a sample's place and value, regions off the map, and what cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from graphflow.calculators.payloads import NormalizedRect
from graphflow.calculators.tensor.roi_align import RoiAlign, roi_align

from graphflow.testing import run_calculator

RAMP = np.broadcast_to(np.arange(16, dtype=np.float32), (1, 1, 12, 16)).copy()


@pytest.mark.parametrize(("coordinates", "middle"), [("half_pixel", 5.5), ("output_half_pixel", 6.0)])
def test_the_mean_of_a_ramp_is_its_value_in_the_middle(coordinates: str, middle: float) -> None:
    pooled = roi_align(RAMP, [[4, 2, 8, 6]], (1, 1), coordinates=coordinates, sampling_ratio=2)  # type: ignore[arg-type]
    assert pooled.item() == pytest.approx(middle)


def test_regions_off_the_map_and_inside_out_give_zeros() -> None:
    assert not roi_align(RAMP, [[90, 90, 95, 95]], (2, 2)).any()
    assert not roi_align(RAMP, [[8, 6, 4, 2]], (2, 2)).any()
    assert roi_align(RAMP, [[8, 6, 4, 2], [4, 2, 8, 6]], (2, 2))[1].any()
    assert roi_align(RAMP, np.zeros((0, 4)), (3, 5)).shape == (0, 1, 3, 5)


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(ValueError, match="features are"):
        roi_align(RAMP[0], [[0, 0, 1, 1]], (1, 1))
    with pytest.raises(ValueError, match=r"batch_indices must be in 0\.\.0"):
        roi_align(RAMP, [[0, 0, 1, 1]], (1, 1), [1])


def test_the_calculator_takes_normalized_regions() -> None:
    rects = [NormalizedRect(6 / 16, 4 / 12, 4 / 16, 4 / 12)]
    emitted = run_calculator(
        RoiAlign,
        {"TENSORS": [(0, [RAMP])], "NORM_RECTS": [(0, rects)]},
        {"output_height": 1, "output_width": 1, "sampling_ratio": 2},
    )
    assert emitted["TENSORS"][0][1][0].item() == pytest.approx(5.5)
