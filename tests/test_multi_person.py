"""Many people: one person as in holistic, several side by side, each under a number that stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import graphflow

LISTS = ("pose_landmarks", "pose_world_landmarks", "left_hand_landmarks", "right_hand_landmarks", "face_landmarks")


MARGIN = 120


def frames_of(path: Path, count: int) -> list[Any]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while len(frames) < count and (read := capture.read())[0]:
        frames.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
    assert len(frames) == count
    return frames


def run(name: str, frames: list[Any], streams: tuple[str, ...] = LISTS, **arguments: Any) -> dict[str, dict[int, Any]]:
    graph = graphflow.load(name, prune=True, **arguments)
    found: dict[str, dict[int, Any]] = {stream: {} for stream in streams}
    for stream, seen in found.items():
        graph.observe(stream, lambda packet, seen=seen: seen.update({packet.timestamp: packet.value}))  # type: ignore[misc]
    graph.start()
    for number, frame in enumerate(frames):
        graph.add_packet("image", frame, number * 33_333)
    graph.close_all_inputs()
    graph.wait_until_done()
    return found


def side_by_side(shared: Path, names: list[str], count: int) -> list[Any]:
    """Frames with several videos of the same height beside each other.

    What is beside a person changes what the model says, so each video's edge is continued, as it is at an image's end.
    """
    videos = [frames_of(shared / "data" / "videos" / name, count) for name in names]

    def widened(frame: Any) -> Any:
        return cv2.copyMakeBorder(frame, 0, 0, MARGIN, MARGIN, cv2.BORDER_REPLICATE)

    rows = ([widened(part) for part in parts] for parts in zip(*videos, strict=True))
    return [np.ascontiguousarray(np.concatenate(row, axis=1)) for row in rows]


@pytest.mark.parametrize("count", [6, pytest.param(77, marks=pytest.mark.slow)])
def test_one_person_is_found_as_by_holistic(shared: Path, count: int) -> None:
    frames = frames_of(shared / "data" / "videos" / "sign_again.mkv", count)
    alone, among = run("holistic", frames), run("multi_holistic", frames)
    assert len(alone["pose_landmarks"]) > count / 2
    for stream in LISTS:
        for timestamp in among[stream]:
            found = among[stream][timestamp]
            assert set(found) <= {1}
            assert (1 in found) == (timestamp in alone[stream]), (stream, timestamp)
            if found:
                assert found[1].xyz.tobytes() == alone[stream][timestamp].xyz.tobytes(), (stream, timestamp)


@pytest.mark.slow
def test_two_people_keep_their_numbers_and_are_found_as_if_alone(shared: Path) -> None:
    names, count = ["sign_again.mkv", "sign_walk.mkv"], 77
    frames = side_by_side(shared, names, count)
    found = run("multi_holistic", frames)
    width, height = frames[0].shape[1] / 2 - 2 * MARGIN, frames[0].shape[0]
    alone = [run("pose", frames_of(shared / "data" / "videos" / name, count), ("pose_landmarks",)) for name in names]
    seen: list[set[int]] = [set(), set()]
    distances: list[list[float]] = [[], []]
    complete = 0
    for timestamp, people in found["pose_landmarks"].items():
        complete += len(people) == 2
        for number, landmarks in people.items():
            side = int(landmarks.xyz[0, 0] > 0.5)
            seen[side].add(number)
            reference = alone[side]["pose_landmarks"].get(timestamp)
            if reference is not None:
                corner = MARGIN + side * (width + 2 * MARGIN)
                mine = landmarks.xyz[:, :2] * [frames[0].shape[1], height] - [corner, 0]
                theirs = reference.xyz[:, :2] * [width, height]
                torso = np.linalg.norm(theirs[[11, 12]].mean(0) - theirs[[23, 24]].mean(0))
                shown = reference.visibility > 0.5  # the rest is guessed, also from what is beside the person
                distances[side].append(float(np.median(np.linalg.norm(mine - theirs, axis=1)[shown]) / torso))
    assert complete >= 0.99 * (count - 30)
    assert [len(numbers) for numbers in seen] == [1, 1], "a number changed"
    assert all(float(np.median(each)) < 0.01 for each in distances), [float(np.median(each)) for each in distances]


@pytest.mark.slow
def test_threads_make_no_difference(shared: Path) -> None:
    frames = side_by_side(shared, ["sign_again.mkv", "sign_walk.mkv"], 20)
    runs = [run("multi_holistic", frames, num_threads=threads) for threads in (1, 4)]
    for stream in LISTS:
        one, four = (
            {t: {n: entry.xyz.tobytes() for n, entry in found.items()} for t, found in each[stream].items()}
            for each in runs
        )
        assert one == four, stream


def test_people_are_drawn_with_their_numbers(shared: Path) -> None:
    frames = frames_of(shared / "data" / "videos" / "sign_again.mkv", 2)
    overlay = run("multi_pose", frames, ("overlay",))["overlay"][33_333]
    yellow = np.all(np.abs(overlay.astype(int) - (255, 214, 10)) < 12, axis=2)
    assert yellow.sum() > 200
