import json
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphflow.calculators.io.result_json import to_json
from graphflow.calculators.io.results_writer import ResultsWriter
from graphflow.calculators.payloads import (
    Classification,
    Detection,
    LandmarkList,
    NormalizedLandmarkList,
    NormalizedRect,
    Rect,
)

from graphflow.testing import run_calculator

XYZ = np.array([[0.1, 0.2, -0.3], [1.5, 0.25, 3]], np.float32)
HALVES = np.array([0.5, 1], np.float32)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (NormalizedLandmarkList(XYZ), [[0.1, 0.2, -0.3], [1.5, 0.25, 3]]),
        (LandmarkList(XYZ, HALVES, HALVES / 2), [[0.1, 0.2, -0.3, 0.5, 0.25], [1.5, 0.25, 3, 1, 0.5]]),
        (LandmarkList(XYZ[:1], HALVES[:1]), [[0.1, 0.2, -0.3, 0.5, None]]),
        ([NormalizedLandmarkList(XYZ[:1])] * 2, [[[0.1, 0.2, -0.3]]] * 2),
        (NormalizedRect(float(np.float32(0.1)), 0.5, 0.25, 1.5, -2.0), [0.1, 0.5, 0.25, 1.5, -2]),
        (Rect(1, 2, 3, 4, 0.5), [1, 2, 3, 4, 0.5]),
        (
            [Detection(HALVES.repeat(2), HALVES[:1], np.array([0], np.int32), keypoints=XYZ[:, :2], detection_id=7)],
            [
                {
                    "box": [0.5, 0.5, 1, 1],
                    "score": 0.5,
                    "label_id": 0,
                    "keypoints": [[0.1, 0.2], [1.5, 0.25]],
                    "id": 7,
                }
            ],
        ),
        (Classification(1, float(np.float32(0.9)), "Right"), {"index": 1, "score": 0.9, "label": "Right"}),
        (np.float32(0.1), 0.1),
        (np.int64(3), 3),
        (True, True),
        ("text", "text"),
    ],
)
def test_values(value: Any, expected: Any) -> None:
    assert json.loads(to_json(value)) == expected


def test_an_image_is_no_result() -> None:
    with pytest.raises(TypeError, match="ndarray has no JSON form"):
        to_json(np.zeros((2, 2, 3), np.uint8))


def test_every_frame_has_a_line_and_absent_results_no_key(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    pose, hand = NormalizedLandmarkList(XYZ, HALVES, HALVES), NormalizedLandmarkList(XYZ)
    inputs = {
        "TICK": [(0, "frame"), (33333, "frame"), (66667, "frame")],
        "POSE_LANDMARKS": [(0, pose), (66667, pose)],
        "LEFT_HAND_LANDMARKS": [(66667, hand)],
    }
    run_calculator(ResultsWriter, inputs, {"path": str(path)})
    rows = [[0.1, 0.2, -0.3, 0.5, 0.5], [1.5, 0.25, 3, 1, 1]]
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"timestamp": 0, "frame": 0, "pose_landmarks": rows},
        {"timestamp": 33333, "frame": 1},
        {
            "timestamp": 66667,
            "frame": 2,
            "pose_landmarks": rows,
            "left_hand_landmarks": [[0.1, 0.2, -0.3], [1.5, 0.25, 3]],
        },
    ]


def test_lines_before_a_failure_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    inputs = {"TICK": [(0, 1), (1, 1)], "SCORE": [(0, 0.5), (1, object())]}
    with pytest.raises(TypeError, match="object has no JSON form"):
        run_calculator(ResultsWriter, inputs, {"path": str(path)})
    assert path.read_text() == '{"timestamp":0,"frame":0,"score":0.5}\n'


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match=r"results.jsonl cannot be written after 3 frames: File too large"):
            run_calculator(ResultsWriter, {"TICK": [(i, 1) for i in range(10)]}, {"path": str(path)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [json.loads(line)["frame"] for line in path.read_text().splitlines()] == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("results.xlsx", ValueError, "must end in .jsonl"),
        ("missing/results.jsonl", FileNotFoundError, "there is no folder"),
        ("folder.jsonl", IsADirectoryError, "it is a folder"),
    ],
)
def test_where_it_cannot_write(tmp_path: Path, name: str, error: type[Exception], message: str) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(error, match=message):
        run_calculator(ResultsWriter, {"TICK": []}, {"path": str(tmp_path / name)})
