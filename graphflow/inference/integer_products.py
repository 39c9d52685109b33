"""Whether this processor's fast products of bytes are exact."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

_MARKS = (b"QuantizeLinear", b"QLinear", b"MatMulInteger", b"ConvInteger")
_LENGTH = 64


def computes_on_integers(path: Path) -> bool:
    """Whether an ONNX file has operators on quantised numbers."""
    contents = path.read_bytes()
    return any(mark in contents for mark in _MARKS)


@functools.cache
def products_overflow() -> bool:
    """Whether ONNX Runtime's products of uint8 and int8 are cut off here.

    Processors without VNNI add two products in 16 bits, where two of 255 x 127 have no room. What ONNX Runtime then
    does differs between its versions, so it is tried: one row of the largest products, whose sum is known.
    """
    import onnxruntime as ort
    from onnx import TensorProto, helper

    inputs = [
        helper.make_tensor_value_info("a", TensorProto.UINT8, (1, _LENGTH)),
        helper.make_tensor_value_info("b", TensorProto.INT8, (_LENGTH, 16)),
    ]
    output = helper.make_tensor_value_info("sum", TensorProto.INT32, (1, 16))
    graph = helper.make_graph([helper.make_node("MatMulInteger", ["a", "b"], ["sum"])], "probe", inputs, [output])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    largest = {"a": np.full((1, _LENGTH), 255, np.uint8), "b": np.full((_LENGTH, 16), 127, np.int8)}
    return bool((session.run(None, largest)[0] != 255 * 127 * _LENGTH).any())
