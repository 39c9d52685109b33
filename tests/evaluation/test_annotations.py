"""Reading of COCO keypoint files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphflow.evaluation.annotations import Annotations, read_annotations


def written(tmp_path: Path, annotation: dict[str, Any], **more: Any) -> Annotations:
    path = tmp_path / "truth.json"
    path.write_text(json.dumps({"images": [{"id": 7, "file_name": "a.jpg"}], "annotations": [annotation], **more}))
    return read_annotations(path)


def points(*known: tuple[int, float, float]) -> list[float]:
    rows = np.zeros((17, 3))
    for keypoint, x, y in known:
        rows[keypoint] = (x, y, 2)
    return [float(value) for value in rows.reshape(-1)]


def test_what_is_missing_is_made_up(tmp_path: Path) -> None:
    found = written(tmp_path, {"image_id": 7, "keypoints": points((5, 10, 20), (12, 110, 70))})
    (person,) = found.images[0].people
    np.testing.assert_allclose(person.box, [0, 15, 120, 60])
    assert person.area == pytest.approx(0.53 * 120 * 60)
    assert not person.crowd
    assert np.isnan(person.head_length)
    assert person.labelled.sum() == 2
    (entry,) = found.coco["annotations"]
    assert (entry["num_keypoints"], entry["category_id"], entry["iscrowd"], entry["id"]) == (2, 1, 0, 1)
    assert found.coco["categories"][0]["name"] == "person"


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    given = {"id": 3, "image_id": 7, "keypoints": points(), "bbox": [1, 2, 3, 4], "area": 9, "iscrowd": 1}
    found = written(tmp_path, given)
    (person,) = found.images[0].people
    assert (person.area, person.crowd, list(person.box)) == (9, True, [1, 2, 3, 4])
    assert found.coco["annotations"][0]["id"] == 3


HEADS = [
    ({"head_length": 25}, (), 25.0),
    ({"head_box": [10, 10, 40, 50]}, (), 30.0),
    ({}, ((0, 0, 0), (3, 30, 0), (4, -10, 0)), 40.0),
    ({}, ((0, 0, 0), (3, 30, 0)), float("nan")),
]


@pytest.mark.parametrize(("given", "face", "expected"), HEADS)
def test_length_of_heads(given: dict[str, Any], face: tuple[Any, ...], expected: float, tmp_path: Path) -> None:
    found = written(tmp_path, {"image_id": 7, "keypoints": points(*face), **given})
    assert found.images[0].people[0].head_length == pytest.approx(expected, nan_ok=True)


def test_other_skeletons(tmp_path: Path) -> None:
    category = {"id": 1, "name": "hand", "keypoints": ["wrist", "tip"]}
    found = written(tmp_path, {"image_id": 7, "keypoints": [1, 2, 2, 3, 4, 0]}, categories=[category])
    assert found.keypoint_names == ("wrist", "tip")
    assert found.images[0].people[0].keypoints.shape == (2, 3)


WRONG = [
    ("[", "not a JSON file"),
    ("[]", "no list of images and annotations"),
    ('{"images": []}', "no list of annotations"),
    ('{"images": [{"id": 1}], "annotations": []}', "KeyError: 'file_name'"),
    ('{"images": [], "annotations": [{"image_id": 1}]}', "KeyError: 'keypoints'"),
    ('{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": 1, "keypoints": [1, 2, 2]}]}', "17"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_no_annotation_file_is_said(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_annotations(tmp_path / "truth.json")


def test_limit(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    images = [{"id": number, "file_name": f"{number}.jpg"} for number in range(4)]
    annotations = [{"image_id": number, "keypoints": points((0, 1, 1))} for number in range(4)]
    path.write_text(json.dumps({"images": images, "annotations": annotations}))
    few = read_annotations(path).limited(2)
    assert [image.image_id for image in few.images] == [0, 1]
    assert [each["image_id"] for each in few.coco["annotations"]] == [0, 1]
    assert len(few.coco["images"]) == 2
