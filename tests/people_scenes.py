"""Videos of several people, composed of those of one: what is found in each alone is the truth for all together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

import graphflow
from graphflow import Packet

Frame = npt.NDArray[np.uint8]
Found = dict[str, dict[int, Any]]
"""What a graph found, by stream and timestamp."""

FRAME_US = 33_333
MARGIN = 120
"""Pixels beside each clip: its edge goes on, as at an image's end, since what is beside a person changes the result."""
WIDTH, HEIGHT = 640, 480
"""Of most clips, in pixels."""
BODY = "pose_landmarks"
HANDS = ("left_hand_landmarks", "right_hand_landmarks")


def clip(shared: Path, name: str, count: int) -> list[Frame]:
    """The first frames of a shared video, RGB."""
    capture = cv2.VideoCapture(str(shared / "data" / "videos" / name))
    frames: list[Frame] = []
    while len(frames) < count and (read := capture.read())[0]:
        frames.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False))
    assert len(frames) == count
    return frames


def run(name: str, frames: Sequence[Frame], streams: Sequence[str], **arguments: Any) -> Found:
    """Runs a shipped graph on frames of 30 a second."""
    graph = graphflow.load(name, prune=True, **arguments)
    found: Found = {stream: {} for stream in streams}
    for stream, seen in found.items():

        def keep(packet: Packet, seen: dict[int, Any] = seen) -> None:
            seen[packet.timestamp] = packet.value

        graph.observe(stream, keep)
    graph.start()
    for number, frame in enumerate(frames):
        graph.add_packet("image", frame, number * FRAME_US)
    graph.close_all_inputs()
    graph.wait_until_done()
    return found


@dataclass(frozen=True)
class Scene:
    """Frames, and where in each of them each clip lies.

    Attributes:
        frames: of one size.
        places: for each frame and clip where it begins, in pixels from the left; None while it is not shown.
        clips: those that are shown, each with as many frames.
    """

    frames: list[Frame]
    places: list[list[int | None]]
    clips: list[list[Frame]]

    def whose(self, time: int, landmarks: Any) -> int | None:
        """The clip in the middle of whose place somebody is, the nearest; None where there is none."""
        x = float(landmarks.xyz[[11, 12], 0].mean()) * self.frames[0].shape[1]
        widths = [own[0].shape[1] for own in self.clips]
        apart = {
            number: abs(place + widths[number] / 2 - x)
            for number, place in enumerate(self.places[time])
            if place is not None
        }
        nearest = min(apart, key=apart.__getitem__, default=0)
        return nearest if apart and apart[nearest] < widths[nearest] / 3 else None

    def in_clip(self, time: int, number: int, landmarks: Any) -> npt.NDArray[np.float64]:
        """Landmarks in pixels of the clip, [N, 2]."""
        place = self.places[time][number]
        assert place is not None
        height, width = self.frames[0].shape[:2]
        return np.asarray(landmarks.xyz[:, :2].astype(np.float64) * [width, height] - [place, 0])


def side_by_side(clips: list[list[Frame]], drift_px: int = 0, scales: Sequence[float] = ()) -> Scene:
    """Clips of the same height beside each other, which may move to and fro, and stand on the ground where smaller.

    Args:
        clips: all with as many frames.
        drift_px: how far each moves from its place, at most `MARGIN`.
        scales: of each clip; default 1.
    """
    factors = list(scales) or [1.0] * len(clips)
    parts: list[list[Frame]] = [[] for _ in clips]
    for number, (own, factor) in enumerate(zip(clips, factors, strict=True)):
        for time, frame in enumerate(own):
            picture: Any = frame if factor == 1 else cv2.resize(frame, None, fx=factor, fy=factor)
            moved = round(drift_px * np.sin(2 * np.pi * (time / len(own) + number / len(clips))))
            sides = (frame.shape[0] - picture.shape[0], 0, MARGIN + moved, MARGIN - moved)
            parts[number].append(np.asarray(cv2.copyMakeBorder(picture, *sides, cv2.BORDER_REPLICATE), np.uint8))
    lefts = np.cumsum([0, *(part[0].shape[1] for part in parts)])
    places: list[int | None] = [int(left) for left in lefts[:-1]]
    frames = [np.ascontiguousarray(np.concatenate(row, axis=1)) for row in zip(*parts, strict=True)]
    return Scene(frames, [places] * len(frames), parts)


def swapping(first: list[Frame], second: list[Frame], still: int = 20) -> Scene:
    """Two who change places, the second in front of the first, whom it hides for a while."""
    width = first[0].shape[1]
    way = crossing(0, width, len(first), still)
    return composed([first, second], [way, [width - left for left in way]], 2 * width)


def crossing(begin: int, end: int, frames: int, still: int, pause: int = 0, until: float = 1) -> list[int]:
    """Where somebody is who stands, goes, may stop halfway, goes on and stands again, in pixels for each frame.

    Args:
        begin: where from.
        end: where to.
        frames: how many in all.
        still: frames before, and after.
        pause: frames halfway.
        until: the share of the way that is gone at the end: 1 is all of it, 0 is back where it began.
    """
    half = (frames - 2 * still - pause) / 2
    share = np.interp(range(frames), [still, still + half, still + half + pause, frames - still], [0, 0.5, 0.5, until])
    return [round(begin + (end - begin) * float(each)) for each in share]


def composed(
    clips: list[list[Frame]], lefts: list[list[int]], canvas: int, cut: float = 1 / 6, unasked: float = 0
) -> Scene:
    """Clips of one size that move past each other, the later ones in front of the earlier.

    Args:
        clips: all with as many frames, RGB, or RGBA of which only what has alpha is shown.
        lefts: for each clip and frame where it begins, in pixels.
        canvas: the width of the whole image, in pixels.
        cut: the share of the width that is left out on both sides of all clips but the first.
        unasked: closer than this share of the width it is not asked who is who.
    """
    height, width = clips[0][0].shape[:2]
    aside = int(width * cut)
    frames: list[Frame] = []
    places: list[list[int | None]] = []
    for time in range(len(clips[0])):
        frame = np.empty((height, canvas, 3), np.uint8)
        frame[:] = clips[0][time][0, 0, 0]
        now = [own[time] for own in lefts]
        for number, left in enumerate(now):
            shown = slice(aside, width - aside) if number else slice(0, width)
            part, own = frame[:, left : left + width][:, shown], clips[number][time][:, shown]
            part[:] = own if own.shape[2] == 3 else np.where(own[..., 3:] > 0, own[..., :3], part)
        frames.append(frame)
        reach = width * (1 - 2 * cut) if not unasked else 0
        apart = [[abs(left - other) for other in now] for left in now]
        hidden = [
            any(each < reach for each in own[n + 1 :]) or any(each < width * unasked for each in own[:n] + own[n + 1 :])
            for n, own in enumerate(apart)
        ]
        places.append([None if gone else left for gone, left in zip(hidden, now, strict=True)])
    return Scene(frames, places, clips)


def back_and_forth(shared: Path, name: str, long: int, frames: int) -> list[Frame]:
    """So many frames of a shared video, which goes to a frame, back to the first, and on like that.

    Narrow videos get a picture as wide as the others, and as high.
    """
    there = clip(shared, name, long)
    if there[0].shape[0] != HEIGHT:
        width = round(there[0].shape[1] * HEIGHT / there[0].shape[0])
        left = (WIDTH - width) // 2
        sides = (0, 0, left, WIDTH - width - left)
        small = [cv2.resize(frame, (width, HEIGHT), interpolation=cv2.INTER_AREA) for frame in there]
        there = [np.asarray(cv2.copyMakeBorder(each, *sides, cv2.BORDER_REPLICATE), np.uint8) for each in small]
    around = [*there, *there[-2:0:-1]]
    return [around[number % len(around)] for number in range(frames)]


def cut_out(frames: list[Frame]) -> list[Frame]:
    """The person of each frame, RGBA with alpha where the person is."""
    masks = run("selfie_segmentation", frames, ("segmentation_mask",))["segmentation_mask"]
    return [
        np.concatenate([frame, np.where(mask > 0.5, 255, 0).astype(np.uint8).reshape(*frame.shape[:2], 1)], axis=2)
        for frame, mask in zip(frames, masks.values(), strict=True)
    ]


def leaving(stays: list[Frame], leaves: list[Frame], away: range) -> Scene:
    """Two beside each other, the second of whom is not there for a while."""
    scene = side_by_side([stays, leaves])
    frames = list(scene.frames)
    half = frames[0].shape[1] // 2
    for time in away:
        frames[time] = frames[time].copy()
        frames[time][:, half:] = frames[time][:, half : half + 1]
    places = [[where[0], None if time in away else where[1]] for time, where in enumerate(scene.places)]
    return Scene(frames, places, scene.clips)


def numbers_of(scene: Scene, found: Found) -> list[list[int]]:
    """For each clip the numbers that its person had, one after the other."""
    seen: list[list[int]] = [[] for _ in scene.clips]
    for time, timestamp in enumerate(sorted(found[BODY])):
        people = found[BODY][timestamp]
        for clip_number, mine in enumerate(seen):
            here = [number for number, landmarks in people.items() if scene.whose(time, landmarks) == clip_number]
            # of several in one place, who was there stays, as CLEAR MOT has it
            if here and not (mine and mine[-1] in here):
                mine.append(here[0])
    return seen


def size_of(points: npt.NDArray[np.float64]) -> float:
    """The length of a torso, or of a palm, in the unit of the points [33 or 21, 2]."""
    if len(points) == 21:
        return float(np.linalg.norm(points[0] - points[9]))
    return float(np.linalg.norm(points[[11, 12]].mean(axis=0) - points[[23, 24]].mean(axis=0)))
