"""From graphs to scores, on drawn people whose errors are known; COCO's figures on the recorded set."""

import json
import math
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from graphflow.evaluation.annotations import AnnotatedImage, Annotations, read_annotations
from graphflow.evaluation.prediction import FoundPerson, Predictions, Predictor, predict
from graphflow.evaluation.report import as_json, markdown, plot
from graphflow.evaluation.scores import Scores, coco_results, score

from .conftest import Drawn

GRAPHS = Path(__file__).parents[1] / "graphs"


def scored(drawn: Drawn, graph: str, offset_px: float) -> Scores:
    annotations = read_annotations(drawn.data)
    predictor = Predictor(GRAPHS / graph, annotations.keypoint_names, params={"offset_px": offset_px})
    (found,) = predict([predictor], annotations, drawn.images)
    return score(annotations, found)


@pytest.mark.parametrize("graph", ["drawn_people.yaml", "drawn_people_by_number.yaml"])
def test_people_found_exactly(drawn: Drawn, graph: str) -> None:
    numbers = scored(drawn, graph, 0.0).numbers
    for name in ("found", "PCK@0.2 torso", "PDJ@0.1", "AUC torso", "PCP strict", "PCP loose", "PCKh@0.5", "OKS", "AP"):
        assert numbers[name] == pytest.approx(1.0, abs=1e-6), name
    assert numbers["people"] == 3
    assert numbers["EPE px"] == pytest.approx(0.0, abs=1e-4)


def test_people_found_beside_themselves(drawn: Drawn) -> None:
    """The torso is 50 px long: 8 px are within a fifth of it and outside of a tenth."""
    found = scored(drawn, "drawn_people.yaml", 8.0)
    assert found.numbers["PCK@0.2 torso"] == 1.0
    assert found.numbers["PDJ@0.1"] == 0.0
    assert found.numbers["EPE px"] == pytest.approx(8.0, abs=1e-4)
    assert 0 < found.numbers["OKS"] < 1
    assert found.joints["left_ear"] is not None
    assert math.isnan(found.joints["left_ear"])
    assert found.curve[7] == 0.0
    assert found.curve[8] == 1.0
    assert found.milliseconds > 0
    assert found.cpu_milliseconds > 0


def test_single_graphs_answer_for_the_person_they_found(drawn: Drawn) -> None:
    numbers = scored(drawn, "drawn_person.yaml", 0.0).numbers
    assert (numbers["people"], numbers["found"], numbers["PCK@0.2 torso"]) == (2, 1, 1)
    # COCO asks for everybody
    assert numbers["AR"] == pytest.approx(2 / 3)


def test_who_is_not_found_is_wrong(drawn: Drawn) -> None:
    annotations = read_annotations(drawn.data)
    nobody = Predictions(((), (), ()), (1.0,) * 3, (1.0,) * 3, single=False)
    many = score(annotations, nobody).numbers
    assert (many["people"], many["found"], many["PCK@0.5 torso"], many["PCP loose"], many["OKS"]) == (3, 0, 0, 0, 0)
    assert math.isnan(many["EPE px"])
    single = score(
        annotations, Predictions(nobody.people, nobody.milliseconds, nobody.milliseconds, single=True)
    ).numbers
    assert (single["people"], single["found"]) == (2, 0)


def test_pairs_are_made_by_similarity_and_nobody_counts_twice(drawn: Drawn) -> None:
    annotations = read_annotations(drawn.data)
    truth = [person.keypoints for image in annotations.images for person in image.people]
    left, right, alone = (FoundPerson(points.copy(), 0.5) for points in truth)
    twice = Predictions(((left, left), (alone,), ()), (1.0,) * 3, (1.0,) * 3, single=False)
    assert score(annotations, twice).numbers["found"] == pytest.approx(2 / 3)
    swapped = Predictions(((right, left), (alone,), ()), (1.0,) * 3, (1.0,) * 3, single=False)
    assert score(annotations, swapped).numbers["PCK@0.2 torso"] == 1.0


def test_nothing_annotated(drawn: Drawn) -> None:
    annotations = read_annotations(drawn.data)
    empty = Annotations(annotations.keypoint_names, annotations.images[2:], annotations.limited(0).coco)
    numbers = score(empty, Predictions(((),), (1.0,), (1.0,), single=True), coco=False).numbers
    assert numbers["people"] == 0
    assert all(math.isnan(value) for name, value in numbers.items() if name != "people")


def test_graphs_and_annotations_must_go_together(drawn: Drawn) -> None:
    with pytest.raises(ValueError, match="'Brightness' has no output with people"):
        Predictor(GRAPHS / "brightness.yaml", ("nose",))
    annotations = read_annotations(drawn.data)
    predictor = Predictor(GRAPHS / "drawn_people.yaml", ("wrist", "tip"))
    with pytest.raises(ValueError, match="gives 17 keypoints, the annotations have 2"):
        predict([predictor], annotations, drawn.images)
    with pytest.raises(ValueError, match=r"1\.png is missing"):
        predict([Predictor(GRAPHS / "drawn_people.yaml", annotations.keypoint_names)], annotations, GRAPHS)


@pytest.mark.parametrize("name", ["coco_dt", "coco_dt_few", "coco_dt_perfect"])
def test_coco_figures_are_those_recorded(name: str, shared: Path) -> None:
    folder = shared / "conformance" / "pose" / "metrics"
    case = next(case for case in json.loads((folder / "cases.json").read_text())["cases"] if case["id"] == name)
    annotations = read_annotations(folder / case["params"]["gt"])
    people: dict[int, list[FoundPerson]] = defaultdict(list)
    for entry in json.loads((folder / case["params"]["dt"]).read_text()):
        people[entry["image_id"]].append(FoundPerson(np.reshape(entry["keypoints"], (-1, 3)), entry["score"]))
    found = tuple(tuple(people[image.image_id]) for image in annotations.images)
    numbers = score(annotations, Predictions(found, (1.0,) * len(found), (1.0,) * len(found), single=False)).numbers
    outputs = case["outputs"]
    for field, value in zip(outputs["fields"]["value"], outputs["faster_coco_eval"]["value"], strict=True):
        assert numbers[field] == pytest.approx(value, abs=1e-6), field


def test_results_file() -> None:
    image = AnnotatedImage(4, "a.jpg", ())
    annotations = Annotations(("a", "b"), (image,), {"categories": [{"id": 9}]})
    person = FoundPerson(np.array([[1.0, 2.0, 0.5], [3.0, 4.0, 0.25]]), 0.375)
    (entry,) = coco_results(annotations, Predictions(((person,),), (1.0,), (1.0,), single=True))
    assert entry == {"image_id": 4, "category_id": 9, "keypoints": [1, 2, 0.5, 3, 4, 0.25], "score": 0.375}


def test_report(drawn: Drawn) -> None:
    scores = {"exact": scored(drawn, "drawn_people.yaml", 0.0), "off <8>": scored(drawn, "drawn_people.yaml", 8.0)}
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown(scores).splitlines()]
    assert rows[0] == ["", "exact", "off <8>"]
    assert ["people", "3", "3"] in rows
    assert ["PDJ@0.1", "1.000", "0.000"] in rows
    assert ["AP_medium", "1.000", "1.000"] not in rows

    written = json.loads(json.dumps(as_json(scores), allow_nan=False))
    assert written["exact"]["numbers"]["PCK@0.2 torso"] == 1
    assert written["exact"]["joints PCK@0.2 torso"]["left_ear"] is None
    assert len(written["exact"]["curve"]["thresholds"]) == len(written["exact"]["curve"]["PCK torso"])

    picture = ElementTree.fromstring(plot(scores))
    lines = picture.findall("{*}polyline")
    assert len(lines) == 2
    ends = [[float(line.get("points", "").split()[place].split(",")[1]) for place in (0, -1)] for line in lines]
    assert ends[0][0] == ends[0][1] == ends[1][1] < ends[1][0]
    texts = [text.text for text in picture.findall("{*}text")]
    assert {"exact", "off <8>", "left shoulder"} <= set(texts)
    # a bar for each keypoint and graph but the ear that nobody labelled, a legend, the background
    assert len(picture.findall("{*}rect")) == 2 * 16 + 2 + 1
