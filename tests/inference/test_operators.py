"""Every converted operator against its definition written out in numpy, in TFLite's layout."""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from graphflow.errors import ModelError
from graphflow.inference.tflite.convolutions import same_padding

FloatArray = npt.NDArray[np.float32]
RunOperator = Callable[..., FloatArray]

SAME, VALID = 0, 1
NONE, RELU, RELU6 = 0, 1, 3
rng = np.random.default_rng(3)


def random(*shape: int) -> FloatArray:
    return rng.normal(0, 2, shape).astype(np.float32)


PADDINGS = [
    # size, kernel, stride, dilation, before, after
    (224, 3, 2, 1, 0, 1),
    (225, 3, 2, 1, 1, 1),
    (128, 5, 2, 1, 1, 2),
    (7, 3, 1, 1, 1, 1),
    (8, 2, 2, 1, 0, 0),
    (9, 2, 2, 1, 0, 1),
    (10, 3, 1, 2, 2, 2),
    (6, 1, 2, 1, 0, 0),
    (1, 3, 2, 1, 1, 1),
]


@pytest.mark.parametrize(("size", "kernel", "stride", "dilation", "before", "after"), PADDINGS)
def test_same_padding(size: int, kernel: int, stride: int, dilation: int, before: int, after: int) -> None:
    assert same_padding(size, kernel, stride, dilation) == (before, after)


def windows(
    image: FloatArray, kernel: tuple[int, int], stride: int, padding: int, fill: float
) -> npt.NDArray[np.float32]:
    """Return [H, W, kernel height, kernel width, C] windows of an [H, W, C] image."""
    if padding == SAME:
        pads = [same_padding(image.shape[axis], kernel[axis], stride) for axis in (0, 1)]
        image = np.pad(image, [*pads, (0, 0)], constant_values=fill)
    rows = range(0, image.shape[0] - kernel[0] + 1, stride)
    columns = range(0, image.shape[1] - kernel[1] + 1, stride)
    return np.array([[image[y : y + kernel[0], x : x + kernel[1]] for x in columns] for y in rows])


def activate(values: FloatArray, activation: int) -> FloatArray:
    if activation == NONE:
        return values
    return np.clip(values, 0, 6 if activation == RELU6 else None)


WINDOWS = [
    # height, width, kernel, stride, padding, activation
    (8, 8, 3, 2, SAME, RELU6),
    (7, 9, 3, 2, SAME, RELU),
    (8, 6, 5, 2, SAME, NONE),
    (6, 8, 3, 1, SAME, NONE),
    (8, 8, 3, 2, VALID, RELU6),
    (8, 8, 2, 2, VALID, NONE),
]


def window_options(kernel: int, stride: int, padding: int, activation: int) -> dict[str, int]:
    return {
        "padding": padding,
        "stride_h": stride,
        "stride_w": stride,
        "dilation_h_factor": 1,
        "dilation_w_factor": 1,
        "filter_height": kernel,
        "filter_width": kernel,
        "activation": activation,
    }


@pytest.mark.parametrize(("height", "width", "kernel", "stride", "padding", "activation"), WINDOWS)
def test_convolution(
    height: int, width: int, kernel: int, stride: int, padding: int, activation: int, run_operator: RunOperator
) -> None:
    image, weights, bias = random(1, height, width, 3), random(4, kernel, kernel, 3), random(4)
    parts = windows(image[0], (kernel, kernel), stride, padding, 0.0)
    expected = activate(np.einsum("yxhwc,ohwc->yxo", parts, weights)[np.newaxis] + bias, activation)
    options = window_options(kernel, stride, padding, activation)
    result = run_operator("CONV_2D", [image], [weights, bias], expected.shape, options)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("height", "width", "kernel", "stride", "padding", "activation"), WINDOWS)
@pytest.mark.parametrize("multiplier", [1, 2])
def test_depthwise_convolution(
    height: int,
    width: int,
    kernel: int,
    stride: int,
    padding: int,
    activation: int,
    multiplier: int,
    run_operator: RunOperator,
) -> None:
    image, weights, bias = (
        random(1, height, width, 3),
        random(1, kernel, kernel, 3 * multiplier),
        random(3 * multiplier),
    )
    parts = windows(image[0], (kernel, kernel), stride, padding, 0.0)
    grouped = weights[0].reshape(kernel, kernel, 3, multiplier)
    sums = np.einsum("yxhwc,hwcm->yxcm", parts, grouped)
    expected = activate(sums.reshape(1, *sums.shape[:2], -1) + bias, activation)
    options = window_options(kernel, stride, padding, activation)
    result = run_operator("DEPTHWISE_CONV_2D", [image], [weights, bias], expected.shape, options)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("height", "width", "kernel", "stride", "padding", "activation"), WINDOWS)
@pytest.mark.parametrize("kind", ["MAX_POOL_2D", "AVERAGE_POOL_2D"])
def test_pooling(
    kind: str,
    height: int,
    width: int,
    kernel: int,
    stride: int,
    padding: int,
    activation: int,
    run_operator: RunOperator,
) -> None:
    image = random(1, height, width, 3)
    parts = windows(image[0], (kernel, kernel), stride, padding, np.nan)
    reduce = np.nanmax if kind == "MAX_POOL_2D" else np.nanmean
    expected = activate(reduce(parts, axis=(2, 3))[np.newaxis], activation)
    options = window_options(kernel, stride, padding, activation)
    result = run_operator(kind, [image], [], expected.shape, options)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)


def transposed(image: FloatArray, weights: FloatArray, bias: FloatArray, stride: int, padding: int) -> FloatArray:
    """Scatter every input pixel, weighted, into the output."""
    _, height, width, _ = image.shape
    out, kernel_h, kernel_w, _ = weights.shape
    full = np.zeros((stride * (height - 1) + kernel_h, stride * (width - 1) + kernel_w, out), dtype=np.float32)
    for y in range(height):
        for x in range(width):
            spread = np.einsum("c,ohwc->hwo", image[0, y, x], weights)
            full[y * stride : y * stride + kernel_h, x * stride : x * stride + kernel_w] += spread
    if padding == SAME:
        (top, _), (left, _) = (same_padding(n * stride, k, stride) for n, k in ((height, kernel_h), (width, kernel_w)))
        full = full[top : top + height * stride, left : left + width * stride]
    return full[np.newaxis] + bias


TRANSPOSED = [(2, 2, SAME), (3, 2, SAME), (5, 2, SAME), (3, 1, SAME), (2, 2, VALID), (3, 2, VALID)]


@pytest.mark.parametrize(("kernel", "stride", "padding"), TRANSPOSED)
def test_transposed_convolution(kernel: int, stride: int, padding: int, run_operator: RunOperator) -> None:
    image, weights, bias = random(1, 4, 5, 3), random(2, kernel, kernel, 3), random(2)
    expected = transposed(image, weights, bias, stride, padding)
    options = {"padding": padding, "stride_h": stride, "stride_w": stride, "activation": NONE}
    shape = np.array(expected.shape, dtype=np.int32)
    result = run_operator(
        "TRANSPOSE_CONV", [image], [shape, weights, bias], expected.shape, options, order=[1, 2, 0, 3]
    )
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("kernel", "stride", "padding"), TRANSPOSED)
def test_custom_transposed_convolution(kernel: int, stride: int, padding: int, run_operator: RunOperator) -> None:
    image, weights, bias = random(1, 4, 5, 3), random(2, kernel, kernel, 3), random(2)
    expected = transposed(image, weights, bias, stride, padding)
    packed = struct.pack("<iii", {SAME: 1, VALID: 2}[padding], stride, stride)
    result = run_operator(
        "Convolution2DTransposeBias", [image], [weights, bias], expected.shape, {}, custom_options=packed
    )
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


def resized(image: FloatArray, height: int, width: int, mode: str) -> FloatArray:
    def axis(count: int, size: int) -> tuple[Any, Any, Any]:
        index = np.arange(count, dtype=np.float64)
        if mode == "align_corners":
            place = index * (size - 1) / (count - 1)
        else:
            place = (index + 0.5) * size / count - 0.5 if mode == "half_pixel" else index * size / count
        low = np.clip(np.floor(place), 0, size - 1).astype(int)
        return low, np.minimum(low + 1, size - 1), np.clip(place, 0, size - 1) - low

    (top, bottom, down), (left, right, across) = axis(height, image.shape[1]), axis(width, image.shape[2])
    down, across = down[:, None, None], across[None, :, None]
    upper = image[0][top][:, left] * (1 - across) + image[0][top][:, right] * across
    lower = image[0][bottom][:, left] * (1 - across) + image[0][bottom][:, right] * across
    result: FloatArray = (upper * (1 - down) + lower * down)[np.newaxis].astype(np.float32)
    return result


@pytest.mark.parametrize("mode", ["half_pixel", "align_corners", "asymmetric"])
@pytest.mark.parametrize(("height", "width"), [(8, 10), (12, 15), (7, 9)])
def test_resize_bilinear(mode: str, height: int, width: int, run_operator: RunOperator) -> None:
    image = random(1, 4, 5, 3)
    expected = resized(image, height, width, mode)
    options = {"align_corners": mode == "align_corners", "half_pixel_centers": mode == "half_pixel"}
    size = np.array([height, width], dtype=np.int32)
    result = run_operator("RESIZE_BILINEAR", [image], [size], expected.shape, options)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


def test_prelu(run_operator: RunOperator) -> None:
    image, alpha = random(1, 3, 4, 5), random(1, 1, 5)
    result = run_operator("PRELU", [image], [alpha], image.shape, {})
    np.testing.assert_allclose(result, np.where(image > 0, image, image * alpha), rtol=1e-6)


def test_depth_to_space(run_operator: RunOperator) -> None:
    image = random(1, 2, 3, 12)
    expected = image.reshape(1, 2, 3, 2, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(1, 4, 6, 3)
    np.testing.assert_array_equal(
        run_operator("DEPTH_TO_SPACE", [image], [], expected.shape, {"block_size": 2}), expected
    )


def test_pad_of_space_and_channels(run_operator: RunOperator) -> None:
    image = random(1, 2, 3, 4)
    pads = np.array([[0, 0], [1, 2], [0, 1], [0, 3]], dtype=np.int32)
    expected = np.pad(image, pads.tolist())
    np.testing.assert_array_equal(run_operator("PAD", [image], [pads], expected.shape, {}), expected)


ELEMENTWISE = {
    "RELU": lambda x: np.maximum(x, 0),
    "RELU6": lambda x: np.clip(x, 0, 6),
    "LOGISTIC": lambda x: 1 / (1 + np.exp(-x)),
    "TANH": np.tanh,
    "HARD_SWISH": lambda x: x * np.clip(x + 3, 0, 6) / 6,
}


@pytest.mark.parametrize("kind", ELEMENTWISE)
@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (1, 7)])
def test_elementwise(kind: str, shape: tuple[int, ...], run_operator: RunOperator) -> None:
    values = random(*shape) * 4
    np.testing.assert_allclose(
        run_operator(kind, [values], [], shape, {}), ELEMENTWISE[kind](values), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("kind", ["ADD", "MUL"])
@pytest.mark.parametrize("other", [(1, 3, 4, 5), (1, 1, 1, 5), (5,), (1,), (4, 5)])
@pytest.mark.parametrize("constant", [False, True])
def test_binary_operators_broadcast_as_channels_last(
    kind: str, other: tuple[int, ...], constant: bool, run_operator: RunOperator
) -> None:
    first, second = random(1, 3, 4, 5), random(*other)
    expected = activate(first + second if kind == "ADD" else first * second, RELU6)
    inputs, constants = ([first], [second]) if constant else ([first, second], [])
    result = run_operator(kind, inputs, constants, expected.shape, {"activation": RELU6})
    np.testing.assert_allclose(result, expected, rtol=1e-6)


@pytest.mark.parametrize("axis", [1, 2, 3, -1])
def test_concatenation(axis: int, run_operator: RunOperator) -> None:
    image = random(1, 3, 4, 5)
    expected = np.concatenate([image, image * 2], axis)
    result = run_operator("CONCATENATION", [image, image * 2], [], expected.shape, {"axis": axis, "activation": NONE})
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("axes", [(1, 2), (2, 1), (-2, -3), (3,), (1,)])
@pytest.mark.parametrize("keep", [True, False])
def test_mean(axes: tuple[int, ...], keep: bool, run_operator: RunOperator) -> None:
    image = random(1, 3, 4, 5)
    expected = image.mean(axis=axes, keepdims=keep)
    result = run_operator("MEAN", [image], [np.array(axes, np.int32)], expected.shape, {"keep_dims": keep})
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


RESHAPES = [
    ((1, 3, 4, 6), (1, 24, 3)),
    ((1, 3, 4, 6), (1, 6, 2, 6)),
    ((1, 1, 1, 6), (1, 6)),
    ((1, 3, 4, 1), (1, 12, 1)),
    ((1, 24), (1, 2, 3, 4)),
    ((1, 24, 1), (1, 4, 6, 1)),
]


@pytest.mark.parametrize(("source", "target"), RESHAPES)
def test_reshape_counts_channels_last(
    source: tuple[int, ...], target: tuple[int, ...], run_operator: RunOperator
) -> None:
    values = random(*source)
    np.testing.assert_array_equal(run_operator("RESHAPE", [values], [], target, {}), values.reshape(target))


@pytest.mark.parametrize("source", [(1, 12), (1, 2, 2, 3)])
def test_fully_connected(source: tuple[int, ...], run_operator: RunOperator) -> None:
    values, weights, bias = random(*source), random(4, 12), random(4)
    expected = activate(values.reshape(1, 12) @ weights.T + bias, RELU)
    result = run_operator("FULLY_CONNECTED", [values], [weights, bias], (1, 4), {"activation": RELU})
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


def test_missing_bias_is_none(run_operator: RunOperator) -> None:
    values, weights = random(1, 12), random(4, 12)
    result = run_operator("FULLY_CONNECTED", [values], [weights], (1, 4), {}, order=[0, 1, -1])
    np.testing.assert_allclose(result, values @ weights.T, rtol=1e-4, atol=1e-5)


SLICES = [
    # begin, end, step, begin mask, end mask, the same in numpy
    ([0, 0, 0, 2], [1, 6, 6, 5], [1, 1, 1, 1], 0, 0, np.s_[:, :, :, 2:5]),
    ([0, 1, 0, 0], [1, -1, 6, 8], [1, 2, 3, 1], 0, 0, np.s_[:, 1:-1:2, ::3, :]),
    ([0, 3, 0, 4], [0, 4, 0, 0], [1, 1, 1, 1], 0b0101, 0b1101, np.s_[:, 3:4, :, 4:]),
    ([0, 0, 0, 0], [1, 6, 6, 8], [1, 1, 1, 1], 0, 0, np.s_[:]),
]


@pytest.mark.parametrize(("begin", "end", "step", "begin_mask", "end_mask", "cut"), SLICES)
def test_strided_slice(
    begin: list[int],
    end: list[int],
    step: list[int],
    begin_mask: int,
    end_mask: int,
    cut: Any,
    run_operator: RunOperator,
) -> None:
    image = random(1, 6, 6, 8)
    masks = dict.fromkeys(("ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0)
    bounds = [np.array(part, dtype=np.int32) for part in (begin, end, step)]
    options = {"begin_mask": begin_mask, "end_mask": end_mask, **masks}
    np.testing.assert_array_equal(run_operator("STRIDED_SLICE", [image], bounds, image[cut].shape, options), image[cut])


REFUSED = [
    pytest.param("CONV_2D", [], {}, "input 1 must be a constant", id="computed weights"),
    pytest.param("DEQUANTIZE", [np.zeros(3, np.int8)], {}, "int8 have no scale", id="quantized weights"),
    pytest.param("Convolution2DTransposeBias", [random(1, 2, 2, 5)], {}, "options .* are missing", id="no options"),
]


@pytest.mark.parametrize(("kind", "constants", "options", "message"), REFUSED)
def test_refusals_name_model_operator_and_reason(
    kind: str, constants: list[npt.NDArray[Any]], options: dict[str, Any], message: str, run_operator: RunOperator
) -> None:
    order = [1, 0] if kind == "DEQUANTIZE" else [0, 1] if constants else [0, 0]
    with pytest.raises(ModelError, match=rf"toy: operator 0 \({kind}\): .*{message}"):
        run_operator(kind, [random(1, 3, 4, 5)], constants, (1, 3, 4, 5), options, order=order)
