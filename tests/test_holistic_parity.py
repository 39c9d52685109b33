"""The holistic graph against MediaPipe's recorded answers over whole videos, and against itself across threads.

Three comparisons, from strict to whole. The parts of the graph are fed with what MediaPipe recorded before them, so
that nothing but their own arithmetic counts. The whole graph is then compared frame by frame; there its loops amplify
the last bits of the networks' sums, as they do in MediaPipe itself: `PEER_NOISE` says where MediaPipe, with every pixel
moved by at most one level, differs from itself by more than the bar (`benchmarks/peer_noise.py` measures it).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.flow.split import take
from graphflow.calculators.payloads import NormalizedLandmarkList, NormalizedRect

import graphflow
from graphflow import Packet

VIDEOS = (
    "pose_1.mp4",
    "pose_squats.mp4",
    "asl_hand.25fps.mp4",
    "sign_again.mkv",
    "sign_help.mkv",
    "sign_walk.mkv",
    "sign_book.mkv",
    "hand_reach.mp4",
)
HANDS = ("left_hand_landmarks", "right_hand_landmarks")
PARTS = ("pose_landmarks", *HANDS, "face_landmarks")
STREAMS = (*PARTS, "pose_world_landmarks")
FRAME_US = 33333
"""Between frames, whatever the video says: what the recorder used."""

NO_PERSON = ("asl_hand.25fps.mp4", "hand_reach.mp4")
"""A hand without a body: the body MediaPipe reports there means nothing, and moves by tens of pixels at any change."""

Frames = list[npt.NDArray[np.uint8]]
Floats = npt.NDArray[np.float32]


class Bar(NamedTuple):
    """Median and 95th percentile of distances in pixels, share of frames whose presence agrees."""

    median: float = 0.5
    p95: float = 3.0
    agreement: float = 0.97


PEER_NOISE: Mapping[tuple[str, str], Bar] = {
    ("pose_1.mp4", "left_hand_landmarks"): Bar(agreement=0.9667),
    ("pose_squats.mp4", "left_hand_landmarks"): Bar(1.171, 7.163, 0.9538),
    ("sign_help.mkv", "right_hand_landmarks"): Bar(1.023, 38.160),
    ("sign_book.mkv", "left_hand_landmarks"): Bar(0.536, 4.220, 0.9266),
    ("sign_book.mkv", "right_hand_landmarks"): Bar(0.847, 6.518, 0.8165),
}
"""Where MediaPipe differs from itself by more than the bar, by how much."""


class Recording:
    """A video and what MediaPipe said of it."""

    def __init__(self, shared: Path, video: str) -> None:
        self.frames = decode(shared / "data" / "videos" / video)
        self.golden = np.load(shared / "data" / "goldens" / "videos" / video / "holistic.npz")
        self.size = self.golden["image_size_wh"].astype(np.float32)
        digests = [hashlib.sha256(frame.tobytes()).hexdigest()[:16] for frame in self.frames]
        assert digests == list(self.golden["frame_rgb_sha256_16"]), "another decoder: no comparison would mean anything"


def decode(path: Path) -> Frames:
    """All frames, RGB."""
    capture = cv2.VideoCapture(str(path))
    frames: Frames = []
    while True:
        found, frame = capture.read()
        if not found:
            return frames
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))  # type: ignore[arg-type]


def run(
    name: str,
    frames: Frames,
    streams: tuple[str, ...],
    fed: Mapping[str, list[Any]] | None = None,
    num_threads: int | None = None,
) -> dict[str, list[Any]]:
    """What a graph says for each frame; None where a stream had no packet.

    `fed` gives the values of the graph's inputs besides the image, None where there is no packet.
    """
    graph = graphflow.load(name, num_threads=num_threads, prune=True)
    found: dict[str, list[Any]] = {stream: [None] * len(frames) for stream in streams}

    def keep(stream: str) -> Callable[[Packet], None]:
        def record(packet: Packet) -> None:
            found[stream][packet.timestamp // FRAME_US - 1] = packet.value

        return record

    for stream in streams:
        graph.observe(stream, keep(stream))
    image = next(entry.name for entry in graph.checked.spec.inputs if entry.tag == "IMAGE")
    graph.start()
    for index, frame in enumerate(frames):
        timestamp = (index + 1) * FRAME_US
        graph.add_packet(image, frame, timestamp)
        for stream, values in (fed or {}).items():
            if values[index] is None:
                graph.set_bound(stream, timestamp + 1)
            else:
                graph.add_packet(stream, values[index], timestamp)
    graph.close_all_inputs()
    graph.wait_until_done()
    return found


def recorded_poses(recording: Recording) -> list[NormalizedLandmarkList | None]:
    """The recorded filtered body landmarks as a stream."""
    return [
        None if np.isnan(row[0, 0]) else NormalizedLandmarkList(row[:, :3].copy(), row[:, 3].copy(), row[:, 4].copy())
        for row in recording.golden["pose_landmarks"]
    ]


def measure(found: list[Any], recorded: Floats, size: Floats) -> Bar:
    """How far points found are from those recorded."""
    present = np.array([value is not None for value in found])
    expected = ~np.isnan(recorded[:, 0, 0])
    gaps = [
        np.linalg.norm((found[index].xyz[:, :2] - recorded[index, :, :2]) * size[index], axis=1)
        for index in np.flatnonzero(present & expected)
    ]
    distances = np.concatenate(gaps) if gaps else np.zeros(1)
    agreement = float(np.mean(present == expected))
    return Bar(float(np.median(distances)), float(np.percentile(distances, 95)), agreement)


def shortfall(video: str, part: str, seen: Bar, bar: Bar) -> list[str]:
    """Prints a row of the report; the row again where it misses its bar."""
    row = f"{video} {part}: median {seen.median:.4f} px, p95 {seen.p95:.4f} px, presence {seen.agreement:.4f}"
    print(row)
    held = seen.median <= bar.median and seen.p95 <= bar.p95 and round(seen.agreement, 4) >= bar.agreement
    return [] if held else [f"{row}; the bar is {bar}"]


@pytest.mark.slow
@pytest.mark.parametrize("video", VIDEOS)
def test_each_part_on_what_mediapipe_recorded_before_it(video: str, shared: Path) -> None:
    """Pose from the recorded region; hands and face, with their own loops, from the recorded pose."""
    recording = Recording(shared, video)
    golden, size = recording.golden, recording.size
    regions = [None if np.isnan(row[0]) else NormalizedRect(*map(float, row)) for row in golden["pose_rect"]]
    pose = run("PoseLandmarksByRoi", recording.frames, ("landmarks",), {"roi": regions})
    failures = shortfall(
        video,
        "pose from its region",
        measure(pose["landmarks"], golden["pose_landmarks_unfiltered"], size),
        Bar(0.01, 0.1, 1.0),
    )
    poses = recorded_poses(recording)
    hands = run("HandLandmarksLeftAndRight", recording.frames, HANDS, {"pose_landmarks": poses})
    for part in HANDS:
        seen = measure(hands[part], golden[part], size)
        failures += shortfall(video, f"{part} from the pose", seen, Bar())
    heads = [None if pose is None else take(pose, range(11)) for pose in poses]
    face = run("FaceLandmarksFromPose", recording.frames, ("face_landmarks",), {"face_landmarks_from_pose": heads})
    seen = measure(face["face_landmarks"], golden["face_landmarks"], size)
    failures += shortfall(video, "face_landmarks from the pose", seen, Bar(0.1, 1.0, 0.97))
    assert not failures, "\n".join(failures)


@pytest.mark.slow
@pytest.mark.parametrize("video", VIDEOS)
def test_the_whole_graph_says_what_mediapipe_says(video: str, shared: Path) -> None:
    recording = Recording(shared, video)
    found = run("holistic", recording.frames, STREAMS)
    failures = []
    for part in PARTS:
        seen = measure(found[part], recording.golden[part], recording.size)
        bar = PEER_NOISE.get((video, part), Bar(agreement=1.0) if part == "pose_landmarks" else Bar())
        missed = shortfall(video, part, seen, bar)
        if video not in NO_PERSON or part == "face_landmarks":
            failures += missed
    world = [
        np.linalg.norm(value.xyz - expected[:, :3], axis=1)
        for value, expected in zip(found["pose_world_landmarks"], recording.golden["pose_world_landmarks"], strict=True)
        if value is not None and not np.isnan(expected[0, 0])
    ]
    metres = float(np.median(np.concatenate(world)))
    print(f"{video} pose_world_landmarks: median {metres * 1000:.4f} mm")
    if metres >= 0.005 and video not in NO_PERSON:
        failures.append(f"{video}: world landmarks are off by {metres * 1000:.2f} mm")
    assert not failures, "\n".join(failures)


def test_threads_change_nothing(shared: Path) -> None:
    frames = decode(shared / "data" / "videos" / "sign_walk.mkv")[:25]
    seen = set()
    for threads in (1, 4, 1, 4):
        found = run("holistic", frames, STREAMS, num_threads=threads)
        digest = hashlib.sha256()
        for stream in STREAMS:
            for value in found[stream]:
                digest.update(b"-" if value is None else value.xyz.tobytes())
        seen.add(digest.hexdigest())
    assert len(seen) == 1
