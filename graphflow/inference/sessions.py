"""Sessions, one for each model and use in the process, shared by all graphs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import ModelError
from .catalog import ModelCard
from .prepared import COMPILED_SUFFIX, PreparedModels
from .providers import Precision, default_providers, is_cpu_only, may_compile
from .store import ModelStore

_log = logging.getLogger("graphflow.inference")

_CPU = ("cpu",)

_Key = tuple[str, str, tuple[int, ...] | None, int, tuple[str, ...], Precision]

_lock = threading.Lock()
_sessions: dict[_Key, Future[InferenceSession]] = {}


class Engine(Protocol):
    """What runs a model: shapes as TFLite has them, images NHWC, and a run that many threads may ask for at once."""

    input_shapes: tuple[tuple[int, ...], ...]
    input_types: tuple[np.dtype[Any], ...]
    output_shapes: tuple[tuple[int, ...], ...]
    output_indices: tuple[int, ...]

    def run(self, inputs: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[np.float32]]: ...


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
        """Load an ONNX file, or what was compiled for this processor (on one thread, whatever else is asked for).

        A `prepared` ONNX file is taken as it is; what any other is optimised to goes to the file `keep_optimized`.
        Raises ModelError where the file is damaged, or a provider is missing or does not start.
        """
        self.path = path
        self._engine: Engine
        if path.suffix == COMPILED_SUFFIX:
            self._engine = _compiled(path)
        else:
            # here, since graphs are checked and described without it, and many run without it
            from .onnx_runtime import OnnxRuntimeEngine

            self._engine = OnnxRuntimeEngine(
                path, threads, providers, precision, prepared=prepared, keep_optimized=keep_optimized
            )
        self.input_shapes = self._engine.input_shapes
        self.input_types = self._engine.input_types
        self.output_shapes = self._engine.output_shapes
        self.output_indices = self._engine.output_indices

    def run(self, inputs: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[np.float32]]:
        """Return the outputs in the order of `output_indices` for inputs in the model's order.

        An input of a narrower type than the model's (bytes of an image, where it takes float32 or int32) is widened.
        Raises ValueError where number, type or shape of the inputs are not the model's.
        """
        if len(inputs) != len(self.input_shapes):
            raise ValueError(f"{self.path.name} takes {len(self.input_shapes)} inputs, got {len(inputs)}")
        given = []
        for position, (array, shape, dtype) in enumerate(zip(inputs, self.input_shapes, self.input_types, strict=True)):
            if not np.can_cast(array.dtype, dtype) or not _fits(array.shape, shape):
                raise ValueError(
                    f"input {position} of {self.path.name} is {dtype} {list(shape)}, "
                    f"got {array.dtype} {list(array.shape)}"
                )
            given.append(array.astype(dtype, copy=False))
        return self._engine.run(given)


def _compiled(path: Path) -> Engine:
    from .compiler import CompiledNetwork, Program

    try:
        return CompiledNetwork(Program.read(path))
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path}: cannot be loaded ({error}); is the file whole?") from error


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
    speed. On the CPU the first session for a model on a machine takes seconds longer: the model is prepared for it, and
    on one thread compiled, unless ONNX Runtime's CPU provider is asked for by its own name, CPUExecutionProvider.
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
        compiled = threads == 1 and may_compile(providers)
        prepared = models.find(model, outputs, compiled) or models.prepare(model, outputs, _open_to_prepare, compiled)
        if prepared is not None:
            try:
                return InferenceSession(prepared, threads, providers, precision, prepared=True)
            except ModelError as error:
                _log.warning("%s; loading the model as imported", error)
    return InferenceSession(store.onnx(model, outputs, for_cpu=on_cpu), threads, providers, precision)


def _open_to_prepare(path: Path, keep_optimized: Path | None) -> InferenceSession:
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


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == len(wanted) and all(goal in (-1, size) for size, goal in zip(shape, wanted, strict=True))
