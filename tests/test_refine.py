"""The refinement slot from pixels and wrong poses, with a network that needs both."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import yaml
from analytic_networks import JOINTS, draw_person, joint_network, refiner_network
from graphflow.calculators.payloads import Detection, NormalizedLandmarkList
from graphflow.calculators.tensor.refiner import RefinerCrops

import graphflow
from graphflow.testing import run_calculator

Array = npt.NDArray[Any]
WIDTH, HEIGHT = 320, 240
SIZE = (96, 128)

# the second person stands behind the first: each is in the crop of the other, in the same colours
FIRST = np.array([[100, 60], [70, 110], [130, 112], [84, 180], [118, 184]], float)
PEOPLE = np.stack([FIRST, FIRST + np.array([26, 4])])

BY_HAND = """
graph: RefineByHand
inputs: {IMAGE: image, LANDMARKS: poses}
outputs: {POSE_LANDMARKS: refined}
nodes:
  crops:
    calculator: RefinerCrops
    inputs: {IMAGE: image, LANDMARKS: poses}
    outputs: {TENSORS: crops, MATRICES: matrices}
    options: {card: CARD, flip_test: FLIP}
  refiner:
    calculator: BatchInference
    inputs: {TENSORS: crops}
    outputs: {TENSORS: answers}
    options: {model: MODEL, card: CARD}
  decode:
    calculator: TopDownLandmarks
    inputs: {TENSORS: answers, MATRICES: matrices}
    outputs: {LANDMARKS: refined}
    options: {card: CARD, flip_test: FLIP}
"""


def scene() -> Array:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for person in PEOPLE:
        draw_person(image, person)
    return image


def poses(points: Array, **more: Any) -> list[NormalizedLandmarkList]:
    found = []
    for person in points:
        xyz = np.zeros((len(person), 3), np.float32)
        xyz[:, :2] = person / (WIDTH, HEIGHT)
        found.append(NormalizedLandmarkList(xyz, **more))
    return found


def card(path: Path, **more: Any) -> Path:
    values = {
        "input": {"size": list(SIZE), "deviation": [255, 255, 255]},
        "keypoints": list(JOINTS),
        "flip_pairs": [["head", "head"]],  # a mirror does not change colours
        "decoder": {"kind": "heatmap", "method": "dark", "kernel_size": 3},
        **more,
    }
    path.write_text(yaml.safe_dump(values))
    return path


def run(graph: Any, stream: str, **inputs: Any) -> Any:
    found: list[Any] = []
    graph.observe(stream, lambda packet: found.append(packet.value))
    graph.start()
    for name, value in inputs.items():
        graph.add_packet(name, value, 0)
    graph.close_all_inputs()
    graph.wait_until_done()
    return found[0]


def errors_px(people: list[NormalizedLandmarkList]) -> Array:
    points = np.array([person.xyz[:, :2] for person in people]) * (WIDTH, HEIGHT)
    distances: Array = np.linalg.norm(points - PEOPLE, axis=2)
    return distances


@pytest.mark.parametrize(
    ("separate", "peak", "flip_test"), [(False, 1.0, False), (True, 255.0, False), (False, 9.0, True)]
)
def test_wrong_poses_become_right_and_stay_with_their_person(
    separate: bool, peak: float, flip_test: bool, tmp_path: Path
) -> None:
    model = refiner_network(tmp_path / "refiner.onnx", SIZE, peak, separate)
    described = card(tmp_path / "card.yaml", pose={"sigma": 6, "peak": peak, "separate": separate})
    text = BY_HAND.replace("CARD", str(described)).replace("MODEL", str(model)).replace("FLIP", str(flip_test).lower())
    random = np.random.default_rng(4)
    angle = random.uniform(0, 2 * np.pi, PEOPLE.shape[:2])
    wrong = PEOPLE + 6 * np.stack([np.cos(angle), np.sin(angle)], axis=2)
    refined = run(graphflow.load(text, num_threads=1), "refined", image=scene(), poses=poses(wrong))
    assert errors_px(poses(wrong)).min() > 5.9
    # a mirrored crop's cells are half a pixel off, as everywhere
    assert errors_px(refined).max() < (1.5 if flip_test else 0.7)


def test_nobody_stays_nobody(tmp_path: Path) -> None:
    model = refiner_network(tmp_path / "refiner.onnx", SIZE)
    described = card(tmp_path / "card.yaml", pose={"sigma": 6})
    text = BY_HAND.replace("CARD", str(described)).replace("MODEL", str(model)).replace("FLIP", "false")
    assert run(graphflow.load(text, num_threads=1), "refined", image=scene(), poses=[]) == []


def test_the_shipped_graph_refines_what_it_finds(tmp_path: Path) -> None:
    """The first network's places are in cells of 4 pixels of a smaller crop."""
    low, size = FIRST.min(axis=0) - 4, np.ptp(FIRST, axis=0) + 8
    (tmp_path / "boxes.json").write_text(json.dumps([{"image_id": 1, "bbox": [*low.tolist(), *size.tolist()]}]))
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    draw_person(picture, FIRST)
    first = card(
        tmp_path / "first.yaml",
        input={"size": [48, 64], "deviation": [255, 255, 255]},
        keypoints=list(JOINTS),
        decoder={"kind": "heatmap", "method": "argmax"},
    )
    params = {
        "refiner": str(refiner_network(tmp_path / "refiner.onnx", SIZE)),
        "refiner_card": str(card(tmp_path / "card.yaml", pose={"sigma": 6})),
        "model": str(joint_network(tmp_path / "first.onnx", "heatmap")),
        "card": str(first),
        "boxes": str(tmp_path / "boxes.json"),
    }
    before = run(graphflow.load("refine", params=params, num_threads=1), "first_landmarks", image=picture)
    after = run(graphflow.load("refine", params=params, num_threads=1), "pose_landmarks", image=picture)
    wrong, right = (np.linalg.norm(each[0].xyz[:, :2] * (WIDTH, HEIGHT) - FIRST, axis=1) for each in (before, after))
    assert np.median(wrong) > 1.0
    assert right.max() < 0.7
    other = card(tmp_path / "other.yaml", keypoints=["crown", *JOINTS[1:]], flip_pairs=[])
    with pytest.raises(graphflow.GraphflowError, match=r"needs head, which card .*other\.yaml' does not have"):
        graphflow.load("refine", params=params | {"card": str(other)})


def test_the_pose_is_drawn_where_it_is_by_name_and_only_if_sure(tmp_path: Path) -> None:
    described = card(tmp_path / "card.yaml", pose={"sigma": 2, "peak": 255, "separate": True, "min_score": 0.2})
    given = card(tmp_path / "given.yaml", keypoints=list(JOINTS[::-1]))
    scores = np.array([0.9, 0.9, 0.1, 0.9, 0.9], np.float32)
    inputs = {
        "IMAGE": [(0, scene())],
        "LANDMARKS": [(0, poses(FIRST[None, ::-1], visibility=scores[::-1].copy()))],
        "BOXES": [(0, [Detection(np.array([60, 40, 90, 160], np.float32), box_format="pixel")])],
    }
    options = {"card": str(described), "pose_card": str(given)}
    found = run_calculator(RefinerCrops, inputs, options)
    images, maps = found["TENSORS"][0][1]
    assert images.shape == (1, 3, 128, 96)
    assert maps.shape == (1, 5, 128, 96)
    assert not maps[0, 2].any()
    back = found["MATRICES"][0][1][0]
    for joint in (0, 1, 3, 4):
        y, x = np.unravel_index(maps[0, joint].argmax(), maps.shape[2:])
        assert maps[0, joint, y, x] > 200
        there = back @ (x, y, 1) * (WIDTH, HEIGHT)
        assert np.abs(there - FIRST[joint]).max() < 1.5
    with pytest.raises(ValueError, match="BOXES must be a list of as many boxes"):
        run_calculator(RefinerCrops, {**inputs, "BOXES": [(0, [])]}, options)


def test_a_card_of_no_refiner_is_refused(tmp_path: Path) -> None:
    text = BY_HAND.replace("CARD", "hrnet").replace("MODEL", "pose_landmark_full").replace("FLIP", "false")
    with pytest.raises(graphflow.GraphflowError, match="is of no refiner"):
        graphflow.load(text)
