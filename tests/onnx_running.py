"""What tests of ONNX graphs share: running one."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from graphflow.inference.onnx_graph import OnnxGraph

FloatArray = npt.NDArray[np.float32]


def run_graph(graph: OnnxGraph, inputs: Sequence[FloatArray]) -> list[FloatArray]:
    """The outputs of `graph` for `inputs`, on the CPU provider."""
    session = ort.InferenceSession(graph.to_model().SerializeToString(), providers=["CPUExecutionProvider"])
    outputs: list[FloatArray] = session.run(None, dict(zip(graph.inputs, inputs, strict=True)))
    return outputs
