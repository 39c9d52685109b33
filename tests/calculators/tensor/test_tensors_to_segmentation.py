"""TensorsToSegmentation: activations, sizes, and what it refuses."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.image.resize import resize_mask
from graphflow.calculators.tensor.tensors_to_segmentation import TensorsToSegmentation

from graphflow.testing import run_calculator

Floats = npt.NDArray[np.float32]

VALUES: Floats = np.random.default_rng(1).normal(0, 4, (1, 6, 8, 2)).astype(np.float32)


def decode(tensor: Any, size: tuple[int, int] | None = None, tag: str = "TENSORS", **options: Any) -> Any:
    fed: dict[str, Any] = {tag: [(0, tensor)]}
    if size is not None:
        fed["OUTPUT_SIZE"] = [(0, size)]
    ((timestamp, mask),) = run_calculator(TensorsToSegmentation, fed, options)["MASK"]
    assert timestamp == 0
    assert mask.dtype == np.float32
    return mask


def softmax(layer: int) -> Any:
    powers = np.exp(VALUES[0].astype(np.float64))
    return powers[..., layer] / powers.sum(axis=-1)


@pytest.mark.parametrize(
    ("options", "channels", "expected"),
    [
        ({}, 1, VALUES[0, :, :, 0]),
        ({"activation": "NONE"}, 1, VALUES[0, :, :, 0]),
        ({"activation": "SIGMOID"}, 1, 1 / (1 + np.exp(-VALUES[0, :, :, 0].astype(np.float64)))),
        ({"activation": "SOFTMAX"}, 2, softmax(1)),
        ({"activation": "SOFTMAX", "output_layer_index": 0}, 2, softmax(0)),
    ],
)
@pytest.mark.parametrize("batch", [True, False])
def test_activations(options: dict[str, Any], channels: int, expected: Any, batch: bool) -> None:
    tensor = VALUES[..., :channels]
    np.testing.assert_allclose(decode([tensor if batch else tensor[0]], **options), expected, atol=2e-7)


def test_the_first_tensor_counts_and_one_alone_will_do() -> None:
    tensor = VALUES[..., :1]
    expected = decode([tensor, VALUES])
    for value, tag in ((tensor, "TENSORS"), (tensor, "TENSOR")):
        np.testing.assert_array_equal(decode(value, tag=tag), expected)


def test_the_activation_comes_before_the_scaling() -> None:
    tensor = VALUES[..., :1]
    small = decode([tensor], activation="SIGMOID")
    np.testing.assert_array_equal(decode([tensor], (20, 10), activation="SIGMOID"), resize_mask(small, 20, 10))


def test_extreme_and_missing_numbers() -> None:
    tensor = np.array([1e30, -1e30, np.inf, -np.inf, np.nan], np.float32).reshape(1, 1, 5, 1)
    np.testing.assert_array_equal(decode([tensor], activation="SIGMOID"), [[1, 0, 1, 0, np.nan]])


def test_no_tensor_no_mask() -> None:
    found = run_calculator(TensorsToSegmentation, {"TENSORS": [], "OUTPUT_SIZE": [(0, (4, 4))]})
    assert found["MASK"] == []


@pytest.mark.parametrize(
    ("fed", "options", "message"),
    [
        ({"TENSORS": [(0, [])]}, {}, "empty list"),
        ({"TENSORS": [(0, [VALUES])]}, {}, r"NONE takes a tensor \[H, W, 1\]"),
        ({"TENSORS": [(0, [VALUES[..., :1]])]}, {"activation": "SOFTMAX"}, r"SOFTMAX takes a tensor \[H, W, 2\]"),
        ({"TENSORS": [(0, [VALUES[..., 0]])]}, {}, r"not \[1, 6, 8\]"),
        ({"TENSORS": [(0, [np.zeros((2, 3, 3, 1), np.float32)])]}, {}, r"not \[2, 3, 3, 1\]"),
        ({"TENSORS": [(0, [np.zeros((3, 3, 1))])]}, {}, "must be float32"),
        ({"TENSORS": [(0, [VALUES[..., :1]])], "OUTPUT_SIZE": []}, {}, "no OUTPUT_SIZE at timestamp 0"),
        ({"TENSORS": [(0, [VALUES])], "TENSOR": [(0, VALUES)]}, {}, "connect one of TENSORS and TENSOR"),
        ({"TENSORS": [(0, [VALUES])]}, {"output_layer_index": 2}, "output_layer_index"),
    ],
)
def test_what_it_refuses(fed: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_calculator(TensorsToSegmentation, fed, options)
