"""The graph of docs/systems/rmpe.md, from pixels: other boxes put other cells of a heatmap on a keypoint."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from analytic_networks import JOINTS, draw_person, joint_network
from graphflow.calculators.payloads import Detection

import graphflow
from graphflow import Packet, config

PAGE = Path(__file__).parents[1] / "docs" / "systems" / "rmpe.md"
PERSON = np.array([[160, 60], [130, 100], [190, 102], [146, 168], [176, 170]], float)
BOX = np.array([125, 50, 70, 125], np.float32)
PLACES = np.random.default_rng(6).integers(-40, 40, (20, 2))


def found(text: str, *streams: str) -> list[list[Any]]:
    """What each stream says of the person at each of the places."""
    values: dict[str, list[Any]] = {stream: [] for stream in streams}
    graph = graphflow.load(text, num_threads=1)
    for stream in streams:

        def keep(packet: Packet, told: list[Any] = values[stream]) -> None:
            told.append(packet.value)

        graph.observe(stream, keep)
    graph.start()
    for number, place in enumerate(PLACES):
        picture = np.zeros((240, 320, 3), np.uint8)
        draw_person(picture, PERSON + place)
        graph.add_packet("image", picture, number)
        box = BOX + np.array([*place, 0, 0], np.float32)
        graph.add_packet("boxes", [Detection(box, box_format="pixel")], number)
    graph.close_all_inputs()
    graph.wait_until_done()
    return list(values.values())


def errors_px(people: list[Any]) -> Any:
    assert [len(each) for each in people] == [1] * len(PLACES)
    points = np.array([each[0].xyz[:, :2] for each in people]) * (320, 240)
    return np.linalg.norm(points - PERSON - PLACES[:, None], axis=2)


@pytest.fixture
def graph(tmp_path: Path) -> str:
    """The page's listing, with a network of five joints."""
    listing = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)[0]
    card = {
        "input": {"size": [48, 64], "deviation": [255, 255, 255]},
        "keypoints": list(JOINTS),
        "decoder": {"kind": "heatmap", "method": "quarter_offset"},
    }
    (tmp_path / "card.yaml").write_text(yaml.safe_dump(card))
    model = joint_network(tmp_path / "net.onnx", "heatmap")
    text = listing.replace("pose_landmark_full", str(model)).replace("blazepose", str(tmp_path / "card.yaml"))
    # the drawn joints score 0.1 to 0.3
    text = text.replace("gamma: 10.0", "gamma: 5.0, score_threshold: 0.05")
    assert config.load(text)
    return text


def test_poses_of_several_boxes_are_better_than_that_of_one(graph: str) -> None:
    first, people = found(graph.replace("variants: 3", "variants: 8"), "first_poses", "people")
    assert errors_px(people).mean() < 0.5 * errors_px(first).mean()


def test_whoever_is_certain_is_not_looked_at_again(graph: str) -> None:
    certain = graph.replace("uncertain_below: 0.6", "uncertain_below: 0.05")
    first, boxes, people = found(certain, "first_poses", "other_boxes", "people")
    assert boxes == [[]] * len(PLACES)
    np.testing.assert_array_equal([each[0].xyz for each in people], [each[0].xyz for each in first])
