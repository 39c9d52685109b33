from typing import Any

import pytest
from graphflow.calculators.io.live_times import FrameTimes, LiveClock
from graphflow.calculators.io.sources import SourceError

MS = 1_000_000  # in nanoseconds

# (arrived in ms, stated in µs, connection), as of two connections, the second of which counts anew
ARRIVALS = [(500, 40_000, 1), (541, 80_000, 1), (579, 80_000, 1), (2500, 0, 2), (2538, 40_000, 2)]


@pytest.mark.parametrize(
    ("policy", "stamps"),
    [
        ("arrival", [0, 41_000, 79_000, 2_000_000, 2_038_000]),
        ("clamp", [0, 40_000, 40_001, 2_000_000, 2_040_000]),
    ],
)
def test_policies(policy: Any, stamps: list[int]) -> None:
    times = FrameTimes("cam", policy, LiveClock())
    assert [times.stamp(arrived * MS, stated, connection) for arrived, stated, connection in ARRIVALS] == stamps


def test_strict_refuses_what_clamp_repairs() -> None:
    times = FrameTimes("cam", "strict", LiveClock())
    assert [times.stamp(*arrival) for arrival in ((5 * MS, 10, 1), (6 * MS, 20, 1))] == [0, 10]
    with pytest.raises(SourceError, match="cam states 10 µs for a frame after one at 10 µs; timestamps: clamp repairs"):
        times.stamp(7 * MS, 20, 1)


def test_frames_that_arrive_at_once_stay_apart() -> None:
    times = FrameTimes("cam", "arrival", LiveClock())
    assert [times.stamp(MS, 0, 1) for _ in range(3)] == [0, 1, 2]


def test_a_faster_source_does_not_go_back_when_it_comes_again() -> None:
    times = FrameTimes("cam", "clamp", LiveClock())
    arrivals = (0, 0, 1), (MS, 9_000_000, 1), (2 * MS, 0, 2)
    assert [times.stamp(*arrival) for arrival in arrivals] == [0, 9_000_000, 9_000_001]


def test_sources_of_one_graph_share_zero_until_all_have_left() -> None:
    clock = LiveClock()
    clock.join()
    clock.join()
    assert [clock.microseconds(at * MS) for at in (10, 12, 9)] == [0, 2000, 0]
    clock.leave()
    assert clock.microseconds(13 * MS) == 3000
    clock.leave()
    clock.join()
    assert clock.microseconds(50 * MS) == 0
