"""Many people: one person as in holistic, several side by side, each under a number that stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from people_scenes import clip, run, side_by_side

LISTS = ("pose_landmarks", "pose_world_landmarks", "left_hand_landmarks", "right_hand_landmarks", "face_landmarks")


@pytest.mark.parametrize("count", [6, pytest.param(77, marks=pytest.mark.slow)])
def test_one_person_is_found_as_by_holistic(shared: Path, count: int) -> None:
    frames = clip(shared, "sign_again.mkv", count)
    alone, among = run("holistic", frames, LISTS), run("multi_holistic", frames, LISTS)
    assert len(alone["pose_landmarks"]) > count / 2
    for stream in LISTS:
        for timestamp in among[stream]:
            found = among[stream][timestamp]
            assert set(found) <= {1}
            assert (1 in found) == (timestamp in alone[stream]), (stream, timestamp)
            if found:
                assert found[1].xyz.tobytes() == alone[stream][timestamp].xyz.tobytes(), (stream, timestamp)


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"tiles": 1, "identities": "colors"},
        {"identities": "poseflow"},
        {"identities": "poseflow", "link_window": 8},
    ],
)
def test_threads_make_no_difference(shared: Path, params: dict[str, object]) -> None:
    frames = side_by_side([clip(shared, name, 20) for name in ("sign_again.mkv", "sign_walk.mkv")]).frames
    runs = [run("multi_holistic", frames, LISTS, params=params, num_threads=threads) for threads in (1, 4)]
    for stream in LISTS:
        one, four = (
            {t: {n: entry.xyz.tobytes() for n, entry in found.items()} for t, found in each[stream].items()}
            for each in runs
        )
        assert one == four, stream


def test_people_are_drawn_with_their_numbers(shared: Path) -> None:
    frames = clip(shared, "sign_again.mkv", 2)
    overlay = run("multi_pose", frames, ("overlay",))["overlay"][33_333]
    yellow = np.all(np.abs(overlay.astype(int) - (255, 214, 10)) < 12, axis=2)
    assert yellow.sum() > 200
