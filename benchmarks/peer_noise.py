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
    "pose": Solution(
        lambda: mp.solutions.pose.Pose(model_complexity=1, enable_segmentation=True),
        ("pose_landmarks", "segmentation_mask"),
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
    """The landmarks of all that was found, as [N, 2] arrays; masks as they are recorded, at most 256 pixels long."""
    if isinstance(value, np.ndarray):
        height, width = value.shape
        scale = min(1.0, 256 / max(height, width))
        return [cv2.resize(value, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)]
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


def disagreement(plain: list[Any], noisy: list[Any], size: Any) -> tuple[float, float, float]:
    """Median and 95th percentile of distances in pixels, or mean and worst of masks; share of frames that agree."""
    pairs = list(zip(plain, noisy, strict=True))
    both = [(one, two) for a, b in pairs if len(a) == len(b) for one, two in zip(a, b, strict=True)]
    agreement = statistics.mean(len(a) == len(b) for a, b in pairs)
    if both and both[0][0].shape[1] != 2:
        means = [float(np.mean(abs(a - b))) for a, b in both]
        return statistics.mean(means), max(means), agreement
    gaps = np.concatenate([np.linalg.norm((a - b) * size, axis=1) for a, b in both] or [np.zeros(1)])
    return float(np.median(gaps)), float(np.percentile(gaps, 95)), agreement


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
            rows = [disagreement(plain[part], other[part], size) for other in noisy]
            first, second, agreement = (statistics.median(column) for column in zip(*rows, strict=True))
            row = f"median {first:.3f} px, p95 {second:.3f} px"
            if part == "segmentation_mask":
                row = f"mean {first:.5f}, worst {second:.5f}"
            name = f"{Path(video).name} {arguments.solution} {part}"
            print(f"{name}: {row}, presence {agreement:.4f}", flush=True)


if __name__ == "__main__":
    main()
