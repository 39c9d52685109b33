"""Bounds of channels: they hold for every image, and are met where they are tight."""

import numpy as np
import numpy.typing as npt
import pytest
from onnx_running import run_graph

from graphflow.inference.onnx_graph import OnnxGraph
from graphflow.inference.rewrite.value_ranges import value_ranges

WINDOW = {"kernel_shape": [3, 3], "strides": [1, 1], "dilations": [1, 1], "group": 1}
ARGUMENTS = {
    # operator: its shape of weights, its attributes, the size of its result
    "plain": ((5, 4, 3, 3), WINDOW | {"pads": [0, 0, 0, 0]}, (5, 4, 6)),
    "padded": ((5, 4, 3, 3), WINDOW | {"pads": [1, 1, 1, 1]}, (5, 6, 8)),
    "depthwise": ((4, 1, 3, 3), WINDOW | {"pads": [1, 1, 1, 1], "group": 4}, (4, 6, 8)),
    "grouped": ((4, 2, 3, 3), WINDOW | {"pads": [0, 0, 0, 0], "group": 2}, (4, 4, 6)),
}


def layers(kind: str) -> OnnxGraph:
    """An image cut to -1..2, a convolution of it, and what else keeps bounds."""
    rng = np.random.default_rng(3)
    graph = OnnxGraph("toy")
    graph.add_input("x", (1, 4, 6, 8))
    bounds = [graph.constant(np.array(bound, dtype=np.float32), "bound") for bound in (-1, 2)]
    image = graph.add("Clip", ["x", *bounds], (1, 4, 6, 8), "clipped")
    size, attributes, shape = ARGUMENTS[kind]
    parameters = [graph.constant(rng.normal(0, 1, one).astype(np.float32), "w") for one in (size, size[:1])]
    result = graph.add("Conv", [image, *parameters], (1, *shape), "convolved", **attributes)
    for op, inputs, out, more in (
        ("Add", [result, result], shape, {}),
        ("Relu", ["add"], shape, {}),
        ("MaxPool", ["add"], shape, {"kernel_shape": [3, 3], "strides": [1, 1], "pads": [1, 1, 1, 1]}),
        ("GlobalAveragePool", ["add"], (shape[0], 1, 1), {}),
        ("Sigmoid", ["add"], shape, {}),
    ):
        graph.add(op, inputs, (1, *out), op.lower(), **more)
    for node in graph.nodes:
        graph.add_output(node.outputs[0], graph.shapes[node.outputs[0]])
    return graph


def images() -> list[npt.NDArray[np.float32]]:
    rng = np.random.default_rng(4)
    extremes = [rng.choice(np.array([-1, 2], dtype=np.float32), (1, 4, 6, 8)) for _ in range(20)]
    return [*extremes, *(np.full((1, 4, 6, 8), value, dtype=np.float32) for value in (-9, -1, 0, 2, 9))]


@pytest.mark.parametrize("kind", ARGUMENTS)
def test_no_value_lies_outside_its_bounds(kind: str) -> None:
    graph = layers(kind)
    ranges = value_ranges(graph)
    for image in images():
        for name, value in zip(graph.outputs, run_graph(graph, [image]), strict=True):
            found = ranges[name]
            assert (value.min(axis=(0, 2, 3)) >= found.low - 1e-5).all(), name
            assert (value.max(axis=(0, 2, 3)) <= found.high + 1e-5).all(), name
    assert np.isfinite(ranges["convolved"].high).all() == (kind != "grouped")


def test_bounds_of_a_convolution_are_met() -> None:
    graph = layers("plain")
    found = value_ranges(graph)["convolved"]
    weights = graph.constants["w"]
    for channel in range(5):
        worst = np.zeros((1, 4, 6, 8), dtype=np.float32)
        worst[0, :, :3, :3] = np.where(weights[channel] > 0, 2, -1)
        value = run_graph(graph, [worst])[graph.outputs.index("convolved")]
        assert value[0, channel, 0, 0] == pytest.approx(found.high[channel], rel=1e-5)


def test_weights_of_zero_stop_what_is_boundless() -> None:
    graph = OnnxGraph("toy")
    graph.add_input("x", (1, 2, 1, 1))
    weights = graph.constant(np.array([[0, 0], [0, 1]], dtype=np.float32).reshape(2, 2, 1, 1), "w")
    bias = graph.constant(np.array([3, 4], dtype=np.float32), "b")
    point = {"kernel_shape": [1, 1], "strides": [1, 1], "dilations": [1, 1], "pads": [0, 0, 0, 0], "group": 1}
    graph.add("Conv", ["x", weights, bias], (1, 2, 1, 1), "y", **point)
    found = value_ranges(graph)["y"]
    assert found.low.tolist() == [3, -np.inf]
    assert found.high.tolist() == [3, np.inf]
    assert found.constant.tolist() == [True, False]
