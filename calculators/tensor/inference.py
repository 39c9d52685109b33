"""Runs a model."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output, Service
from graphflow.context import Binding
from graphflow.inference import InferenceSession, open_session

from ..payloads import Tensors
from .tensors import TensorsOrOne, tensor_list

SESSIONS = Service("graphflow.inference", create=lambda: open_session)
"""How nodes open models: a function with the arguments of `graphflow.inference.open_session`."""


class Inference(Calculator):
    """Runs a model on its input tensors, on ONNX Runtime.

    The outputs come as one list (TENSORS), or one by one: TENSOR connection i is output i of the model. Of the latter
    only those that are connected are computed; the parts of the network that nothing else needs do not run.

    Source: MediaPipe's InferenceCalculator.
    """

    services = (SESSIONS,)

    tensors = Input("TENSORS", TensorsOrOne, "float32, in the model's order; images [1, H, W, C]")
    all_outputs = Output("TENSORS", Tensors, "every output of the model, in its order; this or TENSOR", optional=True)
    output = Output("TENSOR", np.ndarray, "connection i is output i of the model", optional=True, repeated=True)

    model: str | None = Option(None, "name in the model store, or path of a .tflite or .onnx file")
    model_path: str | None = Option(None, "MediaPipe's way to name it: `.../NAME.tflite` is NAME of the store")
    threads: int = Option(1, "threads one run of the model may use")
    delegate: dict[str, Any] | None = Option(None, "accepted for MediaPipe's graphs; does nothing")

    _session: InferenceSession
    _positions: tuple[int, ...]

    def check(self, binding: Binding) -> Iterable[str]:
        if (self.all_outputs in binding.slots) == (self.output in binding.slots):
            yield "connect either TENSORS or TENSOR outputs"
        if (self.model is None) == (self.model_path is None):
            yield "set one of the options 'model' and 'model_path'"
        if self.threads < 1:
            yield f"option 'threads' must be at least 1, not {self.threads}"

    def open(self, context: Context) -> None:
        wanted = tuple(sorted(connection.index for connection in context.connections(self.output)))
        self._session = context.service(SESSIONS)(self._model(), wanted or None, self.threads)
        self._positions = tuple(self._session.output_indices.index(output) for output in wanted)

    def process(self, context: Context) -> None:
        tensors = context[self.tensors]
        if tensors is None:
            return
        outputs = self._session.run(tensor_list(tensors))
        context[self.all_outputs] = outputs
        for connection, position in enumerate(self._positions):
            context.emit(self.output, outputs[position], index=connection)

    def _model(self) -> str:
        if self.model is not None:
            return self.model
        path = Path(self.model_path or "")
        return str(path) if path.is_file() else path.stem
