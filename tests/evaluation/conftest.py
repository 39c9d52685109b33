"""Drawn people: images, their annotations, and graphs that find them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

SIZE = (160, 120)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Two images, with two people and one, and an empty one; person 0 of the first is 60 px tall."""

    data: Path
    images: Path
    annotations: dict[str, Any]


@pytest.fixture
def drawn(tmp_path: Path) -> Drawn:
    rng = np.random.default_rng(5)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, people in enumerate((2, 1, 0), 1):
        canvas = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        for person in range(people):
            low = np.array([10 + 70 * person, 20])
            cells = rng.permutation(20 * 30)[:17]
            points = np.column_stack([low[0] + 2 * (cells % 20), low[1] + 2 * (cells // 20)])
            points[5], points[12] = (low[0] + 8, 30), (low[0] + 38, 70)  # shoulder to hip is 50 px
            for keypoint, (x, y) in enumerate(points):
                canvas[y, x] = (10 * (keypoint + 1), 50 * (person + 1), 0)
            labelled = np.full(17, 2)
            labelled[3] = 0
            triples = np.column_stack([points * (labelled > 0)[:, None], labelled])
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "keypoints": [int(value) for value in triples.reshape(-1)],
                    "num_keypoints": 16,
                    "bbox": [int(low[0]), int(low[1]), 40, 60],
                    "area": 2000.0,
                    "iscrowd": 0,
                }
            )
        cv2.imwrite(str(tmp_path / f"{number}.png"), canvas[..., ::-1])
        images.append({"id": number, "file_name": f"{number}.png"})
    data = {"images": images, "annotations": annotations}
    (tmp_path / "people.json").write_text(json.dumps(data))
    return Drawn(tmp_path / "people.json", tmp_path, data)
