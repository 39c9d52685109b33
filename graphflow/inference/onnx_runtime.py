"""ONNX Runtime as the engine of a session."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from ..errors import ModelError
from .integer_products import computes_on_integers, products_overflow
from .providers import Precision, check_in_use, provider_setups, set_up_session
from .store import OUTPUTS_KEY, PLANES_SUFFIX

_ERRORS_ONLY = 3


class OnnxRuntimeEngine:
    """A model that ONNX Runtime runs; see `InferenceSession` for what the arguments and attributes are."""

    def __init__(
        self,
        path: Path,
        threads: int,
        providers: Sequence[str],
        precision: Precision,
        *,
        prepared: bool,
        keep_optimized: Path | None,
    ) -> None:
        setups = provider_setups(providers, ort.get_available_providers(), threads, precision)
        options = _options(threads)
        set_up_session(options, setups)
        if prepared:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        if keep_optimized is not None:
            options.optimized_model_filepath = str(keep_optimized)
        try:
            if computes_on_integers(path) and products_overflow():
                # slower by half, and right
                options.add_session_config_entry("session.x64quantprecision", "1")
            self._session = ort.InferenceSession(str(path), options, providers=setups)
        except Exception as error:  # ONNX Runtime raises a family of unrelated types
            raise ModelError(f"{path}: ONNX Runtime cannot load it ({error}); is the file whole?") from error
        check_in_use(setups, self._session.get_providers())
        self._names = [value.name for value in self._session.get_inputs()]
        self._planes = tuple(name.endswith(PLANES_SUFFIX) for name in self._names)
        self.input_shapes = tuple(
            _shape(value.shape, planes) for value, planes in zip(self._session.get_inputs(), self._planes, strict=True)
        )
        self.input_types = tuple(_element_type(value.type) for value in self._session.get_inputs())
        self.output_shapes = tuple(_shape(value.shape) for value in self._session.get_outputs())
        listed = self._session.get_modelmeta().custom_metadata_map.get(OUTPUTS_KEY, "all")
        self.output_indices = (
            tuple(range(len(self.output_shapes))) if listed == "all" else tuple(map(int, listed.split(",")))
        )

    def run(self, inputs: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[np.float32]]:
        """Return the outputs for inputs of the model's types and shapes."""
        feed = {
            # a view; no copy either where the array lies in memory plane by plane, as ImageToTensor's do
            name: array.transpose(0, 3, 1, 2) if planes else array
            for name, array, planes in zip(self._names, inputs, self._planes, strict=True)
        }
        outputs: list[npt.NDArray[np.float32]] = self._session.run(None, feed)
        return outputs


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.log_severity_level = _ERRORS_ONLY
    # Threads that spin for work take the cores from the models that run beside this one.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options


def _element_type(name: str) -> np.dtype[Any]:
    """Return the NumPy type of what ONNX Runtime calls `tensor(float)`, `tensor(uint8)`, …"""
    element = name.removeprefix("tensor(").removesuffix(")")
    return np.dtype({"float": "float32", "double": "float64"}.get(element, element))


def _shape(shape: Sequence[int | str | None], planes: bool = False) -> tuple[int, ...]:
    sizes = tuple(size if isinstance(size, int) else -1 for size in shape)
    return (sizes[0], *sizes[2:], sizes[1]) if planes else sizes
