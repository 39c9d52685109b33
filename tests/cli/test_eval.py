"""`graphflow eval`."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from .conftest import Cli


@pytest.fixture
def people(tmp_path: Path, graphs: Path) -> list[object]:
    """The arguments for one drawn person, all but the graph."""
    canvas = np.zeros((64, 64, 3), np.uint8)
    rows = [[4 + 3 * keypoint, 60 - 3 * keypoint, 2] for keypoint in range(17)]
    for keypoint, (x, y, _) in enumerate(rows):
        canvas[y, x] = (0, 50, 10 * (keypoint + 1))
    cv2.imwrite(str(tmp_path / "a.png"), canvas)
    annotation = {"image_id": 1, "keypoints": [number for row in rows for number in row]}
    data = tmp_path / "truth.json"
    data.write_text(json.dumps({"images": [{"id": 1, "file_name": "a.png"}], "annotations": [annotation]}))
    return ["--data", data, "--images", tmp_path]


def test_table_and_plot(cli: Cli, graphs: Path, people: list[object], tmp_path: Path) -> None:
    outcome = cli("eval", graphs / "drawn_people.yaml", *people, "--plot", tmp_path / "plot.svg")
    assert outcome.code == 0, outcome.err
    lines = [[cell.strip() for cell in line.strip("│").split("│")] for line in outcome.out.splitlines()]
    assert ["PCK@0.2 torso", "1.000"] in lines
    assert any(line[0] == "ms an image" for line in lines)
    assert (tmp_path / "plot.svg").read_text().startswith("<svg")


def test_compare_and_json(cli: Cli, graphs: Path, people: list[object]) -> None:
    more = ["--compare", graphs / "drawn_person.yaml", "--param", "offset_px=30", "--json"]
    outcome = cli("eval", graphs / "drawn_people.yaml", *people, *more)
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert list(found) == ["drawn_people", "drawn_person"]
    assert found["drawn_person"]["numbers"]["EPE px"] == pytest.approx(30, abs=1e-3)
    table = cli("eval", graphs / "drawn_people.yaml", *people, "--markdown").out
    assert table.startswith("|  | drawn_people |\n| --- | ---: |\n")


def test_without_the_extra_cocos_figures_are_left_out(
    cli: Cli, graphs: Path, people: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    outcome = cli("eval", graphs / "drawn_people.yaml", *people, "--json")
    assert outcome.code == 0
    assert "pip install 'graphflow[eval]'" in outcome.err
    assert "AP" not in json.loads(outcome.out)["drawn_people"]["numbers"]


def test_what_is_wrong_is_said(cli: Cli, graphs: Path, people: list[object], tmp_path: Path) -> None:
    graph = graphs / "drawn_people.yaml"
    wrong = [
        ([graph, *people, "--param", "offset=1"], "--param offset: no graph has it; did you mean 'offset_px'"),
        ([graph, *people, "--plot", "plot.png"], "--plot writes SVG: name it plot.svg"),
        ([graph, "--data", people[1], "--images", tmp_path / "none"], "is not a folder"),
        ([graph, "--data", graph, "--images", tmp_path], "is not a JSON file"),
        ([graphs / "brightness.yaml", *people], "has no output with people"),
    ]
    for arguments, message in wrong:
        outcome = cli("eval", *arguments)
        assert (outcome.code, outcome.out) == (2, ""), message
        assert message in outcome.err
