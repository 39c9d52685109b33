"""What several people are to show: everybody found, under one number, whatever happens between them."""

from __future__ import annotations

import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from people_scenes import BODY, FRAME_US, Scene, clip, numbers_of, run, side_by_side

import graphflow

SIGNS = ("sign_again.mkv", "sign_walk.mkv", "sign_help.mkv", "sign_book.mkv")
SECOND = 30


def signers(shared: Path, people: int, frames: int) -> list[list[Any]]:
    return [clip(shared, name, frames) for name in SIGNS[:people]]


def all_there(scene: Scene, found: Any, after: int) -> float:
    """The share of frames in which as many people are found as there are."""
    timestamps = sorted(found[BODY])[after:]
    there = [sum(place is not None for place in scene.places[timestamp // FRAME_US]) for timestamp in timestamps]
    return float(np.mean([len(found[BODY][t]) == count for t, count in zip(timestamps, there, strict=True)]))


def test_two_keep_their_numbers(shared: Path) -> None:
    scene = side_by_side(signers(shared, 2, 16), drift_px=40)
    found = run("multi_pose", scene.frames, (BODY,))
    assert all_there(scene, found, 1) == 1
    assert [len(numbers) for numbers in numbers_of(scene, found)] == [1, 1]


@pytest.mark.slow
def test_someone_of_half_the_size(shared: Path) -> None:
    scene = side_by_side(signers(shared, 3, 58), scales=(1, 0.5, 1))
    found = run("multi_pose", scene.frames, (BODY,), params={"tiles": 1})
    assert all_there(scene, found, SECOND) >= 0.99
    assert [len(numbers) for numbers in numbers_of(scene, found)] == [1, 1, 1]


def test_tiles_find_who_is_small_in_a_wide_image(shared: Path) -> None:
    import cv2

    squats = [
        cv2.resize(frame, (270, 480), interpolation=cv2.INTER_AREA) for frame in clip(shared, "pose_squats.mp4", 3)
    ]
    left, right = (clip(shared, name, 3) for name in SIGNS[:2])
    frames: list[Any] = [np.concatenate(parts, axis=1) for parts in zip(left, squats, right, strict=True)]
    assert frames[0].shape == (480, 1550, 3)
    for tiles, expected in ((0, ["left", "right"]), (1, ["left", "middle", "right"])):
        found = run("multi_pose", frames, (BODY,), params={"tiles": tiles})[BODY]
        assert len(found) == 3
        for people in found.values():
            places = sorted(float(each.xyz[:, 0].mean()) * 1550 for each in people.values())
            assert [("left", "middle", "right")[(x > 640) + (x > 910)] for x in places] == expected


def _resident_kb() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def soak(frames: Sequence[Any], count: int) -> list[tuple[int, int, int]]:
    """Runs frames over and over, with nobody in every third part; how many are found, instances and memory in kB."""
    graph = graphflow.load("multi_pose", prune=True)
    found: list[int] = []
    graph.observe(BODY, lambda packet: found.append(len(packet.value)))
    graph.start()
    samples = []
    part = len(frames)
    empty = np.full_like(frames[0], 128)
    for number in range(count):
        nobody = number // part % 3 == 2
        graph.add_packet("image", empty if nobody else frames[number % part], number * FRAME_US)
        if number % 100 == 99:
            graph.wait_until_idle()
            samples.append((found[-1], instances(graph), _resident_kb()))
    graph.close_all_inputs()
    graph.wait_until_done()
    assert len(found) == count
    return samples


def instances(graph: Any) -> int:
    """How many copies of a person's graph there are."""
    return sum(len(each.living) + len(each._closing) for each in graph._scheduler.instances)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_long_run_with_people_coming_and_going(shared: Path) -> None:
    scene = side_by_side(signers(shared, 2, 50))
    samples = soak(scene.frames, 3000)
    assert {people for people, _, _ in samples} >= {0, 2}
    assert max(living for _, living, _ in samples) <= 4
    middle, end = (np.median([kb for _, _, kb in part]) for part in (samples[10:20], samples[20:]))
    assert end <= middle + 20_000
