"""Kernels of depthwise convolutions: each channel is summed over its own window.

Sums run from the bias over the window column by column, and in it row by row, as XNNPACK's DWCONV microkernels do.
Where the window is a single value, the product is rounded before the bias is added, as in its VMULCADDC microkernels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .emitter import Code, Emitter, Value
from .epilogue import Epilogue
from .layout import Layout
from .network import Array, Convolution
from .target import VectorUnit


@dataclass(frozen=True, slots=True)
class DepthwiseKernel:
    """All that the code of a depthwise convolution depends on.

    The function takes input, packed weights, output and residual at the first pixel, and the number of rows.
    """

    source: Layout
    target: Layout
    epilogue: Epilogue
    window: tuple[int, int]
    stride: tuple[int, int]

    def pixels(self, unit: VectorUnit) -> int:
        """How many pixels of a row are summed at once."""
        # a column of the window for each of them, and their sums, stay in registers
        most = max(1, min((unit.registers - 2) // (self.window[0] + 1), self.target.width))
        return min(range(1, most + 1), key=lambda count: (-(-self.target.width // count) * (count + 3), -count))

    def emit(self, code: Code, name: str, unit: VectorUnit) -> None:
        """Write the function `name`."""
        emitter = Emitter(code, name, 4, unit.width)
        source, weights, target, residual, rows, begin = emitter.arguments
        pixels = self.pixels(unit)
        whole = self.target.width // pixels * pixels

        def each_row(row: Value) -> None:
            inputs = self._input_rows(emitter, source, emitter.multiply(row, self.stride[0]), begin)
            outputs = emitter.at(target, emitter.multiply(row, self.target.row))
            addends = emitter.at(residual, emitter.multiply(row, self.epilogue.residual_row))

            def each_block(first: Value) -> None:
                parameters = emitter.at(weights, emitter.multiply(first, self.vectors_each()))

                def tile(column: Value, count: int) -> None:
                    self._tile(
                        emitter,
                        [
                            emitter.at(line, emitter.add(first, emitter.multiply(column, self._advance)))
                            for line in inputs
                        ],
                        parameters,
                        emitter.at(outputs, emitter.add(first, emitter.multiply(column, self.target.pixel))),
                        emitter.at(
                            addends,
                            emitter.add(first, emitter.multiply(column, self.epilogue.residual_pixel)),
                        ),
                        count,
                    )

                if whole:
                    emitter.loop(whole, pixels, lambda column: tile(column, pixels))
                if self.target.width > whole:
                    tile(whole, self.target.width - whole)

            emitter.loop(self.target.blocks * unit.width, unit.width, each_block)

        emitter.loop(rows, 1, each_row)
        emitter.finish()

    def vectors_each(self) -> int:
        """How many vectors of parameters a vector of channels has."""
        return self.epilogue.vectors + self.window[0] * self.window[1]

    def pack(self, layer: Convolution, unit: VectorUnit) -> Array:
        """Return the parameters of a layer in the order in which the function reads them."""
        taps = layer.weights[:, 0].transpose(2, 1, 0).reshape(-1, len(layer.weights))
        matrix = np.concatenate([self.epilogue.parameters(layer), taps])
        matrix = np.pad(matrix, ((0, 0), (0, self.target.blocks * unit.width - matrix.shape[1])))
        return np.ascontiguousarray(
            matrix.reshape(len(matrix), self.target.blocks, unit.width).transpose(1, 0, 2), np.float32
        ).reshape(-1)

    def _input_rows(self, emitter: Emitter, source: Value, row: Value, begin: Value) -> list[Value]:
        """Where the rows of the window are whose first one is `row`."""
        if not self.source.ring:
            start = emitter.at(source, emitter.multiply(row, self.source.row))
            return [emitter.at(start, down * self.source.row) for down in range(self.window[0])]
        first = emitter.add(begin, row)
        return [
            emitter.at(
                source,
                emitter.multiply(emitter.row_in_ring(emitter.add(first, down), self.source.ring), self.source.row),
            )
            for down in range(self.window[0])
        ]

    @property
    def _advance(self) -> int:
        return self.source.pixel * self.stride[1]

    def _tile(
        self, emitter: Emitter, inputs: list[Value], parameters: Value, outputs: Value, addends: Value, pixels: int
    ) -> None:
        rows, columns = self.window
        sums = [emitter.load(parameters)] * pixels
        slopes = self.epilogue.slopes(emitter, parameters, 0, emitter.width)
        weights = emitter.at(parameters, self.epilogue.vectors * emitter.width)
        loaded: dict[tuple[int, int], Value] = {}
        for column in range(columns):
            for row in range(rows):
                factor = emitter.load(weights, (column * rows + row) * emitter.width)
                for pixel in range(pixels):
                    place = (row, column + pixel * self.stride[1])
                    if place not in loaded:
                        loaded[place] = emitter.load(inputs[row], place[1] * self.source.pixel)
                    if self.window == (1, 1):
                        sums[pixel] = emitter.sum(emitter.product(loaded[place], factor), sums[pixel])
                    else:
                        sums[pixel] = emitter.multiply_add(loaded[place], factor, sums[pixel])
        residual = self.epilogue.residual
        for pixel, total in enumerate(sums):
            addend = None if residual is None else emitter.load(addends, pixel * residual.pixel)
            value = self.epilogue.result(emitter, total, slopes, addend)
            emitter.store(value, outputs, pixel * self.target.pixel)


def kernel_of(layer: Convolution, source: Layout, target: Layout, residual: Layout | None) -> DepthwiseKernel:
    """Return the kernel of a depthwise layer."""
    rows, columns = layer.weights.shape[2:]
    return DepthwiseKernel(
        source=source,
        target=target,
        epilogue=Epilogue(layer.activation, residual, layer.final),
        window=(rows, columns),
        stride=layer.stride,
    )
