"""Files whose operators work on quantised numbers are told from others by reading operators only."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from graphflow.inference.integer_products import computes_on_integers


def saved(path: Path, operator: str, weights: bytes = b"") -> Path:
    """A model of one operator and one constant."""
    node = helper.make_node(operator, ["a", "b"], ["sum"])
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 1)) for name in ("a", "b", "sum")]
    constant = numpy_helper.from_array(np.frombuffer(weights or bytes(4), dtype=np.uint8), "constant")
    graph = helper.make_graph([node], "toy", values[:2], values[2:], [constant])
    onnx.save(helper.make_model(graph), path)
    return path


@pytest.mark.parametrize(
    ("operator", "weights", "integers"),
    [
        ("Add", b"", False),
        ("Add", b"weights that spell QLinearConv and MatMulInteger", False),
        ("MatMulInteger", b"", True),
        ("QLinearMatMul", b"", True),
        ("DynamicQuantizeLinear", b"", True),
    ],
)
def test_operators_decide(tmp_path: Path, operator: str, weights: bytes, integers: bool) -> None:
    assert computes_on_integers(saved(tmp_path / "toy.onnx", operator, weights)) == integers


@pytest.mark.parametrize("contents", [b"", b"garbage", b"\x3a\xff\xff\xff\xff", b"\x3f" * 9])
def test_file_that_is_no_model(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "own.onnx"
    path.write_bytes(contents)
    assert not computes_on_integers(path)


def test_operators_cut_off(tmp_path: Path) -> None:
    path = saved(tmp_path / "toy.onnx", "MatMulInteger")
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert computes_on_integers(path) in (True, False)
