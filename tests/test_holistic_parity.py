"""The holistic graph against MediaPipe's recorded answers, over whole videos, and against itself across threads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

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
PARTS = ("pose_landmarks", "left_hand_landmarks", "right_hand_landmarks", "face_landmarks")
STREAMS = (*PARTS, "pose_world_landmarks")
FRAME_US = 33333
"""Between frames, whatever the video says: what the recorder used."""

Floats = npt.NDArray[np.float32]


def decode(path: Path) -> list[npt.NDArray[np.uint8]]:
    """All frames, RGB."""
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        found, frame = capture.read()
        if not found:
            return frames
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))


def run(frames: list[npt.NDArray[np.uint8]], num_threads: int | None = None) -> dict[str, list[Any]]:
    """What the holistic graph says for each frame; None where a stream had no packet."""
    graph = graphflow.load("holistic", num_threads=num_threads, prune=True)
    found: dict[str, list[Any]] = {stream: [None] * len(frames) for stream in STREAMS}

    def keep(stream: str) -> Callable[[Packet], None]:
        def record(packet: Packet) -> None:
            found[stream][packet.timestamp // FRAME_US - 1] = packet.value

        return record

    for stream in STREAMS:
        graph.observe(stream, keep(stream))
    graph.start()
    for index, frame in enumerate(frames):
        graph.add_packet("image", frame, (index + 1) * FRAME_US)
    graph.close_all_inputs()
    graph.wait_until_done()
    return found


def digests(frames: list[npt.NDArray[np.uint8]]) -> list[str]:
    return [hashlib.sha256(frame.tobytes()).hexdigest()[:16] for frame in frames]


def distances_px(found: list[Any], recorded: Floats, size: Floats) -> tuple[Floats, float]:
    """Distances of all points where both have them, in pixels, and the share of frames whose presence agrees."""
    present = np.array([value is not None for value in found])
    expected = ~np.isnan(recorded[:, 0, 0])
    both = np.flatnonzero(present & expected)
    gaps = [np.linalg.norm((found[index].xyz[:, :2] - recorded[index, :, :2]) * size[index], axis=1) for index in both]
    return np.concatenate(gaps) if gaps else np.zeros(0, np.float32), float(np.mean(present == expected))


@pytest.mark.slow
@pytest.mark.parametrize("video", VIDEOS)
def test_holistic_says_what_mediapipe_says(video: str, shared: Path) -> None:
    frames = decode(shared / "data" / "videos" / video)
    golden = np.load(shared / "data" / "goldens" / "videos" / video / "holistic.npz")
    assert digests(frames) == list(golden["frame_rgb_sha256_16"]), "another decoder: nothing below would mean anything"
    size = golden["image_size_wh"].astype(np.float32)
    found = run(frames)

    report, failures = [], []
    for part in PARTS:
        gaps, agreement = distances_px(found[part], golden[part], size)
        median, p95 = (float(np.median(gaps)), float(np.percentile(gaps, 95))) if len(gaps) else (0.0, 0.0)
        report.append(f"{video} {part}: median {median:.4f} px, p95 {p95:.4f} px, presence {agreement:.4f}")
        least = 1.0 if part == "pose_landmarks" else 0.97
        if not (median < 0.5 and p95 < 3.0 and agreement >= least):
            failures.append(report[-1])
    world = [
        np.linalg.norm(value.xyz - expected[:, :3], axis=1)
        for value, expected in zip(found["pose_world_landmarks"], golden["pose_world_landmarks"], strict=True)
        if value is not None and not np.isnan(expected[0, 0])
    ]
    metres = float(np.median(np.concatenate(world))) if world else 0.0
    report.append(f"{video} pose_world_landmarks: median {metres * 1000:.4f} mm")
    if metres >= 0.005:
        failures.append(report[-1])
    print("\n".join(report))
    assert not failures, "\n".join(failures)


def test_threads_change_nothing(shared: Path) -> None:
    frames = decode(shared / "data" / "videos" / "sign_walk.mkv")[:25]
    seen = set()
    for threads in (1, 4, 1, 4):
        found = run(frames, threads)
        digest = hashlib.sha256()
        for stream in STREAMS:
            for value in found[stream]:
                digest.update(b"-" if value is None else value.xyz.tobytes())
        seen.add(digest.hexdigest())
    assert len(seen) == 1
