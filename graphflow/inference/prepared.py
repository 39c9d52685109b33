"""Models prepared for this machine: the variant that measures fastest, compiled or as ONNX Runtime optimised it.

What becomes of a graph depends on the processor and on ONNX Runtime's version, so both are part of the key.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from .cache_files import sha256_of, written_aside
from .machine import onnxruntime_version, processor
from .store import ModelSource, ModelStore

if TYPE_CHECKING:
    from .sessions import InferenceSession

_log = logging.getLogger("graphflow.inference")

# Part of the key: raise it with every change to how models are measured or prepared.
_VERSION = 6

COMPILED_SUFFIX: Final = ".compiled"
"""How the names of files with machine code end."""

_ROUNDS = 7
# In the order in which they are preferred, and what another one may take of the time of each to be chosen in its place.
# Measurements vary; and compiled models answer as TFLite's do, to the last bit.
_VARIANTS = {"compiled": 0.67, "rewritten": 0.9, "plain": 0.0}

Opener = Callable[[Path, Path | None], "InferenceSession"]
"""Opens a file on one thread of the CPU, and writes what ONNX Runtime optimised an ONNX file to."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """How a model was prepared: for which `outputs`, the `variant` chosen, and what a run of each variant takes."""

    outputs: str
    variant: str
    milliseconds: Mapping[str, float]
    processor: str
    onnxruntime: str


class PreparedModels:
    """The prepared models in a store's cache: imports of TFLite files, for this processor.

    A model comes in three variants that compute the same: *compiled* to machine code (see
    `graphflow.inference.compiler`), where there are kernels for all of it, and for ONNX Runtime's CPU provider
    *rewritten* (see `graphflow.inference.rewrite`) and *plain*, which may be faster on processors the rewrites were not
    made for. Compiled code runs on one thread; who needs more finds and prepares with `compiled` false.
    """

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._folder = store.cache_dir / "prepared"

    def find(self, source: ModelSource, outputs: Sequence[int] | None, compiled: bool = True) -> Path | None:
        """Return the intact file of a model prepared on such a machine before, None where there is none.

        Raises ModelError as `ModelStore.path` does.
        """
        for path in sorted(self._folder.glob(f"{self._stem(source, outputs, compiled)}-*")):
            if sha256_of(path)[:16] == path.stem[-16:]:
                return path
            _log.warning("%s is damaged; preparing the model again", path)
        return None

    def prepare(
        self, source: ModelSource, outputs: Sequence[int] | None, open_model: Opener, compiled: bool = True
    ) -> Path | None:
        """Measure the variants of a model and keep the fastest; None where the cache takes no files.

        Raises ModelError as `ModelStore.onnx` and `open_model` do.
        """
        _log.info("preparing model %s for this processor: some seconds, once", self._store.stem(source))
        variants = {"rewritten": True, "plain": False}
        files = {name: self._store.onnx(source, outputs, for_cpu=for_cpu) for name, for_cpu in variants.items()}
        with contextlib.ExitStack() as stack:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                made = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".making-", dir=self._folder)))
            except OSError as error:
                _log.warning("models cannot be prepared in %s: %s", self._folder, error)
                return None
            results = {name: made / f"{name}.onnx" for name in files}
            sessions = {name: open_model(file, results[name]) for name, file in files.items()}
            try:
                program = self._compile(source, outputs, made) if compiled else None
            except OSError as error:
                _log.warning("models cannot be compiled in %s: %s", self._folder, error)
                program = None
            if program is not None:
                results["compiled"] = program
                sessions["compiled"] = open_model(program, None)
            milliseconds = _measured(sessions)
            variant = _chosen(milliseconds)
            try:
                return self._keep(source, outputs, results[variant], variant, milliseconds, compiled)
            except OSError as error:
                _log.warning("the prepared model cannot be kept in %s: %s", self._folder, error)
                return None

    def _compile(self, source: ModelSource, outputs: Sequence[int] | None, folder: Path) -> Path | None:
        """Compile a model into a file in a folder; None where there are no kernels for it."""
        from .compiler.compilation import compile_graph
        from .compiler.lowering import UnsupportedNetworkError

        try:
            program = compile_graph(*self._store.graph_to_compile(source, outputs))
        except UnsupportedNetworkError as reason:
            _log.debug("%s is left to ONNX Runtime: %s", source, reason)
            return None
        path = folder / f"program{COMPILED_SUFFIX}"
        with path.open("wb") as file:
            program.write(file)
        return path

    def preparations(self, source: ModelSource) -> tuple[Preparation, ...]:
        """Return how a model was prepared on such a machine, for each choice of outputs so far; empty before."""
        found = []
        for path in sorted(self._folder.glob(f"{self._store.stem(source)}-*.json")):
            try:
                preparation = Preparation(**json.loads(path.read_text()))
                listed = preparation.outputs
                outputs = None if listed == "all" else [int(output) for output in listed.split(",")]
            except (OSError, ValueError, TypeError, AttributeError):
                continue  # half a file, or one of another version
            # any other was made of another file, elsewhere, or by another version
            if path.stem in (self._stem(source, outputs, compiled) for compiled in (True, False)):
                found.append(preparation)
        return tuple(found)

    def _stem(self, source: ModelSource, outputs: Sequence[int] | None, compiled: bool) -> str:
        imported = self._store.import_stem(source, outputs)
        identity = f"{imported} {processor()} {onnxruntime_version()} {_VERSION} {compiled}"
        key = hashlib.sha256(identity.encode()).hexdigest()[:16]
        return f"{self._store.stem(source)}-{key}"

    def _keep(
        self,
        source: ModelSource,
        outputs: Sequence[int] | None,
        made: Path,
        variant: str,
        milliseconds: Mapping[str, float],
        compiled: bool,
    ) -> Path:
        stem, data = self._stem(source, outputs, compiled), made.read_bytes()
        wanted = "all" if outputs is None else ",".join(map(str, outputs))
        rounded = {name: round(value, 3) for name, value in milliseconds.items()}
        preparation = Preparation(wanted, variant, rounded, processor(), onnxruntime_version())
        with written_aside(self._folder / f"{stem}.json") as file:
            file.write(json.dumps(asdict(preparation)).encode())
        target = self._folder / f"{stem}-{hashlib.sha256(data).hexdigest()[:16]}{made.suffix}"
        with written_aside(target) as file:
            file.write(data)
        return target


def _chosen(milliseconds: Mapping[str, float]) -> str:
    """Return the variant to keep: one that is preferred, unless another is clearly faster."""
    chosen, *others = (name for name in _VARIANTS if name in milliseconds)
    for other in others:
        if milliseconds[other] < milliseconds[chosen] * _VARIANTS[chosen]:
            chosen = other
    return chosen


def _measured(sessions: Mapping[str, InferenceSession]) -> dict[str, float]:
    """Return what one run of each takes of this thread's time, in milliseconds: the least of several, taken in turn."""
    rng = np.random.default_rng(0)
    first = next(iter(sessions.values()))
    inputs = [
        rng.random([max(size, 1) for size in shape]).astype(dtype)
        for shape, dtype in zip(first.input_shapes, first.input_types, strict=True)
    ]
    least = dict.fromkeys(sessions, float("inf"))
    for _ in range(_ROUNDS):
        for name, session in sessions.items():
            start = time.thread_time()
            session.run(inputs)
            least[name] = min(least[name], (time.thread_time() - start) * 1e3)
    return least
