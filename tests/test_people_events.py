"""Who is who when people hide each other, leave and come back: switches of identities, as CLEAR MOT counts them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from people_scenes import (
    BODY,
    WIDTH,
    Scene,
    back_and_forth,
    composed,
    crossing,
    cut_out,
    leaving,
    numbers_of,
    run,
    swapping,
)

STILL = 20
"""Frames before people begin to go, and after."""
CLIPS = {
    "again": ("sign_again.mkv", 77),
    "walk": ("sign_walk.mkv", 88),
    "help": ("sign_help.mkv", 57),
    "book": ("sign_book.mkv", 109),
    "squats": ("pose_squats.mp4", 64),
}
"""In again and help is the same person in the same clothes, and so in walk and book."""


def how(identities: str) -> dict[str, Any]:
    """The parameters of multi_pose; after poseflow may stand how many frames it looks ahead."""
    name, _, window = identities.partition(" ")
    return {"identities": name} | ({"link_window": int(window)} if window else {})


def switches(scene: Scene, identities: str) -> int:
    tiles = int(scene.frames[0].shape[1] > 2 * WIDTH)
    numbers = numbers_of(scene, run("multi_pose", scene.frames, (BODY,), params=how(identities) | {"tiles": tiles}))
    assert all(numbers)
    return sum(len(each) - 1 for each in numbers)


def event(shared: Path, name: str) -> Scene:
    first, second = (back_and_forth(shared, *CLIPS[each], 77) for each in ("again", "walk"))
    if name == "swap":
        return swapping(first, second, STILL)
    return leaving(first, second, range(25, 45) if name == "leave and return" else range(12, 60))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "identities", "most"),
    [
        ("swap", "regions", 1),
        ("swap", "oks", 1),
        ("swap", "poseflow", 0),
        ("swap", "poseflow 30", 0),
        ("swap", "colors", 0),
        ("leave and return", "regions", 0),
        ("leave and return", "oks", 0),
        ("leave and return", "poseflow", 0),
        ("leave and return", "poseflow 30", 0),
        ("leave and return", "colors", 0),
        ("long absence", "regions", 1),
        ("long absence", "oks", 0),
        ("long absence", "poseflow", 0),
        ("long absence", "poseflow 30", 0),
        ("long absence", "colors", 0),
    ],
)
def test_identities_through_events(shared: Path, name: str, identities: str, most: int) -> None:
    assert switches(event(shared, name), identities) <= most


def passing(
    shared: Path, kind: str, behind: str, before: str, going: int, pause: int = 0, cut: float = 1 / 6, third: str = ""
) -> Scene:
    """Two who pass each other in so many frames and stop halfway, and one beside them.

    They swap places, or both turn back ("turn"), or one walks by behind or before the other, who stands.
    """
    frames = going + pause + 2 * STILL
    there = crossing(0, WIDTH, frames, STILL, pause, until=0 if kind == "turn" else 1)
    by = crossing(0, 2 * WIDTH, frames, STILL, pause)
    ways = {"behind": [by, [WIDTH] * frames], "before": [[WIDTH] * frames, by]}.get(
        kind, [there, [WIDTH - left for left in there]]
    )
    people = [back_and_forth(shared, *CLIPS[each], frames) for each in (behind, before)]
    canvas = 3 * WIDTH if kind in ("behind", "before") else 2 * WIDTH
    if third:
        people.append(back_and_forth(shared, *CLIPS[third], frames))
        ways.append([canvas] * frames)
        canvas += WIDTH
    return composed(people, ways, canvas, cut)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "most"),
    [
        # who is behind and who before; frames in which they pass, and for which they stop
        (("swap", "walk", "again", 37), 0),
        (("swap", "help", "walk", 16), 1),
        (("swap", "again", "book", 37, 10), 1),
        (("swap", "walk", "help", 37, 40), 1),
        (("swap", "again", "help", 74), 1),
        (("swap", "walk", "squats", 37), 0),
        # so narrow that an arm of who is behind shows
        (("swap", "walk", "book", 60, 0, 0.25), 0),
        (("swap", "help", "book", 37, 10, 1 / 6, "squats"), 1),
        (("turn", "book", "help", 50, 10), 0),
        (("behind", "again", "book", 74), 1),
        (("before", "help", "again", 74), 0),
    ],
    ids=lambda value: " ".join(str(each) for each in value) if isinstance(value, tuple) else None,
)
def test_who_was_hidden_is_the_same(shared: Path, arguments: tuple[Any, ...], most: int) -> None:
    scene = passing(shared, *arguments)
    assert switches(scene, "oks") <= most
    assert switches(scene, "poseflow 30") == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("behind", "before", "going", "pause"),
    [("again", "walk", 37, 0), ("walk", "help", 37, 20), ("book", "again", 80, 0)],
)
def test_silhouettes_swap(shared: Path, behind: str, before: str, going: int, pause: int) -> None:
    frames = going + pause + 2 * STILL
    way = crossing(0, WIDTH, frames, STILL, pause)
    clips = [cut_out(back_and_forth(shared, *CLIPS[each], frames)) for each in (behind, before)]
    scene = composed(clips, [way, [WIDTH - left for left in way]], 2 * WIDTH, cut=0, unasked=0.4)
    assert switches(scene, "poseflow 30") == 0


def test_results_come_late_at_their_own_times(shared: Path) -> None:
    frames = back_and_forth(shared, *CLIPS["again"], 8)
    streams = (BODY, "regions", "overlay")
    at_once, late, at_the_end = (
        run("multi_pose", frames, streams, params={"identities": "poseflow", "link_window": window})
        for window in (0, 3, 30)
    )
    assert list(late[BODY]) == [time * 33_333 for time in range(8)]
    for found in (late, at_the_end):
        for stream in streams:
            assert list(found[stream]) == list(at_once[stream])
        assert [{number: body.xyz.tobytes() for number, body in people.items()} for people in found[BODY].values()] == [
            {number: body.xyz.tobytes() for number, body in people.items()} for people in at_once[BODY].values()
        ]
        assert all(np.array_equal(found["overlay"][time], image) for time, image in at_once["overlay"].items())


@pytest.mark.slow
def test_a_window_longer_than_queues(shared: Path) -> None:
    frames = back_and_forth(shared, *CLIPS["again"], 160)
    found = run("multi_pose", frames, (BODY, "overlay"), params=how("poseflow 130"))
    assert len(found["overlay"]) == 160
    assert {number for people in found[BODY].values() for number in people} == {1}
