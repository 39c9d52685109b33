"""Running compiled networks: code is loaded once, and each run has memory of its own."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .network import Array
from .program import ENTRY, Finish, Program
from .target import host_machine

_LINE = 64  # bytes


class CompiledNetwork:
    """A loaded program; `run` may be called from many threads at once and does not hold the interpreter's lock.

    Shapes are as TFLite has them: images are [1, height, width, channels].
    """

    def __init__(self, program: Program) -> None:
        """Load the machine code of a program that was compiled for this processor."""
        import llvmlite.binding as llvm

        # not the program itself: that would hold all parameters twice
        self._results, self._finishes, self._outputs = program.results, program.finishes, program.outputs
        self._memory = program.memory
        self._parameters = _aligned(len(program.parameters))
        self._parameters[:] = program.parameters
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), host_machine())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(program.code))
        self._engine.finalize_object()
        kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (2 + len(program.inputs)))
        self._function = kind(self._engine.get_function_address(ENTRY))
        self._idle: list[Array] = []
        self.input_shapes: tuple[tuple[int, ...], ...] = tuple(
            (1, height, width, channels) for channels, height, width in program.inputs
        )
        self.input_types: tuple[np.dtype[Any], ...] = (np.dtype(np.float32),) * len(program.inputs)
        self.output_shapes = program.output_shapes
        self.output_indices = program.output_indices

    def run(self, inputs: Sequence[npt.NDArray[Any]]) -> list[Array]:
        """Return the outputs for float32 images of `input_shapes`; fastest where they lie in memory plane by plane."""
        given = [np.ascontiguousarray(image.transpose(0, 3, 1, 2), np.float32) for image in inputs]
        try:
            memory = self._idle.pop()
        except IndexError:
            memory = _aligned(self._memory)
        self._function(memory.ctypes.data, self._parameters.ctypes.data, *(image.ctypes.data for image in given))
        values = {
            result.name: np.lib.stride_tricks.as_strided(
                memory[result.start :],
                (1, result.channels, result.height, result.width),
                (0, 4, 4 * result.row, 4 * result.pixel),
            )
            for result in self._results
        }
        for finish in self._finishes:
            values[finish.output] = _finished(finish, [values[name] for name in finish.inputs])
        # copies, since the next run takes the memory again
        outputs = [np.array(values[name], np.float32, order="C") for name in self._outputs]
        self._idle.append(memory)
        return outputs


def _finished(finish: Finish, inputs: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    first = inputs[0]
    match finish.op:
        case "Reshape":
            return first.reshape(finish.detail)
        case "Transpose":
            return first.transpose(finish.detail)
        case "Concat":
            return np.concatenate(inputs, axis=finish.detail[0])
        case "Sigmoid":
            with np.errstate(over="ignore"):
                sigmoid: Array = np.float32(1) / (np.float32(1) + np.exp(-first))
            return sigmoid
    return first


def _aligned(values: int) -> Array:
    """Zeroed float32 values that begin on a cache line."""
    raw = np.zeros(values * 4 + _LINE, np.uint8)
    start = -raw.ctypes.data % _LINE
    return raw[start : start + values * 4].view(np.float32)
