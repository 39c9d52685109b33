"""Compiled networks: each kind of layer against ONNX Runtime, and the same bits from vectors of every width."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from onnx_running import run_graph

from graphflow.inference.compiler import CompiledNetwork, Program, chains
from graphflow.inference.compiler.compilation import compile_graph
from graphflow.inference.compiler.lowering import UnsupportedNetworkError
from graphflow.inference.compiler.network import Tensor
from graphflow.inference.compiler.target import VectorUnit, host_vectors
from graphflow.inference.onnx_graph import OnnxGraph
from graphflow.inference.store import PLANES_SUFFIX

pytestmark = pytest.mark.skipif(host_vectors() is None, reason="this processor has no fused multiply-add")

UNITS = (VectorUnit(16, 32), VectorUnit(8, 16), VectorUnit(4, 32))
"""Vectors of AVX-512, AVX2 and NEON; LLVM makes two of one that the processor does not have."""

Floats = npt.NDArray[np.float32]


class Sketch:
    """A graph being drawn, with random weights."""

    def __init__(self, channels: int, height: int, width: int) -> None:
        self.graph = OnnxGraph("sketch")
        self.rng = np.random.default_rng(7)
        self.input = f"image{PLANES_SUFFIX}"
        self.graph.add_input(self.input, (1, channels, height, width))

    def values(self, *shape: int) -> str:
        return self.graph.constant(self.rng.uniform(-1, 1, shape).astype(np.float32), "values")

    def shape(self, name: str) -> tuple[int, ...]:
        return self.graph.shapes[name]

    def conv(
        self, source: str, channels: int, size: int = 1, stride: int = 1, pads: tuple[int, ...] = (0, 0, 0, 0)
    ) -> str:
        weights = self.values(channels, self.shape(source)[1], size, size)
        return self._convolved(source, weights, channels, size, stride, pads, 1)

    def depthwise(self, source: str, size: int = 3, stride: int = 1, pads: tuple[int, ...] = (1, 1, 1, 1)) -> str:
        channels = self.shape(source)[1]
        return self._convolved(source, self.values(channels, 1, size, size), channels, size, stride, pads, channels)

    def _convolved(
        self, source: str, weights: str, channels: int, size: int, stride: int, pads: tuple[int, ...], group: int
    ) -> str:
        _, _, height, width = self.shape(source)
        rows = (height + pads[0] + pads[2] - size) // stride + 1
        columns = (width + pads[1] + pads[3] - size) // stride + 1
        return self.graph.add(
            "Conv",
            [source, weights, self.values(channels)],
            (1, channels, rows, columns),
            "conv",
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=list(pads),
            group=group,
        )

    def same(self, op: str, *names: str, **attributes: Any) -> str:
        """A node whose output has the shape of its first input."""
        return self.graph.add(op, list(names), self.shape(names[0]), op.lower(), **attributes)

    def relu6(self, source: str) -> str:
        low, high = (self.graph.constant(np.float32(value), "limit") for value in (0, 6))
        return self.same("Clip", source, low, high)

    def prelu(self, source: str) -> str:
        return self.same("PRelu", source, self.values(self.shape(source)[1], 1, 1))

    def padded(self, source: str, amounts: list[int]) -> str:
        shape = tuple(
            size + before + after
            for size, before, after in zip(self.shape(source), amounts[:4], amounts[4:], strict=True)
        )
        return self.graph.add("Pad", [source, self.graph.constant(np.array(amounts), "pads")], shape, "pad")

    def finish(self, *names: str) -> OnnxGraph:
        for name in names:
            self.graph.add_output(name, self.shape(name))
        return self.graph


def image(graph: OnnxGraph) -> Floats:
    """A random image for a graph's input, in planes."""
    return np.random.default_rng(1).uniform(-2, 2, graph.shapes[graph.inputs[0]]).astype(np.float32)


def compiled(graph: OnnxGraph, unit: VectorUnit | None = None) -> list[Floats]:
    network = CompiledNetwork(compile_graph(graph, range(len(graph.outputs)), unit))
    return network.run([image(graph).transpose(0, 2, 3, 1)])


def pointwise() -> OnnxGraph:
    sketch = Sketch(3, 9, 11)
    return sketch.finish(sketch.conv(sketch.conv(sketch.input, 40), 23))


def windows() -> OnnxGraph:
    sketch = Sketch(3, 12, 14)
    first = sketch.relu6(sketch.conv(sketch.input, 24, 3, 2, (0, 0, 1, 1)))
    second = sketch.same("Relu", sketch.conv(first, 18, 2, 2))
    return sketch.finish(sketch.conv(second, 70, 3, 1))


def depthwise() -> OnnxGraph:
    sketch = Sketch(5, 13, 10)
    wide = sketch.conv(sketch.input, 50)
    large = sketch.relu6(sketch.depthwise(wide, 5, 2, (2, 1, 2, 2)))
    return sketch.finish(sketch.depthwise(sketch.prelu(sketch.depthwise(large)), 1, 1, (0, 0, 0, 0)))


def sums() -> OnnxGraph:
    sketch = Sketch(4, 8, 8)
    first = sketch.prelu(sketch.conv(sketch.input, 20))
    joined = sketch.same("PRelu", sketch.same("Add", first, sketch.conv(first, 20)), sketch.values(1, 1, 1))
    again = sketch.relu6(sketch.same("Add", sketch.depthwise(joined), joined))
    # neither of both is made last
    left, right = sketch.conv(again, 20), sketch.conv(again, 20)
    third = sketch.conv(again, 8)
    late = sketch.same("Relu", sketch.same("Add", left, right))
    return sketch.finish(late, third)


def more_channels() -> OnnxGraph:
    sketch = Sketch(4, 8, 8)
    few = sketch.conv(sketch.input, 10)
    more = sketch.padded(few, [0, 0, 0, 0, 0, 30, 0, 0])
    same = sketch.padded(few, [0, 0, 0, 0, 0, 4, 0, 0])
    return sketch.finish(
        sketch.same("Relu", sketch.same("Add", more, sketch.conv(few, 40))),
        sketch.same("Add", same, sketch.conv(few, 14)),
        sketch.same("Relu", sketch.same("Add", sketch.depthwise(sketch.conv(few, 40)), more)),
    )


def space_around() -> OnnxGraph:
    sketch = Sketch(4, 8, 8)
    source = sketch.conv(sketch.input, 17)
    return sketch.finish(
        sketch.conv(sketch.padded(source, [0, 0, 1, 2, 0, 0, 3, 1]), 6, 3),
        sketch.depthwise(source, 3, 1, (1, 1, 1, 1)),
    )


def pooling() -> OnnxGraph:
    sketch = Sketch(4, 8, 10)
    source = sketch.conv(sketch.input, 19)
    pooled = sketch.graph.add("MaxPool", [source], (1, 19, 4, 5), "pool", kernel_shape=[2, 2], strides=[2, 2])
    average = sketch.graph.add("GlobalAveragePool", [pooled], (1, 19, 1, 1), "average")
    return sketch.finish(pooled, sketch.conv(average, 7))


def enlargement() -> OnnxGraph:
    sketch = Sketch(4, 3, 4)
    source = sketch.conv(sketch.input, 9)
    scales = sketch.graph.constant(np.array([1, 1, 2, 3], np.float32), "scales")
    larger = sketch.graph.add(
        "Resize",
        [source, "", scales],
        (1, 9, 6, 12),
        "resize",
        mode="linear",
        coordinate_transformation_mode="half_pixel",
    )
    return sketch.finish(sketch.depthwise(larger))


def channels_to_pixels() -> OnnxGraph:
    sketch = Sketch(4, 3, 5)
    source = sketch.conv(sketch.input, 4 * 21)
    spread = sketch.graph.add("DepthToSpace", [source], (1, 21, 6, 10), "spread", blocksize=2, mode="DCR")
    return sketch.finish(sketch.depthwise(spread))


def heads() -> OnnxGraph:
    sketch = Sketch(4, 6, 6)
    parts = []
    for channels in (4, 8):
        head = sketch.conv(sketch.input, channels)
        rows = sketch.graph.add("Transpose", [head], (1, 6, 6, channels), "rows", perm=[0, 2, 3, 1])
        shape = sketch.graph.constant(np.array([1, 9 * channels, 4]), "shape")
        parts.append(sketch.graph.add("Reshape", [rows, shape], (1, 9 * channels, 4), "flat"))
    joined = sketch.graph.add("Concat", parts, (1, 108, 4), "joined", axis=1)
    return sketch.finish(sketch.same("Sigmoid", joined), joined)


GRAPHS: list[Callable[[], OnnxGraph]] = [
    pointwise, windows, depthwise, sums, more_channels, space_around, pooling, enlargement, channels_to_pixels, heads,
]  # fmt: skip


@pytest.mark.parametrize("draw", GRAPHS)
def test_layers_give_what_onnx_runtime_gives(draw: Callable[[], OnnxGraph]) -> None:
    graph = draw()
    expected = run_graph(graph, [image(graph)])
    for found, wanted in zip(compiled(graph), expected, strict=True):
        assert found.shape == wanted.shape
        assert found.flags.c_contiguous
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("draw", GRAPHS)
def test_vectors_of_any_width_give_the_same_bits(draw: Callable[[], OnnxGraph]) -> None:
    graph = draw()
    for first, second in itertools.pairwise(compiled(graph, unit) for unit in UNITS):
        for one, other in zip(first, second, strict=True):
            np.testing.assert_array_equal(one, other)


def inverted_bottlenecks() -> OnnxGraph:
    """A stem and blocks as MobileNet has them, large enough to run strip by strip."""
    sketch = Sketch(3, 96, 80)
    stem = sketch.relu6(sketch.conv(sketch.input, 24, 3, 2, (0, 0, 1, 1)))
    first = sketch.conv(sketch.relu6(sketch.depthwise(stem)), 16)
    wide = sketch.relu6(sketch.conv(first, 64))
    second = sketch.conv(sketch.relu6(sketch.depthwise(wide, 5, 2, (1, 1, 2, 2))), 24)
    third = sketch.conv(sketch.relu6(sketch.depthwise(sketch.relu6(sketch.conv(second, 144)), 5, 1, (2, 2, 2, 2))), 24)
    return sketch.finish(sketch.same("Add", third, second))


def test_strips_give_the_same_bits_as_whole_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = inverted_bottlenecks()
    monkeypatch.setattr(chains, "_LARGE", 1e9)
    (whole,) = compiled(graph)
    for least in (1, 50_000, 400_000):
        monkeypatch.setattr(chains, "_LARGE", least)
        (strips,) = compiled(graph)
        np.testing.assert_array_equal(strips, whole)
    (expected,) = run_graph(graph, [image(graph)])
    np.testing.assert_allclose(whole, expected, rtol=1e-3, atol=1e-3)


def test_rings_hold_what_is_read_together() -> None:
    wide, small = Tensor(10, 8, 16, halo=(2, 2, 2, 2)), Tensor(10, 8, 16)
    source = Tensor(10, 8, 16)
    first = chains.Convolution([source], wide, np.zeros((16, 16, 1, 1)), np.zeros(16), (1, 1), (0, 0), False)
    second = chains.Convolution([wide], small, np.zeros((16, 1, 5, 5)), np.zeros(16), (1, 1), (2, 2), True)
    chain = chains.Chain([first, second], {wide: 8})
    ring: dict[int, int] = {}
    made = 0
    for strip in chain.strips():
        if strip.tensor is wide:
            assert strip.layer is (first if 0 <= strip.begin < 10 else None)
            ring[strip.begin % 8] = strip.begin
        else:
            assert strip.begin == made
            made += 1
            assert [ring[row % 8] for row in range(strip.begin - 2, strip.begin + 3)] == list(
                range(strip.begin - 2, strip.begin + 3)
            )
    assert made == 10


def softmax() -> OnnxGraph:
    sketch = Sketch(4, 6, 6)
    return sketch.finish(sketch.conv(sketch.same("Softmax", sketch.conv(sketch.input, 4), axis=1), 4))


def groups() -> OnnxGraph:
    sketch = Sketch(4, 6, 6)
    source = sketch.conv(sketch.input, 4)
    return sketch.finish(sketch._convolved(source, sketch.values(6, 2, 1, 1), 6, 1, 1, (0, 0, 0, 0), 2))


def other_clip() -> OnnxGraph:
    sketch = Sketch(4, 6, 6)
    low, high = (sketch.graph.constant(np.float32(value), "limit") for value in (-1, 1))
    return sketch.finish(sketch.conv(sketch.same("Clip", sketch.input, low, high), 4))


def bare_image() -> OnnxGraph:
    sketch = Sketch(4, 6, 6)
    return sketch.finish(sketch.conv(sketch.same("Relu", sketch.input), 4))


def depthwise_image() -> OnnxGraph:
    sketch = Sketch(4, 6, 6)
    return sketch.finish(sketch.depthwise(sketch.input))


def slopes_of_pixels() -> OnnxGraph:
    sketch = Sketch(4, 6, 6)
    source = sketch.conv(sketch.input, 4)
    return sketch.finish(sketch.same("PRelu", source, sketch.values(4, 6, 6)))


@pytest.mark.parametrize(
    ("draw", "reason"),
    [
        (bare_image, "an image that is not read by a convolution"),
        (depthwise_image, "an image that is not read by a convolution"),
        (slopes_of_pixels, "slopes of its own for each pixel"),
        (softmax, "no kernel for Softmax"),
        (groups, "a convolution of 2 groups"),
        (other_clip, r"Clip to -1\.0\.\.1\.0"),
    ],
)
def test_what_there_is_no_kernel_for_is_named(draw: Callable[[], OnnxGraph], reason: str) -> None:
    with pytest.raises(UnsupportedNetworkError, match=reason):
        compile_graph(draw(), [0])


def test_programs_keep_in_files(tmp_path: Path) -> None:
    graph = sums()
    program = compile_graph(graph, [4, 2])
    path = tmp_path / "sums.compiled"
    with path.open("wb") as file:
        program.write(file)
    read = Program.read(path)
    assert (read.code, read.finishes, read.results, read.inputs) == (
        program.code,
        program.finishes,
        program.results,
        program.inputs,
    )
    network = CompiledNetwork(read)
    assert (network.input_shapes, network.output_shapes) == (((1, 8, 8, 4),), ((1, 20, 8, 8), (1, 8, 8, 8)))
    assert network.output_indices == (4, 2)
    for found, wanted in zip(network.run([image(graph).transpose(0, 2, 3, 1)]), compiled(graph), strict=True):
        np.testing.assert_array_equal(found, wanted)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="no compiled network"):
        Program.read(path)


def test_runs_side_by_side_do_not_disturb_each_other() -> None:
    graph = inverted_bottlenecks()
    network = CompiledNetwork(compile_graph(graph, [0]))
    images = [np.random.default_rng(seed).random((1, 96, 80, 3), np.float32) for seed in range(8)]
    alone = [network.run([each])[0] for each in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda each: network.run([each])[0], images))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
