"""What the parity tests share: the recorded videos, and how far an answer is from a recorded one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

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


EXACT = Bar(0.0, 0.0, 1.0)
"""Where inputs, networks and geometry round as MediaPipe's: the recorded points, to the last bit, on their frames."""


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
