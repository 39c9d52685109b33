"""The holistic graph against MediaPipe's recorded answers over whole videos, and against itself across threads.

Inputs, networks and geometry round as MediaPipe's do, so that nothing is left for the loops to amplify: each coordinate
of every frame is the recorded one, to the last bit, also where nobody is there and the body found is noise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from graphflow.calculators.payloads import LandmarkList, NormalizedLandmarkList
from recorded_lists import recorded_images, recorded_video, run_images
from recordings import VIDEOS, Floats, decode, run

PARTS = ("pose_landmarks", "left_hand_landmarks", "right_hand_landmarks", "face_landmarks")
STREAMS = (*PARTS, "pose_world_landmarks")
PROBABILITY = 1e-6
"""What visibility and presence may differ by: a sigmoid of another mathematical library."""


def differences(
    name: str, found: Sequence[NormalizedLandmarkList | LandmarkList | None], recorded: Floats
) -> list[str]:
    """Says on which frames points are not the recorded ones, to the last bit."""
    missing = np.isnan(recorded[:, 0, 0])
    assert len(found) == len(recorded)
    failures = []
    others = [frame for frame, value in enumerate(found) if (value is None) != missing[frame]]
    if others:
        failures.append(f"{name}: on other frames than recorded, first on {others[0]}, {len(others)} in all")
    moved = [
        (frame, float(abs(value.xyz - recorded[frame, :, :3]).max()))
        for frame, value in enumerate(found)
        if value is not None and not missing[frame] and (value.xyz != recorded[frame, :, :3]).any()
    ]
    if moved:
        worst = max(gap for _, gap in moved)
        failures.append(
            f"{name}: not the recorded points, first on frame {moved[0][0]}, {len(moved)} in all ({worst:.2g})"
        )
    return failures


def probabilities_off(name: str, found: Sequence[NormalizedLandmarkList | None], recorded: Floats) -> list[str]:
    """Says where visibility or presence are not what was recorded."""
    gaps = [
        abs(np.stack([value.visibility, value.presence], axis=1) - recorded[frame, :, 3:5]).max()
        for frame, value in enumerate(found)
        if value is not None and value.visibility is not None and value.presence is not None
    ]
    worst = float(max(gaps, default=1.0))
    return [f"{name}: visibility or presence is off by {worst:.2g}"] if worst > PROBABILITY else []


@pytest.mark.slow
@pytest.mark.parametrize("video", VIDEOS)
def test_the_whole_graph_says_what_mediapipe_says(video: str, shared: Path) -> None:
    frames, golden, _ = recorded_video(shared, video, "holistic")
    found = run("holistic", frames, STREAMS)
    failures = probabilities_off("pose_landmarks", found["pose_landmarks"], golden["pose_landmarks"])
    for stream in STREAMS:
        failures += differences(stream, found[stream], golden[stream])
    assert not failures, "\n".join(failures)


@pytest.mark.slow
def test_unrelated_images(shared: Path) -> None:
    """A run for each image."""
    recorded = recorded_images(shared, "holistic")
    params = {"smooth_landmarks": False, "use_previous_landmarks": False}
    found = run_images("holistic", recorded.frames, PARTS, params)
    failures = []
    for part in PARTS:
        first = [items[0] if items else None for items in found[part]]
        failures += differences(part, first, recorded.golden[part])
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
