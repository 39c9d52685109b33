"""How far the holistic graph is from a recording of MediaPipe, and how far when next to nothing changes.

    python -m benchmarks.own_noise VIDEO [VIDEO ...] --recorded FOLDER [--seeds 16]

FOLDER holds a `holistic.npz` for each video, in a folder of the video's name. Every region that the graph cuts out is
moved and scaled by at most a millionth of its size, another way for each seed, as `peer_noise.py --noise regions` does
to MediaPipe. Where these rows are like those, what is left between the two is what the loops make of anything.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import graphflow
from benchmarks.disagreement import REGION_NOISE, disagreement, report
from benchmarks.frames import FRAME_US, decode

PARTS = ("pose_landmarks", "pose_world_landmarks", "left_hand_landmarks", "right_hand_landmarks", "face_landmarks")


def moved_regions(seed: int) -> dict[str, float]:
    """Overrides that move every region of the graph a little."""
    random = np.random.default_rng(seed)
    overrides: dict[str, float] = {}
    for node in graphflow.load("holistic", prune=True).checked.nodes:
        if node.calculator.__name__ != "RectTransformation":
            continue
        x, y, size = random.uniform(-REGION_NOISE, REGION_NOISE, 3)
        options = node.spec.options
        for axis, shift in (("x", x), ("y", y)):
            overrides[f"{node.spec.name}.shift_{axis}"] = float(options.get(f"shift_{axis}", 0.0) + shift)
            overrides[f"{node.spec.name}.scale_{axis}"] = float(options.get(f"scale_{axis}", 1.0) * (1 + size))
    return overrides


def run(frames: list[Any], overrides: Mapping[str, float] | None = None) -> dict[str, list[list[Any]]]:
    graph = graphflow.load("holistic", overrides=overrides, prune=True)
    found: dict[str, list[list[Any]]] = {part: [[] for _ in frames] for part in PARTS}
    for part in PARTS:

        def keep(packet: graphflow.Packet, rows: list[list[Any]] = found[part]) -> None:
            rows[packet.timestamp // FRAME_US - 1].append(packet.value.xyz)

        graph.observe(part, keep)
    graph.start()
    for index, frame in enumerate(frames):
        graph.add_packet("image", frame, (index + 1) * FRAME_US)
    graph.close_all_inputs()
    graph.wait_until_done()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+")
    parser.add_argument("--recorded", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3, help="repetitions with other noise")
    arguments = parser.parse_args()
    for video in arguments.videos:
        frames = list(decode(video, sys.maxsize))
        name = Path(video).name
        golden = np.load(arguments.recorded / name / "holistic.npz")
        recorded = {part: [[] if np.isnan(row[0, 0]) else [row[:, :3]] for row in golden[part]] for part in PARTS}
        plain = run(frames)
        others = [run(frames, moved_regions(seed)) for seed in range(arguments.seeds)]
        for part in PARTS:
            gaps = [disagreement(part, recorded[part], found[part], frames[0].shape) for found in (plain, *others)]
            report(f"{name} {part} as it is", part, gaps[:1])
            report(f"{name} {part} with regions moved", part, gaps[1:])


if __name__ == "__main__":
    main()
