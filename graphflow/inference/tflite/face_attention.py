"""Converters of the custom operators of MediaPipe's face mesh with attention.

The model finds a coarse mesh, cuts the image features of lips and eyes out along rotated boxes around them, refines
the points there and maps them back. Semantics follow `mediapipe/util/tflite/operations` of MediaPipe 0.10.21.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .builder import GraphBuilder, onnx_shape
from .reader import Operator


def convert_landmarks_to_transform_matrix(build: GraphBuilder, operator: Operator) -> None:
    """Landmarks2TransformMatrix, version 2: points [1, N, 3] -> matrix [1, 4, 4] from box pixels to image pixels.

    The box is upright after the points are turned so that the line between two of them has the target angle; it holds
    a subset of the points, enlarged by a scale.
    """
    options = operator.options
    points = build.value(operator, 0)
    turned_back = _inverse_rotation(build, operator, points)
    turned = _transposed(build, turned_back)
    subset = _gathered_xy(build, points, options["subset_idxs"])
    count = build.graph.shapes[subset][1]
    placed = build.graph.add("MatMul", [subset, turned], (1, count, 2), "turned")
    high = build.graph.add("ReduceMax", [placed], (1, 1, 2), "high", axes=[1], keepdims=1)
    low = build.graph.add("ReduceMin", [placed], (1, 1, 2), "low", axes=[1], keepdims=1)

    columns, rows = options["output_width"], options["output_height"]
    extent = build.graph.add("Sub", [high, low], (1, 1, 2), "extent")
    step = _scaled(build, extent, [options["scale_x"] / columns, options["scale_y"] / rows])
    linear = build.graph.add("Mul", [turned, step], (1, 2, 2), "linear")
    middle = _scaled(build, build.graph.add("Add", [high, low], (1, 1, 2), "sum"), [0.5, 0.5])
    centre = build.graph.add("MatMul", [middle, turned_back], (1, 1, 2), "centre")
    half = build.graph.constant(np.array([[[columns / 2, rows / 2]]], dtype=np.float32), "half")
    reach = build.graph.add("MatMul", [half, _transposed(build, linear)], (1, 1, 2), "reach")
    shift = build.graph.add("Sub", [centre, reach], (1, 1, 2), "shift")

    column = build.reshaped(shift, (1, 2, 1))
    nothing = build.graph.constant(np.zeros((1, 2, 1), dtype=np.float32), "nothing")
    upper = build.graph.add("Concat", [linear, nothing, column], (1, 2, 4), "upper", axis=2)
    lower = build.graph.constant(np.array([[[0, 0, 1, 0], [0, 0, 0, 1]]], dtype=np.float32), "lower")
    build.bind(operator.outputs[0], build.add("Concat", [upper, lower], operator.outputs[0], axis=1))


def convert_transform_tensor(build: GraphBuilder, operator: Operator) -> None:
    """TransformTensorBilinear, version 2: the image resampled at matrix * pixel centre, zero where that lies outside.

    Outside is every place beyond the outermost pixel centres, not only beyond the image's border.
    """
    data = build.value(operator, 0)
    _, channels, height, width = build.graph.shapes[data]
    target = onnx_shape(build.shape(operator.outputs[0]))
    rows, columns = target[2:]
    linear, shift = _affine_parts(build, build.value(operator, 1))
    grid = np.stack(np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5), axis=-1)
    centres = build.graph.constant(grid.reshape(1, rows * columns, 2).astype(np.float32), "centres")
    places = _transformed(build, centres, linear, shift)
    half = build.graph.constant(np.array(0.5, dtype=np.float32), "half")
    pixels = build.graph.add("Sub", [places, half], build.graph.shapes[places], "pixels")

    scaled = _scaled(build, places, [2 / width, 2 / height])
    one = build.graph.constant(np.array(1, dtype=np.float32), "one")
    normalized = build.graph.add("Sub", [scaled, one], build.graph.shapes[scaled], "normalized")
    sampled = build.graph.add(
        "GridSample",
        [data, build.reshaped(normalized, (1, rows, columns, 2))],
        (1, channels, rows, columns),
        "sampled",
        mode="bilinear",
        padding_mode="border",
        align_corners=0,
    )
    inside = build.reshaped(_inside(build, pixels, (width, height)), (1, 1, rows, columns))
    build.bind(operator.outputs[0], build.add("Mul", [sampled, inside], operator.outputs[0]))


def convert_transform_landmarks(build: GraphBuilder, operator: Operator) -> None:
    """TransformLandmarks, version 2: the x and y of points [1, N, 2 or 3] through a matrix; z stays."""
    points, output = build.value(operator, 0), operator.outputs[0]
    linear, shift = _affine_parts(build, build.value(operator, 1))
    shape = build.shape(output)
    if shape[2] == 2:
        build.bind(output, _transformed(build, points, linear, shift))
        return
    placed = _transformed(build, _cut(build, points, axis=2, start=0, stop=2), linear, shift)
    depth = _cut(build, points, axis=2, start=2, stop=shape[2])
    build.bind(output, build.add("Concat", [placed, depth], output, axis=2))


def _inverse_rotation(build: GraphBuilder, operator: Operator, points: str) -> str:
    """Return [1, 2, 2]: [[c, -s], [s, c]], c and s of the angle from the points' line to the target.

    As a factor after row vectors it turns them back. The angle itself is never needed: cosine and sine of the line are
    its direction, and two angles subtract by products.
    """
    options, graph = operator.options, build.graph
    left = _gathered_xy(build, points, [options["left_rotation_idx"]])
    right = _gathered_xy(build, points, [options["right_rotation_idx"]])
    line = graph.add("Sub", [right, left], (1, 1, 2), "line")
    length = graph.add("ReduceL2", [line], (1, 1, 1), "length", axes=[2], keepdims=1)
    # Two points in one place have the angle atan2(0, 0) = 0.
    flat = graph.constant(np.array([[[1, 0]]], dtype=np.float32), "flat")
    zero = graph.constant(np.array(0, dtype=np.float32), "zero")
    apart = graph.add("Greater", [length, zero], (1, 1, 1), "apart")
    unit = graph.add("Div", [line, length], (1, 1, 2), "unit")
    direction = graph.add("Where", [apart, unit, flat], (1, 1, 2), "direction")
    # With the line at angle a and the target t, r = t - a: [c, -s, s, c] = [cos a, sin a] times this matrix.
    cosine, sine = math.cos(options["target_rotation_radians"]), math.sin(options["target_rotation_radians"])
    parts = np.array([[[cosine, -sine, sine, cosine], [sine, cosine, -cosine, sine]]], dtype=np.float32)
    turned = graph.add("MatMul", [direction, graph.constant(parts, "target")], (1, 1, 4), "rotation")
    return build.reshaped(turned, (1, 2, 2))


def _gathered_xy(build: GraphBuilder, points: str, indices: list[int]) -> str:
    chosen = build.graph.constant(np.array(indices, dtype=np.int64), "indices")
    depth = build.graph.shapes[points][2]
    gathered = build.graph.add("Gather", [points, chosen], (1, len(indices), depth), "gathered", axis=1)
    return _cut(build, gathered, axis=2, start=0, stop=2)


def _affine_parts(build: GraphBuilder, matrix: str) -> tuple[str, str]:
    """Return the linear part [1, 2, 2] and the shift as a row [1, 1, 2] of a matrix [1, 4, 4] of plane points."""
    rows = _cut(build, matrix, axis=1, start=0, stop=2)
    shift = build.reshaped(_cut(build, rows, axis=2, start=3, stop=4), (1, 1, 2))
    return _cut(build, rows, axis=2, start=0, stop=2), shift


def _transformed(build: GraphBuilder, points: str, linear: str, shift: str) -> str:
    shape = build.graph.shapes[points]
    product = build.graph.add("MatMul", [points, _transposed(build, linear)], shape, "product")
    return build.graph.add("Add", [product, shift], shape, "transformed")


def _transposed(build: GraphBuilder, matrix: str) -> str:
    return build.graph.add("Transpose", [matrix], (1, 2, 2), f"{matrix}_transposed", perm=[0, 2, 1])


def _scaled(build: GraphBuilder, points: str, factors: list[float]) -> str:
    factor = build.graph.constant(np.array([[factors]], dtype=np.float32), "factors")
    return build.graph.add("Mul", [points, factor], build.graph.shapes[points], "scaled")


def _cut(build: GraphBuilder, name: str, *, axis: int, start: int, stop: int) -> str:
    shape = list(build.graph.shapes[name])
    shape[axis] = stop - start
    bounds: list[npt.NDArray[np.int64]] = [np.array([value], dtype=np.int64) for value in (start, stop, axis)]
    inputs = [build.graph.constant(bound, "bound") for bound in bounds]
    return build.graph.add("Slice", [name, *inputs], tuple(shape), f"{name}_part")


def _inside(build: GraphBuilder, pixels: str, size: tuple[int, int]) -> str:
    """Return [1, N, 1]: 1 where a pixel position [1, N, 2] lies between the outermost pixel centres, else 0."""
    graph, shape = build.graph, build.graph.shapes[pixels]
    first = graph.constant(np.zeros((1, 1, 2), dtype=np.float32), "first")
    last = graph.constant(np.array([[[size[0] - 1, size[1] - 1]]], dtype=np.float32), "last")
    limited = graph.add("Min", [graph.add("Max", [pixels, first], shape, "limited"), last], shape, "limited")
    same = graph.add("Equal", [limited, pixels], shape, "same")
    flags = graph.add("Cast", [same], shape, "flags", to=1)
    return graph.add("ReduceMin", [flags], (*shape[:2], 1), "inside", axes=[2], keepdims=1)
