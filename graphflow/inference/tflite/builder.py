"""The graph under construction during an import: which ONNX value stands for which TFLite tensor, in which layout.

Four-dimensional tensors are NHWC in TFLite and NCHW in the ONNX graph; tensors of any other rank are the same in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from ..onnx_graph import OnnxGraph
from .reader import Operator, TFLiteModel

_NCHW_FROM_NHWC = (0, 3, 1, 2)
_NHWC_FROM_NCHW = (0, 2, 3, 1)


def onnx_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape a TFLite tensor of `shape` has in the ONNX graph (NHWC -> NCHW for four dimensions)."""
    return tuple(shape[axis] for axis in _NCHW_FROM_NHWC) if len(shape) == 4 else tuple(shape)


def onnx_axis(axis: int, rank: int) -> int:
    """Return where TFLite's `axis` (negative counts from the end) of a tensor of `rank` lies in the ONNX graph."""
    axis %= rank
    return _NCHW_FROM_NHWC.index(axis) if rank == 4 else axis


class GraphBuilder:
    """Collects ONNX nodes for the operators of `model`; converters call it, one operator after the other."""

    def __init__(self, model: TFLiteModel) -> None:
        self.model = model
        self.graph = OnnxGraph(model.name)
        self._values: dict[int, str] = {}
        self._constants: dict[int, npt.NDArray[Any]] = {
            tensor.index: tensor.data for tensor in model.tensors if tensor.data is not None
        }

    def fail(self, operator: Operator, reason: str) -> NoReturn:
        """Raise the ModelError for an operator whose options or inputs are beyond this importer."""
        raise ModelError(
            f"{self.model.name}: {operator}: {reason}; leave out the outputs that need it, or convert the model "
            "to ONNX with another tool and give the .onnx file"
        )

    def shape(self, index: int) -> tuple[int, ...]:
        """Return the shape of a tensor as TFLite has it."""
        return self.model.tensors[index].shape

    def is_constant(self, index: int) -> bool:
        """Whether the tensor's value is known now: stored in the file or folded from such."""
        return index in self._constants

    def constant(self, operator: Operator, position: int) -> npt.NDArray[Any]:
        """Return the constant at an input of `operator`, in TFLite's layout; raises ModelError where it is computed."""
        index = operator.inputs[position]
        if index not in self._constants:
            self.fail(operator, f"input {position} must be a constant of the model, not a computed tensor")
        return self._constants[index]

    def fold(self, index: int, value: npt.NDArray[Any]) -> None:
        """Record that a tensor is the constant `value` (TFLite's layout)."""
        self._constants[index] = value

    def bind(self, index: int, name: str) -> None:
        """Record that the ONNX value `name` (NCHW where four-dimensional) stands for a tensor."""
        self._values[index] = name

    def value(self, operator: Operator, position: int) -> str:
        """Return the ONNX value for an input of `operator`, NCHW where four-dimensional."""
        index = operator.inputs[position]
        if index in self._constants and index not in self._values:
            self.bind(index, self.graph.constant(_to_onnx(self._constants[index]), f"constant{index}"))
        if index not in self._values:
            self.fail(operator, f"input {position} (tensor {index}) is computed by no operator before it")
        return self._values[index]

    def broadcast_value(self, operator: Operator, position: int, rank: int) -> str:
        """Return an input brought to `rank` dimensions by leading ones, in the layout of that rank."""
        index = operator.inputs[position]
        shape = self.shape(index)
        if len(shape) == rank:
            return self.value(operator, position)
        wide = (1,) * (rank - len(shape)) + shape
        if index in self._constants:
            return self.graph.constant(_to_onnx(self._constants[index].reshape(wide)), f"constant{index}")
        return self.from_tflite(self.reshaped(self.value(operator, position), wide), wide)

    def add(self, op: str, inputs: Sequence[str], output: int, **attributes: Any) -> str:
        """Append a node whose result has the shape of the tensor `output`; returns the value's name."""
        return self.graph.add(op, inputs, onnx_shape(self.shape(output)), f"tensor{output}", **attributes)

    def reshaped(self, name: str, shape: Sequence[int]) -> str:
        """Return `name` reshaped in the order its elements have in the ONNX graph."""
        if self.graph.shapes[name] == tuple(shape):
            return name
        target = self.graph.constant(np.array(shape, dtype=np.int64), "shape")
        return self.graph.add("Reshape", [name, target], tuple(shape), f"{name}_reshaped")

    def as_tflite(self, name: str, shape: Sequence[int]) -> str:
        """Return the ONNX value of a tensor with TFLite shape `shape` in TFLite's own layout."""
        return self._relaid(name, tuple(shape), _NHWC_FROM_NCHW, f"{name}_nhwc") if len(shape) == 4 else name

    def from_tflite(self, name: str, shape: Sequence[int]) -> str:
        """Return a value that lies in TFLite's layout with TFLite shape `shape` in the ONNX graph's layout."""
        return self._relaid(name, onnx_shape(shape), _NCHW_FROM_NHWC, f"{name}_nchw") if len(shape) == 4 else name

    def _relaid(self, name: str, target: tuple[int, ...], order: tuple[int, ...], hint: str) -> str:
        source = self.graph.shapes[name]
        if _keeps_order(source, order):
            return self.reshaped(name, target)
        return self.graph.add("Transpose", [name], target, hint, perm=list(order))


def _keeps_order(shape: tuple[int, ...], order: tuple[int, ...]) -> bool:
    """Whether the transposition leaves the elements where they are, because what moves has size one."""
    moved = [axis for axis in order if shape[axis] > 1]
    return moved == sorted(moved)


def _to_onnx(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.transpose(array, _NCHW_FROM_NHWC) if array.ndim == 4 else array
