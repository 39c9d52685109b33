"""Importer of TFLite models: our own path from a `.tflite` file to an ONNX graph."""

from .importer import chosen_outputs, import_tflite
from .reader import Operator, Tensor, TFLiteModel, read_tflite

__all__ = [
    "Operator",
    "TFLiteModel",
    "Tensor",
    "chosen_outputs",
    "import_tflite",
    "read_tflite",
]
