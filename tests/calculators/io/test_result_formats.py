"""Every format `ResultsWriter` writes, read back by what other programs read it with."""

import csv
import json
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphflow.calculators.io.results_writer import RESULT_ENDINGS, ResultsWriter
from graphflow.calculators.payloads import (
    Classification,
    Detection,
    LandmarkList,
    NormalizedLandmarkList,
    NormalizedRect,
)

from graphflow.testing import run_calculator

SIZE = (200, 100)
IMAGE = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
RNG = np.random.default_rng(4)


def body(points: int = 33) -> NormalizedLandmarkList:
    visibility = np.linspace(0.1, 1, points, dtype=np.float32)
    return NormalizedLandmarkList(RNG.random((points, 3), np.float32), visibility, visibility / 2)


BODY, HAND = body(), NormalizedLandmarkList(RNG.random((21, 3), np.float32))
RECT = NormalizedRect(0.5, 0.25, 0.125, 1.5, -2.0)
FOUND = Detection(
    np.array([0.1, 0.2, 0.3, 0.4], np.float32), np.array([0.75], np.float32), np.array([3], np.int32), ("cup",),
    np.array([[0.5, 0.5], [1, 0.25]], np.float32),
)  # fmt: skip
INPUTS: dict[str, list[tuple[int, Any]]] = {
    "TICK": [(0, IMAGE), (40_000, IMAGE), (80_000, IMAGE)],
    "POSE_LANDMARKS": [(0, BODY), (80_000, BODY)],
    "LEFT_HAND_LANDMARKS": [(80_000, HAND)],
    "POSE_WORLD_LANDMARKS": [(0, LandmarkList(BODY.xyz))],
    "ROI": [(0, RECT)],
    "FACES": [(0, [FOUND, FOUND])],
    "HANDEDNESS": [(80_000, Classification(1, 0.5, "Right"))],
    "HEIGHT": [(0, 0.1), (40_000, float(np.float32(0.3)))],
}


def write(path: Path, inputs: dict[str, list[tuple[int, Any]]] = INPUTS) -> None:
    run_calculator(ResultsWriter, inputs, {"path": str(path)})


def test_csv(tmp_path: Path) -> None:
    write(tmp_path / "found.csv")
    with (tmp_path / "found.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    points = [row for row in rows if row["key"] == "pose_landmarks" and row["frame"] == "2"]
    read = np.array([[row[name] for name in ("x", "y", "z", "visibility", "presence")] for row in points], np.float32)
    assert BODY.visibility is not None
    assert BODY.presence is not None
    assert (read == np.column_stack((BODY.xyz, BODY.visibility, BODY.presence))).all()
    assert [row["point"] for row in points] == [str(number) for number in range(33)]
    [rect] = [row for row in rows if row["key"] == "roi"]
    assert [rect[name] for name in ("x", "y", "width", "height", "rotation")] == ["0.5", "0.25", "0.125", "1.5", "-2.0"]
    faces = [row for row in rows if row["key"] == "faces"]
    assert [(row["item"], row["point"], row["score"], row["label"]) for row in faces] == [
        ("0", "", "0.75", "cup"), ("0", "0", "", ""), ("0", "1", "", ""),
        ("1", "", "0.75", "cup"), ("1", "0", "", ""), ("1", "1", "", ""),
    ]  # fmt: skip
    [hand] = [row for row in rows if row["key"] == "handedness"]
    assert (hand["timestamp"], hand["value"], hand["label"], hand["score"]) == ("80000", "1", "Right", "0.5")
    assert [row["frame"] for row in rows if row["key"] == "height"] == ["0", "1"]


def test_a_frame_without_results_has_a_row(tmp_path: Path) -> None:
    write(tmp_path / "found.csv", {"TICK": [(0, IMAGE), (7, IMAGE)], "HEIGHT": [(0, 1.5)]})
    _, first, second = (tmp_path / "found.csv").read_text().splitlines()
    assert (first.split(",")[:3], first.split(",")[-1]) == (["0", "0", "height"], "1.5")
    assert second == "7,1" + "," * 14


def test_parquet_has_the_rows_of_the_csv(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet", reason="pip install 'graphflow[parquet]'")
    for ending in ("csv", "parquet"):
        write(tmp_path / f"found.{ending}")
    table = pq.read_table(tmp_path / "found.parquet").to_pylist()
    with (tmp_path / "found.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(table) == len(rows)
    for one, other in zip(table, rows, strict=True):
        assert {name: text for name, text in other.items() if text}.keys() == {
            name for name, value in one.items() if value is not None
        }
        assert np.float32(other["x"] or 0) == np.float32(one["x"] or 0)
        assert other["key"] == (one["key"] or "")
        assert int(other["timestamp"]) == one["timestamp"]


def test_npz(tmp_path: Path) -> None:
    write(tmp_path / "found.npz")
    with np.load(tmp_path / "found.npz", allow_pickle=False) as arrays:
        found = dict(arrays)
    assert found["timestamp"].tolist() == [0, 40_000, 80_000]
    assert found["pose_landmarks"].shape == (3, 33, 5)
    assert found["pose_landmarks"].dtype == np.float32
    assert (found["pose_landmarks"][2, :, :3] == BODY.xyz).all()
    assert np.isnan(found["pose_landmarks"][1]).all()
    assert found["left_hand_landmarks"].shape == (3, 21, 3)
    assert found["roi"][0].tolist() == [0.5, 0.25, 0.125, 1.5, -2]
    assert found["faces"].shape == (3, 2, 9)
    assert found["height"][:2].tolist() == [0.1, float(np.float32(0.3))]


def test_lists_of_different_lengths_are_filled_up(tmp_path: Path) -> None:
    write(tmp_path / "found.npz", {"TICK": [(0, 1), (1, 1)], "NUMBERS": [(0, [1.5]), (1, [2.5, 3.5])]})
    with np.load(tmp_path / "found.npz") as arrays:
        assert np.array_equal(arrays["numbers"], [[1.5, np.nan], [2.5, 3.5]], equal_nan=True)


def test_coco(tmp_path: Path) -> None:
    write(tmp_path / "found.coco.json")
    content = json.loads((tmp_path / "found.coco.json").read_text())
    assert [(image["id"], image["width"], image["height"]) for image in content["images"]] == [
        (0, 200, 100), (1, 200, 100), (2, 200, 100),
    ]  # fmt: skip
    first, second = content["annotations"]
    assert (first["image_id"], second["image_id"], first["category_id"]) == (0, 2, 1)
    names = content["categories"][0]["keypoints"]
    points = dict(zip(names, np.reshape(first["keypoints"], (17, 3)).tolist(), strict=True))
    for name, row in (("nose", 0), ("left_wrist", 15), ("right_ankle", 28)):
        assert points[name][:2] == pytest.approx(BODY.xyz[row, :2] * SIZE, abs=1e-4)
    # visible from 0.5 on, which is between points 14 and 15 of 33
    assert (points["right_elbow"][2], points["left_wrist"][2]) == (1, 2)
    pixels = np.array(first["keypoints"]).reshape(17, 3)[:, :2]
    assert first["bbox"] == pytest.approx([*pixels.min(axis=0), *np.ptp(pixels, axis=0)], abs=1e-3)
    assert "lefthand_kpts" not in first
    assert np.reshape(second["lefthand_kpts"], (21, 3))[:, :2] == pytest.approx(HAND.xyz[:, :2] * SIZE, abs=1e-4)


def test_openpose(tmp_path: Path) -> None:
    write(tmp_path / "found.openpose")
    files = sorted((tmp_path / "found.openpose").iterdir())
    assert [file.name for file in files] == [f"found_{frame:012d}_keypoints.json" for frame in range(3)]
    people = [json.loads(file.read_text())["people"] for file in files]
    assert [len(each) for each in people] == [1, 0, 1]
    points = np.reshape(people[2][0]["pose_keypoints_2d"], (25, 3))
    pixels = BODY.xyz[:, :2] * SIZE
    assert points[0, :2] == pytest.approx(pixels[0], abs=1e-4)
    assert points[1, :2] == pytest.approx((pixels[11] + pixels[12]) / 2, abs=1e-4)
    assert points[8, :2] == pytest.approx((pixels[23] + pixels[24]) / 2, abs=1e-4)
    assert points[21, :2] == pytest.approx(pixels[29], abs=1e-4)
    assert points[20].tolist() == [0, 0, 0]
    assert np.reshape(people[2][0]["hand_left_keypoints_2d"], (21, 3))[:, 2].tolist() == [1] * 21
    assert people[2][0]["hand_right_keypoints_2d"] == [0] * 63


@pytest.mark.parametrize("ending", [".coco.json", ".openpose"])
def test_several_people(tmp_path: Path, ending: str) -> None:
    several = [body(17), body(17)]
    write(tmp_path / f"a{ending}", {"TICK": [(0, IMAGE)], "MULTI_POSE_LANDMARKS": [(0, several)]})
    people = [{"id": 7, "pose_landmarks": BODY, "left_hand_landmarks": HAND}, {"id": 9, "pose_landmarks": BODY}]
    write(tmp_path / f"b{ending}", {"TICK": [(0, IMAGE)], "PEOPLE": [(0, people)]})
    if ending == ".openpose":
        found = [json.loads(next((tmp_path / f"{name}{ending}").iterdir()).read_text())["people"] for name in "ab"]
        assert [[each["person_id"] for each in people] for people in found] == [[[1], [2]], [[7], [9]]]
    else:
        found = [json.loads((tmp_path / f"{name}{ending}").read_text())["annotations"] for name in "ab"]
        assert [[each["track_id"] for each in people] for people in found] == [[1, 2], [7, 9]]
        assert ["lefthand_kpts" in each for each in found[1]] == [True, False]


PEOPLE: dict[str, list[tuple[int, Any]]] = {
    "TICK": [(0, IMAGE), (1, IMAGE), (2, IMAGE)],
    "POSE_LANDMARKS": [(0, {7: BODY, 3: BODY}), (1, {7: BODY}), (2, {})],
    "LEFT_HAND_LANDMARKS": [(0, {7: HAND})],
}


def test_people_with_numbers(tmp_path: Path) -> None:
    for ending in ("jsonl", "csv", "npz", "coco.json", "openpose"):
        write(tmp_path / f"found.{ending}", PEOPLE)
    lines = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    assert [[(each["id"], sorted(each)) for each in line["people"]] for line in lines] == [
        [(3, ["id", "pose_landmarks"]), (7, ["id", "left_hand_landmarks", "pose_landmarks"])],
        [(7, ["id", "pose_landmarks"])],
        [],
    ]
    assert np.array(lines[0]["people"][1]["pose_landmarks"], np.float32)[:, :3].tolist() == BODY.xyz.tolist()
    with (tmp_path / "found.csv").open(newline="") as file:
        rows = [(row["frame"], row["key"], row["item"]) for row in csv.DictReader(file) if row["point"] in ("0", "")]
    assert rows == [
        ("0", "left_hand_landmarks", "7"), ("0", "pose_landmarks", "3"), ("0", "pose_landmarks", "7"),
        ("1", "pose_landmarks", "7"), ("2", "", ""),
    ]  # fmt: skip
    with np.load(tmp_path / "found.npz") as arrays:
        assert arrays["pose_landmarks"].shape == (3, 2, 33, 5)
        assert np.array_equal(arrays["pose_landmarks_ids"], [[3, 7], [7, np.nan], [np.nan, np.nan]], equal_nan=True)
    annotations = json.loads((tmp_path / "found.coco.json").read_text())["annotations"]
    assert [(each["image_id"], each["track_id"]) for each in annotations] == [(0, 3), (0, 7), (1, 7)]
    assert ["lefthand_kpts" in each for each in annotations] == [False, True, False]
    people = json.loads((tmp_path / "found.openpose" / "found_000000000000_keypoints.json").read_text())["people"]
    assert [each["person_id"] for each in people] == [[3], [7]]


@pytest.mark.parametrize("ending", [".coco.json", ".openpose"])
def test_pixels_need_the_frames(tmp_path: Path, ending: str) -> None:
    with pytest.raises(ValueError, match="pixels need the frames: connect the images to TICK"):
        write(tmp_path / f"found{ending}", {"TICK": [(0, 1)], "POSE_LANDMARKS": [(0, BODY)]})


@pytest.mark.parametrize("ending", [".csv", ".npz"])
def test_what_has_no_form_is_named(tmp_path: Path, ending: str) -> None:
    with pytest.raises(TypeError, match=r"dict has no form .*: \.jsonl takes"):
        write(tmp_path / f"found{ending}", {"TICK": [(0, 1)], "PEOPLE": [(0, {"id": 1})]})


def test_rerun(tmp_path: Path) -> None:
    pytest.importorskip("rerun", reason="pip install 'graphflow[rerun]'")
    write(tmp_path / "found.rrd")
    data = (tmp_path / "found.rrd").read_bytes()
    assert data[:3] == b"RRF"
    assert all(name in data for name in (b"image/pose_landmarks", b"world/pose_world_landmarks", b"plot/height"))


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, ending, extra in (("pyarrow", ".parquet", "parquet"), ("rerun", ".rrd", "rerun")):
        monkeypatch.setitem(__import__("sys").modules, module, None)
        with pytest.raises(ImportError, match=rf"{ending} files need {module}: pip install 'graphflow\[{extra}\]'"):
            write(tmp_path / f"found{ending}")
    assert list(tmp_path.iterdir()) == []


def test_no_rows_make_a_readable_file(tmp_path: Path) -> None:
    for ending in RESULT_ENDINGS:
        if ending == ".rrd" or (ending == ".parquet" and not __import__("importlib").util.find_spec("pyarrow")):
            continue
        write(tmp_path / f"found{ending}", {"TICK": []})
    assert (tmp_path / "found.csv").read_text().count("\n") == 1
    assert json.loads((tmp_path / "found.coco.json").read_text())["images"] == []
    with np.load(tmp_path / "found.npz") as arrays:
        assert arrays["timestamp"].shape == (0,)


def test_lines_on_a_full_disk_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "found.csv"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, hard))
    try:
        with pytest.raises(OSError, match=r"found.csv cannot be written after \d+ frames: File too large"):
            write(path, {"TICK": [(i, 1) for i in range(300)], "HEIGHT": [(i, i / 7) for i in range(300)]})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    assert {len(row) for row in rows} == {16}
    assert len(rows) > 50
    assert path.read_text().endswith("\n")
