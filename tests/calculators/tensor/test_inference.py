"""Inference on a small model made here."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from graphflow.calculators.tensor.inference import Inference
from onnx import TensorProto, helper

from graphflow import ModelError
from graphflow.testing import run_calculator


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Three outputs: the input plus 0, 1 and 2."""
    monkeypatch.setenv("GRAPHFLOW_CACHE", str(tmp_path / "cache"))
    nodes, constants, outputs = [], [], []
    for number in range(3):
        constants.append(helper.make_tensor(f"c{number}", TensorProto.FLOAT, [1], [float(number)]))
        nodes.append(helper.make_node("Add", ["x", f"c{number}"], [f"y{number}"]))
        outputs.append(helper.make_tensor_value_info(f"y{number}", TensorProto.FLOAT, [1, 2]))
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])]
    graph = helper.make_graph(nodes, "adds", inputs, outputs, constants)
    path = tmp_path / "adds.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return str(path)


INPUT = np.array([[10, 20]], np.float32)


@pytest.mark.parametrize("fed", [INPUT, [INPUT]], ids=["one tensor", "a list"])
def test_all_outputs_in_the_models_order(model: str, fed: Any) -> None:
    found = run_calculator(Inference, {"TENSORS": [(5, fed)]}, {"model": model}, outputs=["TENSORS"])
    ((timestamp, tensors),) = found["TENSORS"]
    assert timestamp == 5
    assert [tensor.tolist() for tensor in tensors] == [[[10, 20]], [[11, 21]], [[12, 22]]]


@pytest.mark.parametrize("wanted", [[0], [2], [0, 2], [1, 2], [2, 0], [0, 1, 2]])
def test_connected_outputs_by_their_number(model: str, wanted: list[int]) -> None:
    names = [f"TENSOR:{number}" if number else "TENSOR" for number in wanted]
    found = run_calculator(Inference, {"TENSORS": [(0, INPUT)]}, {"model": model}, outputs=names)
    assert set(found) == set(names)
    for number, name in zip(wanted, names, strict=True):
        ((_, tensor),) = found[name]
        np.testing.assert_array_equal(tensor, INPUT + number)


def test_mediapipes_way_to_name_a_model(model: str) -> None:
    options = {"model_path": model, "delegate": {"xnnpack": {}}}
    found = run_calculator(Inference, {"TENSORS": [(0, INPUT)]}, options, outputs=["TENSOR"])
    np.testing.assert_array_equal(found["TENSOR"][0][1], INPUT)
    options = {"model_path": "mediapipe/modules/no_such_model.tflite"}
    with pytest.raises(ModelError, match="no model is called 'no_such_model'"):
        run_calculator(Inference, {"TENSORS": [(0, INPUT)]}, options, outputs=["TENSORS"])


@pytest.mark.parametrize(
    ("options", "outputs", "message"),
    [
        ({}, ["TENSORS"], "one of the options 'model' and 'model_path'"),
        ({"model": "a", "model_path": "b"}, ["TENSORS"], "one of the options 'model' and 'model_path'"),
        ({"model": "a"}, ["TENSORS", "TENSOR"], "either TENSORS or TENSOR"),
        ({"model": "a"}, [], "either TENSORS or TENSOR"),
        ({"model": "a", "threads": 0}, ["TENSORS"], "at least 1"),
    ],
)
def test_impossible_node_is_named(options: dict[str, Any], outputs: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_calculator(Inference, {"TENSORS": [(0, INPUT)]}, options, outputs=outputs)
