"""How the integers of a TFLite file stand for real numbers, and in which form they are kept in the ONNX graph.

TFLite's activations are int8 today and were uint8 before. Here all are uint8, int8 ones moved by 128 together with
their zero point: the same real numbers, and what x86 processors multiply with int8 weights in one instruction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Quantization:
    """How integers stand for real numbers: real = `scale` * (stored - `zero_point`).

    `scale` (float32) and `zero_point` (int64) have one entry, or one for each index of dimension `axis`.

    >>> tenths = Quantization(np.float32([0.1]), np.array([-128]))
    >>> tenths.real(np.int8([-128, -118]))
    array([0., 1.], dtype=float32)
    """

    scale: npt.NDArray[np.float32]
    zero_point: npt.NDArray[np.int64]
    axis: int = 0

    @property
    def is_per_tensor(self) -> bool:
        """Whether one scale serves all elements."""
        return len(self.scale) == 1

    def real(self, stored: npt.NDArray[Any], axis: int | None = None) -> npt.NDArray[np.float32]:
        """Return the numbers that `stored` stands for; `axis` says where dimension `axis` of the file lies now."""
        shape = [1] * stored.ndim
        if not self.is_per_tensor:
            shape[self.axis if axis is None else axis] = len(self.scale)
        else:
            shape = []
        difference = stored.astype(np.int64) - self.zero_point.reshape(shape)
        return (difference * self.scale.astype(np.float64).reshape(shape)).astype(np.float32)

    def same_as(self, other: Quantization | None) -> bool:
        """Whether stored numbers mean the same under `other`."""
        return (
            other is not None
            and np.array_equal(self.scale, other.scale)
            and np.array_equal(self.zero_point, other.zero_point)
            and (self.is_per_tensor or self.axis == other.axis)
        )


def is_carried(dtype: np.dtype[Any]) -> bool:
    """Whether quantised activations of this element type have a form in the ONNX graph: those of eight bits."""
    return dtype in (np.dtype(np.int8), np.dtype(np.uint8))


def carried(stored: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return stored integers of eight bits as the uint8 that stand for the same numbers in the ONNX graph."""
    return stored if stored.dtype == np.uint8 else (stored.astype(np.int16) + 128).astype(np.uint8)


def carried_scale(
    quantization: Quantization, dtype: np.dtype[Any]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Return scale and zero point, both of shape [], of what `carried` makes of a tensor of `dtype`."""
    zero_point = int(quantization.zero_point[0]) + (0 if dtype == np.uint8 else 128)
    return quantization.scale[0], np.array(zero_point, dtype=np.uint8)


def carried_range(quantization: Quantization, dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return the least and the greatest number that a quantised tensor can hold."""
    scale, zero_point = carried_scale(quantization, dtype)
    return float(scale * np.float32(0 - int(zero_point))), float(scale * np.float32(255 - int(zero_point)))
