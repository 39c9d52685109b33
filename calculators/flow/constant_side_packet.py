"""ConstantSidePacket: side packets that a graph writes down itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np

from graphflow import Calculator, Context, Option, OptionGroup, SideOutput
from graphflow.context import Binding, Connection

from ..payloads import Classification, FloatArray, LandmarkList


class StringVector(OptionGroup):
    """A list of texts."""

    string_value: list[str] = []


class FloatVector(OptionGroup):
    """A list of floats."""

    float_value: list[float] = []


class IntVector(OptionGroup):
    """A list of integers."""

    int_value: list[int] = []


class ClassificationValue(OptionGroup):
    """MediaPipe's Classification message."""

    index: int = 0
    score: float = 0.0
    label: str = ""
    display_name: str = ""


class ClassificationListValue(OptionGroup):
    """MediaPipe's ClassificationList message."""

    classification: list[ClassificationValue] = []


class LandmarkValue(OptionGroup):
    """MediaPipe's Landmark message."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    visibility: float | None = None
    presence: float | None = None


class LandmarkListValue(OptionGroup):
    """MediaPipe's LandmarkList message."""

    landmark: list[LandmarkValue] = []


class MatrixValue(OptionGroup):
    """MediaPipe's MatrixData message; `packed_data` is by columns unless `layout` says ROW_MAJOR."""

    rows: int = 0
    cols: int = 0
    packed_data: list[float] = []
    layout: str = "COLUMN_MAJOR"


class ConstantPacket(OptionGroup):
    """One value, by its kind; set exactly one."""

    int_value: int | None = None
    uint64_value: int | None = None
    int64_value: int | None = None
    float_value: float | None = None
    double_value: float | None = None
    bool_value: bool | None = None
    string_value: str | None = None
    classification_list_value: ClassificationListValue | None = None
    landmark_list_value: LandmarkListValue | None = None
    time_series_header_value: dict[str, Any] | None = None
    matrix_data_value: MatrixValue | None = None
    string_vector_value: StringVector | None = None
    float_vector_value: FloatVector | None = None
    int_vector_value: IntVector | None = None

    @property
    def kind(self) -> str | None:
        """The field that is set; the last one, as in a message, where several are."""
        return next((name for name in reversed(list(self.model_fields_set)) if getattr(self, name) is not None), None)


class ConstantSidePacket(Calculator):
    """Provides the values its options hold, in their order.

    Source: MediaPipe ConstantSidePacketCalculator.
    """

    packets = SideOutput("PACKET", doc="one for each value", repeated=True)

    packet: list[ConstantPacket] = Option([], "the values, in the order of the outputs")

    def check(self, binding: Binding) -> Iterable[str]:
        outputs = len(binding.side_outputs)
        if outputs != len(self.packet):
            yield f"{len(self.packet)} values in the option 'packet' need as many side outputs, not {outputs}"
        for index, packet in enumerate(self.packet):
            if packet.kind is None:
                yield f"option 'packet.{index}' sets none of {', '.join(ConstantPacket.model_fields)}"

    def output_types(self, binding: Binding) -> Mapping[Connection, Any]:
        kinds = [packet.kind for packet in self.packet]
        return {entry: _TYPES[kind] for entry, kind in zip(binding.side_outputs, kinds, strict=False) if kind}

    def open(self, context: Context) -> None:
        for index, packet in enumerate(self.packet):
            kind = packet.kind
            if kind is not None:
                value = getattr(packet, kind)
                context.emit(self.packets, _MADE.get(kind, lambda given: given)(value), index=index)


def _float32(value: float) -> float:
    return float(np.float32(value))


def _classifications(value: ClassificationListValue) -> list[Classification]:
    return [Classification(each.index, _float32(each.score), each.label) for each in value.classification]


def _landmarks(value: LandmarkListValue) -> LandmarkList:
    def column(name: str) -> FloatArray | None:
        numbers = [getattr(each, name) for each in value.landmark]
        return None if all(number is None for number in numbers) else np.array([n or 0 for n in numbers], np.float32)

    xyz = np.array([(each.x, each.y, each.z) for each in value.landmark], np.float32).reshape(-1, 3)
    return LandmarkList(xyz, column("visibility"), column("presence"))


def _matrix(value: MatrixValue) -> FloatArray:
    numbers = np.array(value.packed_data, np.float32)
    if value.layout == "ROW_MAJOR":
        return numbers.reshape(value.rows, value.cols)
    return np.ascontiguousarray(numbers.reshape(value.cols, value.rows).T)


_MADE: Final[dict[str, Callable[[Any], Any]]] = {
    "float_value": _float32,
    "classification_list_value": _classifications,
    "landmark_list_value": _landmarks,
    "matrix_data_value": _matrix,
    "string_vector_value": lambda value: value.string_value,
    "float_vector_value": lambda value: [_float32(number) for number in value.float_value],
    "int_vector_value": lambda value: value.int_value,
}
"""How the value of a packet is made from the option; what is not named goes out as it is."""

_TYPES: Final[dict[str, Any]] = {
    "int_value": int,
    "uint64_value": int,
    "int64_value": int,
    "float_value": float,
    "double_value": float,
    "bool_value": bool,
    "string_value": str,
    "classification_list_value": list[Classification],
    "landmark_list_value": LandmarkList,
    "time_series_header_value": dict,
    "matrix_data_value": np.ndarray,
    "string_vector_value": list[str],
    "float_vector_value": list[float],
    "int_vector_value": list[int],
}
