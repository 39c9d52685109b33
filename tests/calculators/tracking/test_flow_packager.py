"""Flow on a grid: rounded, sorted, and without the background's motion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graphflow.calculators.tracking import motion_models as models
from graphflow.calculators.tracking.flow_packager import FlowPackager, pack
from graphflow.calculators.tracking.region_flow import CameraMotion, MotionType, RegionFlow

from graphflow.testing import run_calculator

SIZE = (640, 480)
FLOW = RegionFlow(
    SIZE,
    np.array([[400, 10], [100, 300], [101, 20], [639, 479], [0.4, 0.4]], np.float32),
    np.array([[5, 0], [7.5, 2.5], [5, 0], [5, 0], [5, 0]], np.float32),
    np.array([4, 1, 2, 9, 7], np.int32),
    np.ones(5, np.float32),
    discarded_track_ids=(3, 8),
)


def camera(kind: MotionType) -> CameraMotion:
    shift = models.translation(5, 0)
    return CameraMotion(SIZE, kind, shift, shift, shift, 2.5)


def test_positions_and_vectors() -> None:
    data = pack(FLOW, camera(MotionType.VALID), (256, 192))
    assert data.positions.tolist() == [[0, 0], [40, 8], [40, 120], [160, 4], [255, 191]]
    assert data.track_ids.tolist() == [7, 2, 1, 4, 9]
    np.testing.assert_allclose(data.vectors, [[0, 0], [0, 0], [1, 1], [0, 0], [0, 0]], atol=1e-5)
    np.testing.assert_allclose(data.background_model, models.translation(2, 0), atol=1e-6)
    assert data.frame_aspect == pytest.approx(4 / 3)
    assert data.domain_size == (256, 192)
    assert data.discarded_track_ids == (3, 8)
    assert data.average_motion_magnitude == 2.5
    assert data.background_stable
    assert not data.is_duplicated


@pytest.mark.parametrize(
    ("motion", "stable"),
    [
        (camera(MotionType.UNSTABLE_SIM), True),
        (camera(MotionType.UNSTABLE), False),
        (camera(MotionType.INVALID), False),
        (None, False),
    ],
)
def test_whether_the_background_is_known(motion: CameraMotion | None, stable: bool) -> None:
    data = pack(FLOW, motion, (256, 192))
    assert data.background_stable == stable
    np.testing.assert_allclose(data.vectors[0], (0, 0) if stable else (2, 0), atol=1e-6)
    if not stable:
        np.testing.assert_array_equal(data.background_model, models.identity())


def test_a_grid_of_another_shape() -> None:
    data = pack(FLOW, None, (64, 96))
    assert data.positions.max(0).tolist() == [63, 95]
    np.testing.assert_allclose(data.vectors[0], (0.5, 0), atol=1e-6)


def test_no_points() -> None:
    data = pack(RegionFlow(SIZE, is_duplicated=True), camera(MotionType.VALID), (256, 192))
    assert data.positions.shape == (0, 2)
    assert data.vectors.shape == (0, 2)
    assert data.is_duplicated


def test_calculator() -> None:
    inputs = {"FLOW": [(5, FLOW)], "CAMERA": [(5, camera(MotionType.VALID))]}
    ((timestamp, data),) = run_calculator(FlowPackager, inputs)["TRACKING"]
    assert timestamp == 5
    assert data.domain_size == (256, 192)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"domain_width": 257}, "domain_width"),
    ({"domain_height": 0, "binary_tracking_data_support": False}, "domain_height"),
    ({"use_high_profile": True}, "use_high_profile"),
]


@pytest.mark.parametrize(("options", "named"), WRONG, ids=[named for _, named in WRONG])
def test_options_that_do_not_exist(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        run_calculator(FlowPackager, {"FLOW": []}, {"flow_packager_options": options})
