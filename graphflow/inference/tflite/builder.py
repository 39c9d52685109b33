"""The graph under construction during an import: which ONNX value stands for which TFLite tensor, in which layout.

Four-dimensional tensors are NHWC in TFLite and NCHW in the ONNX graph; tensors of any other rank are the same in both.
A quantised tensor has two values in the graph: the integers as they are stored, and the real numbers they stand for.
Operators work on the real numbers, between DequantizeLinear and QuantizeLinear; ONNX Runtime joins the three to one
step on integers. Plain integers (positions, counts) are int64 in the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from ...errors import ModelError
from ..onnx_graph import OnnxGraph
from .quantization import Quantization, carried, carried_scale, is_carried
from .reader import Operator, TFLiteModel

_NCHW_FROM_NHWC = (0, 3, 1, 2)
_NHWC_FROM_NCHW = (0, 2, 3, 1)
_INPUT_TYPES = (np.float32, np.int32, np.uint8)


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
        self._stored: dict[int, str] = {}
        self._real: dict[int, str] = {}
        self._apart: set[int] = set()
        self._constants: dict[int, npt.NDArray[Any]] = {
            tensor.index: tensor.data for tensor in model.tensors if tensor.data is not None
        }

    def add_input(self, position: int, index: int) -> None:
        """Declare input `position` of the model, the tensor `index`; raises ModelError for an unsupported type."""
        tensor, name = self.model.tensors[index], f"input{position}"
        if tensor.dtype not in _INPUT_TYPES or (tensor.quantization is not None and tensor.dtype != np.uint8):
            raise ModelError(
                f"{self.model.name}: input {position} is {tensor.dtype}"
                f"{' (quantised)' if tensor.quantization else ''}; supported are float32, int32 and uint8"
            )
        self.graph.add_input(name, tensor.shape, tensor.dtype)
        laid = self.from_tflite(name, tensor.shape)
        if tensor.dtype == np.int32:
            laid = self.graph.add("Cast", [laid], self.graph.shapes[laid], f"{name}_wide", to=TensorProto.INT64)
        self.bind_stored(index, laid)

    def add_output(self, position: int, index: int, name: str) -> None:
        """Declare output `position` of the model: `name`, which lies in TFLite's layout, for the tensor `index`."""
        tensor = self.model.tensors[index]
        counts = tensor.quantization is None and tensor.dtype.kind in "iu"
        # A value may serve as two outputs, or as an inner value too: each output gets a name of its own.
        op, attributes = ("Cast", {"to": TensorProto.INT32}) if counts else ("Identity", {})
        result = self.graph.add(op, [name], tensor.shape, f"output{position}", **attributes)
        self.graph.add_output(result, tensor.shape, np.int32 if counts else np.float32)

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
        """Record that the ONNX value `name` (NCHW where four-dimensional) stands for a tensor; quantise it if need be.

        For a quantised tensor `name` holds real numbers, see `bind_stored` for the integers.
        """
        if self.quantization(index) is not None:
            name = self._quantized(name, index)
        self.bind_stored(index, name)

    def bind_interpolated(self, index: int, name: str) -> None:
        """Record a tensor as `bind`, whose values lie between those of another one with the same scale.

        Its scale is given one bit off: where both are the same, ONNX Runtime interpolates integers, and 1.20 cuts
        the fraction off instead of rounding.
        """
        self._apart.add(index)
        self.bind(index, name)

    def bind_stored(self, index: int, name: str) -> None:
        """Record the ONNX value of a tensor in the form in which it is kept: integers where it is quantised."""
        self._stored[index] = name

    def value(self, operator: Operator, position: int) -> str:
        """Return the ONNX value for an input of `operator`, NCHW where four-dimensional; real numbers if quantised."""
        index = operator.inputs[position]
        stored = self.stored(operator, position)
        if self.quantization(index) is None:
            return stored
        if index not in self._real:
            self._real[index] = self._dequantized(stored, index)
        return self._real[index]

    def stored(self, operator: Operator, position: int) -> str:
        """Return an input of `operator` in the form in which it is kept, for what only moves elements."""
        index = operator.inputs[position]
        if index in self._constants and index not in self._stored:
            self.bind_stored(index, self._constant_value(index, self.shape(index)))
        if index not in self._stored:
            self.fail(operator, f"input {position} (tensor {index}) is computed by no operator before it")
        return self._stored[index]

    def moving(self, operator: Operator, position: int) -> str:
        """Return an input whose elements `operator` only moves: as stored where its result is stored alike."""
        return self.stored(operator, position) if self._moves_stored(operator) else self.value(operator, position)

    def bind_moved(self, operator: Operator, name: str, output: int = 0) -> None:
        """Record what `operator` made of inputs that `moving` gave."""
        bind = self.bind_stored if self._moves_stored(operator) else self.bind
        bind(operator.outputs[output], name)

    def parameter(self, operator: Operator, position: int, order: Sequence[int] | None = None) -> str:
        """Return a constant input that weighs or shifts, its axes in `order`: float32, or quantised as in the file."""
        index = operator.inputs[position]
        values, quantization = self.constant(operator, position), self.quantization(index)
        axes = tuple(range(values.ndim)) if order is None else tuple(order)
        turned = np.transpose(values, axes)
        if quantization is None:
            return self.graph.constant(turned.astype(np.float32), f"constant{index}")
        axis = axes.index(quantization.axis)
        if self.quantization(operator.outputs[0]) is None:
            return self.graph.constant(quantization.real(turned, axis), f"constant{index}")
        count = () if quantization.is_per_tensor else (-1,)
        name = self.graph.constant(turned, f"constant{index}")
        zero_point = quantization.zero_point.astype(turned.dtype).reshape(count)
        return self._scaled(name, quantization.scale.reshape(count), zero_point, axis)

    def quantization(self, index: int) -> Quantization | None:
        """Return what the integers of a tensor stand for, None for a tensor that is not quantised."""
        return self.model.tensors[index].quantization

    def broadcast_value(self, operator: Operator, position: int, rank: int) -> str:
        """Return an input brought to `rank` dimensions by leading ones, in the layout of that rank."""
        index = operator.inputs[position]
        shape = self.shape(index)
        if len(shape) == rank:
            return self.value(operator, position)
        wide = (1,) * (rank - len(shape)) + shape
        if index in self._constants:
            stored = self._constant_value(index, wide)
            return stored if self.quantization(index) is None else self._dequantized(stored, index)
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

    def _moves_stored(self, operator: Operator) -> bool:
        """Whether all of an operator's quantised tensors have one scale, so that moving integers moves numbers."""
        tensors = [self.model.tensors[index] for index in (*operator.inputs, *operator.outputs) if index >= 0]
        first = tensors[0].quantization
        if first is None:
            return True
        return all(
            tensor.dtype == tensors[0].dtype and first.same_as(tensor.quantization)
            for tensor in tensors
            if tensor.quantization is not None
        )

    def _constant_value(self, index: int, shape: tuple[int, ...]) -> str:
        """Return the ONNX value of a constant tensor seen with TFLite shape `shape`, in its stored form."""
        array = self._constants[index].reshape(shape)
        if self.quantization(index) is not None:
            array = carried(array)
        elif array.dtype.kind in "iu":
            array = array.astype(np.int64)
        return self.graph.constant(_to_onnx(array), f"constant{index}")

    def _quantized(self, name: str, index: int) -> str:
        scale, zero_point = self._carried_scale(index)
        inputs = [name, self.graph.constant(scale, "scale"), self.graph.constant(zero_point, "zero_point")]
        return self.graph.add("QuantizeLinear", inputs, self.graph.shapes[name], f"tensor{index}_stored")

    def _dequantized(self, stored: str, index: int) -> str:
        return self._scaled(stored, *self._carried_scale(index))

    def _carried_scale(self, index: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
        tensor, quantization = self.model.tensors[index], self.quantization(index)
        if quantization is None or not quantization.is_per_tensor or not is_carried(tensor.dtype):
            raise ModelError(
                f"{self.model.name}: tensor {index} ({tensor.name}) is {tensor.dtype} with a quantisation that is not "
                "supported for computed values; supported are int8 and uint8 with one scale"
            )
        scale, zero_point = carried_scale(quantization, tensor.dtype)
        return (np.nextafter(scale, np.float32(1)) if index in self._apart else scale), zero_point

    def _scaled(self, stored: str, scale: npt.NDArray[Any], zero_point: npt.NDArray[Any], axis: int = 0) -> str:
        inputs = [stored, self.graph.constant(scale, "scale"), self.graph.constant(zero_point, "zero_point")]
        attributes = {"axis": axis} if np.ndim(scale) else {}
        return self.graph.add("DequantizeLinear", inputs, self.graph.shapes[stored], f"{stored}_real", **attributes)

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
