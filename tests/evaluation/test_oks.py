"""Object keypoint similarity, and what COCO makes of it."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest

from graphflow.evaluation.oks import COCO_FIELDS, coco_keypoint_summary, coco_oks, coco_oks_matrix, oks

SEEN = np.ones((1, 17), bool)


def _person(x: float = 100.0, seen: int = 17) -> dict[str, Any]:
    keypoints = [[x + 2 * k, 100 + 3 * k, 2 if k < seen else 0] for k in range(17)]
    return {
        "id": 1,
        "image_id": 7,
        "category_id": 1,
        "iscrowd": 0,
        "area": 10_000.0,
        "bbox": [x, 100, 40, 60],
        "num_keypoints": seen,
        "keypoints": [number for point in keypoints for number in point],
    }


def _file(*people: dict[str, Any]) -> dict[str, Any]:
    numbered = [{**person, "id": number} for number, person in enumerate(people, 1)]
    return {"images": [{"id": 7}], "annotations": numbered, "categories": [{"id": 1, "name": "person"}]}


def _found(person: dict[str, Any], score: float) -> dict[str, Any]:
    return {"image_id": 7, "category_id": 1, "keypoints": person["keypoints"], "score": score}


def test_the_same_pose_has_similarity_one_and_a_far_one_none() -> None:
    points = np.random.default_rng(0).uniform(0, 100, (1, 17, 2))
    assert oks(points, points, SEEN, [500.0])[0] == pytest.approx(1.0)
    assert oks(points + 1000, points, SEEN, [500.0])[0] == pytest.approx(0.0)
    assert oks(points, points, ~SEEN, [500.0])[0] == 0.0


def test_a_keypoint_one_deviation_away_counts_as_in_the_paper() -> None:
    points = np.zeros((1, 1, 2))
    moved = points + np.array([1.0, 0.0])  # 2 sigma times the root of the area
    assert oks(moved, points, SEEN[:, :1], [100.0], [0.05])[0] == pytest.approx(np.exp(-0.5))


def test_an_annotation_without_keypoints_is_matched_by_its_box() -> None:
    hidden = _person(seen=0)
    assert coco_oks(_found(_person(), 1.0), hidden) == pytest.approx(1.0)
    assert coco_oks(_found(_person(900.0), 1.0), hidden) == pytest.approx(0.0)


def test_rows_are_ranked_by_score() -> None:
    near, far = _person(), _person(110.0)
    matrix = coco_oks_matrix([_found(far, 0.1), _found(near, 0.9)], [near])
    assert matrix[0, 0] == pytest.approx(1.0)
    assert matrix[1, 0] < 1.0
    assert coco_oks_matrix([], [near]).shape == (0, 1)


def test_perfect_and_empty_detections() -> None:
    perfect = coco_keypoint_summary(_file(_person()), [_found(_person(), 0.9)])
    assert perfect.values["AP"] == pytest.approx(1.0)
    assert set(perfect.values) == set(COCO_FIELDS)
    nothing = coco_keypoint_summary(_file(_person()), [])
    assert nothing.values["AP"] == nothing.values["AR"] == 0.0
    assert coco_keypoint_summary(_file(), []).values["AP"] == -1.0


def test_detections_of_unknown_images_are_refused() -> None:
    with pytest.raises(ValueError, match=r"do not have: \[8\]"):
        coco_keypoint_summary(_file(_person()), [{**_found(_person(), 0.9), "image_id": 8}])


def test_a_missing_extra_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("faster_coco_eval"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'graphflow\[eval\]'"):
        coco_keypoint_summary(_file(), [])
