"""TFLite file -> plain dataclasses: tensors with their constants unpacked, operators with their options.

The only module that knows the flatbuffer schema (packages `tflite` and `flatbuffers`).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite
from flatbuffers import flexbuffers

from ...errors import ModelError
from .quantization import Quantization
from .sparse import CompressedLevel, DenseLevel, densify

_DTYPES: Mapping[int, type[np.generic]] = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.FLOAT64: np.float64,
    tflite.TensorType.INT8: np.int8,
    tflite.TensorType.UINT8: np.uint8,
    tflite.TensorType.INT16: np.int16,
    tflite.TensorType.INT32: np.int32,
    tflite.TensorType.INT64: np.int64,
    tflite.TensorType.BOOL: np.bool_,
}

_INDEX_VECTORS: Mapping[int, tuple[Any, type[np.generic]]] = {
    tflite.SparseIndexVector.Int32Vector: (tflite.Int32Vector, np.int32),
    tflite.SparseIndexVector.Uint16Vector: (tflite.Uint16Vector, np.uint16),
    tflite.SparseIndexVector.Uint8Vector: (tflite.Uint8Vector, np.uint8),
}

_POOL = (tflite.Pool2DOptions, ("padding", "stride_h", "stride_w", "filter_height", "filter_width", "activation"))
_OPTIONS: Mapping[str, tuple[Any, tuple[str, ...]]] = {
    "CONV_2D": (
        tflite.Conv2DOptions,
        ("padding", "stride_h", "stride_w", "dilation_h_factor", "dilation_w_factor", "activation"),
    ),
    "DEPTHWISE_CONV_2D": (
        tflite.DepthwiseConv2DOptions,
        ("padding", "stride_h", "stride_w", "dilation_h_factor", "dilation_w_factor", "activation"),
    ),
    "TRANSPOSE_CONV": (tflite.TransposeConvOptions, ("padding", "stride_h", "stride_w", "activation")),
    "MAX_POOL_2D": _POOL,
    "AVERAGE_POOL_2D": _POOL,
    "ADD": (tflite.AddOptions, ("activation",)),
    "SUB": (tflite.SubOptions, ("activation",)),
    "MUL": (tflite.MulOptions, ("activation",)),
    "DIV": (tflite.DivOptions, ("activation",)),
    "GATHER": (tflite.GatherOptions, ("axis", "batch_dims")),
    "PACK": (tflite.PackOptions, ("axis",)),
    "UNPACK": (tflite.UnpackOptions, ("axis",)),
    "CONCATENATION": (tflite.ConcatenationOptions, ("axis", "activation")),
    "FULLY_CONNECTED": (tflite.FullyConnectedOptions, ("weights_format", "keep_num_dims", "activation")),
    "RESIZE_BILINEAR": (tflite.ResizeBilinearOptions, ("align_corners", "half_pixel_centers")),
    "DEPTH_TO_SPACE": (tflite.DepthToSpaceOptions, ("block_size",)),
    "MEAN": (tflite.ReducerOptions, ("keep_dims",)),
    "STRIDED_SLICE": (
        tflite.StridedSliceOptions,
        ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"),
    ),
}

_KINDS: Mapping[int, str] = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A value of the model. `data` holds constants (dense, in the file's dtype), None for what is computed.

    `quantization` is set where the integers of the tensor stand for real numbers.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    data: npt.NDArray[np.generic] | None = None
    quantization: Quantization | None = None


@dataclass(frozen=True, slots=True)
class Operator:
    """A step of the model: `kind` is the builtin's schema name, or the name of a custom operator.

    `inputs` and `outputs` are tensor indices, -1 for an optional input that is left out. `options` are the fields of
    the schema's options table, `activation` standing for `fused_activation_function`; for a custom operator with
    FlexBuffer options, their map. `custom_options` are its raw bytes.
    """

    index: int
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    custom_options: bytes = b""
    is_custom: bool = False

    def __str__(self) -> str:
        return f"operator {self.index} ({'custom ' if self.is_custom else ''}{self.kind})"


@dataclass(frozen=True, slots=True)
class TFLiteModel:
    """What one TFLite file holds; `inputs` and `outputs` are tensor indices in the file's order."""

    name: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @property
    def input_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shape of every input, NHWC where it is an image."""
        return tuple(self.tensors[index].shape for index in self.inputs)

    @property
    def output_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shape of every output, as TFLite gives it."""
        return tuple(self.tensors[index].shape for index in self.outputs)


def read_tflite(data: bytes, name: str) -> TFLiteModel:
    """Read the bytes of a TFLite file; `name` is what errors call it.

    Raises ModelError where the bytes are not a TFLite model, are cut short, or contradict themselves.
    """
    if len(data) < 8 or data[4:8] != b"TFL3":
        raise ModelError(f"{name}: not a TFLite model (no 'TFL3' mark in its first 8 bytes); fetch or export it again")
    try:
        return _read(data, name)
    except (struct.error, IndexError, TypeError, AttributeError, ValueError, OverflowError, MemoryError) as error:
        # A flatbuffer is offsets into itself: cut or overwritten bytes show as any of these, at any depth.
        raise ModelError(f"{name}: truncated or damaged TFLite file ({error}); fetch it again") from error


def _read(data: bytes, name: str) -> TFLiteModel:
    model = tflite.Model.GetRootAsModel(data, 0)
    if model.SubgraphsLength() != 1:
        raise ModelError(
            f"{name}: the model has {model.SubgraphsLength()} subgraphs; only models of one subgraph can be imported"
        )
    graph = model.Subgraphs(0)
    tensors = tuple(_read_tensor(model, graph, index, name) for index in range(graph.TensorsLength()))
    operators = tuple(_read_operator(model, graph, index) for index in range(graph.OperatorsLength()))
    inputs = tuple(graph.Inputs(i) for i in range(graph.InputsLength()))
    outputs = tuple(graph.Outputs(i) for i in range(graph.OutputsLength()))
    for operator in operators:
        if not all(-1 <= index < len(tensors) for index in operator.inputs + operator.outputs):
            raise ValueError(f"{operator} names a tensor that does not exist")
    if not outputs or not all(0 <= index < len(tensors) for index in inputs + outputs):
        raise ValueError("the inputs or outputs name tensors that do not exist")
    return TFLiteModel(name, tensors, operators, inputs, outputs)


def _read_tensor(model: Any, graph: Any, index: int, name: str) -> Tensor:
    tensor = graph.Tensors(index)
    label = (tensor.Name() or b"").decode(errors="replace")
    shape = tuple(tensor.Shape(axis) for axis in range(tensor.ShapeLength()))
    if tensor.Type() not in _DTYPES:
        raise ModelError(f"{name}: tensor {index} ({label}) has element type {tensor.Type()}, which is not supported")
    dtype = np.dtype(_DTYPES[tensor.Type()])
    quantization = _read_quantization(tensor, dtype)
    buffer = model.Buffers(tensor.Buffer())
    if buffer.DataLength() == 0:
        return Tensor(index, label, shape, dtype, None, quantization)
    raw = buffer.DataAsNumpy()
    if raw.size != buffer.DataLength():
        raise ValueError(f"the buffer of tensor {index} ({label}) is cut short")
    values = np.frombuffer(raw.tobytes(), dtype=dtype.newbyteorder("<"))
    try:
        data = values.reshape(shape) if tensor.Sparsity() is None else _unpack(values, shape, tensor.Sparsity())
    except ValueError as error:
        raise ValueError(f"tensor {index} ({label}) of shape {list(shape)}: {error}") from error
    return Tensor(index, label, shape, dtype, data, quantization)


def _read_quantization(tensor: Any, dtype: np.dtype[np.generic]) -> Quantization | None:
    """Return what the integers of a tensor mean; float tensors of some files carry such a table too, without a use."""
    table = tensor.Quantization()
    if table is None or table.ScaleLength() == 0 or dtype.kind not in "iu":
        return None
    scale = np.array(table.ScaleAsNumpy(), dtype=np.float32)
    zero_point = np.zeros(len(scale), dtype=np.int64)
    if table.ZeroPointLength():
        zero_point[:] = table.ZeroPointAsNumpy()
    axis = table.QuantizedDimension()
    if len(scale) > 1 and not (0 <= axis < tensor.ShapeLength() and tensor.Shape(axis) == len(scale)):
        raise ValueError(f"{len(scale)} scales do not fit dimension {axis}")
    limits = np.iinfo(dtype.name)
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        raise ValueError("a scale is not a positive number")
    if zero_point.min() < limits.min or zero_point.max() > limits.max:
        raise ValueError(f"a zero point is outside of {dtype}")
    return Quantization(scale, zero_point, axis)


def _unpack(values: npt.NDArray[np.generic], shape: tuple[int, ...], sparsity: Any) -> npt.NDArray[np.generic]:
    levels: list[DenseLevel | CompressedLevel] = []
    for position in range(sparsity.DimMetadataLength()):
        level = sparsity.DimMetadata(position)
        if level.Format() == tflite.DimensionType.DENSE:
            levels.append(DenseLevel(level.DenseSize()))
        else:
            segments = _index_vector(level.ArraySegmentsType(), level.ArraySegments())
            levels.append(CompressedLevel(segments, _index_vector(level.ArrayIndicesType(), level.ArrayIndices())))
    order = [sparsity.TraversalOrder(position) for position in range(sparsity.TraversalOrderLength())]
    blocks = [sparsity.BlockMap(position) for position in range(sparsity.BlockMapLength())]
    return densify(values, shape, order, blocks, levels)


def _index_vector(kind: int, union: Any) -> npt.NDArray[np.int64]:
    if kind not in _INDEX_VECTORS or union is None:
        raise ValueError(f"index vector of unknown kind {kind}")
    table, dtype = _INDEX_VECTORS[kind]
    vector = table()
    vector.Init(union.Bytes, union.Pos)
    if vector.ValuesLength() == 0:
        return np.zeros(0, dtype=np.int64)
    return np.asarray(vector.ValuesAsNumpy(), dtype=dtype).astype(np.int64)


def _read_operator(model: Any, graph: Any, index: int) -> Operator:
    operator = graph.Operators(index)
    code = model.OperatorCodes(operator.OpcodeIndex())
    # Codes up to 126 live in the deprecated one-byte field; later writers fill both.
    builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    inputs = tuple(operator.Inputs(i) for i in range(operator.InputsLength()))
    outputs = tuple(operator.Outputs(i) for i in range(operator.OutputsLength()))
    if builtin == tflite.BuiltinOperator.CUSTOM:
        raw = bytes(operator.CustomOptionsAsNumpy()) if operator.CustomOptionsLength() else b""
        kind = (code.CustomCode() or b"").decode(errors="replace")
        return Operator(index, kind, inputs, outputs, _flexbuffer_map(raw), raw, is_custom=True)
    kind = _KINDS.get(builtin, f"BUILTIN_{builtin}")
    return Operator(index, kind, inputs, outputs, _read_options(kind, operator.BuiltinOptions()))


def _read_options(kind: str, union: Any) -> Mapping[str, Any]:
    if kind not in _OPTIONS or union is None:
        return {}
    table, fields = _OPTIONS[kind]
    options = table()
    options.Init(union.Bytes, union.Pos)
    return {name: getattr(options, _getter(name))() for name in fields}


def _getter(name: str) -> str:
    return "FusedActivationFunction" if name == "activation" else name.title().replace("_", "")


def _flexbuffer_map(raw: bytes) -> Mapping[str, Any]:
    """Return the options as a map, empty where the bytes are another encoding (some operators store a C struct)."""
    try:
        options = flexbuffers.Loads(raw)
    except Exception:
        # The decoder has no error type of its own, and bytes of another encoding make it fail anywhere.
        return {}
    return options if isinstance(options, dict) else {}
