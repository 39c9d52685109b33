"""PacketResampler: even sampling to the microsecond, and what jitter guarantees."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from graphflow.calculators.flow.packet_resampler import PacketResampler, VideoHeader

from graphflow import CalculatorError, OptionError
from graphflow import timestamp as ts
from graphflow.testing import run_calculator

Run = Callable[..., dict[str, list[tuple[int, Any]]]]

ALIGNED = (-222, 15000, 32000, 49999, 150000)


def resampled(timestamps: Any, options: dict[str, Any], side: dict[str, Any] | None = None) -> list[tuple[int, int]]:
    """Output timestamp and input timestamp of each packet."""
    packets = [(timestamp, timestamp) for timestamp in timestamps]
    return run_calculator(PacketResampler, {"": packets}, options, side, outputs=[""])[""]


@pytest.mark.parametrize(
    ("rate", "timestamps", "expected"),
    [
        (30, (1000,), [(1000, 1000)]),
        (30, (0, 16666), [(0, 0)]),
        (30, (0, 16667), [(0, 0), (33333, 16667)]),
        (30, (0, 49999), [(0, 0), (33333, 49999)]),
        (30, (0, 50000), [(0, 0), (33333, 0), (66667, 50000)]),
        (30, (2000, 118666), [(2000, 2000), (35333, 2000), (68667, 2000), (102000, 118666)]),
        (30, (0, 16666, 16667, 20000, 33300, 49999, 50000, 66600), [(0, 0), (33333, 33300), (66667, 66600)]),
        (30, (0, 5000, 16666, 83334), [(0, 0), (33333, 16666), (66667, 16666), (100000, 83334)]),
        (
            30,
            (0, 16666, 16667, 25000, 33000, 35000, 135000),
            [(0, 0), (33333, 33000), (66667, 35000), (100000, 35000), (133333, 135000)],
        ),
        (500000, (0, 10, 13), [(0, 0), (2, 0), (4, 0), (6, 0), (8, 0), (10, 10), (12, 10), (14, 13)]),
        (30, (-200, -20, 16466), [(-200, -200)]),
        (30, (-200, -20, 16467), [(-200, -200), (33133, 16467)]),
        (30, (-50000, -33334, 33334), [(-50000, -50000), (-16667, -33334), (16667, -33334), (50000, 33334)]),
        (50, (0, 9999, 29999), [(0, 0), (20000, 29999)]),
        (50, (0, 10000, 50000), [(0, 0), (20000, 10000), (40000, 10000), (60000, 50000)]),
        (1, (0, 1333333, 2500000), [(0, 0), (1000000, 1333333), (2000000, 1333333), (3000000, 2500000)]),
    ],
)
def test_even_sampling(rate: float, timestamps: Any, expected: list[Any]) -> None:
    assert resampled(timestamps, {"frame_rate": rate}) == expected


@pytest.mark.parametrize(
    ("options", "timestamps", "expected"),
    [
        ({}, (33111, 66667, 100000), [(33111, 33111), (66444, 66667), (99778, 100000)]),
        ({"base_timestamp": 0}, (33111, 66667, 100000), [(33333, 33111), (66666, 66667), (100000, 100000)]),
        ({"base_timestamp": 900011}, (-222, 33300, 66600), [(11, -222), (33344, 33300), (66678, 66600)]),
        ({"base_timestamp": 0}, (100020, 133333), [(100000, 100020), (133333, 133333)]),
        (
            {"base_timestamp": 0, "start_time": 40000, "end_time": 160000},
            ALIGNED,
            [(66667, 49999), (100000, 49999), (133333, 49999)],
        ),
        (
            {"base_timestamp": 0, "start_time": 40000, "end_time": 160000, "round_limits": True},
            ALIGNED,
            [(33333, 32000), (66667, 49999), (100000, 49999), (133333, 49999), (166667, 150000)],
        ),
        ({"flush_last_packet": False}, (0, 50000), [(0, 0), (33333, 0)]),
        ({"flush_last_packet": False}, (0, 33333), [(0, 0), (33333, 33333)]),
        ({"max_frame_rate": 15}, (0, 33333, 66667), [(0, 0), (66667, 66667)]),
    ],
)
def test_alignment_and_limits(options: dict[str, Any], timestamps: Any, expected: list[Any]) -> None:
    assert resampled(timestamps, {"frame_rate": 30, **options}) == expected


def test_options_from_a_side_packet() -> None:
    options = {"frame_rate": 60, "base_timestamp": 0}
    assert len(resampled(ALIGNED, options, {"OPTIONS": {"frame_rate": 30}})) == 6
    with pytest.raises(ValueError, match="no option 'rate'"):
        resampled(ALIGNED, options, {"OPTIONS": {"rate": 30}})


def test_how_far_time_is_settled(run: Run) -> None:
    nodes = "  resample: {calculator: PacketResampler, inputs: [in], outputs: [out], options: {frame_rate: 50}}\n"
    seen = run(nodes, [("in", 0, 0), ("in", 9999, 1), ("in", 29999, 2)], bounds=True)
    # a period is over once nothing nearer to its centre can come
    assert seen["out"] == [(0, 0), (19999, None), (20000, 2), (39999, None)]


def test_video_headers(run: Run) -> None:
    nodes = """
  resample:
    calculator: PacketResampler
    inputs: {DATA: in, VIDEO_HEADER: header}
    outputs: {DATA: out, VIDEO_HEADER: new_header}
    options: {frame_rate: 1000, use_input_frame_rate: true, max_frame_rate: 100}
"""
    script = [("header", ts.PRESTREAM, VideoHeader("SRGB", 10, 100, frame_rate=200.0))]
    script += [("in", timestamp, timestamp) for timestamp in (0, 5000, 10010, 15001, 19990)]
    seen = run(nodes, script, outputs=["out", "new_header"])
    assert seen["new_header"] == [(ts.PRESTREAM, VideoHeader("SRGB", 10, 100, frame_rate=100.0))]
    assert seen["out"] == [(0, 0), (10000, 10010), (20000, 19990)]


FRAMES = range(0, 4_000_000, 40_000)
PERIOD = 200_000


@pytest.mark.parametrize("mode", ["", "jitter_with_reflection", "reproducible_sampling"])
def test_jitter(mode: str) -> None:
    options = {"frame_rate": 5, "jitter": 0.25, **({mode: True} if mode else {})}
    once = resampled(FRAMES, options, {"SEED": "a video"})
    assert once == resampled(FRAMES, options, {"SEED": "a video"})
    assert once != resampled(FRAMES, options, {"SEED": "another"})
    assert all(abs(out - taken) <= 20_000 for out, taken in once[:-1])
    if mode:
        assert [out // PERIOD for out, _ in once] == list(range(20))
    else:
        gaps = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(once)]
        assert len(gaps) >= 15
        assert all(0.75 * PERIOD - 1 <= gap <= 1.25 * PERIOD for gap in gaps)


def test_a_cut_stream_gives_the_samples_of_the_whole() -> None:
    options = {"frame_rate": 5, "jitter": 0.25, "reproducible_sampling": True}
    whole = resampled(FRAMES, options, {"SEED": "a video"})
    # one packet more on both sides of the cut
    tail = resampled([frame for frame in FRAMES if frame >= 2_000_000 - 40_000], options, {"SEED": "a video"})
    assert [sample for sample in tail if sample[0] >= 2_000_000] == [s for s in whole if s[0] >= 2_000_000]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frame_rate": 0.0}, "above 0"),
        ({}, "above 0"),
        ({"frame_rate": 1e7}, "at most 1000000"),
        ({"frame_rate": 1.0, "jitter": 0.5}, "SEED"),
        ({"frame_rate": 1.0, "jitter": 1.5}, "jitter must be in"),
        ({"frame_rate": 1.0, "reproducible_sampling": True}, "SEED"),
    ],
)
def test_impossible_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resampled((0, 1), options)


def test_a_packet_without_a_time_of_its_own(run: Run) -> None:
    nodes = "  resample: {calculator: PacketResampler, inputs: [in], outputs: [out], options: {frame_rate: 50}}\n"
    with pytest.raises(CalculatorError, match="PRESTREAM"):
        run(nodes, [("in", ts.PRESTREAM, 0)])
    with pytest.raises(OptionError):
        PacketResampler({"frame_rate": "fast"})
