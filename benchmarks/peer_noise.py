"""How much MediaPipe disagrees with itself when every pixel may change by one level.

    /path/to/peer/bin/python benchmarks/peer_noise.py VIDEO [VIDEO ...]

Runs under an interpreter with `mediapipe==0.10.21`. The tracking loops of the holistic graph amplify the smallest
differences, so no other implementation can be asked to agree with it better than it does with itself; the parity tests
take their exceptions from what this prints.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

import cv2
import mediapipe as mp
import numpy as np

PARTS = ("pose_landmarks", "left_hand_landmarks", "right_hand_landmarks", "face_landmarks")


def decode(path: str) -> list[Any]:
    capture = cv2.VideoCapture(path)
    frames = []
    while True:
        found, frame = capture.read()
        if not found:
            return frames
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))


def run(frames: list[Any], seed: int | None) -> dict[str, list[Any]]:
    random = np.random.default_rng(seed)
    found: dict[str, list[Any]] = {part: [] for part in PARTS}
    with mp.solutions.holistic.Holistic(model_complexity=1) as holistic:
        for frame in frames:
            if seed is not None:
                noise = random.integers(-1, 2, frame.shape)
                frame = np.clip(frame.astype(np.int16) + noise, 0, 255).astype(np.uint8)
            results = holistic.process(frame)
            for part in PARTS:
                landmarks = getattr(results, part)
                points = None if landmarks is None else np.array([(p.x, p.y) for p in landmarks.landmark])
                found[part].append(points)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+")
    parser.add_argument("--seeds", type=int, default=3, help="repetitions with other noise; medians are printed")
    arguments = parser.parse_args()
    for video in arguments.videos:
        frames = decode(video)
        size = np.array([frames[0].shape[1], frames[0].shape[0]])
        plain = run(frames, None)
        noisy = [run(frames, seed) for seed in range(arguments.seeds)]
        for part in PARTS:
            rows = []
            for other in noisy:
                pairs = list(zip(plain[part], other[part], strict=True))
                both = [np.linalg.norm((a - b) * size, axis=1) for a, b in pairs if a is not None and b is not None]
                gaps = np.concatenate(both) if both else np.zeros(1)
                agreement = statistics.mean((a is None) == (b is None) for a, b in pairs)
                rows.append((float(np.median(gaps)), float(np.percentile(gaps, 95)), agreement))
            median, p95, agreement = (statistics.median(column) for column in zip(*rows, strict=True))
            print(f"{Path(video).name} {part}: median {median:.3f} px, p95 {p95:.3f} px, presence {agreement:.4f}")


if __name__ == "__main__":
    main()
