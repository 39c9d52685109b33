"""Kernels that read few values for each they write: sums, pooling, enlargement, averages, and zeros around tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .emitter import Code, Emitter, Value
from .layout import Layout
from .network import Activation, Array
from .target import VectorUnit


@dataclass(frozen=True, slots=True)
class SumKernel:
    """The sum of one or two tensors, activated; takes the first, slopes, output, the second, and the number of rows."""

    source: Layout
    target: Layout
    other: Layout | None
    activation: Activation

    def emit(self, code: Code, name: str, unit: VectorUnit) -> None:
        """Write the function `name`."""
        emitter = Emitter(code, name, 4, unit.width)
        source, slopes, target, other, rows, _ = emitter.arguments

        def each(row: Value, column: Value) -> None:
            first = _pixel(emitter, source, self.source, row, column)
            second = _pixel(emitter, other, self.other, row, column) if self.other else source
            written = _pixel(emitter, target, self.target, row, column)
            for block in range(self.target.blocks):
                place = block * unit.width
                parts = [
                    emitter.load(pointer, place)
                    for pointer, layout in ((first, self.source), (second, self.other))
                    if layout is not None and block < layout.blocks
                ]
                value = parts[0] if parts else emitter.constant(0)
                for part in parts[1:]:
                    value = emitter.sum(value, part)
                slope = emitter.load(slopes, place) if self.activation.kind == "prelu" else None
                emitter.store(emitter.activated(value, self.activation, slope), written, place)

        _over_pixels(emitter, rows, self.target.width, each)
        emitter.finish()

    def pack(self, slopes: Array | None, unit: VectorUnit) -> Array:
        """Return the slopes as the function reads them."""
        if slopes is None:
            return np.zeros(0, np.float32)
        return np.pad(slopes, (0, self.target.blocks * unit.width - len(slopes)))


@dataclass(frozen=True, slots=True)
class MaxPoolKernel:
    """The greatest values of windows; takes input, nothing, output, nothing, and the number of rows."""

    source: Layout
    target: Layout
    size: tuple[int, int]
    stride: tuple[int, int]

    def emit(self, code: Code, name: str, unit: VectorUnit) -> None:
        """Write the function `name`."""
        emitter = Emitter(code, name, 4, unit.width)
        source, _, target, _, rows, _ = emitter.arguments

        def each(row: Value, column: Value) -> None:
            corner = _pixel(
                emitter,
                source,
                self.source,
                emitter.multiply(row, self.stride[0]),
                emitter.multiply(column, self.stride[1]),
            )
            written = _pixel(emitter, target, self.target, row, column)
            for block in range(self.target.blocks):
                place = block * unit.width
                values = [
                    emitter.load(corner, place + down * self.source.row + right * self.source.pixel)
                    for down in range(self.size[0])
                    for right in range(self.size[1])
                ]
                value = functools.reduce(emitter.greater, values)
                emitter.store(value, written, place)

        _over_pixels(emitter, rows, self.target.width, each)
        emitter.finish()


@dataclass(frozen=True, slots=True)
class AverageKernel:
    """The mean over all pixels; takes input, nothing and output."""

    source: Layout
    target: Layout

    def emit(self, code: Code, name: str, unit: VectorUnit) -> None:
        """Write the function `name`."""
        emitter = Emitter(code, name, 4, unit.width)
        source, _, target, *_ = emitter.arguments
        zero = emitter.constant(0)

        def each_block(place: Value) -> None:
            def each_row(row: Value, total: Value) -> Sequence[Value]:
                inputs = emitter.at(source, emitter.add(place, emitter.multiply(row, self.source.row)))

                def each_pixel(column: Value, total: Value) -> list[Value]:
                    return [emitter.sum(total, emitter.load(inputs, emitter.multiply(column, self.source.pixel)))]

                return emitter.loop(self.source.width, 1, each_pixel, [total])

            (total,) = emitter.loop(self.source.height, 1, each_row, [zero])
            share = np.float32(1) / np.float32(self.source.height * self.source.width)
            emitter.store(emitter.product(total, emitter.constant(float(share))), target, place)

        emitter.loop(self.target.blocks * unit.width, unit.width, each_block)
        emitter.finish()


@dataclass(frozen=True, slots=True)
class EnlargementKernel:
    """Bilinear enlargement; takes input, nothing, output, nothing, and the number of rows of the input."""

    source: Layout
    target: Layout
    factor: tuple[int, int]

    def emit(self, code: Code, name: str, unit: VectorUnit) -> None:
        """Write the function `name`."""
        emitter = Emitter(code, name, 4, unit.width)
        source, _, target, _, rows, _ = emitter.arguments

        def each(row: Value, column: Value) -> None:
            for down in range(self.factor[0]):
                above, below = _neighbours(emitter, row, down, self.factor[0], self.source.height)
                for right in range(self.factor[1]):
                    before, after = _neighbours(emitter, column, right, self.factor[1], self.source.width)
                    corners = [
                        _pixel(emitter, source, self.source, y, x) for y in (above, below) for x in (before, after)
                    ]
                    written = _pixel(
                        emitter,
                        target,
                        self.target,
                        emitter.add(emitter.multiply(row, self.factor[0]), down),
                        emitter.add(emitter.multiply(column, self.factor[1]), right),
                    )
                    for block in range(self.target.blocks):
                        place = block * unit.width
                        first, second, third, fourth = (emitter.load(corner, place) for corner in corners)
                        upper = _between(emitter, first, second, _share(right, self.factor[1]))
                        lower = _between(emitter, third, fourth, _share(right, self.factor[1]))
                        value = _between(emitter, upper, lower, _share(down, self.factor[0]))
                        emitter.store(value, written, place)

        _over_pixels(emitter, rows, self.source.width, each)
        emitter.finish()


def _between(emitter: Emitter, first: Value, second: Value, share: float) -> Value:
    return emitter.sum(first, emitter.product(emitter.difference(second, first), emitter.constant(share)))


def _neighbours(emitter: Emitter, position: Value, phase: int, factor: int, size: int) -> tuple[Value, Value]:
    """The two inputs between which an output lies, the same one twice at the border."""
    first = emitter.add(position, int(np.floor((phase + 0.5) / factor - 0.5)))
    return emitter.clamped(first, 0, size - 1), emitter.clamped(emitter.add(first, 1), 0, size - 1)


def _share(phase: int, factor: int) -> float:
    """How far an output lies from the first of its inputs to the second."""
    at = (phase + 0.5) / factor - 0.5
    return float(np.float32(at - np.floor(at)))


@dataclass(frozen=True, slots=True)
class DepthToSpaceKernel:
    """Pixels made of the channels of one; takes input, nothing, output, nothing, and the rows of the input."""

    source: Layout
    target: Layout
    block: int
    channels: int

    def emit(self, code: Code, name: str, unit: VectorUnit) -> None:
        """Write the function `name`."""
        emitter = Emitter(code, name, 4, unit.width)
        source, _, target, _, rows, _ = emitter.arguments

        def each(row: Value, column: Value) -> None:
            read = _pixel(emitter, source, self.source, row, column)
            for part in range(self.block * self.block):
                down, right = divmod(part, self.block)
                written = _pixel(
                    emitter,
                    target,
                    self.target,
                    emitter.add(emitter.multiply(row, self.block), down),
                    emitter.add(emitter.multiply(column, self.block), right),
                )
                for place in range(0, self.channels, unit.width):
                    value = emitter.load(read, part * self.channels + place)
                    emitter.store(emitter.first_of(value, self.channels - place), written, place)

        _over_pixels(emitter, rows, self.source.width, each)
        emitter.finish()


@dataclass(frozen=True, slots=True)
class CopyKernel:
    """One plane of an image, into one with zeros around it; takes input, nothing, output, nothing, and the rows."""

    width: int
    target: Layout

    def emit(self, code: Code, name: str, unit: VectorUnit) -> None:
        """Write the function `name`."""
        emitter = Emitter(code, name, 4, unit.width)
        source, _, target, _, rows, _ = emitter.arguments
        whole = self.width // unit.width * unit.width

        def each_row(row: Value) -> None:
            inputs = emitter.at(source, emitter.multiply(row, self.width))
            outputs = emitter.at(target, emitter.multiply(row, self.target.row))
            if whole:
                emitter.loop(whole, unit.width, lambda at: emitter.store(emitter.load(inputs, at), outputs, at))
            for column in range(whole, self.width):
                emitter.copy_value(inputs, outputs, column)

        emitter.loop(rows, 1, each_row)
        emitter.finish()


@dataclass(frozen=True, slots=True)
class ZeroKernel:
    """Zeros in a stretch of values of every row; takes nothing, nothing, output, nothing, and the number of rows."""

    length: int
    row: int

    def emit(self, code: Code, name: str, unit: VectorUnit) -> None:
        """Write the function `name`."""
        emitter = Emitter(code, name, 4, unit.width)
        target, rows = emitter.arguments[2], emitter.arguments[4]
        whole = self.length // unit.width * unit.width
        zero = emitter.constant(0)

        def each_row(row: Value) -> None:
            outputs = emitter.at(target, emitter.multiply(row, self.row))
            if whole:
                emitter.loop(whole, unit.width, lambda at: emitter.store(zero, outputs, at))
            for column in range(whole, self.length):
                emitter.store_zero(outputs, column)

        emitter.loop(rows, 1, each_row)
        emitter.finish()


def _over_pixels(emitter: Emitter, rows: Value, width: int, each: Callable[[Value, Value], None]) -> None:
    emitter.loop(rows, 1, lambda row: _discard(emitter.loop(width, 1, lambda column: each(row, column))))


def _discard(_: object) -> None:
    return None


def _pixel(emitter: Emitter, pointer: Value, layout: Layout, row: Value, column: Value) -> Value:
    return emitter.at(pointer, emitter.add(emitter.multiply(row, layout.row), emitter.multiply(column, layout.pixel)))
