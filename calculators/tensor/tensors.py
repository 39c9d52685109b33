"""What a TENSORS connection carries, and how calculators read it."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..payloads import FloatArray, Tensors

TensorsOrOne: TypeAlias = Tensors | np.ndarray
"""A list of tensors, or one tensor alone as `Inference` emits on a TENSOR output."""


def tensor_list(value: TensorsOrOne) -> list[npt.NDArray[Any]]:
    """The tensors of a TENSORS input.

    >>> [tensor.shape for tensor in tensor_list(np.zeros((1, 4)))]
    [(1, 4)]
    """
    return [value] if isinstance(value, np.ndarray) else value


def first_values(value: TensorsOrOne) -> FloatArray:
    """The numbers of the first tensor: float32, flat, contiguous, read-only.

    Raises:
        ValueError: there is no tensor, or it is not float32.
    """
    tensors = tensor_list(value)
    if not tensors:
        raise ValueError("TENSORS is an empty list; a model's output has at least one tensor")
    return flat_values(tensors[0])


def flat_values(tensor: npt.NDArray[Any]) -> FloatArray:
    """The numbers of a tensor: float32, flat, contiguous, read-only, so that a kernel is compiled for one type only.

    Raises:
        ValueError: the tensor is not float32.
    """
    if tensor.dtype != np.float32:
        raise ValueError(f"a tensor must be float32, not {tensor.dtype} {list(tensor.shape)}")
    flat = np.ascontiguousarray(tensor).reshape(-1).view()
    flat.flags.writeable = False
    return flat
