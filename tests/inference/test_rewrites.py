"""Every rewrite gives the numbers of the graph it changed, and changes it where it should."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest
from onnx_running import run_graph

from graphflow.inference import ModelStore
from graphflow.inference.catalog import SHIPPED
from graphflow.inference.onnx_graph import OnnxGraph
from graphflow.inference.rewrite import (
    blocked_prelu,
    convolve_before_resize,
    convolve_pooled,
    drop_constant_channels,
    fold_scaling,
    fold_spatial_padding,
    pad_channels,
    rewrite_for_all,
    rewrite_for_cpu,
    select_channels_by_convolution,
)
from graphflow.inference.tflite import import_tflite, read_tflite

FloatArray = npt.NDArray[np.float32]
Rewrite = Callable[[OnnxGraph], int]
HEIGHT, WIDTH = 6, 8


class Toy:
    """Builds a graph of random layers on a 3-channel image."""

    def __init__(self) -> None:
        self.graph = OnnxGraph("toy")
        self.graph.add_input("x", (1, 3, HEIGHT, WIDTH))
        self.rng = np.random.default_rng(5)

    def random(self, *shape: int) -> FloatArray:
        return self.rng.normal(0, 1, shape).astype(np.float32)

    def layer(self, op: str, inputs: Sequence[str], shape: Sequence[int], **attributes: object) -> str:
        return self.graph.add(op, inputs, (1, *shape), op.lower(), **attributes)

    def conv(self, source: str, out: int, size: int = 1, *, depthwise: bool = False, pads: int = 0) -> str:
        _, channels, height, width = self.graph.shapes[source]
        weights = self.graph.constant(self.random(out, 1 if depthwise else channels, size, size), "w")
        bias = self.graph.constant(self.random(out), "b")
        shape = (out, height + 2 * pads - size + 1, width + 2 * pads - size + 1)
        return self.layer(
            "Conv",
            [source, weights, bias],
            shape,
            kernel_shape=[size, size],
            strides=[1, 1],
            dilations=[1, 1],
            pads=[pads] * 4,
            group=channels if depthwise else 1,
        )

    def pad(self, source: str, before: Sequence[int], after: Sequence[int]) -> str:
        shape = [a + n + b for a, n, b in zip(before, self.graph.shapes[source][1:], after, strict=True)]
        pads = self.graph.constant(np.array([0, *before, 0, *after], dtype=np.int64), "pads")
        return self.layer("Pad", [source, pads], shape, mode="constant")

    def cut(self, source: str, start: int, stop: int) -> str:
        bounds = [self.graph.constant(np.array([value]), "bound") for value in (start, stop, 1, 1)]
        return self.layer("Slice", [source, *bounds], (stop - start, *self.graph.shapes[source][2:]))

    def prelu(self, source: str, slopes: FloatArray) -> str:
        alpha = self.graph.constant(slopes.reshape(-1, 1, 1), "alpha")
        return self.layer("PRelu", [source, alpha], self.graph.shapes[source][1:])

    def clip(self, source: str, low: float, high: float) -> str:
        bounds = [self.graph.constant(np.array(bound, dtype=np.float32), "bound") for bound in (low, high)]
        return self.layer("Clip", [source, *bounds], self.graph.shapes[source][1:])

    def dense(self, source: str, out: int) -> str:
        """A layer on the channels of a 1x1 image, flattened in two steps as the importer does."""
        channels = self.graph.shapes[source][1]
        for shape in ((1, 1, 1, channels), (1, channels)):
            target = self.graph.constant(np.array(shape, dtype=np.int64), "shape")
            source = self.graph.add("Reshape", [source, target], shape, "flat")
        weights, bias = (self.graph.constant(self.random(*shape), "w") for shape in ((out, channels), (out,)))
        return self.graph.add("Gemm", [source, weights, bias], (1, out), "dense", transB=1)

    def resize(self, source: str, factor: int) -> str:
        _, channels, height, width = self.graph.shapes[source]
        scales = self.graph.constant(np.array([1, 1, factor, factor], dtype=np.float32), "scales")
        return self.layer(
            "Resize",
            [source, "", scales],
            (channels, height * factor, width * factor),
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )

    def simple(self, op: str, *sources: str) -> str:
        return self.layer(op, sources, self.graph.shapes[sources[0]][1:])

    def finish(self, *outputs: str) -> OnnxGraph:
        for name in outputs:
            self.graph.add_output(self.simple("Identity", name), self.graph.shapes[name])
        return self.graph


def padded_twice() -> OnnxGraph:
    toy = Toy()
    image = toy.pad("x", (0, 1, 0), (0, 1, 2))
    return toy.finish(toy.conv(image, 4, 3, pads=1), toy.conv(image, 3, 3, depthwise=True))


def padded_for_pooling() -> OnnxGraph:
    toy = Toy()
    image = toy.pad("x", (0, 1, 1), (0, 1, 1))
    pooled = toy.layer("MaxPool", [image], (3, HEIGHT, WIDTH), kernel_shape=[3, 3], strides=[1, 1])
    return toy.finish(toy.conv(image, 4, 3), pooled)


def prelus() -> OnnxGraph:
    toy = Toy()
    slopes = np.array([0.25, 1.0, 1.75, -0.5, 0.0, 3.0], dtype=np.float32)
    return toy.finish(toy.prelu(toy.conv("x", 6), slopes))


def scaled_prelus() -> OnnxGraph:
    """Scales of every sign, and none, behind slopes of every kind."""
    toy = Toy()
    slopes = np.array([0.25, 1.0, 1.75, -0.5, 0.0, 3.0], dtype=np.float32)
    scaled = toy.conv(toy.prelu(toy.conv("x", 6, 3, pads=1), slopes), 6, depthwise=True)
    toy.graph.constants[toy.graph.nodes[-1].inputs[1]][:3, 0, 0, 0] = [0, -2, 1e-20]
    return toy.finish(scaled)


def scaled_prelu_for_two() -> OnnxGraph:
    toy = Toy()
    activated = toy.prelu(toy.conv("x", 6), toy.random(6))
    return toy.finish(toy.conv(activated, 6, depthwise=True), activated)


def dense_heads() -> OnnxGraph:
    toy = Toy()
    pooled = toy.layer("GlobalAveragePool", [toy.conv("x", 8)], (8, 1, 1))
    return toy.finish(toy.dense(pooled, 3), toy.dense(pooled, 1))


def dense_on_image() -> OnnxGraph:
    toy = Toy()
    shape = toy.graph.constant(np.array((1, 3 * HEIGHT * WIDTH), dtype=np.int64), "shape")
    flat = toy.graph.add("Reshape", ["x", shape], (1, 3 * HEIGHT * WIDTH), "flat")
    weights = toy.graph.constant(toy.random(2, 3 * HEIGHT * WIDTH), "w")
    return toy.finish(toy.graph.add("Gemm", [flat, weights], (1, 2), "dense", transB=1))


def switched_off(pads: int = 0) -> OnnxGraph:
    """Of 40 filters of a depthwise layer on a ReLU6, 0 to 19 give 0, 20 to 27 give 6, whatever they see."""
    toy = Toy()
    filters = toy.conv(toy.clip(toy.conv("x", 40), 0, 6), 40, 3, depthwise=True, pads=1)
    weights, bias = (toy.graph.constants[name] for name in toy.graph.nodes[-1].inputs[1:])
    weights[:20] = -np.abs(weights[:20])
    bias[:20] = -np.abs(bias[:20])
    weights[20:28], bias[20:28] = 0, 7
    return toy.finish(toy.conv(toy.clip(filters, 0, 6), 5, 3, pads=pads))


def almost_switched_off() -> OnnxGraph:
    """A filter that gives more than zero for some image, and channels that are zero but an output."""
    toy = Toy()
    filters = toy.conv(toy.clip(toy.conv("x", 32), 0, 6), 32, 3, depthwise=True)
    weights, bias = (toy.graph.constants[name] for name in toy.graph.nodes[-1].inputs[1:])
    weights[:], bias[:] = -np.abs(weights), 0.5
    off = toy.conv(toy.clip(toy.conv("x", 32), 0, 6), 32, 3, depthwise=True)
    weights, bias = (toy.graph.constants[name] for name in toy.graph.nodes[-1].inputs[1:])
    weights[:], bias[:] = -np.abs(weights), -1
    return toy.finish(toy.conv(toy.clip(filters, 0, 6), 4), toy.clip(off, 0, 6))


def one_of_many_switched_off() -> OnnxGraph:
    toy = Toy()
    filters = toy.conv(toy.clip(toy.conv("x", 144), 0, 6), 144, 3, depthwise=True)
    weights, bias = (toy.graph.constants[name] for name in toy.graph.nodes[-1].inputs[1:])
    weights[:16], bias[:16] = 0, 0
    return toy.finish(toy.conv(toy.clip(filters, 0, 6), 4))


def scale_after_convolution() -> OnnxGraph:
    toy = Toy()
    return toy.finish(toy.conv(toy.conv("x", 6, 3, pads=1), 6, depthwise=True))


def scale_before_convolutions() -> OnnxGraph:
    toy = Toy()
    scaled = toy.conv(toy.simple("Relu", "x"), 3, depthwise=True)
    return toy.finish(toy.conv(scaled, 5, 3), toy.conv(scaled, 3, 3, depthwise=True))


def scale_before_padding() -> OnnxGraph:
    toy = Toy()
    scaled = toy.conv(toy.simple("Relu", "x"), 3, depthwise=True)
    return toy.finish(toy.conv(scaled, 5, 3, pads=1))


def scale_of_shared_convolution() -> OnnxGraph:
    toy = Toy()
    shared = toy.conv("x", 6)
    return toy.finish(toy.conv(shared, 6, depthwise=True), shared)


def resized() -> OnnxGraph:
    toy = Toy()
    return toy.finish(toy.simple("Relu", toy.conv(toy.resize(toy.conv("x", 8), 2), 4)))


def resized_then_widened() -> OnnxGraph:
    toy = Toy()
    return toy.finish(toy.conv(toy.resize(toy.conv("x", 4), 2), 8))


def resized_for_two() -> OnnxGraph:
    toy = Toy()
    large = toy.resize(toy.conv("x", 8), 2)
    return toy.finish(toy.conv(large, 4), toy.simple("Relu", large))


def channels_moved() -> OnnxGraph:
    toy = Toy()
    image = toy.conv("x", 6)
    return toy.finish(toy.pad(image, (2, 0, 0), (3, 0, 0)), toy.cut(image, 1, 5), toy.cut(image, 0, 2))


def narrow_network() -> OnnxGraph:
    """Residual blocks of 6, 20 and 24 channels with channel padding between, as in the face and hand models."""
    toy = Toy()
    narrow = toy.prelu(toy.conv("x", 6, 3, pads=1), toy.random(6))
    narrow = toy.simple("Add", narrow, toy.conv(toy.conv(narrow, 6, 3, depthwise=True, pads=1), 6))
    wide = toy.clip(toy.simple("Add", toy.pad(narrow, (0, 0, 0), (14, 0, 0)), toy.conv(narrow, 20)), 0, 6)
    wider = toy.simple("Relu", toy.simple("Add", toy.pad(wide, (0, 0, 0), (4, 0, 0)), toy.conv(wide, 24)))
    pooled = toy.layer("GlobalAveragePool", [toy.simple("HardSwish", wider)], (24, 1, 1))
    return toy.finish(toy.conv(toy.cut(wider, 0, 12), 5), toy.conv(pooled, 2))


def cut_then_filled_up() -> OnnxGraph:
    """Channels 18 to 24 hold zeros after the cut, where the tensor before it, as wide once stored, holds values."""
    toy = Toy()
    cut = toy.cut(toy.conv("x", 20), 0, 18)
    return toy.finish(toy.conv(toy.pad(toy.simple("Relu", cut), (0, 0, 0), (6, 0, 0)), 16))


def narrow_but_bound() -> OnnxGraph:
    """Channel counts that outputs, shifted clipping and concatenation hold fast."""
    toy = Toy()
    shifted = toy.clip(toy.conv("x", 6), 1, 2)
    joined = toy.layer("Concat", [toy.conv("x", 3), toy.conv("x", 2)], (5, HEIGHT, WIDTH), axis=1)
    return toy.finish(toy.conv(shifted, 16), toy.conv(joined, 16), toy.conv("x", 7))


def after_selection(graph: OnnxGraph) -> int:
    select_channels_by_convolution(graph)
    return pad_channels(graph)


CASES = [
    # rewrite, graph, how many places it changes, operators that are gone
    pytest.param(fold_spatial_padding, padded_twice, 1, {"Pad"}, id="pad into convolutions"),
    pytest.param(fold_spatial_padding, padded_for_pooling, 0, set(), id="pad kept for pooling"),
    pytest.param(blocked_prelu, prelus, 1, {"PRelu"}, id="prelu"),
    pytest.param(blocked_prelu, scaled_prelus, 1, {"PRelu"}, id="prelu with a scale"),
    pytest.param(blocked_prelu, scaled_prelu_for_two, 1, {"PRelu"}, id="prelu that others read too"),
    pytest.param(convolve_pooled, dense_heads, 2, {"Gemm"}, id="dense layers on a pixel"),
    pytest.param(convolve_pooled, dense_on_image, 0, set(), id="dense layer on an image"),
    pytest.param(drop_constant_channels, switched_off, 4 * 24, set(), id="constant channels"),
    pytest.param(drop_constant_channels, lambda: switched_off(pads=1), 4 * 8, set(), id="constant channels, padded"),
    pytest.param(drop_constant_channels, almost_switched_off, 0, set(), id="channels that only look constant"),
    pytest.param(drop_constant_channels, one_of_many_switched_off, 0, set(), id="too few constant channels"),
    pytest.param(fold_scaling, scale_after_convolution, 1, set(), id="scale into the convolution before"),
    pytest.param(fold_scaling, scale_before_convolutions, 1, set(), id="scale into the convolutions after"),
    pytest.param(fold_scaling, scale_before_padding, 0, set(), id="scale kept before padding"),
    pytest.param(fold_scaling, scale_of_shared_convolution, 0, set(), id="scale of what others read too"),
    pytest.param(convolve_before_resize, resized, 1, set(), id="convolution before resize"),
    pytest.param(convolve_before_resize, resized_then_widened, 0, set(), id="widening stays after resize"),
    pytest.param(convolve_before_resize, resized_for_two, 0, set(), id="resize with two readers"),
    pytest.param(select_channels_by_convolution, channels_moved, 3, {"Pad", "Slice"}, id="channel pad and slice"),
    pytest.param(pad_channels, narrow_network, 0, set(), id="channel pads bind both sides"),
    pytest.param(after_selection, narrow_network, 16, {"Pad", "Slice"}, id="widened, zeros added for nothing"),
    pytest.param(after_selection, cut_then_filled_up, 4, {"Pad", "Slice"}, id="cut, then filled up with zeros"),
    pytest.param(pad_channels, narrow_but_bound, 0, set(), id="bound channel counts kept"),
]


@pytest.mark.parametrize(("rewrite", "build", "changes", "gone"), CASES)
def test_rewrite_keeps_the_numbers(
    rewrite: Rewrite, build: Callable[[], OnnxGraph], changes: int, gone: set[str]
) -> None:
    plain, rewritten = build(), build()
    assert rewrite(rewritten) == changes
    assert not gone & {node.op for node in rewritten.nodes}
    image = np.random.default_rng(9).normal(0, 2, (1, 3, HEIGHT, WIDTH)).astype(np.float32)
    for before, after in zip(run_graph(plain, [image]), run_graph(rewritten, [image]), strict=True):
        assert before.shape == after.shape
        np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-4)


def test_channels_added_to_a_wide_tensor_cost_nothing() -> None:
    graph = narrow_network()
    select_channels_by_convolution(graph)
    convolutions = sum(node.op == "Conv" for node in graph.nodes)
    pad_channels(graph)
    # Of 6 -> 20 -> 24 channels, stored as 16 -> 32 -> 32, the second step adds zeros that are there already.
    assert sum(node.op == "Conv" for node in graph.nodes) == convolutions - 1


def test_scale_behind_a_prelu_costs_nothing() -> None:
    graph = scaled_prelus()
    blocked_prelu(graph)
    assert sum(node.op == "Conv" for node in graph.nodes) == 3


@pytest.mark.parametrize("name", [card.name for card in SHIPPED.cards if card.member])
def test_rewritten_models_agree_with_plain_ones(name: str) -> None:
    store = ModelStore()
    model = read_tflite(store.path(name).read_bytes(), name)
    plain, spared, rewritten = (import_tflite(model) for _ in range(3))
    rewrite_for_all(spared)
    rewrite_for_cpu(rewritten)
    image = np.random.default_rng(2).random(model.input_shapes[0], dtype=np.float32)
    wanted = run_graph(plain, [image])
    for before, after in zip(2 * wanted, run_graph(spared, [image]) + run_graph(rewritten, [image]), strict=True):
        np.testing.assert_allclose(after, before, rtol=0, atol=max(2e-5 * float(np.abs(before).max()), 1e-6))
