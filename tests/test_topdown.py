"""Top-down graphs from pixels to people, with networks whose answers follow from what was drawn."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import yaml
from analytic_networks import JOINTS, constant_network, draw_person, joint_network
from graphflow.calculators.payloads import NormalizedLandmarkList
from onnx import TensorProto

import graphflow
from graphflow.errors import CalculatorError

Array = npt.NDArray[Any]
WIDTH, HEIGHT = 320, 240
SIZE = (48, 64)

# joints of three people, and a box around each with room
PEOPLE = np.array(
    [
        [[60, 40], [40, 70], [80, 70], [50, 110], [70, 112]],
        [[160, 120], [140, 150], [184, 144], [150, 196], [170, 200]],
        [[285, 30], [270, 45], [300, 48], [279, 70], [292, 72]],
    ],
    float,
)


def scene() -> Array:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for person in PEOPLE:
        draw_person(image, person)
    return image


def boxes_file(folder: Path) -> Path:
    entries = []
    for number, person in enumerate(PEOPLE):
        low, size = person.min(axis=0) - 4, np.ptp(person, axis=0) + 8
        entries.append({"image_id": 7, "bbox": [*low.tolist(), *size.tolist()], "score": 0.9 - 0.1 * number})
    path = folder / "boxes.json"
    path.write_text(json.dumps(entries))
    return path


def card(folder: Path, **more: Any) -> Path:
    values: dict[str, Any] = {
        "input": {"size": list(SIZE), "deviation": [255, 255, 255], **more.pop("input", {})},
        "keypoints": list(JOINTS),
        "skeleton": [["head", name] for name in JOINTS[1:]],
        # the networks know joints by their colours, which a mirror does not change
        "flip_pairs": [["head", "head"]],
        **more,
    }
    path = folder / "card.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def run(image: Array, *streams: str, **params: Any) -> list[Any]:
    graph = graphflow.load("topdown", params=params, num_threads=1)
    found: dict[str, Any] = {}
    for stream in streams:
        graph.observe(stream, lambda packet, stream=stream: found.__setitem__(stream, packet.value))  # type: ignore[misc]
    graph.start()
    graph.add_packet("image", image, 0)
    graph.close_all_inputs()
    graph.wait_until_done()
    return [found.get(stream) for stream in streams]


def errors_px(people: list[NormalizedLandmarkList], truth: Array = PEOPLE) -> Array:
    points = np.array([person.xyz[:, :2] for person in people]) * (WIDTH, HEIGHT)
    distances: Array = np.linalg.norm(points - truth, axis=2)
    return distances


# The people are seen at scales of 0.6 to 1.2; a cell is 4 pixels of the crop. DARK does not refine next to borders.
NETWORKS = [
    # network, decoder, most error in the median and at all, in pixels of the image
    ("heatmap", {"kind": "heatmap", "method": "argmax"}, 2.5, 5.0),
    ("heatmap", {"kind": "heatmap", "method": "quarter_offset"}, 2.0, 4.0),
    ("heatmap", {"kind": "heatmap", "method": "dark", "kernel_size": 3}, 0.3, 3.5),
    ("simcc", {"kind": "simcc", "split_ratio": 2.0}, 1.0, 1.6),
    ("regression", {"kind": "regression"}, 0.6, 1.0),
]


@pytest.mark.parametrize(("kind", "decoder", "median_px", "most_px"), NETWORKS)
@pytest.mark.parametrize("flip_test", [False, True])
def test_people_are_found_from_pixels(
    kind: str, decoder: dict[str, Any], median_px: float, most_px: float, flip_test: bool, tmp_path: Path
) -> None:
    model = joint_network(tmp_path / "net.onnx", kind)
    shift = {} if kind == "simcc" else {"shift_flipped": True}
    described = card(tmp_path, decoder=decoder | shift)
    given = {"model": str(model), "card": str(described), "boxes": str(boxes_file(tmp_path)), "flip_test": flip_test}
    (people,) = run(scene(), "pose_landmarks", **given)
    assert len(people) == 3
    errors = errors_px(people)
    # mirrored heatmaps are a quarter of a cell off after they were moved by a whole one
    assert np.median(errors) < median_px + (0.7 if flip_test and kind == "heatmap" else 0)
    assert errors.max() < most_px
    assert all(person.visibility.min() > 0.2 for person in people)


def test_normalization_channels_and_single_batches_are_the_cards(tmp_path: Path) -> None:
    mean, deviation = (123.7, 116.3, 103.5), (58.4, 57.1, 57.4)
    found = []
    networks: list[tuple[bool, int | str]] = [(False, "N"), (True, 1), (True, "N")]
    for number, (bgr, batch) in enumerate(networks):
        model = joint_network(tmp_path / f"net{number}.onnx", "regression", SIZE, mean, deviation, bgr, batch)
        wanted = {"mean": list(mean), "deviation": list(deviation), "channels": "bgr" if bgr else "rgb"}
        described = card(tmp_path, input=wanted, decoder={"kind": "regression"})
        given = {"model": str(model), "card": str(described), "boxes": str(boxes_file(tmp_path))}
        (people,) = run(scene(), "pose_landmarks", **given)
        assert errors_px(people).max() < 1.0
        found.append(errors_px(people))
    np.testing.assert_allclose(found[1], found[2], atol=1e-3)


def test_udp_maps_pixel_centres_to_pixel_centres(tmp_path: Path) -> None:
    """The regression network answers x / width of pixels; UDP's pixels are 1 / (width - 1) of the crop apart."""
    model = joint_network(tmp_path / "net.onnx", "regression")
    described = card(tmp_path, box={"udp": True}, decoder={"kind": "regression"})
    given = {"model": str(model), "card": str(described), "boxes": str(boxes_file(tmp_path))}
    (people,) = run(scene(), "pose_landmarks", **given)
    assert errors_px(people).max() < 0.6


def test_overlay_and_most_people(tmp_path: Path) -> None:
    model = joint_network(tmp_path / "net.onnx", "regression")
    described = card(tmp_path, decoder={"kind": "regression"})
    given = {"model": str(model), "card": str(described), "boxes": str(boxes_file(tmp_path)), "max_people": 1}
    people, overlay = run(scene(), "pose_landmarks", "overlay", **given)
    # the surest box of the file comes first
    assert errors_px(people, PEOPLE[:1]).max() < 1.0
    changed = np.argwhere((overlay != scene()).any(axis=2))
    assert len(changed) > 100
    assert changed[:, 1].max() < 100


def test_nobody(tmp_path: Path) -> None:
    (tmp_path / "none.json").write_text("[]")
    model = joint_network(tmp_path / "net.onnx", "regression")
    described = card(tmp_path, decoder={"kind": "regression"})
    given = {"model": str(model), "card": str(described), "boxes": str(tmp_path / "none.json")}
    people, overlay = run(scene(), "pose_landmarks", "overlay", **given)
    assert people == []
    np.testing.assert_array_equal(overlay, scene())


def test_boxes_of_multipose_and_its_own_graph(tmp_path: Path) -> None:
    """The network answers in parts of the square that the image is fitted into: 40 rows of black above and below."""
    rows = np.zeros((1, 6, 56), np.float32)
    for number, person in enumerate(PEOPLE):
        low, high = person.min(axis=0) - 4, person.max(axis=0) + 4
        corners = np.array([low[1] + 40, low[0], high[1] + 40, high[0]]) / 320
        rows[0, number, :51] = np.tile([(person[0, 1] + 40) / 320, person[0, 0] / 320, 0.8], 17)
        rows[0, number, 51:] = [*corners, 0.9 - 0.1 * number]
    multipose = constant_network(tmp_path / "people.onnx", (1, "H", "W", 3), rows, element=TensorProto.INT32)
    model = joint_network(tmp_path / "net.onnx", "regression")
    described = card(tmp_path, decoder={"kind": "regression"})
    (people,) = run(scene(), "pose_landmarks", model=str(model), card=str(described), multipose=str(multipose))
    assert errors_px(people).max() < 1.0

    graph = graphflow.load("movenet_multipose", params={"model": str(multipose)}, num_threads=1)
    found: list[Any] = []
    graph.observe("pose_landmarks", lambda packet: found.append(packet.value))
    graph.start()
    graph.add_packet("image", scene(), 0)
    graph.close_all_inputs()
    graph.wait_until_done()
    heads = np.array([person.xyz[0, :2] for person in found[0]]) * (WIDTH, HEIGHT)
    np.testing.assert_allclose(heads, PEOPLE[:, 0], atol=1e-3)


def boxes_by(graph_name: str, **params: Any) -> list[list[float]]:
    """Boxes that a subgraph finds in the scene, in pixels, from left to right."""
    graph = graphflow.load(graph_name, params=params, num_threads=1)
    found: list[Any] = []
    graph.observe("boxes", lambda packet: found.append(packet.value))
    graph.start()
    graph.add_packet("image", scene(), 0)
    graph.close_all_inputs()
    graph.wait_until_done()
    return sorted((detection.box * (WIDTH, HEIGHT, WIDTH, HEIGHT)).tolist() for detection in found[0])


def true_boxes() -> list[list[float]]:
    return sorted([*(person.min(axis=0) - 4), *(np.ptp(person, axis=0) + 8)] for person in PEOPLE)


def test_boxes_of_yolox(tmp_path: Path) -> None:
    """An input of 64 for an image of 320 x 240: 64 + 16 + 4 cells, the image in the upper three quarters."""
    rows = np.zeros((1, 84, 7), np.float32)
    for number, (x, y, width, height) in enumerate(np.array(true_boxes()) / 5):
        center, size = np.array([x + width / 2, y + height / 2]), np.array([width, height])
        column, row = (center // 8).astype(int)
        for cell, sure in ((row * 8 + column, 0.9), (63 - number, 0.1)):
            here = (cell % 8, cell // 8)
            rows[0, cell] = [*(center / 8 - here), *np.log(size / 8), 1.0, sure, 0.99]
    model = constant_network(tmp_path / "small.onnx", (1, 3, 64, 64), rows)
    found = boxes_by("person_boxes_from_yolox", model=str(model), input_size=64)
    np.testing.assert_allclose(found, true_boxes(), atol=1e-3)


def test_boxes_of_ssd(tmp_path: Path) -> None:
    boxes = np.array(true_boxes()) / (WIDTH, HEIGHT, WIDTH, HEIGHT)
    corners = np.column_stack([boxes[:, 1], boxes[:, 0], boxes[:, 1] + boxes[:, 3], boxes[:, 0] + boxes[:, 2]])
    rows = np.concatenate([corners, corners[:2], np.zeros((5, 4))])[None]
    classes, scores = [[1, 1, 1, 18, 1, 0, 0, 0, 0, 0]], [[0.9, 0.8, 0.7, 0.9, 0.4, 0, 0, 0, 0, 0]]
    model = constant_network(
        tmp_path / "ssd.onnx", (1, 300, 300, 3), rows, classes, scores, [5], element=TensorProto.UINT8
    )
    np.testing.assert_allclose(boxes_by("person_boxes_from_ssd", model=str(model)), true_boxes(), atol=1e-3)
    network = joint_network(tmp_path / "net.onnx", "regression")
    described = card(tmp_path, decoder={"kind": "regression"})
    (people,) = run(scene(), "pose_landmarks", model=str(network), card=str(described), ssd=str(model))
    assert sorted(errors_px(people, PEOPLE[:, :1]).min(axis=1)) == pytest.approx([0, 0, 0], abs=1)


def test_a_real_network_finds_real_people(shared: Path) -> None:
    """BlazePose's landmark network, described by a card, on the people its own detector finds."""
    bgr = cv2.imread(str(shared / "data" / "images" / "coco_000000000785.jpg"))
    assert bgr is not None
    image = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    graph = graphflow.load("topdown", num_threads=2)
    found: list[Any] = []
    graph.observe("pose_landmarks", lambda packet: found.append(packet.value))
    graph.start()
    graph.add_packet("image", image, 0)
    graph.close_all_inputs()
    graph.wait_until_done()
    annotations = json.loads((shared / "data" / "annotations.json").read_text())
    truth = np.array(annotations["images"]["coco_000000000785.jpg"]["persons"][0]["keypoints"])
    points = found[0][0].xyz[annotations["mediapipe33_of_coco17"], :2] * (image.shape[1], image.shape[0])
    errors = np.linalg.norm(points - truth[:, :2], axis=1)
    # the person is 350 px tall
    assert np.median(errors) < 12


def test_card_and_network_must_go_together(tmp_path: Path) -> None:
    model = joint_network(tmp_path / "net.onnx", "regression")
    described = card(tmp_path, decoder={"kind": "simcc"})
    given = {"model": str(model), "card": str(described), "boxes": str(boxes_file(tmp_path))}
    with pytest.raises(CalculatorError, match=r"outputs \[0, 1\] cannot be chosen; it has 1: output0"):
        run(scene(), "pose_landmarks", **given)
    described = card(tmp_path, input={"size": [64, 64]}, decoder={"kind": "regression"})
    with pytest.raises(CalculatorError, match=r"got float32 \[3, 3, 64, 64\]"):
        run(scene(), "pose_landmarks", **given)


def test_outputs_that_the_card_does_not_read_are_not_computed(tmp_path: Path) -> None:
    from graphflow.calculators.tensor.top_down import BatchInference

    from graphflow.testing import run_calculator

    answers = np.full((1, 5, 2), 3), np.full((1, 4), 5), np.full((1, 5, 2), 7)
    model = constant_network(tmp_path / "net.onnx", (1, 3, 64, 48), *answers)
    described = card(tmp_path, decoder={"kind": "regression", "output": 2})
    found = run_calculator(
        BatchInference,
        inputs={"TENSORS": [(0, [np.zeros((2, 3, 64, 48), np.float32)])]},
        options={"model": str(model), "card": str(described)},
        outputs=["TENSORS"],
    )
    (tensors,) = (value for _, value in found["TENSORS"])
    assert [tensor.shape for tensor in tensors] == [(2, 0), (2, 0), (2, 5, 2)]
    assert (tensors[2] == 7).all()


def test_flip_test_swaps_sides(tmp_path: Path) -> None:
    """An answer to the mirrored crop has left and right exchanged: what is said of it alone goes to the other side."""
    from graphflow.calculators.tensor.top_down import TopDownLandmarks

    from graphflow.testing import run_calculator

    described = card(
        tmp_path, decoder={"kind": "heatmap", "method": "argmax"}, flip_pairs=[["left_hand", "right_hand"]]
    )
    maps = np.zeros((2, 5, 16, 12), np.float32)
    maps[0, :, 8, 6] = 0.1
    maps[1, 1, 4, 2] = 1.0  # left hand of the mirrored crop, in column 2 from the left
    back = np.array([[1 / 48, 0, 0], [0, 1 / 64, 0]])
    found = run_calculator(
        TopDownLandmarks,
        inputs={"TENSORS": [(0, [maps])], "MATRICES": [(0, [back])]},
        options={"card": str(described), "flip_test": True},
    )
    (person,) = found["LANDMARKS"][0][1]
    np.testing.assert_allclose(person.xyz[2, :2], [9 * 4 / 48, 4 * 4 / 64])
    np.testing.assert_allclose(person.xyz[1, :2], [6 * 4 / 48, 8 * 4 / 64])
    assert person.visibility[2] == pytest.approx(0.5)
