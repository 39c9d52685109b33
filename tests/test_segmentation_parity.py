"""Masks, and the landmarks of the pose graph beside them, against MediaPipe's recorded answers: videos and images.

The recorder kept every tenth or twentieth mask of a video, as bytes, with the longer side averaged down to 256 pixels.
As with the holistic graph, the parts are fed with what MediaPipe recorded before them, on every video, and the whole
graph is compared where a person is in view: without one the region wanders, and MediaPipe itself, with every pixel
moved by at most one level, gives masks that are up to 0.3 apart (`benchmarks/peer_noise.py --solution pose`).

Masks recorded from `mp.solutions` are not smoothed: its Python reads the graph without the descriptor of
SegmentationSmoothingCalculatorOptions and loses the ratio. They are compared without smoothing first; with it, the
bar still holds. What smoothing does, `tests/calculators/image` compares with the calculator itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.payloads import NormalizedRect
from recordings import FRAME_US, NO_PERSON, VIDEOS, Bar, Frames, decode, measure, shortfall

import graphflow
from graphflow import Packet

MASK = "segmentation_mask"
BAR = 0.01
"""Of a mask's mean absolute difference, where tracking has amplified the last bits."""

STRICT = 0.001
"""The same where nothing does."""

LONGEST = 256
"""Pixels of the longer side of a recorded mask."""


UNSMOOTHED = {"enable_segmentation": True, "smooth_segmentation": False}


class Solution(NamedTuple):
    """A recorded solution: its golden, the graph, its parameters, and the streams that are compared."""

    golden: str
    graph: str
    params: Mapping[str, Any]
    streams: tuple[str, ...] = (MASK,)


SOLUTIONS = {
    "selfie_general": Solution("selfie_general", "selfie_segmentation", {"model_selection": 0}),
    "selfie_landscape": Solution("selfie_landscape", "selfie_segmentation", {"model_selection": 1}),
    "pose": Solution("pose", "pose", UNSMOOTHED, (MASK, "pose_landmarks", "pose_world_landmarks")),
    "pose_smoothed": Solution("pose", "pose", {"enable_segmentation": True}),
    "holistic": Solution("holistic_refine_seg", "holistic", UNSMOOTHED),
}

BY_REGION = """
graph: MaskByRegion
inputs: {IMAGE: image, ROI: roi}
outputs: {LANDMARKS: pose_landmarks, SEGMENTATION_MASK: segmentation_mask}
nodes:
  by_roi:
    calculator: PoseLandmarksByRoi
    inputs: {IMAGE: image, ROI: roi}
    outputs: {LANDMARKS: pose_landmarks, SEGMENTATION_MASK: segmentation_mask}
    options: {enable_segmentation: true}
"""
"""The masks of regions that are given, without detection and tracking."""

FEW_IMAGES = ("portrait.jpg", "yoga.jpg", "freihand_00000355.jpg", "gesture_rock_026fd791.jpg")


def run(
    solution: Solution,
    frames: Frames,
    params: Mapping[str, Any] | None = None,
    regions: list[NormalizedRect | None] | None = None,
) -> dict[str, list[Any]]:
    """What a graph says for each frame of a video; None where a stream had no packet.

    `regions` feeds the stream `roi`, None where there is no packet.
    """
    graph = graphflow.load(solution.graph, params={**solution.params, **(params or {})}, prune=True)
    found: dict[str, list[Any]] = {stream: [None] * len(frames) for stream in solution.streams}

    def keep(stream: str) -> Callable[[Packet], None]:
        def record(packet: Packet) -> None:
            found[stream][packet.timestamp // FRAME_US - 1] = packet.value

        return record

    for stream in solution.streams:
        graph.observe(stream, keep(stream))
    graph.start()
    for index, frame in enumerate(frames):
        timestamp = (index + 1) * FRAME_US
        graph.add_packet("image", frame, timestamp)
        region = regions[index] if regions else None
        if region is not None:
            graph.add_packet("roi", region, timestamp)
        elif regions:
            graph.set_bound("roi", timestamp + 1)
    graph.close_all_inputs()
    graph.wait_until_done()
    return found


def run_images(solution: Solution, images: Frames) -> dict[str, list[Any]]:
    """What fresh graphs say of unrelated images."""
    still = {"smooth_landmarks": False, "smooth_segmentation": False, "use_previous_landmarks": False}
    params = {} if solution.graph == "selfie_segmentation" else still
    answers = [run(solution, [image], params) for image in images]
    return {stream: [answer[stream][0] for answer in answers] for stream in solution.streams}


def check_decoder(frames: Frames, golden: Mapping[str, npt.NDArray[Any]], rows: Iterable[int]) -> None:
    digests = [hashlib.sha256(frame.tobytes()).hexdigest()[:16] for frame in frames]
    expected = [golden["frame_rgb_sha256_16"][row] for row in rows]
    assert digests == expected, "another decoder: no comparison would mean anything"


def recorded_form(mask: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """A mask in the size of the recorded ones, still float."""
    assert mask.dtype == np.float32
    height, width = mask.shape
    scale = min(1.0, LONGEST / max(height, width))
    small = cv2.resize(mask, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def mask_gaps(
    found: list[Any], golden: Mapping[str, npt.NDArray[Any]], rows: Iterable[int], every: int = 1
) -> tuple[list[float], int]:
    """Mean absolute differences of the masks in 0..1, and how many are there in one of the two only.

    Args:
        found: our masks.
        golden: the recorded ones, by `segmentation_mask_ROW`.
        rows: the row of each of ours.
        every: only rows that are multiples were recorded.
    """
    gaps, lone = [], 0
    for mask, row in zip(found, rows, strict=True):
        if row % every:
            continue
        expected = golden.get(f"{MASK}_{row:04d}")
        if mask is None or expected is None:
            lone += (mask is None) != (expected is None)
            continue
        gaps.append(float(np.mean(abs(recorded_form(mask) - expected.astype(np.float32) / 255))))
    return gaps, lone


def fallen_short(name: str, gaps: list[float], lone: int, allowed_lone: int, bar: float) -> list[str]:
    """Prints a row of the report; the row again where a single mask misses the bar."""
    worst = max(gaps, default=0.0)
    row = f"{name}: {len(gaps)} masks, mean {np.mean(gaps or [0.0]):.5f}, worst {worst:.5f}, only one has {lone}"
    print(row)
    return [row] if worst >= bar or lone > allowed_lone else []


def world_gap_m(found: list[Any], recorded: npt.NDArray[np.float32]) -> float:
    """Median distance of world landmarks in metres."""
    gaps = [
        np.linalg.norm(value.xyz - expected[:, :3], axis=1)
        for value, expected in zip(found, recorded, strict=True)
        if value is not None and not np.isnan(expected[0, 0])
    ]
    return float(np.median(np.concatenate(gaps)))


def landmarks_short(name: str, found: dict[str, list[Any]], golden: Mapping[str, Any], bar: Bar) -> list[str]:
    size = golden["image_size_wh"].astype(np.float32)
    seen = measure(found["pose_landmarks"], golden["pose_landmarks"], size)
    failures = shortfall(name, "pose_landmarks", seen, bar)
    metres = world_gap_m(found["pose_world_landmarks"], golden["pose_world_landmarks"])
    print(f"{name} pose_world_landmarks: median {metres * 1000:.4f} mm")
    return failures + ([f"{name}: world landmarks are off by {metres * 1000:.2f} mm"] if metres >= 0.005 else [])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("video", "name"),
    [
        (video, name)
        for video in VIDEOS
        for name, solution in SOLUTIONS.items()
        if video not in NO_PERSON or solution.graph == "selfie_segmentation"
    ],
)
def test_videos(video: str, name: str, shared: Path) -> None:
    solution = SOLUTIONS[name]
    golden = dict(np.load(shared / "data" / "goldens" / "videos" / video / f"{solution.golden}.npz"))
    frames = decode(shared / "data" / "videos" / video)
    check_decoder(frames, golden, range(len(frames)))
    found = run(solution, frames)
    loops = solution.graph != "selfie_segmentation"
    gaps, lone = mask_gaps(found[MASK], golden, range(len(frames)), 10 if loops else 20)
    assert len(gaps) >= 3
    failures = fallen_short(f"{video} {name}", gaps, lone, 0, BAR if loops else STRICT)
    if name == "pose":
        failures += landmarks_short(f"{video} {name}", found, golden, Bar(agreement=1.0))
    assert not failures, "\n".join(failures)


@pytest.mark.slow
@pytest.mark.parametrize("video", VIDEOS)
def test_masks_of_recorded_regions(video: str, shared: Path) -> None:
    golden = dict(np.load(shared / "data" / "goldens" / "videos" / video / "pose.npz"))
    frames = decode(shared / "data" / "videos" / video)
    check_decoder(frames, golden, range(len(frames)))
    regions = [None if np.isnan(row[0]) else NormalizedRect(*map(float, row)) for row in golden["pose_rect"]]
    solution = Solution("pose", BY_REGION, {}, (MASK, "pose_landmarks"))
    found = run(solution, frames, regions=regions)
    gaps, lone = mask_gaps(found[MASK], golden, range(len(frames)), 10)
    assert len(gaps) >= 3
    failures = fallen_short(f"{video} of recorded regions", gaps, lone, 0, STRICT)
    size = golden["image_size_wh"].astype(np.float32)
    seen = measure(found["pose_landmarks"], golden["unfiltered_pose_landmarks"], size)
    failures += shortfall(video, "pose of recorded regions", seen, Bar(0.01, 0.1, 1.0))
    assert not failures, "\n".join(failures)


def compare_images(name: str, chosen: tuple[str, ...] | None, shared: Path) -> None:
    golden = dict(np.load(shared / "data" / "goldens" / "images" / f"{SOLUTIONS[name].golden}.npz"))
    names = golden["names"].tolist()
    rows = [row for row, image in enumerate(names) if chosen is None or image in chosen]
    paths = [str(shared / "data" / "images" / names[row]) for row in rows]
    images: Frames = [cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB) for path in paths]  # type: ignore[arg-type, misc]
    check_decoder(images, golden, rows)
    found = run_images(SOLUTIONS[name], images)
    gaps, lone = mask_gaps(found[MASK], golden, rows)
    assert len(gaps) >= 2
    failures = fallen_short(f"images {name}", gaps, lone, int(0.05 * len(rows)), STRICT)
    if name == "pose":
        recorded = {key: value[rows] for key, value in golden.items() if len(value) == len(names)}
        failures += landmarks_short(f"images {name}", found, recorded, Bar(0.1, 1.0, 0.95))
    assert not failures, "\n".join(failures)


@pytest.mark.slow
@pytest.mark.parametrize("name", SOLUTIONS)
def test_images(name: str, shared: Path) -> None:
    compare_images(name, None, shared)


@pytest.mark.parametrize("name", SOLUTIONS)
def test_a_few_images(name: str, shared: Path) -> None:
    compare_images(name, FEW_IMAGES, shared)


def test_the_mask_of_a_frame_goes_into_the_next(shared: Path) -> None:
    frames = decode(shared / "data" / "videos" / "sign_walk.mkv")[:3]
    smooth, plain = (
        run(SOLUTIONS["pose"], frames, {"smooth_segmentation": wanted})[MASK] for wanted in (True, False)
    )
    np.testing.assert_array_equal(smooth[0], plain[0])
    for index in (1, 2):
        assert not np.array_equal(smooth[index], plain[index])
        between = np.clip(smooth[index], *np.sort((smooth[index - 1], plain[index]), axis=0))
        np.testing.assert_allclose(smooth[index], between, atol=1e-6)


@pytest.mark.parametrize("name", ["pose", "holistic"])
def test_without_segmentation_nothing_of_it_exists(name: str) -> None:
    off, on = (graphflow.load(name, params={"enable_segmentation": wanted}).checked for wanted in (False, True))
    extra = {node.spec.calculator for node in on.nodes} - {node.spec.calculator for node in off.nodes}
    assert extra == {"TensorsToSegmentation", "WarpAffine", "InverseMatrix", "SegmentationSmoothing"}
    assert not [node.spec.name for node in off.nodes if "segmentation" in node.spec.name]
    assert MASK not in {entry.name for entry in off.spec.outputs}
    for checked, expected in ((off, [0, 1, 3, 4]), (on, [0, 1, 2, 3, 4])):
        (inference,) = (node for node in checked.nodes if node.spec.options.get("model") == "pose_landmark_full")
        assert sorted(entry.index for entry in inference.binding.outputs) == expected


def test_landmarks_do_not_depend_on_the_mask(shared: Path) -> None:
    frames = decode(shared / "data" / "videos" / "sign_walk.mkv")[:6]
    solution = SOLUTIONS["pose"]._replace(streams=("pose_landmarks",))
    off, on = (run(solution, frames, {"enable_segmentation": wanted})["pose_landmarks"] for wanted in (False, True))
    for one, other in zip(off, on, strict=True):
        np.testing.assert_allclose(one.xyz, other.xyz, atol=1e-4)
