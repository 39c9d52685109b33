"""How much MediaPipe disagrees with itself when every pixel may change by one level.

    /path/to/peer/bin/python benchmarks/peer_noise.py VIDEO [VIDEO ...] [--solution hands_lite]

Runs under an interpreter with `mediapipe==0.10.21`. The tracking loops of the graphs amplify the smallest differences,
so no other implementation can be asked to agree with MediaPipe better than it does with itself; the parity tests take
their exceptions from what this prints. Of several hands or faces, those of frames with equally many are compared, in
their order.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import mediapipe as mp
import numpy as np


class Solution(NamedTuple):
    """What to make, and the result fields to compare."""

    create: Callable[[], Any]
    parts: tuple[str, ...]


SOLUTIONS = {
    "holistic": Solution(
        lambda: mp.solutions.holistic.Holistic(model_complexity=1),
        ("pose_landmarks", "left_hand_landmarks", "right_hand_landmarks", "face_landmarks"),
    ),
    "hands": Solution(lambda: mp.solutions.hands.Hands(model_complexity=1), ("multi_hand_landmarks",)),
    "hands_lite": Solution(lambda: mp.solutions.hands.Hands(model_complexity=0), ("multi_hand_landmarks",)),
    "face_mesh": Solution(lambda: mp.solutions.face_mesh.FaceMesh(), ("multi_face_landmarks",)),
}


def decode(path: str) -> list[Any]:
    capture = cv2.VideoCapture(path)
    frames = []
    while True:
        found, frame = capture.read()
        if not found:
            return frames
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))


def points(value: Any) -> list[Any]:
    """The landmarks of all that was found, as [N, 2] arrays."""
    lists = [] if value is None else value if isinstance(value, list) else [value]
    return [np.array([(point.x, point.y) for point in landmarks.landmark]) for landmarks in lists]


def run(solution: Solution, frames: list[Any], seed: int | None) -> dict[str, list[Any]]:
    random = np.random.default_rng(seed)
    found: dict[str, list[Any]] = {part: [] for part in solution.parts}
    with solution.create() as process:
        for frame in frames:
            if seed is not None:
                noise = random.integers(-1, 2, frame.shape)
                frame = np.clip(frame.astype(np.int16) + noise, 0, 255).astype(np.uint8)
            results = process.process(frame)
            for part in solution.parts:
                found[part].append(points(getattr(results, part)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+")
    parser.add_argument("--solution", choices=SOLUTIONS, default="holistic")
    parser.add_argument("--seeds", type=int, default=3, help="repetitions with other noise; medians are printed")
    arguments = parser.parse_args()
    solution = SOLUTIONS[arguments.solution]
    for video in arguments.videos:
        frames = decode(video)
        size = np.array([frames[0].shape[1], frames[0].shape[0]])
        plain = run(solution, frames, None)
        noisy = [run(solution, frames, seed) for seed in range(arguments.seeds)]
        for part in solution.parts:
            rows = []
            for other in noisy:
                pairs = list(zip(plain[part], other[part], strict=True))
                both = [(one, two) for a, b in pairs if len(a) == len(b) for one, two in zip(a, b, strict=True)]
                gaps = np.concatenate([np.linalg.norm((a - b) * size, axis=1) for a, b in both] or [np.zeros(1)])
                agreement = statistics.mean(len(a) == len(b) for a, b in pairs)
                rows.append((float(np.median(gaps)), float(np.percentile(gaps, 95)), agreement))
            median, p95, agreement = (statistics.median(column) for column in zip(*rows, strict=True))
            name = f"{Path(video).name} {arguments.solution} {part}"
            print(f"{name}: median {median:.3f} px, p95 {p95:.3f} px, presence {agreement:.4f}", flush=True)


if __name__ == "__main__":
    main()
