"""Kernels of convolutions over all channels: tiles of pixels and channels whose sums stay in registers.

The sum of each value runs over the window row by row and in it channel by channel, from the bias on, in one register
of fused multiply-adds. That is the order in which XNNPACK sums (its GEMM and IGEMM microkernels), so results are the
same to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .emitter import Code, Emitter, Value
from .epilogue import Epilogue
from .layout import Layout
from .network import Array, Convolution
from .target import VectorUnit

# Windows of this many multiplications are written out, without a loop over channels.
_WRITTEN_OUT = 80
_UNROLLED = 4

# Registers of 32 that hold no sums.
_SPARE = 6
_SPARE_WRITTEN_OUT = 18


@dataclass(frozen=True, slots=True)
class ConvolutionKernel:
    """All that the code of a convolution depends on; layers that agree in it share a function.

    The function takes input, packed weights, output and residual at the first pixel, and the number of rows.
    """

    source: Layout
    target: Layout
    epilogue: Epilogue
    channels: int
    window: tuple[int, int]
    stride: tuple[int, int]

    def tiles(self, unit: VectorUnit) -> list[tuple[int, int]]:
        """Vectors of channels and pixels that are computed at once, for each group of channels."""
        # what is written out needs registers for more than sums
        spare = _SPARE_WRITTEN_OUT if self.written_out else _SPARE
        return _tiles(self.target.blocks, self.target.width, unit.registers - spare * unit.registers // 32)

    def emit(self, code: Code, name: str, unit: VectorUnit) -> None:
        """Write the function `name`."""
        emitter = Emitter(code, name, 4, unit.width)
        source, weights, target, residual, rows, _ = emitter.arguments
        first, packed = 0, 0
        for blocks, pixels in self.tiles(unit):
            group = _Group(self, emitter, emitter.at(weights, packed), first, blocks)

            def each_row(row: Value, group: _Group = group, pixels: int = pixels) -> None:
                inputs = emitter.at(source, emitter.multiply(row, self.source.row * self.stride[0]))
                outputs = emitter.at(target, emitter.multiply(row, self.target.row))
                addends = emitter.at(residual, emitter.multiply(row, self.epilogue.residual_row))
                group.row(inputs, outputs, addends, pixels)

            emitter.loop(rows, 1, each_row)
            first += blocks
            packed += blocks * unit.width * self.vectors_each()
        emitter.finish()

    @property
    def written_out(self) -> bool:
        return self.window[0] * self.window[1] * self.channels <= _WRITTEN_OUT

    def vectors_each(self) -> int:
        """How many vectors of parameters a vector of output channels has."""
        return self.epilogue.vectors + self.window[0] * self.window[1] * self.channels

    def pack(self, layer: Convolution, unit: VectorUnit) -> Array:
        """Return the parameters of a layer in the order in which the function reads them."""
        stored = self.target.blocks * unit.width
        taps = layer.weights.transpose(2, 3, 1, 0).reshape(-1, len(layer.weights))
        matrix = np.concatenate([self.epilogue.parameters(layer), taps])
        matrix = np.pad(matrix, ((0, 0), (0, stored - matrix.shape[1])))
        parts, first = [], 0
        for blocks, _ in self.tiles(unit):
            last = first + blocks * unit.width
            parts.append(matrix[:, first:last].reshape(-1))
            first = last
        return np.concatenate(parts).astype(np.float32)


class _Group:
    """The code for some vectors of output channels."""

    def __init__(self, kernel: ConvolutionKernel, emitter: Emitter, weights: Value, first: int, blocks: int) -> None:
        self.kernel, self.emitter, self.first, self.blocks = kernel, emitter, first, blocks
        self.parameters = weights
        step = blocks * emitter.width
        self.weights = emitter.at(weights, step * kernel.epilogue.vectors)
        self.step = step

    def row(self, inputs: Value, outputs: Value, addends: Value, pixels: int) -> None:
        emitter, kernel = self.emitter, self.kernel
        advance = kernel.source.pixel * kernel.stride[1]
        whole = kernel.target.width // pixels * pixels

        def tile(column: Value, count: int) -> None:
            self.tile(
                emitter.at(inputs, emitter.multiply(column, advance)),
                emitter.at(outputs, emitter.multiply(column, kernel.target.pixel)),
                emitter.at(addends, emitter.multiply(column, kernel.epilogue.residual_pixel)),
                count,
            )

        if whole:
            emitter.loop(whole, pixels, lambda column: tile(column, pixels))
        if kernel.target.width > whole:
            tile(whole, kernel.target.width - whole)

    def tile(self, inputs: Value, outputs: Value, addends: Value, pixels: int) -> None:
        emitter, kernel = self.emitter, self.kernel
        bias = [emitter.load(self.parameters, block * emitter.width) for block in range(self.blocks)]
        sums: Sequence[Value] = [bias[block] for _ in range(pixels) for block in range(self.blocks)]
        weights: Value = self.weights
        rows, columns = kernel.window
        for row in range(rows):
            for column in range(columns):
                place = row * kernel.source.row + column * kernel.source.pixel
                tap = emitter.at(inputs, place)
                if kernel.written_out:
                    for channel in range(kernel.channels):
                        sums = self.add_channel(tap, channel, weights, channel, sums, pixels)
                else:
                    sums = self.add_channels(tap, weights, sums, pixels)
                weights = emitter.at(weights, kernel.channels * self.step)
        self.write(sums, outputs, addends, pixels)

    def add_channels(self, tap: Value, weights: Value, sums: Sequence[Value], pixels: int) -> Sequence[Value]:
        """Add what all channels of one place in the window give."""
        emitter, channels = self.emitter, self.kernel.channels

        def some(start: Value, *running: Value, count: int = _UNROLLED) -> Sequence[Value]:
            for offset in range(count):
                channel = emitter.add(start, offset)
                running = tuple(self.add_channel(tap, channel, weights, channel, running, pixels))
            return running

        whole = channels // _UNROLLED * _UNROLLED
        if whole:
            sums = emitter.loop(whole, _UNROLLED, some, sums)
        return some(whole, *sums, count=channels - whole)

    def add_channel(
        self, tap: Value, channel: Value, weights: Value, position: Value, sums: Sequence[Value], pixels: int
    ) -> list[Value]:
        emitter, kernel = self.emitter, self.kernel
        start = emitter.multiply(position, self.step)
        factors = [emitter.load(weights, emitter.add(start, block * emitter.width)) for block in range(self.blocks)]
        advance = kernel.source.pixel * kernel.stride[1]
        first = emitter.multiply(channel, kernel.source.channel)
        result = []
        for pixel in range(pixels):
            value = emitter.spread(tap, emitter.add(first, pixel * advance))
            for block, factor in enumerate(factors):
                result.append(emitter.multiply_add(value, factor, sums[pixel * self.blocks + block]))
        return result

    def write(self, sums: Sequence[Value], outputs: Value, addends: Value, pixels: int) -> None:
        emitter, kernel = self.emitter, self.kernel
        residual = kernel.epilogue.residual
        for block in range(self.blocks):
            slopes = kernel.epilogue.slopes(emitter, self.parameters, block * emitter.width, self.step)
            place = (self.first + block) * emitter.width
            for pixel in range(pixels):
                addend = None
                if residual is not None and self.first + block < residual.blocks:
                    addend = emitter.load(addends, pixel * residual.pixel + place)
                value = kernel.epilogue.result(emitter, sums[pixel * self.blocks + block], slopes, addend)
                emitter.store(value, outputs, pixel * kernel.target.pixel + place)


def _tiles(blocks: int, width: int, sums: int) -> list[tuple[int, int]]:
    """Choose tiles of at most so many sums that take the fewest cycles a channel.

    The processor is taken for one of two multiply-adds and two loads a cycle.
    """
    best: list[tuple[int, int]] = []
    least = float("inf")
    for size in range(1, min(blocks, 4) + 1):
        groups = [size] * (blocks // size) + ([blocks % size] if blocks % size else [])
        tiles, cost = [], 0.0
        for group in groups:
            pixels, cycles = min(
                ((pixels, _cycles(group, pixels, width)) for pixels in range(1, max(sums // group, 1) + 1)),
                key=lambda pair: (pair[1], pair[0]),
            )
            tiles.append((group, pixels))
            cost += cycles
        if cost < least:
            best, least = tiles, cost
    return best


def _cycles(blocks: int, pixels: int, width: int) -> float:
    """Cycles a channel for a row of `width` pixels."""

    def tile(count: int) -> float:
        # as many multiply-adds have to be under way as it takes until the first is ready
        return max(count * blocks / 2, (count + blocks) / 2, 5.0) + 0.15 * (count + blocks) if count else 0.0

    return (width // pixels) * tile(pixels) + tile(width % pixels)


def kernel_of(layer: Convolution, source: Layout, target: Layout, residual: Layout | None) -> ConvolutionKernel:
    """Return the kernel of a layer that is not depthwise."""
    rows, columns = layer.weights.shape[2:]
    return ConvolutionKernel(
        source=source,
        target=target,
        epilogue=Epilogue(layer.activation, residual, layer.final),
        channels=layer.weights.shape[1],
        window=(rows, columns),
        stride=layer.stride,
    )
