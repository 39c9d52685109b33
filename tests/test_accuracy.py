"""Accuracy against ground truth: no worse than MediaPipe's, on the same images, by the recorder's own measure."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

import graphflow

STILL = {"use_previous_landmarks": False}
BODY_AND_HANDS = ("pose_landmarks", "left_hand_landmarks", "right_hand_landmarks")
HANDS = "multi_hand_landmarks"
MOST_HANDS = 4
"""Rows of the arrays of hands, filled up with NaN."""

ROUNDING = 0.0005
"""The measure rounds each image's figures to three decimals."""

Images = Mapping[str, npt.NDArray[np.uint8]]


def answers(name: str, image: npt.NDArray[np.uint8], params: Mapping[str, Any], streams: tuple[str, ...]) -> Any:
    """What a fresh graph says of one image; None where a stream has no packet."""
    graph = graphflow.load(name, params=params, prune=True)
    found: dict[str, Any] = dict.fromkeys(streams)
    for stream in streams:
        graph.observe(stream, lambda packet, stream=stream: found.update({stream: packet.value}))
    graph.start()
    graph.add_packet("image", image, 0)
    graph.close_all_inputs()
    graph.wait_until_done()
    return found


def points(landmarks: Any, count: int) -> npt.NDArray[np.float32]:
    """Landmarks as the recorder keeps them."""
    return np.full((count, 3), np.nan, np.float32) if landmarks is None else landmarks.xyz


def save_holistic(folder: Path, images: Images) -> None:
    params = {**STILL, "smooth_landmarks": False}
    found = [answers("holistic", image, params, BODY_AND_HANDS) for image in images.values()]
    arrays = {
        part: np.stack([points(answer[part], 33 if part == "pose_landmarks" else 21) for answer in found])
        for part in BODY_AND_HANDS
    }
    np.savez(folder / "holistic.npz", names=np.array(list(images)), **arrays)


def save_hands(folder: Path, images: Images, file: str, model_complexity: int) -> None:
    rows = []
    for image in images.values():
        params = {**STILL, "model_complexity": model_complexity}
        hands = answers("hands", image, params, (HANDS,))[HANDS] or []
        rows.append(np.stack([points(hand, 21) for hand in [*hands, *[None] * (MOST_HANDS - len(hands))]]))
    np.savez(folder / f"{file}.npz", names=np.array(list(images)), **{HANDS: np.stack(rows)})


def shortfalls(ours: Mapping[str, Any], theirs: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Prints both figures of each measure; those where ours is worse."""
    found = []
    for measure, peer in theirs.items():
        own = ours[measure]
        if isinstance(peer, dict):
            found += shortfalls(own, peer, f"{measure} ")
            continue
        row = f"{prefix}{measure}: {own:.5f}, MediaPipe {peer:.5f}"
        print(row)
        worse = own > peer + ROUNDING if "err" in measure else own < peer - ROUNDING
        found += [row] if worse else []
    return found


@pytest.mark.slow
def test_no_worse_than_mediapipe(shared: Path, tmp_path: Path) -> None:
    data = shared / "data"
    names = list(json.loads((data / "annotations.json").read_text())["images"])
    recorded = np.load(data / "goldens" / "images" / "holistic.npz")["names"].tolist()
    assert set(names) <= set(recorded)
    images: Images = {
        name: np.asarray(cv2.cvtColor(cv2.imread(str(data / "images" / name)), cv2.COLOR_BGR2RGB), np.uint8)  # type: ignore[arg-type]
        for name in names
    }
    save_holistic(tmp_path, images)
    save_hands(tmp_path, images, "hands", 1)
    save_hands(tmp_path, images, "hands_lite", 0)
    tool = data / "tools" / "measure_accuracy.py"
    out = tmp_path / "accuracy.json"
    command = [sys.executable, str(tool), str(data), "--goldens", str(tmp_path), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    theirs = json.loads((data / "goldens" / "accuracy_mediapipe.json").read_text())["summary"]
    failures = shortfalls(json.loads(out.read_text())["summary"], theirs)
    assert not failures, "\n".join(failures)
