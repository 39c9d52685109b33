"""Models, resources and label files as side packets and options, and the inputs of older graphs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphflow.calculators.payloads import Detection
from graphflow.calculators.tensor.detection_labels import DetectionLabelIdToText
from graphflow.calculators.tensor.inference import TfLiteInference
from graphflow.calculators.tensor.model_loading import (
    LocalFileContents,
    Model,
    OpResolver,
    Resource,
    ResourceProvider,
    TfLiteCustomOpResolver,
    TfLiteModel,
    find_resource,
)
from graphflow.calculators.tensor.tflite_converter import TfLiteConverter

from graphflow import ModelError, Resources
from graphflow.testing import run_calculator


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.txt").write_text("palm\nface\n")
    return tmp_path


def side(calculator: Any, options: dict[str, Any], side_inputs: dict[str, Any], output: str) -> list[Any]:
    found = run_calculator(calculator, options=options, side_inputs=side_inputs, outputs=[output, f"{output}:1"])
    return [value for packets in found.values() for _, value in packets]


def test_resources_by_option_and_by_side_packet(folder: Path) -> None:
    paths = ["labels.txt", "mediapipe/modules/hand_landmark/hand_landmark_full.tflite"]
    by_option = side(ResourceProvider, {"resource_id": paths}, {}, "RESOURCE")
    by_packet = side(ResourceProvider, {}, {"RESOURCE_ID": paths[0], "RESOURCE_ID:1": paths[1]}, "RESOURCE")
    assert by_option == by_packet == [Resource(paths[0], Path(paths[0])), Resource(paths[1], None)]
    assert by_option[0].contents() == b"palm\nface\n"


@pytest.mark.parametrize(
    ("options", "side_inputs", "message"),
    [
        ({}, {}, "not by both"),
        ({"resource_id": ["a"]}, {"RESOURCE_ID": "b"}, "not by both"),
        ({"resource_id": ["a"]}, {}, "1 files need as many"),
    ],
)
def test_wrong_resources(options: dict[str, Any], side_inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        side(ResourceProvider, options, side_inputs, "RESOURCE")


def test_missing_files(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"pose_landmark_heavy\.tflite is neither a file nor in the model store"):
        find_resource("mediapipe/modules/pose_landmark/pose_landmark_heavy.tflite", Resources())
    with pytest.raises(FileNotFoundError, match=r"no\.txt"):
        find_resource("no.txt", Resources())


@pytest.mark.parametrize(("text_mode", "expected"), [(False, b"palm\nface\n"), (True, "palm\nface\n")])
def test_contents(folder: Path, text_mode: bool, expected: bytes | str) -> None:
    found = run_calculator(LocalFileContents, options={"text_mode": text_mode}, side_inputs={"FILE_PATH": "labels.txt"})
    assert [value for _, value in found["CONTENTS"]] == [expected]


def test_models(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHFLOW_CACHE", str(folder / "cache"))
    stored = run_calculator(
        TfLiteModel, side_inputs={"MODEL_RESOURCE": Resource("x/hand_recrop.tflite", None)}, outputs=["MODEL"]
    )
    assert stored["MODEL"][0][1] == Model("hand_recrop")
    own = run_calculator(
        TfLiteModel, side_inputs={"MODEL_RESOURCE": Resource("own", folder / "own.tflite")}, outputs=["MODEL"]
    )
    assert own["MODEL"][0][1] == Model(str(folder / "own.tflite"))
    blob = run_calculator(TfLiteModel, side_inputs={"MODEL_BLOB": b"bytes"}, outputs=["SHARED_MODEL"])
    kept = Path(blob["SHARED_MODEL"][0][1].source)
    assert kept.read_bytes() == b"bytes"
    assert kept.suffix == ".tflite"
    assert kept.is_relative_to(folder / "cache")


def test_op_resolver() -> None:
    assert run_calculator(TfLiteCustomOpResolver, outputs=["OP_RESOLVER"])["OP_RESOLVER"][0][1] == OpResolver()


def test_detection_labels(folder: Path) -> None:
    known, unknown = (Detection(None, label_ids=np.array([number], np.int32)) for number in (1, 5))
    ways: list[dict[str, Any]] = [
        {"label_map_path": "labels.txt"},
        {"label": ["palm", "face"]},
        {"label_items": [{"key": 1, "value": {"name": "face"}}]},
    ]
    for options in ways:
        [(_, named)] = run_calculator(DetectionLabelIdToText, {"": [(0, [known, unknown])]}, options)[""]
        assert [(each.labels, each.label_ids.tolist()) for each in named] == [(("face",), []), ((), [5])]
    options = {"label": ["palm", "face"], "keep_label_id": True}
    [(_, named)] = run_calculator(DetectionLabelIdToText, {"": [(0, [known])]}, options)[""]
    assert (named[0].labels, named[0].label_ids.tolist()) == (("face",), [1])
    with pytest.raises(ValueError, match="set one of"):
        run_calculator(DetectionLabelIdToText, {"": []}, {"label": ["a"], "label_map_path": "labels.txt"})


PIXELS = np.array([[[0, 128, 255, 7]], [[255, 0, 51, 9]]], np.uint8)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, PIXELS[:, :, :3] / 127.5 - 1),
        ({"zero_center": False}, PIXELS[:, :, :3] / 255),
        ({"zero_center": False, "max_num_channels": 4}, PIXELS / 255),
        ({"output_tensor_float_range": {"min": 2.0, "max": 4.0}}, PIXELS[:, :, :3] / 127.5 + 2),
        ({"use_custom_normalization": True, "custom_div": 51.0, "custom_sub": 3.0}, PIXELS[:, :, :3] / 51 - 3),
        ({"flip_vertically": True, "zero_center": False}, PIXELS[::-1, :, :3] / 255),
        ({"use_quantized_tensors": True}, PIXELS[:, :, :3]),
    ],
)
def test_converter(options: dict[str, Any], expected: np.ndarray) -> None:
    [(_, [tensor])] = run_calculator(TfLiteConverter, {"IMAGE": [(0, PIXELS)]}, options)["TENSORS"]
    assert tensor.shape == (1, 2, 1, expected.shape[2])
    np.testing.assert_allclose(tensor[0], expected, atol=2e-6)
    assert tensor.dtype == (np.uint8 if "use_quantized_tensors" in options else np.float32)


def test_converter_of_matrices() -> None:
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    [(_, [tensor])] = run_calculator(TfLiteConverter, {"MATRIX": [(0, matrix)]})["TENSORS"]
    np.testing.assert_array_equal(tensor, matrix[:, :, None])


def test_inference_names_its_model_once() -> None:
    with pytest.raises(ValueError, match="connect the side input MODEL"):
        run_calculator(TfLiteInference, {"TENSORS": []}, {"model": "x"}, {"MODEL": Model("y")}, outputs=["TENSORS"])
