"""Points followed from picture to picture: how far they went, and that they keep their numbers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from graphflow.calculators.tracking.block_flow import BlockSettings
from graphflow.calculators.tracking.corner_extraction import CornerFinder, FastSettings, MinEigValSettings
from graphflow.calculators.tracking.flow_tracker import FlowTracker, Verification
from graphflow.calculators.tracking.region_flow import RegionFlow
from tracking_scenes import texture

BACKGROUND = cv2.cvtColor(texture(480, 640, 6), cv2.COLOR_RGB2GRAY)


def part(x: float, y: float) -> np.ndarray:
    """A part of the background, 320 x 240, that begins at x, y."""
    return np.asarray(cv2.warpAffine(BACKGROUND, np.array([[1, 0, -x], [0, 1, -y]], np.float64), (320, 240)))


def follow(
    pictures: Sequence[np.ndarray], scale: float = 2.0, verify: bool = True, most: int = 500
) -> list[RegionFlow]:
    corners = CornerFinder(
        "EXTRACTION_MIN_EIG_VAL", MinEigValSettings(adaptive_lowest_quality_level=2e-4), FastSettings(), 2, most, 5
    )
    blocks, verification = BlockSettings(100, 1, 3e-3), Verification(verify, 0.1, 5.0)
    tracker = FlowTracker((320, 240), scale, corners, blocks, verification)
    return [tracker.add(picture) for picture in pictures]


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize(("x", "y"), [(0.5, 0.25), (3, -1.5), (-8, 6)])
def test_flow_of_a_shift(x: float, y: float, scale: float) -> None:
    first, *rest = follow([part(60 + i * x, 60 + i * y) for i in range(5)], scale)
    assert len(first) == 0
    for flow in rest:
        assert flow.frame_size == (320 * scale, 240 * scale)
        assert len(flow) > 150
        assert not flow.unstable
        assert not flow.is_duplicated
        # what moves to the left has been further right
        apart = np.abs(flow.flows - np.array([x, y]) * scale)
        assert np.percentile(apart, 95) < 0.1 * scale


def test_numbers_last() -> None:
    flows = follow([part(60 + 2 * i, 60) for i in range(15)])
    places = [dict(zip(flow.track_ids.tolist(), flow.positions, strict=True)) for flow in flows]
    for before, now in itertools.pairwise(places[1:]):
        common = before.keys() & now.keys()
        assert len(common) > 0.7 * len(now)
        steps = np.array([now[number] - before[number] for number in common])
        assert np.percentile(np.abs(steps - (-4, 0)), 95) < 0.3
    assert len(places[1].keys() & places[14].keys()) > 0.4 * len(places[1]), "most go on for the whole time"
    assert all(len(set(flow.track_ids.tolist())) == len(flow) for flow in flows)


def test_a_frame_again() -> None:
    flows = follow([part(60, 60), part(62, 60), part(62, 60), part(64, 60)])
    assert [flow.is_duplicated for flow in flows] == [False, False, True, False]


def test_nothing_to_see() -> None:
    black = np.zeros((240, 320), np.uint8)
    flows = follow([part(60, 60), black, black, part(60, 60), part(61, 60)])
    assert [len(flow) > 100 for flow in flows] == [False, False, False, False, True]
    assert [flow.unstable for flow in flows] == [False, True, True, True, False]


def test_another_scene() -> None:
    other = cv2.cvtColor(texture(240, 320, 9), cv2.COLOR_RGB2GRAY)
    flows = follow([part(60, 60), part(62, 60), other, other])
    assert len(flows[2]) < 0.3 * len(flows[1])


def test_old_tracks_end_on_purpose() -> None:
    flows = follow([part(60 + (i % 8), 60) for i in range(260)], most=60)
    born: dict[int, int] = {}
    for i, flow in enumerate(flows):
        for number in flow.track_ids.tolist():
            born.setdefault(number, i)
    ages = [i - born[number] for i, flow in enumerate(flows) for number in flow.track_ids.tolist()]
    assert 200 < max(ages) < 255
    assert any(number in born for flow in flows[240:] for number in flow.discarded_track_ids)


@pytest.mark.parametrize("verify", [True, False])
def test_a_jump_of_speed(verify: bool) -> None:
    places = [60, 61, 62, 63, 75, 87]
    flows = follow([part(x, 60) for x in places], verify=verify)
    common = set(flows[3].track_ids.tolist()) & set(flows[4].track_ids.tolist())
    # followed back, the points are where they were, so that they keep their numbers; otherwise they are new
    assert (len(common) > 0.5 * len(flows[4])) == verify
    assert np.percentile(np.abs(flows[4].flows - (24, 0)), 90) < 0.5


def test_another_size() -> None:
    with pytest.raises(ValueError, match="320 x 240 pixels so far; this one is 100 x 50"):
        follow([part(0, 0), np.zeros((50, 100), np.uint8)])
