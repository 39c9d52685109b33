"""From a graph to a program: kernels for every layer, and one function that calls them in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from . import convolutions, depthwise
from .chains import Chain, grouped
from .emitter import Code
from .layout import Layout, layout_of
from .lowering import Lowered, UnsupportedNetworkError, lower
from .memory import place
from .network import Array, Convolution, DepthToSpace, Elementwise, Enlargement, GlobalAverage, Layer, MaxPool, Tensor
from .pixelwise import (
    AverageKernel,
    CopyKernel,
    DepthToSpaceKernel,
    EnlargementKernel,
    MaxPoolKernel,
    SumKernel,
    ZeroKernel,
)
from .program import ENTRY, Program, Result
from .target import VectorUnit, host_machine, host_vectors

if TYPE_CHECKING:
    from ..onnx_graph import OnnxGraph


class Kernel(Protocol):
    """A function to be written; kernels that are equal are one function."""

    def emit(self, code: Code, name: str, unit: VectorUnit) -> None: ...


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a kernel; places count values in the memory of a run, `parameters` in the parameters.

    `given` is the position of an input to read in place of memory, -1 for none; `first` is the first row of a ring.
    """

    kernel: Kernel
    source: int
    target: int
    rows: int
    parameters: int = 0
    other: int = 0
    given: int = -1
    first: int = 0


def compile_graph(graph: OnnxGraph, output_indices: Sequence[int], unit: VectorUnit | None = None) -> Program:
    """Compile an imported graph, whose outputs are at `output_indices` in its model, for this processor.

    The images are taken in planes (see `graphflow.inference.rewrite.read_planes`). `unit` is by default what the
    processor has. Raises UnsupportedNetworkError where a layer or the processor is none that there are kernels for.
    """
    unit = unit or host_vectors()
    if unit is None:
        raise UnsupportedNetworkError("this processor has no vectors of fused multiply-adds")
    shapes = tuple(graph.shapes[name] for name in graph.outputs)
    return _Compilation(lower(graph), shapes, tuple(output_indices), unit).program()


@dataclass(slots=True)
class _Compilation:
    lowered: Lowered
    output_shapes: tuple[tuple[int, ...], ...]
    output_indices: tuple[int, ...]
    unit: VectorUnit
    layouts: dict[Tensor, Layout] = field(default_factory=dict)
    starts: dict[Tensor, int] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    parameters: list[Array] = field(default_factory=list)
    filled: int = 0

    def program(self) -> Program:
        network = self.lowered.network
        tensors = [*network.inputs, *(layer.output for layer in network.layers)]
        groups = grouped(network)
        rings = {tensor: rows for group in groups if isinstance(group, Chain) for tensor, rows in group.rings.items()}
        self.layouts = {tensor: layout_of(tensor, self.unit.width, rings.get(tensor, 0)) for tensor in tensors}
        self.starts, memory = place(network, groups, self.layouts)
        for position, tensor in enumerate(network.inputs):
            self._enclose(tensor)
            self._copy_input(position, tensor)
        for group in groups:
            if isinstance(group, Chain):
                self._call_chain(group)
            else:
                self._enclose(group.output)
                self._call(group)
        results = tuple(
            Result(
                name,
                self._origin(tensor),
                tensor.height,
                tensor.width,
                tensor.channels,
                self.layouts[tensor].row,
                self.layouts[tensor].pixel,
            )
            for name, tensor in zip(self.lowered.results, network.results, strict=True)
        )
        parameters = np.concatenate([*self.parameters, np.zeros(self.unit.width, np.float32)])
        inputs = tuple((tensor.channels, tensor.height, tensor.width) for tensor in network.inputs)
        return Program(
            code=_machine_code(self.calls, len(inputs), self.unit),
            parameters=parameters,
            # vectors may be read beyond the last value
            memory=memory + self.unit.width,
            inputs=inputs,
            results=results,
            finishes=tuple(self.lowered.finishes),
            outputs=tuple(self.lowered.outputs),
            output_shapes=self.output_shapes,
            output_indices=self.output_indices,
        )

    def _origin(self, tensor: Tensor) -> int:
        return self.starts[tensor] + self.layouts[tensor].origin

    def _enclose(self, tensor: Tensor) -> None:
        """Write zeros around a tensor."""
        top, left, bottom, right = tensor.halo
        layout, start = self.layouts[tensor], self.starts[tensor]
        pixel = 1 if tensor.planes else layout.pixel
        for plane in range(tensor.channels if tensor.planes else 1):
            first = start + plane * layout.channel if tensor.planes else start
            for rows, begin in ((top, first), (bottom, first + (top + tensor.height) * layout.row)):
                if rows and not layout.ring:
                    self.calls.append(Call(ZeroKernel(layout.row, layout.row), 0, begin, rows))
            inside = first + (0 if layout.ring else top * layout.row)
            for columns, begin in ((left, inside), (right, inside + (left + tensor.width) * pixel)):
                if columns:
                    self.calls.append(
                        Call(ZeroKernel(columns * pixel, layout.row), 0, begin, layout.ring or tensor.height)
                    )

    def _copy_input(self, position: int, tensor: Tensor) -> None:
        layout = self.layouts[tensor]
        kernel = CopyKernel(tensor.width, layout)
        for plane in range(tensor.channels):
            self.calls.append(
                Call(
                    kernel,
                    plane * tensor.height * tensor.width,
                    self._origin(tensor) + plane * layout.channel,
                    tensor.height,
                    given=position,
                )
            )

    def _keep(self, values: Array) -> int:
        """Append parameters; returns where they begin, on a cache line."""
        start = self.filled
        padded = -(-len(values) // 16) * 16
        self.parameters.append(np.pad(values, (0, padded - len(values))))
        self.filled += padded
        return start

    def _call(self, layer: Layer) -> None:
        source, target = self.layouts[layer.inputs[0]], self.layouts[layer.output]
        begin, end, rows = self._origin(layer.inputs[0]), self._origin(layer.output), layer.output.height
        kernel: Kernel
        match layer:
            case Convolution():
                self.calls.append(self._convolution(layer))
            case Elementwise():
                second = layer.inputs[1] if len(layer.inputs) > 1 else None
                other = None if second is None else self.layouts[second]
                kernel = SumKernel(source, target, other, layer.activation)
                packed = self._keep(kernel.pack(layer.slopes, self.unit))
                place_of_other = 0 if second is None else self._origin(second)
                self.calls.append(Call(kernel, begin, end, rows, packed, place_of_other))
            case MaxPool():
                self.calls.append(Call(MaxPoolKernel(source, target, layer.size, layer.stride), begin, end, rows))
            case GlobalAverage():
                self.calls.append(Call(AverageKernel(source, target), begin, end, rows))
            case DepthToSpace():
                kernel = DepthToSpaceKernel(source, target, layer.block, layer.output.channels)
                self.calls.append(Call(kernel, begin, end, layer.inputs[0].height))
            case Enlargement():
                kernel = EnlargementKernel(source, target, layer.factor)
                self.calls.append(Call(kernel, begin, end, layer.inputs[0].height))

    def _call_chain(self, chain: Chain) -> None:
        for layer in chain.layers:
            self._enclose(layer.output)
        whole = {id(layer): self._convolution(layer) for layer in chain.layers}
        for strip in chain.strips():
            layout = self.layouts[strip.tensor]
            target = self._row(strip.tensor, strip.begin)
            if strip.layer is None:
                self.calls.append(Call(ZeroKernel(layout.row, layout.row), 0, target - layout.origin, 1))
                continue
            layer, call = strip.layer, whole[id(strip.layer)]
            before = layer.inputs[0]
            first = strip.begin * layer.stride[0] - layer.pads[0]
            source = call.source
            if not self.layouts[before].ring:
                source += strip.begin * layer.stride[0] * self.layouts[before].row
            elif not layer.depthwise:
                source += self._row(before, first) - self._origin(before)
            other = 0 if layer.residual is None else self._row(layer.residual, strip.begin)
            self.calls.append(
                replace(
                    call, source=source, target=target, rows=1, other=other, first=first + self.layouts[before].ring
                )
            )

    def _row(self, tensor: Tensor, row: int) -> int:
        """Where the first pixel of a row is."""
        layout = self.layouts[tensor]
        return self._origin(tensor) + (row % layout.ring if layout.ring else row) * layout.row

    def _convolution(self, layer: Convolution) -> Call:
        """The call that makes all rows of a layer's output, from the first one of a ring on."""
        source, target = self.layouts[layer.inputs[0]], self.layouts[layer.output]
        residual = None if layer.residual is None else self.layouts[layer.residual]
        rows = layer.output.height
        if layer.weights.shape[2:] == (1, 1) and not layer.depthwise and layer.stride == (1, 1):
            # without zeros between the rows an image is one long row
            involved = [layer.inputs[0], layer.output, *([layer.residual] if layer.residual else [])]
            if not any(any(tensor.halo) or tensor.planes or self.layouts[tensor].ring for tensor in involved):
                source, target = _one_row(source), _one_row(target)
                residual = None if residual is None else _one_row(residual)
                rows = 1
        make = depthwise.kernel_of if layer.depthwise else convolutions.kernel_of
        kernel = make(layer, source, target, residual)
        top, left = layer.pads
        before = 0 if source.ring else top * source.row
        return Call(
            kernel,
            self._origin(layer.inputs[0]) - before - left * source.pixel,
            self._origin(layer.output),
            rows,
            self._keep(kernel.pack(layer, self.unit)),
            0 if layer.residual is None else self._origin(layer.residual),
        )


def _one_row(layout: Layout) -> Layout:
    pixels = layout.height * layout.width
    return Layout(1, pixels, layout.blocks, layout.pixel, pixels * layout.pixel, layout.channel, 0, layout.size)


def _machine_code(calls: Sequence[Call], inputs: int, unit: VectorUnit) -> bytes:
    """Compile kernels and the function that calls them: memory, parameters, then the inputs."""
    import llvmlite.binding as llvm

    code = Code()
    names: dict[Kernel, str] = {}
    memory, parameters, given = "%memory", "%parameters", [f"%given{position}" for position in range(inputs)]
    lines: list[str] = []

    def at(start: str, offset: int) -> str:
        name = f"%p{len(lines)}"
        lines.append(f"{name} = getelementptr float, ptr {start}, i64 {offset}")
        return f"ptr {name}"

    for call in calls:
        if call.kernel not in names:
            names[call.kernel] = f"kernel_{len(names)}"
            call.kernel.emit(code, names[call.kernel], unit)
        arguments = [
            at(memory if call.given < 0 else given[call.given], call.source),
            at(parameters, call.parameters),
            at(memory, call.target),
            at(memory, call.other),
            f"i64 {call.rows}",
            f"i64 {call.first}",
        ]
        lines.append(f"call void @{names[call.kernel]}({', '.join(arguments)})")
    pointers = ", ".join(f"ptr {name}" for name in (memory, parameters, *given))
    code.define(f"void @{ENTRY}({pointers})", (*lines, "ret void"))
    machine = host_machine()
    module = llvm.parse_assembly(code.text())
    module.verify()
    # kernels are written as they are to run: LLVM's passes over them gain nothing, and take most of the time
    compiled: bytes = machine.emit_object(module)
    return compiled
