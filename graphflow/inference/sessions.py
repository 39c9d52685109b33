"""ONNX Runtime sessions, one for each model and use in the process, shared by all graphs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import ModelError
from .catalog import ModelCard
from .integer_products import computes_on_integers, products_overflow
from .prepared import PreparedModels
from .providers import Precision, check_in_use, default_providers, is_cpu_only, provider_setups, set_up_session
from .store import OUTPUTS_KEY, PLANES_SUFFIX, ModelStore

if TYPE_CHECKING:
    import onnxruntime as ort

_log = logging.getLogger("graphflow.inference")

_CPU = ("cpu",)
_ERRORS_ONLY = 3

_Key = tuple[str, str, tuple[int, ...] | None, int, tuple[str, ...], Precision]

_lock = threading.Lock()
_sessions: dict[_Key, Future[InferenceSession]] = {}


class InferenceSession:
    """A loaded model; `run` may be called from many threads at once and does not hold the interpreter's lock.

    `output_indices` says which of the model's outputs, by position, it computes; `input_shapes` and `output_shapes`
    (of those) are as TFLite has them, images NHWC, -1 where a size is free. `input_types` are the element types.
    """

    def __init__(
        self,
        path: Path,
        threads: int = 1,
        providers: Sequence[str] = _CPU,
        precision: Precision = "float32",
        *,
        prepared: bool = False,
        keep_optimized: Path | None = None,
    ) -> None:
        """Load an ONNX file; raises ModelError where it is damaged, or a provider is missing or does not start.

        A `prepared` file is taken as it is; what any other is optimised to goes to the file `keep_optimized`.
        """
        import onnxruntime as ort  # here, since graphs are checked and described without it

        setups = provider_setups(providers, ort.get_available_providers(), threads, precision)
        self.path = path
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
        """Return the outputs in the order of `output_indices` for inputs in the model's order.

        An input of a narrower type than the model's (bytes of an image, where it takes float32 or int32) is widened.
        Raises ValueError where number, type or shape of the inputs are not the model's.
        """
        if len(inputs) != len(self._names):
            raise ValueError(f"{self.path.name} takes {len(self._names)} inputs, got {len(inputs)}")
        feed = {}
        for position, (array, shape, dtype) in enumerate(zip(inputs, self.input_shapes, self.input_types, strict=True)):
            if not np.can_cast(array.dtype, dtype) or not _fits(array.shape, shape):
                raise ValueError(
                    f"input {position} of {self.path.name} is {dtype} {list(shape)}, "
                    f"got {array.dtype} {list(array.shape)}"
                )
            array = array.astype(dtype, copy=False)
            # a view; no copy either where the array lies in memory plane by plane, as ImageToTensor's do
            feed[self._names[position]] = array.transpose(0, 3, 1, 2) if self._planes[position] else array
        outputs: list[npt.NDArray[np.float32]] = self._session.run(None, feed)
        return outputs


def open_session(
    model: str | Path | ModelCard,
    outputs: tuple[int, ...] | None = None,
    threads: int = 1,
    providers: tuple[str, ...] = (),
    store: ModelStore | None = None,
    precision: Precision = "float32",
) -> InferenceSession:
    """Return the process's session for these arguments, created on first call (fetching and importing if need be).

    Different sessions are created in parallel; callers that ask for the same one meanwhile wait for it.
    `threads` is what one run may use: 1 suits graphs that run several models side by side. `providers` are names of
    `graphflow.inference.PROVIDERS`, or ONNX Runtime's, in order of preference; by default what the environment
    variable GRAPHFLOW_PROVIDERS lists, else the CPU. `precision` other than float32 allows a provider to trade it for
    speed. On the CPU the first session for a model on a machine takes longer: the model is prepared for it.
    Raises ModelError as `ModelStore.onnx` and `InferenceSession` do; a failed creation is tried again at the next call.
    """
    store = store or ModelStore()
    providers = providers or default_providers()
    key = (str(store.cache_dir), _identity(model, store), outputs, threads, providers, precision)
    with _lock:
        known = _sessions.get(key)
        mine: Future[InferenceSession] = known or Future()
        _sessions[key] = mine
    if known is None:
        try:
            mine.set_result(_created(model, outputs, threads, providers, precision, store))
        except BaseException as error:
            with _lock:
                del _sessions[key]
            mine.set_exception(error)
    return mine.result()


def _created(
    model: str | Path | ModelCard,
    outputs: tuple[int, ...] | None,
    threads: int,
    providers: tuple[str, ...],
    precision: Precision,
    store: ModelStore,
) -> InferenceSession:
    on_cpu = is_cpu_only(providers)
    if on_cpu and store.path(model).suffix == ".tflite":
        models = PreparedModels(store)
        prepared = models.find(model, outputs) or models.prepare(model, outputs, _open_to_prepare)
        if prepared is not None:
            try:
                return InferenceSession(prepared, threads, providers, precision, prepared=True)
            except ModelError as error:
                _log.warning("%s; loading the model as imported", error)
    return InferenceSession(store.onnx(model, outputs, for_cpu=on_cpu), threads, providers, precision)


def _open_to_prepare(path: Path, keep_optimized: Path) -> InferenceSession:
    return InferenceSession(path, keep_optimized=keep_optimized)


def close_sessions() -> None:
    """Forget all shared sessions; those still held by a graph live on until it lets go."""
    with _lock:
        _sessions.clear()


def _identity(model: str | Path | ModelCard, store: ModelStore) -> str:
    """Return what tells models apart: a file that changed on disk is another model."""
    if isinstance(model, ModelCard):
        return model.sha256
    if isinstance(model, str) and model in store.names():
        return model
    path = store.path(model)
    status = path.stat()
    return f"{path} {status.st_mtime_ns} {status.st_size}"


def _options(threads: int) -> ort.SessionOptions:
    import onnxruntime as ort

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


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == len(wanted) and all(goal in (-1, size) for size, goal in zip(shape, wanted, strict=True))
