"""The holistic graph against MediaPipe's recorded answers over whole videos, and against itself across threads.

Three comparisons, from strict to whole. The parts of the graph are fed with what MediaPipe recorded before them, so
that nothing but their own arithmetic counts. The whole graph is then compared frame by frame; there its loops amplify
the last bits of the networks' sums, as they do in MediaPipe itself: `PEER_NOISE` says where MediaPipe, with every pixel
moved by at most one level, differs from itself by more than the bar (`benchmarks/peer_noise.py` measures it).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from graphflow.calculators.flow.split import take
from graphflow.calculators.payloads import NormalizedLandmarkList, NormalizedRect
from recorded_lists import recorded_images, run_images
from recordings import NO_PERSON, VIDEOS, Bar, decode, measure, run, shortfall

HANDS = ("left_hand_landmarks", "right_hand_landmarks")
PARTS = ("pose_landmarks", *HANDS, "face_landmarks")
STREAMS = (*PARTS, "pose_world_landmarks")
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


def recorded_poses(recording: Recording) -> list[NormalizedLandmarkList | None]:
    """The recorded filtered body landmarks as a stream."""
    return [
        None if np.isnan(row[0, 0]) else NormalizedLandmarkList(row[:, :3].copy(), row[:, 3].copy(), row[:, 4].copy())
        for row in recording.golden["pose_landmarks"]
    ]


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


@pytest.mark.slow
def test_unrelated_images(shared: Path) -> None:
    """A run for each image: without loops nothing amplifies the last bits."""
    recorded = recorded_images(shared, "holistic")
    params = {"smooth_landmarks": False, "use_previous_landmarks": False}
    found = run_images("holistic", recorded.frames, PARTS, params)
    failures = []
    for part in PARTS:
        first = [items[0] if items else None for items in found[part]]
        seen = measure(first, recorded.golden[part], recorded.sizes)
        failures += shortfall("images", part, seen, Bar(0.1, 1.0, 0.95))
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
