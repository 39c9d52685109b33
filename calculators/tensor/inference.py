"""Runs a model."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from graphflow import (
    RESOURCES,
    Calculator,
    Context,
    Input,
    Option,
    OptionError,
    Output,
    Resources,
    Service,
    SideInput,
)
from graphflow.context import Binding
from graphflow.inference import InferenceSession, model_mistake, open_session, provider_mistake

from ..payloads import Tensors
from .model_loading import Model, OpResolver
from .tensors import TensorsOrOne, tensor_list

SESSIONS = Service("graphflow.inference", create=lambda: open_session)
"""How nodes open models: a function with the arguments of `graphflow.inference.open_session`.

For all models of a graph: `graph.set_service(SESSIONS, functools.partial(open_session, providers=("cuda",)))`.
"""


class Inference(Calculator):
    """Runs a model on its input tensors, on ONNX Runtime.

    The outputs come as one list (TENSORS), or one by one: TENSOR connection i is output i of the model. Of the latter
    only those that are connected are computed; the parts of the network that nothing else needs do not run.

    Source: MediaPipe's InferenceCalculator.
    """

    services = (SESSIONS, RESOURCES)

    model_packet = SideInput("MODEL", Model, "the model, in place of the options", optional=True)
    op_resolver = SideInput("OP_RESOLVER", OpResolver, "accepted for MediaPipe's graphs; does nothing", optional=True)
    tensors = Input("TENSORS", TensorsOrOne, "float32, in the model's order; images [1, H, W, C]")
    all_outputs = Output("TENSORS", Tensors, "every output of the model, in its order; this or TENSOR", optional=True)
    output = Output("TENSOR", np.ndarray, "connection i is output i of the model", optional=True, repeated=True)

    model: str | None = Option(None, "name in the model store, or path of a .tflite or .onnx file")
    model_path: str | None = Option(
        None, "MediaPipe's way to name it: a file, found as `ResourceProvider` does, else `…/NAME.tflite` of the store"
    )
    threads: int = Option(1, "threads one run of the model may use")
    providers: list[str] = Option(
        [], "what runs it, in order of preference: cpu, cuda, openvino, coreml, directml; default cpu"
    )
    precision: Literal["float32", "reduced"] = Option(
        "float32", "reduced: a provider may compute in fewer bits, for speed; the cpu never does"
    )
    delegate: dict[str, Any] | None = Option(None, "accepted for MediaPipe's graphs; does nothing")

    _session: InferenceSession
    _positions: tuple[int, ...]

    def check(self, binding: Binding) -> Iterable[str | OptionError]:
        if (self.all_outputs in binding.slots) == (self.output in binding.slots):
            yield "connect either TENSORS or TENSOR outputs"
        named = (self.model is not None, self.model_path is not None, self.model_packet in binding.slots)
        if sum(named) != 1:
            yield "set one of the options 'model' and 'model_path', or connect the side input MODEL"
        if self.threads < 1:
            yield f"option 'threads' must be at least 1, not {self.threads}"
        mistake = model_mistake(self.model) if self.model is not None else ""
        if mistake:
            yield OptionError("model", mistake)
        mistake = provider_mistake(self.providers)
        if mistake:
            yield OptionError("providers", mistake)

    def open(self, context: Context) -> None:
        wanted = self.wanted_outputs(context)
        chosen: dict[str, Any] = {}  # what is not set here is left to the service
        if self.providers:
            chosen["providers"] = tuple(self.providers)
        if self.precision != "float32":
            chosen["precision"] = self.precision
        self._session = context.service(SESSIONS)(self._model(context), wanted or None, self.threads, **chosen)
        listed = sorted(connection.index for connection in context.connections(self.output))
        self._positions = tuple(self._session.output_indices.index(output) for output in listed)

    def wanted_outputs(self, context: Context) -> tuple[int, ...]:
        """The outputs that the model has to compute, by position, rising; none means all."""
        return tuple(sorted(connection.index for connection in context.connections(self.output)))

    def process(self, context: Context) -> None:
        tensors = context[self.tensors]
        if tensors is None:
            return
        outputs = self._session.run(tensor_list(tensors))
        context[self.all_outputs] = outputs
        for connection, position in enumerate(self._positions):
            context.emit(self.output, outputs[position], index=connection)

    def _model(self, context: Context) -> str:
        if context.is_connected(self.model_packet):
            packet: Model = context[self.model_packet]
            return packet.source
        if self.model is not None:
            return self.model
        resources: Resources = context.service(RESOURCES)
        path = resources.find_if_any(self.model_path or "")
        return str(path) if path else Path(self.model_path or "").stem


class TfLiteInference(Inference):
    """`Inference` under the name and with the ports of MediaPipe's older node.

    Source: MediaPipe TfLiteInferenceCalculator.
    """

    custom_op_resolver = SideInput(
        "CUSTOM_OP_RESOLVER", OpResolver, "accepted for MediaPipe's graphs; does nothing", optional=True
    )

    use_gpu: bool = Option(False, "accepted for MediaPipe's graphs; does nothing")
    use_nnapi: bool = Option(False, "accepted for MediaPipe's graphs; does nothing")
    try_mmap_model: bool = Option(False, "accepted for MediaPipe's graphs; does nothing")
    cpu_num_thread: int = Option(-1, "accepted for MediaPipe's graphs; see 'threads'")
