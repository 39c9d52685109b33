"""How much MediaPipe disagrees with itself when next to nothing changes.

    /path/to/peer/bin/python -m benchmarks.peer_noise VIDEO [VIDEO ...] [--noise regions] [--solution hands_lite]

Runs under an interpreter with `mediapipe==0.10.21`. The tracking loops of the graphs amplify the smallest differences,
so no other implementation can be asked to agree with MediaPipe better than it does with itself; the parity tests take
their exceptions from what this prints. Of several hands or faces, those of frames with equally many are compared, in
their order.

Three changes, the smallest first:

- `kernels`: TFLite's own kernels in place of XNNPACK's, which add the same numbers in another order. One run.
- `regions`: every region that a graph cuts out is moved and scaled by at most a millionth of its size, another way for
  each seed. Neither pixels nor networks change. `own_noise.py` does the same to graphflow.
- `pixels`: every value of every pixel changes by at most one level.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import mediapipe as mp
import numpy as np
from mediapipe.calculators.tensor import inference_calculator_pb2
from mediapipe.calculators.util import rect_transformation_calculator_pb2

from benchmarks.disagreement import REGION_NOISE, disagreement, report
from benchmarks.frames import decode

Edit = Callable[[Any], None]
"""Changes a graph's config."""


class Solution(NamedTuple):
    """What to make with which arguments, and the result fields to compare."""

    kind: Any
    arguments: dict[str, Any]
    parts: tuple[str, ...]


_HOLISTIC = (
    "pose_landmarks",
    "pose_world_landmarks",
    "left_hand_landmarks",
    "right_hand_landmarks",
    "face_landmarks",
)
SOLUTIONS = {
    "holistic": Solution(mp.solutions.holistic.Holistic, {"model_complexity": 1}, _HOLISTIC),
    "pose": Solution(
        mp.solutions.pose.Pose,
        {"model_complexity": 1, "enable_segmentation": True},
        ("pose_landmarks", "segmentation_mask"),
    ),
    "hands": Solution(mp.solutions.hands.Hands, {"model_complexity": 1}, ("multi_hand_landmarks",)),
    "hands_lite": Solution(mp.solutions.hands.Hands, {"model_complexity": 0}, ("multi_hand_landmarks",)),
    "face_mesh": Solution(mp.solutions.face_mesh.FaceMesh, {}, ("multi_face_landmarks",)),
}


def arrays(value: Any) -> list[Any]:
    """All that was found: landmarks as [N, 3] arrays, or the mask."""
    if isinstance(value, np.ndarray):
        return [value]
    lists = [] if value is None else value if isinstance(value, list) else [value]
    return [np.array([(point.x, point.y, point.z) for point in landmarks.landmark]) for landmarks in lists]


def change_options(node: Any, message: Any, change: Edit) -> None:
    """Changes a node's options in whichever of the two places they are."""
    if not node.node_options:
        change(node.options.Extensions[message.ext])
    for packed in node.node_options:
        options = message()
        packed.Unpack(options)
        change(options)
        packed.Pack(options)


def move_regions(seed: int) -> Edit:
    random = np.random.default_rng(seed)

    def move(options: Any) -> None:
        x, y, size = random.uniform(-REGION_NOISE, REGION_NOISE, 3)
        options.shift_x += x
        options.shift_y += y
        options.scale_x *= 1 + size
        options.scale_y *= 1 + size

    def edit(config: Any) -> None:
        for node in config.node:
            if node.calculator == "RectTransformationCalculator":
                change_options(node, rect_transformation_calculator_pb2.RectTransformationCalculatorOptions, move)

    return edit


def take_other_kernels(config: Any) -> None:
    def change(options: Any) -> None:
        options.delegate.tflite.SetInParent()

    for node in config.node:
        if node.calculator.startswith("InferenceCalculator"):
            change_options(node, inference_calculator_pb2.InferenceCalculatorOptions, change)


def edited(kind: Any, edit: Edit) -> Any:
    """The solution's class with its graph changed before it starts."""

    class Edited(kind):  # type: ignore[misc]
        def _modify_calculator_options(self, config: Any, params: Any) -> None:
            super()._modify_calculator_options(config, params)
            edit(config)

    return Edited


def change_pixels(frames: list[Any], seed: int) -> list[Any]:
    random = np.random.default_rng(seed)
    noise = (random.integers(-1, 2, frame.shape) for frame in frames)
    pairs = zip(frames, noise, strict=True)
    return [np.clip(frame.astype(np.int16) + change, 0, 255).astype(np.uint8) for frame, change in pairs]


def run(solution: Solution, frames: list[Any], edit: Edit = lambda config: None) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {part: [] for part in solution.parts}
    with edited(solution.kind, edit)(**solution.arguments) as process:
        for frame in frames:
            results = process.process(frame)
            for part in solution.parts:
                found[part].append(arrays(getattr(results, part)))
    return found


def changed(solution: Solution, frames: list[Any], noise: str, seeds: int) -> list[dict[str, list[Any]]]:
    """What the solution finds with each of the changes."""
    if noise == "kernels":
        return [run(solution, frames, take_other_kernels)]
    if noise == "regions":
        return [run(solution, frames, move_regions(seed)) for seed in range(seeds)]
    return [run(solution, change_pixels(frames, seed)) for seed in range(seeds)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+")
    parser.add_argument("--solution", choices=SOLUTIONS, default="holistic")
    parser.add_argument("--noise", choices=("kernels", "regions", "pixels"), default="pixels")
    parser.add_argument("--seeds", type=int, default=3, help="repetitions with other noise")
    arguments = parser.parse_args()
    solution = SOLUTIONS[arguments.solution]
    for video in arguments.videos:
        frames = list(decode(video, sys.maxsize))
        plain = run(solution, frames)
        others = changed(solution, frames, arguments.noise, arguments.seeds)
        for part in solution.parts:
            rows = [disagreement(part, plain[part], other[part], frames[0].shape) for other in others]
            report(f"{Path(video).name} {arguments.solution} {part}", part, rows)


if __name__ == "__main__":
    main()
