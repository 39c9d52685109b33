"""Models of a few operators, built in code: what the reader would give for a file that holds them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from onnx_running import run_graph

from graphflow.inference.tflite import Operator, Tensor, TFLiteModel, import_tflite

FloatArray = npt.NDArray[np.float32]
RunOperator = Callable[..., FloatArray]


def one_operator(
    kind: str,
    inputs: Sequence[FloatArray],
    constants: Sequence[npt.NDArray[Any]],
    shape: tuple[int, ...],
    options: Mapping[str, Any],
    order: Sequence[int] | None = None,
    custom_options: bytes = b"",
) -> TFLiteModel:
    """A model of one operator whose arguments are `inputs` then `constants`, or their reordering by `order`."""
    arrays = [*inputs, *constants]
    tensors = [
        Tensor(i, f"t{i}", array.shape, array.dtype, None if i < len(inputs) else array)
        for i, array in enumerate(arrays)
    ]
    tensors.append(Tensor(len(arrays), "result", shape, np.dtype(np.float32)))
    arguments = tuple(order) if order is not None else tuple(range(len(arrays)))
    operator = Operator(0, kind, arguments, (len(arrays),), options, custom_options)
    return TFLiteModel("toy", tuple(tensors), (operator,), tuple(range(len(inputs))), (len(arrays),))


@pytest.fixture
def run_operator() -> RunOperator:
    """Import one operator, run it, and return its result in TFLite's layout; arguments as `one_operator`."""

    def run(
        kind: str,
        inputs: Sequence[FloatArray],
        constants: Sequence[npt.NDArray[Any]],
        shape: tuple[int, ...],
        options: Mapping[str, Any],
        order: Sequence[int] | None = None,
        custom_options: bytes = b"",
    ) -> FloatArray:
        model = one_operator(kind, inputs, constants, shape, options, order, custom_options)
        result = run_graph(import_tflite(model), inputs)[0]
        assert result.shape == shape
        return result

    return run
