"""Quantised models: operators against integer arithmetic written out, rewrites, MoveNet against recorded outputs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import pytest

from graphflow.errors import ModelError
from graphflow.inference import InferenceSession, ModelStore, open_session
from graphflow.inference.integer_products import computes_on_integers
from graphflow.inference.onnx_graph import OnnxGraph
from graphflow.inference.rewrite import rewrite_for_cpu
from graphflow.inference.rewrite.quantized import fold_shifts
from graphflow.inference.tflite import Operator, Tensor, TFLiteModel, import_tflite, read_tflite
from graphflow.inference.tflite.quantization import Quantization

Array = npt.NDArray[Any]
SAME = 0
rng = np.random.default_rng(7)


def per_tensor(scale: float, zero_point: int) -> Quantization:
    return Quantization(np.array([scale], np.float32), np.array([zero_point]))


def toy(tensors: Sequence[tuple[Array, Quantization | None]], output: Tensor, **operator: Any) -> TFLiteModel:
    """A model of one operator; the first tensor is computed, by QUANTIZE of the model's input if it is quantised."""
    first, quantization = tensors[0]
    made = [Tensor(0, "input", first.shape, np.dtype(np.float32))]
    made.append(Tensor(1, "first", first.shape, first.dtype, None, quantization))
    made += [Tensor(i, f"t{i}", a.shape, a.dtype, a, q) for i, (a, q) in enumerate(tensors[1:], 2)]
    made.append(Tensor(len(made), output.name, output.shape, output.dtype, None, output.quantization))
    kind, options = operator["kind"], operator.get("options", {})
    steps = (
        Operator(0, "QUANTIZE", (0,), (1,)),
        Operator(1, kind, tuple(range(1, len(made) - 1)), (len(made) - 1,), options),
    )
    return TFLiteModel("toy", tuple(made), steps, (0,), (len(made) - 1,))


def run(graph: OnnxGraph, *inputs: Array) -> list[Array]:
    session = ort.InferenceSession(graph.to_model().SerializeToString(), providers=["CPUExecutionProvider"])
    outputs: list[Array] = session.run(None, dict(zip(graph.inputs, inputs, strict=True)))
    return outputs


def int8(*shape: int) -> npt.NDArray[np.int8]:
    return rng.integers(-128, 128, shape).astype(np.int8)


CONVOLUTIONS = [
    # kind, kernel, stride, activation, whether each channel has a scale
    ("CONV_2D", 3, 2, 3, True),
    ("CONV_2D", 1, 1, 0, False),
    ("DEPTHWISE_CONV_2D", 3, 1, 3, True),
    ("DEPTHWISE_CONV_2D", 5, 2, 0, True),
]


@pytest.mark.parametrize(("kind", "kernel", "stride", "activation", "each"), CONVOLUTIONS)
@pytest.mark.parametrize("rewritten", [False, True])
def test_convolution_is_integer_arithmetic(
    kind: str, kernel: int, stride: int, activation: int, each: bool, rewritten: bool
) -> None:
    """32-bit sums of products, scaled once, rounded once: what TFLite's kernels do, too."""
    depthwise = kind == "DEPTHWISE_CONV_2D"
    image, source = int8(1, 8, 6, 16), per_tensor(0.05, 3)
    weights = int8(1, kernel, kernel, 16) if depthwise else int8(24, kernel, kernel, 16)
    channels = weights.shape[3] if depthwise else weights.shape[0]
    scales = rng.uniform(0.001, 0.01, channels if each else 1).astype(np.float32)
    zeros = np.zeros(len(scales), np.int64)
    bias: Array = np.asarray(rng.integers(-5000, 5000, channels), dtype=np.int32)
    target = per_tensor(6 / 255, -128) if activation else per_tensor(0.4, 11)
    height, width = -(-8 // stride), -(-6 // stride)
    model = toy(
        [
            (image, source),
            (weights, Quantization(scales, zeros, 3 if depthwise else 0)),
            (bias, Quantization(scales * source.scale, zeros, 0)),
        ],
        Tensor(0, "result", (1, height, width, channels), np.dtype(np.int8), None, target),
        kind=kind,
        options={
            "padding": SAME,
            "stride_h": stride,
            "stride_w": stride,
            "dilation_h_factor": 1,
            "dilation_w_factor": 1,
            "activation": activation,
        },
    )
    graph = import_tflite(model)
    if rewritten:
        rewrite_for_cpu(graph)
    result = run(graph, source.real(image))[0]

    pads = [((kernel - 1) * (stride == 1) // 2, 0), ((kernel - 1) * (stride == 1) // 2, 0)]
    if stride == 2:  # even sizes: SAME puts the odd zero behind
        pads = [((kernel - 2) // 2, 0)] * 2
    centred = np.pad(image[0].astype(np.int64) - 3, [(pads[0][0], kernel), (pads[1][0], kernel), (0, 0)])
    sums = np.zeros((height, width, channels), np.int64)
    for y in range(height):
        for x in range(width):
            window = centred[y * stride : y * stride + kernel, x * stride : x * stride + kernel]
            if depthwise:
                sums[y, x] = (window * weights[0].astype(np.int64)).sum((0, 1))
            else:
                sums[y, x] = (window[np.newaxis] * weights.astype(np.int64)).sum((1, 2, 3))
    scaled = (sums + bias) * (scales.astype(np.float64) * source.scale[0] / target.scale[0])
    stored = np.clip(np.rint(scaled) + target.zero_point[0], -128, 127)
    steps = result[0] / target.scale[0] + target.zero_point[0]
    # the one product that both round may fall on either side of a half
    assert np.abs(steps - stored).max() < 1.001
    assert np.mean(np.abs(steps - stored) < 0.001) > 0.99


ELEMENTWISE = [
    ("ADD", lambda a, b: a + b),
    ("SUB", lambda a, b: a - b),
    ("MUL", lambda a, b: a * b),
    ("DIV", lambda a, b: a / b),
    ("MAXIMUM", np.maximum),
    ("MINIMUM", np.minimum),
]


@pytest.mark.parametrize(("kind", "operation"), ELEMENTWISE)
def test_elementwise_between_scales(kind: str, operation: Any) -> None:
    image, source = int8(1, 4, 6, 5), per_tensor(0.05, 3)
    other, scale = rng.integers(1, 100, (6, 5)).astype(np.int8), per_tensor(0.02, -5)
    target = per_tensor(0.11, -20)
    model = toy(
        [(image, source), (other, scale)],
        Tensor(0, "result", image.shape, np.dtype(np.int8), None, target),
        kind=kind,
    )
    result = run(import_tflite(model), source.real(image))[0]
    expected = operation(source.real(image), scale.real(other))
    stored = np.clip(np.rint(expected / target.scale[0]) - 20, -128, 127)
    assert np.abs(result / target.scale[0] - 20 - stored).max() < 1.001
    assert np.mean(np.abs(result / target.scale[0] - 20 - stored) < 0.001) > 0.98


def test_activation_that_the_scale_does_not_imply_is_applied() -> None:
    image, source = int8(1, 4, 6, 5), per_tensor(0.1, 0)
    model = toy(
        [(image, source), (np.zeros((), np.int8), per_tensor(1.0, 0))],
        Tensor(0, "result", image.shape, np.dtype(np.int8), None, source),
        kind="ADD",
        options={"activation": 3},
    )
    result = run(import_tflite(model), source.real(image))[0]
    np.testing.assert_allclose(result, np.clip(source.real(image), 0, 6), atol=1e-5)


def test_uint8_file_and_hybrid_weights() -> None:
    stored, source = rng.integers(0, 256, (1, 2, 2, 3)).astype(np.uint8), per_tensor(1 / 128, 128)
    model = TFLiteModel(
        "toy",
        (
            Tensor(0, "image", stored.shape, np.dtype(np.uint8), None, source),
            Tensor(1, "real", stored.shape, np.dtype(np.float32)),
            Tensor(2, "weights", (4, 1, 1, 3), np.dtype(np.int8), np.arange(-6, 6, dtype=np.int8).reshape(4, 1, 1, 3),
                   Quantization(np.array([0.5, 1, 2, 4], np.float32), np.zeros(4, np.int64), 0)),
            Tensor(3, "result", (1, 2, 2, 4), np.dtype(np.float32)),
        ),
        (
            Operator(0, "DEQUANTIZE", (0,), (1,)),
            Operator(1, "CONV_2D", (1, 2), (3,), {"padding": SAME, "stride_h": 1, "stride_w": 1,
                                                 "dilation_h_factor": 1, "dilation_w_factor": 1}),
        ),
        (0,),
        (3,),
    )  # fmt: skip
    weights = np.arange(-6, 6).reshape(4, 3) * np.array([0.5, 1, 2, 4])[:, np.newaxis]
    expected = (stored.astype(np.float64) - 128) / 128 @ weights.T
    np.testing.assert_allclose(run(import_tflite(model), stored)[0], expected, atol=1e-5)


def test_computed_values_of_sixteen_bits_are_refused() -> None:
    model = toy(
        [(np.zeros((1, 2), np.int16), per_tensor(0.1, 0))],
        Tensor(0, "result", (1, 2), np.dtype(np.int16), None, per_tensor(0.1, 0)),
        kind="RESHAPE",
    )
    with pytest.raises(ModelError, match="int16 with a quantisation that is not supported"):
        import_tflite(model)


def pick(kind: str, image: Array, constants: Sequence[Array], shape: tuple[int, ...], options: Mapping[str, Any],
         integers: bool = False) -> Array:  # fmt: skip
    tensors = [Tensor(0, "image", image.shape, np.dtype(np.float32))]
    tensors += [Tensor(i, f"t{i}", a.shape, a.dtype, a) for i, a in enumerate(constants, 1)]
    tensors.append(Tensor(len(tensors), "result", shape, np.dtype(np.int32 if integers else np.float32)))
    last = len(tensors) - 1
    model = TFLiteModel(
        "toy", tuple(tensors), (Operator(0, kind, tuple(range(last)), (last,), options),), (0,), (last,)
    )
    result = run(import_tflite(model), image)[0]
    assert result.shape == shape
    return result


def test_arg_max_takes_the_first_of_equals() -> None:
    image = rng.integers(0, 4, (1, 5, 6, 3)).astype(np.float32)
    for axis in (1, 3, -1):
        shape = tuple(size for place, size in enumerate(image.shape) if place != axis % 4)
        result = pick("ARG_MAX", image, [np.array(axis, np.int32)], shape, {}, integers=True)
        assert result.dtype == np.int32
        np.testing.assert_array_equal(result, np.argmax(image, axis))


def test_gathering_counts_positions_channel_last() -> None:
    image = rng.normal(size=(1, 4, 5, 6)).astype(np.float32)
    rows = np.array([[0, 3, 1], [0, 0, 4]], np.int32)
    np.testing.assert_array_equal(pick("GATHER_ND", image, [rows], (2, 6), {}), image[tuple(rows.T)])
    points = np.array([[0, 3, 1, 5]], np.int32)
    np.testing.assert_array_equal(pick("GATHER_ND", image, [points], (1,), {}), image[0, 3, 1, 5:])
    columns = np.array([4, 0], np.int32)
    np.testing.assert_array_equal(pick("GATHER", image, [columns], (1, 4, 2, 6), {"axis": 2}), image[:, :, columns])


def test_packing_and_unpacking() -> None:
    image = rng.normal(size=(4, 5, 6)).astype(np.float32)
    other = rng.normal(size=(4, 5, 6)).astype(np.float32)
    np.testing.assert_array_equal(
        pick("PACK", image, [other], (4, 5, 2, 6), {"axis": 2}), np.stack([image, other], axis=2)
    )
    tensors = [Tensor(0, "image", (4, 2, 6), np.dtype(np.float32))]
    tensors += [Tensor(i, f"part{i}", (4, 6), np.dtype(np.float32)) for i in (1, 2)]
    model = TFLiteModel("toy", tuple(tensors), (Operator(0, "UNPACK", (0,), (1, 2), {"axis": 1}),), (0,), (1, 2))
    for part, result in enumerate(run(import_tflite(model), image[:, :2])):
        np.testing.assert_array_equal(result, image[:, part])


def test_positions_are_divided_towards_minus_infinity() -> None:
    positions = np.array([[-49, -48, -1, 0, 47, 48, 2303]], np.int32)
    tensors = (
        Tensor(0, "image", positions.shape, np.dtype(np.int32)),
        Tensor(1, "columns", (), np.dtype(np.int32), np.array(48, np.int32)),
        Tensor(2, "rows", positions.shape, np.dtype(np.int32)),
        Tensor(3, "real", positions.shape, np.dtype(np.float32)),
    )
    steps = (Operator(0, "FLOOR_DIV", (0, 1), (2,)), Operator(1, "CAST", (2,), (3,)))
    rows, real = run(import_tflite(TFLiteModel("toy", tensors, steps, (0,), (2, 3))), positions)
    np.testing.assert_array_equal(rows, positions // 48)
    np.testing.assert_array_equal(real, (positions // 48).astype(np.float32))


def image_chain(offset: float, scale: float = 1.0) -> OnnxGraph:
    """uint8 image -> float -> levels -> plus `offset` -> levels -> real numbers."""
    graph = OnnxGraph("chain")
    graph.add_input("image", (1, 16, 16, 3), np.uint8)
    numbers = {
        "one": np.float32(1), "zero": np.uint8(0), "offset": np.float32(offset), "scale": np.float32(scale),
        "middle": np.uint8(100),
    }  # fmt: skip
    names = {key: graph.constant(np.array(value), key) for key, value in numbers.items()}
    shape = (1, 16, 16, 3)
    value = graph.add("Cast", ["image"], shape, "real", to=1)
    value = graph.add("QuantizeLinear", [value, names["one"], names["zero"]], shape, "levels")
    value = graph.add("DequantizeLinear", [value, names["one"], names["zero"]], shape, "back")
    value = graph.add("Add", [value, names["offset"]], shape, "moved")
    value = graph.add("QuantizeLinear", [value, names["scale"], names["middle"]], shape, "again")
    value = graph.add("DequantizeLinear", [value, names["scale"], names["middle"]], shape, "result")
    graph.add_output(value, shape)
    return graph


@pytest.mark.parametrize(
    ("offset", "scale", "folded"),
    [(-100.0, 1, 1), (-103.0, 1, 1), (-90.0, 1, 1), (-100.4, 1, 1), (-101.0, 2, 0), (5.0, 1, 0), (-400.0, 1, 0)],
)
def test_shift_of_levels_becomes_a_zero_point(offset: float, scale: float, folded: int) -> None:
    image = np.arange(768).astype(np.uint8).reshape(1, 16, 16, 3)
    expected = run(image_chain(offset, scale), image)[0]
    graph = image_chain(offset, scale)
    assert fold_shifts(graph) == folded
    np.testing.assert_array_equal(run(graph, image)[0], expected)
    assert len(graph.nodes) == (6 if not folded else 1 if round(offset) == -100 else 2)


@pytest.fixture(scope="module")
def movenet(shared: Path) -> Path:
    return shared / "data" / "models" / "movenet_single_pose_lightning_ptq.tflite"


def recorded_images(shared: Path) -> tuple[dict[str, Any], Array, dict[str, Array]]:
    folder = shared / "conformance" / "pose" / "movenet"
    document = json.loads((folder / "cases.json").read_text())
    images: list[Array] = []
    outputs: dict[str, list[Array]] = {"xnnpack": [], "builtin": [], "reference_kernels": []}
    with np.load(folder / "images.npz") as stored:
        for case in document["cases"]:
            for name in case["inputs"] if case["kind"] == "single image" else ():
                images.append(stored[f"{case['id']}/in/{name}"])
                for kind, rows in outputs.items():
                    rows.append(stored[f"{case['id']}/out/{name}_raw_{kind}"].reshape(17, 3))
    return document["kernel_difference"], np.array(images), {kind: np.array(rows) for kind, rows in outputs.items()}


def test_movenet_differs_from_tflite_no_more_than_its_kernels_do(shared: Path, movenet: Path) -> None:
    spread, images, recorded = recorded_images(shared)
    session = open_session(movenet, store=ModelStore())
    assert session.input_types == (np.dtype(np.uint8),)
    ours = np.array([session.run([image[np.newaxis]])[0].reshape(17, 3) for image in images])

    limits = spread["xnnpack_vs_builtin"]
    for kind, theirs in recorded.items():
        confident = (ours[..., 2] > 0.3) & (theirs[..., 2] > 0.3)
        assert confident.sum() > 300, kind
        coordinates = np.abs(ours - theirs)[confident, :2].max(axis=1)
        scores = np.abs(ours - theirs)[confident, 2]
        for quantile, name in ((50, "p50"), (90, "p90")):
            # a step of the output is 0.0041: half of one is rounding of the figure
            assert np.percentile(coordinates, quantile) <= limits["coordinates"][name] + 0.0021, (kind, name)
            assert np.percentile(scores, quantile) <= limits["scores"][name] + 0.0021, (kind, name)


def test_movenet_runs_on_integers_and_its_image_is_not_touched_before_the_first_convolution(movenet: Path) -> None:
    graph = import_tflite(read_tflite(movenet.read_bytes(), "movenet"))
    plain = len(graph.nodes)
    rewrite_for_cpu(graph)
    assert len(graph.nodes) < plain
    before = [node.op for node in graph.nodes[: next(i for i, node in enumerate(graph.nodes) if node.op == "Conv")]]
    assert set(before) <= {"Clip", "DequantizeLinear", "Transpose"}
    weights = [graph.constants[name].dtype for node in graph.nodes if node.op == "DequantizeLinear"
               for name in node.inputs[:1] if name in graph.constants]  # fmt: skip
    assert weights.count(np.dtype(np.int8)) == 74


def test_integer_products_are_exact_or_known_not_to_be(movenet: Path, tmp_path: Path) -> None:
    assert computes_on_integers(ModelStore().onnx(movenet))
    assert not computes_on_integers(ModelStore().onnx("hand_recrop"))
    graph = OnnxGraph("sum")
    graph.add_input("a", (1, 32), np.uint8)
    weights = graph.constant(np.full((32, 4), 127, np.int8), "weights")
    product = graph.add("MatMulInteger", ["a", weights], (1, 4), "product")
    graph.add_output(graph.add("Cast", [product], (1, 4), "real", to=1), (1, 4))
    path = tmp_path / "sum.onnx"
    path.write_bytes(graph.to_model().SerializeToString())
    # whatever the processor, a session's sums are right
    assert (InferenceSession(path).run([np.full((1, 32), 255, np.uint8)])[0] == 255 * 127 * 32).all()


def test_overwritten_files_are_errors_that_say_so(movenet: Path) -> None:
    data = movenet.read_bytes()
    changes = np.random.default_rng(2)
    said: list[str] = []
    for _ in range(60):
        # the tables are at the end, the weights before them
        places = changes.integers(len(data) - 60_000, len(data), 12)
        altered = bytearray(data)
        for place in places:
            altered[place] = changes.integers(256)
        try:
            graph = import_tflite(read_tflite(bytes(altered), "altered.tflite"))
            rewrite_for_cpu(graph)
        except ModelError as error:
            said.append(str(error))
    assert len(said) > 10
    assert all(message.startswith("altered.tflite: ") for message in said)


def test_interpolated_integers_are_rounded() -> None:
    image, source = int8(1, 3, 5, 16), per_tensor(0.5, 10)
    model = toy(
        [(image, source), (np.array([6, 10], np.int32), None)],
        Tensor(0, "result", (1, 6, 10, 16), np.dtype(np.int8), None, source),
        kind="RESIZE_BILINEAR",
        options={"half_pixel_centers": True},
    )
    result = run(import_tflite(model), source.real(image))[0]
    rows = np.array([[0, 0], [0, 1], [0, 1], [1, 2], [1, 2], [2, 2]])
    columns = np.array([[0, 0], [0, 1], [0, 1], [1, 2], [1, 2], [2, 3], [2, 3], [3, 4], [3, 4], [4, 4]])
    near = np.array([0.75, 0.25]), np.array([0.25, 0.75])
    expected = np.zeros((6, 10, 16))
    for y, (top, bottom) in enumerate(rows):
        for x, (left, right) in enumerate(columns):
            # an odd place is nearer to the first of its two neighbours
            down, across = near[0 if y % 2 else 1], near[0 if x % 2 else 1]
            corners = image[0, [[top], [bottom]], [left, right]].astype(float)
            expected[y, x] = np.einsum("i,j,ijc->c", down, across, corners)
    steps = result[0] / 0.5 + 10
    assert np.abs(steps - expected).max() < 0.51
    assert abs((steps - expected).mean()) < 0.05
