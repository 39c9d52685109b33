"""Boxes from files of other programs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphflow.calculators.io.boxes_file import BoxesFile

from graphflow.testing import run_calculator


def boxes(path: Path, frames: int = 3, **options: Any) -> list[list[list[float]]]:
    ticks = [(number * 10, np.zeros((2, 2, 3), np.uint8)) for number in range(frames)]
    found = run_calculator(BoxesFile, inputs={"TICK": ticks}, options={"path": str(path), **options})
    assert [timestamp for timestamp, _ in found["DETECTIONS"]] == [timestamp for timestamp, _ in ticks]
    assert all(each.box_format == "pixel" for _, frame in found["DETECTIONS"] for each in frame)
    return [[[*each.box.tolist(), *each.scores.tolist()] for each in frame] for _, frame in found["DETECTIONS"]]


def test_results_by_rising_image(tmp_path: Path) -> None:
    entries = [
        {"image_id": 9, "bbox": [1, 2, 3, 4], "score": 0.25},
        {"image_id": 4, "bbox": [5, 6, 7, 8], "score": 0.5},
        {"image_id": 9, "bbox": [9, 8, 7, 6], "score": 0.75},
    ]
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(entries))
    assert boxes(path) == [[[5, 6, 7, 8, 0.5]], [[9, 8, 7, 6, 0.75], [1, 2, 3, 4, 0.25]], []]
    assert boxes(path, min_score=0.5)[:2] == [[[5, 6, 7, 8, 0.5]], [[9, 8, 7, 6, 0.75]]]


def test_annotations_in_the_order_of_the_images(tmp_path: Path) -> None:
    path = tmp_path / "people.json"
    images = [{"id": 3, "file_name": "b"}, {"id": 1, "file_name": "a"}, {"id": 2, "file_name": "c"}]
    path.write_text(json.dumps({"images": images, "annotations": [{"image_id": 1, "bbox": [1, 2, 3, 4]}]}))
    assert boxes(path, 4) == [[], [[1, 2, 3, 4, 1.0]], [], []]


@pytest.mark.parametrize("text", ["[", "{}", "[{}]", '[{"image_id": 1, "bbox": [1, 2]}]', "3"])
def test_what_is_no_file_of_boxes_is_said(text: str, tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    path.write_text(text)
    with pytest.raises(Exception, match=r"boxes\.json has no boxes: .*COCO results or annotation file"):
        boxes(path)
