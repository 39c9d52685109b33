"""Models prepared for this machine: the variant that measures fastest, in the form ONNX Runtime optimised it to.

What ONNX Runtime makes of a graph depends on the processor and on its own version, so both are part of the key.
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
from typing import TYPE_CHECKING

import numpy as np

from .cache_files import sha256_of, written_aside
from .machine import processor
from .store import ModelSource, ModelStore

if TYPE_CHECKING:
    from .sessions import InferenceSession

_log = logging.getLogger("graphflow.inference")

# Part of the key: raise it with every change to how models are measured or prepared.
_VERSION = 2

_ROUNDS = 7
# What another variant may take of the usual one's time to be chosen: measurements vary.
_CLEARLY_FASTER = 0.9

Opener = Callable[[Path, Path], "InferenceSession"]
"""Opens an ONNX file on one thread of the CPU, and writes what ONNX Runtime optimised it to."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """How a model was prepared: for which `outputs`, the `variant` chosen, and what a run of each variant takes."""

    outputs: str
    variant: str
    milliseconds: Mapping[str, float]
    processor: str
    onnxruntime: str


class PreparedModels:
    """The prepared models in a store's cache: imports of TFLite files, for ONNX Runtime's CPU provider.

    A model comes in two variants that compute the same: *rewritten* for the CPU provider (see
    `graphflow.inference.rewrite`), and *plain*, which may be faster on processors the rewrites were not made for.
    """

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._folder = store.cache_dir / "prepared"

    def find(self, source: ModelSource, outputs: Sequence[int] | None) -> Path | None:
        """Return the intact file of a model prepared on such a machine before, None where there is none.

        Raises ModelError as `ModelStore.path` does.
        """
        for path in sorted(self._folder.glob(f"{self._stem(source, outputs)}-*.onnx")):
            if sha256_of(path)[:16] == path.stem[-16:]:
                return path
            _log.warning("%s is damaged; preparing the model again", path)
        return None

    def prepare(self, source: ModelSource, outputs: Sequence[int] | None, open_model: Opener) -> Path | None:
        """Measure the variants of a model and keep the faster one as optimised; None where the cache takes no files.

        Raises ModelError as `ModelStore.onnx` and `open_model` do.
        """
        variants = {"rewritten": True, "plain": False}
        files = {name: self._store.onnx(source, outputs, for_cpu=for_cpu) for name, for_cpu in variants.items()}
        with contextlib.ExitStack() as stack:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                made = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".making-", dir=self._folder)))
            except OSError as error:
                _log.warning("models cannot be prepared in %s: %s", self._folder, error)
                return None
            sessions = {name: open_model(file, made / f"{name}.onnx") for name, file in files.items()}
            milliseconds = _measured(sessions)
            usual, other = milliseconds.values()
            variant = "plain" if other < usual * _CLEARLY_FASTER else "rewritten"
            try:
                return self._keep(source, outputs, (made / f"{variant}.onnx").read_bytes(), variant, milliseconds)
            except OSError as error:
                _log.warning("the prepared model cannot be kept in %s: %s", self._folder, error)
                return None

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
            if path.stem == self._stem(source, outputs):
                found.append(preparation)
        return tuple(found)

    def _stem(self, source: ModelSource, outputs: Sequence[int] | None) -> str:
        import onnxruntime as ort

        imported = self._store.import_stem(source, outputs)
        key = hashlib.sha256(f"{imported} {processor()} {ort.__version__} {_VERSION}".encode()).hexdigest()[:16]
        return f"{self._store.stem(source)}-{key}"

    def _keep(
        self,
        source: ModelSource,
        outputs: Sequence[int] | None,
        data: bytes,
        variant: str,
        milliseconds: Mapping[str, float],
    ) -> Path:
        import onnxruntime as ort

        stem = self._stem(source, outputs)
        wanted = "all" if outputs is None else ",".join(map(str, outputs))
        rounded = {name: round(value, 3) for name, value in milliseconds.items()}
        preparation = Preparation(wanted, variant, rounded, processor(), ort.__version__)
        with written_aside(self._folder / f"{stem}.json") as file:
            file.write(json.dumps(asdict(preparation)).encode())
        target = self._folder / f"{stem}-{hashlib.sha256(data).hexdigest()[:16]}.onnx"
        with written_aside(target) as file:
            file.write(data)
        return target


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
