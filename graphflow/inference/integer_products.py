"""Whether this processor's fast products of bytes are exact."""

from __future__ import annotations

import functools
import mmap
from collections.abc import Iterator
from pathlib import Path

import numpy as np

_MARKS = (b"QuantizeLinear", b"QLinear", b"MatMulInteger", b"ConvInteger")
_LENGTH = 64

# Numbers of fields in ONNX's schema, and the sizes of protobuf's kinds of numbers.
_MODEL_GRAPH, _MODEL_FUNCTIONS, _GRAPH_NODE = 7, 25, 1
_FIXED_LENGTH = {1: 8, 5: 4}


def computes_on_integers(path: Path) -> bool:
    """Whether an ONNX file has operators on quantised numbers; False for a file that is none.

    Only operators are read, not weights: opening a model takes little longer than reading those once.
    """
    with path.open("rb") as file:
        try:
            contents = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # an empty file
            return False
        with contents:
            try:
                return any(mark in contents[start:end] for start, end in _operators(contents) for mark in _MARKS)
            except (ValueError, IndexError):
                return False


def _operators(contents: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Yield where the operators and local functions of a ModelProto lie."""
    for number, start, end in _fields(contents, 0, len(contents)):
        if number == _MODEL_GRAPH:
            yield from ((first, last) for field, first, last in _fields(contents, start, end) if field == _GRAPH_NODE)
        elif number == _MODEL_FUNCTIONS:
            yield start, end


def _fields(contents: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, start and end of the fields of the protobuf message that lies there."""
    while start < end:
        key, start = _variable_length(contents, start)
        kind, length = key & 7, 0
        if kind == 0:
            _, after = _variable_length(contents, start)
            length = after - start
        elif kind == 2:
            length, start = _variable_length(contents, start)
        elif kind in _FIXED_LENGTH:
            length = _FIXED_LENGTH[kind]
        else:
            raise ValueError("not a protobuf message")
        yield key >> 3, start, start + length
        start += length


def _variable_length(contents: mmap.mmap, start: int) -> tuple[int, int]:
    """Return a varint and where it ends."""
    value, shift = 0, 0
    while True:
        byte = contents[start]
        value |= (byte & 0x7F) << shift
        start, shift = start + 1, shift + 7
        if byte < 0x80:
            return value, start


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
