"""TFLite model -> ONNX graph with TFLite's interface: inputs of TFLite's types, outputs in its order and shapes."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ModelError
from ..onnx_graph import OnnxGraph
from .builder import GraphBuilder
from .operators import CONVERTERS
from .reader import Operator, TFLiteModel


def import_tflite(model: TFLiteModel, outputs: Sequence[int] | None = None) -> OnnxGraph:
    """Return the ONNX graph that computes the chosen outputs of `model`, all of them by default.

    `outputs` are positions in the model's own list of outputs, in the order wanted; what only the others need is cut
    off and may hold operators this importer does not know. Inputs have the model's types; outputs are float32, a
    quantised one as the real numbers that it stands for, and int32 where the model gives positions or counts.
    Raises ModelError naming the model and all its unsupported operators, or an output that does not exist.
    """
    chosen = chosen_outputs(model, outputs)
    targets = [model.outputs[position] for position in chosen]
    operators = _needed(model, targets)
    _check_supported(model, operators)

    build = GraphBuilder(model)
    for position, index in enumerate(model.inputs):
        build.add_input(position, index)
    for operator in operators:
        try:
            CONVERTERS[operator.kind](build, operator)
        except (ValueError, IndexError, KeyError, TypeError, ZeroDivisionError) as error:
            # Only a damaged or foreign file pairs an operator with shapes or options it cannot have.
            build.fail(operator, f"its inputs and options do not fit together ({error})")
    for position, index in zip(chosen, targets, strict=True):
        shape = model.tensors[index].shape
        last = Operator(len(model.operators), "OUTPUT", (index,), ())
        result = build.as_tflite(build.value(last, 0), shape)
        build.add_output(position, index, result)
    return build.graph


def chosen_outputs(model: TFLiteModel, outputs: Sequence[int] | None) -> tuple[int, ...]:
    """Return the positions asked for, checked against the model; raises ModelError listing what exists."""
    count = len(model.outputs)
    chosen = tuple(range(count)) if outputs is None else tuple(outputs)
    if not chosen or len(set(chosen)) != len(chosen) or not all(0 <= position < count for position in chosen):
        shapes = ", ".join(f"{position}: {list(shape)}" for position, shape in enumerate(model.output_shapes))
        raise ModelError(f"{model.name}: outputs {list(chosen)} cannot be chosen; it has {count} ({shapes})")
    return chosen


def _needed(model: TFLiteModel, targets: Sequence[int]) -> list[Operator]:
    """Return the operators that the tensors `targets` depend on, in the file's order (which is executable)."""
    wanted = set(targets)
    kept: list[Operator] = []
    for operator in reversed(model.operators):
        if wanted.intersection(operator.outputs):
            kept.append(operator)
            wanted.update(operator.inputs)
    return kept[::-1]


def _check_supported(model: TFLiteModel, operators: Sequence[Operator]) -> None:
    unknown = [operator for operator in operators if operator.kind not in CONVERTERS]
    if unknown:
        kinds = sorted({operator.kind for operator in unknown})
        raise ModelError(
            f"{model.name}: cannot import {', '.join(kinds)} (first: {unknown[0]}); leave out the outputs that need "
            "them, or convert the model to ONNX with another tool and give the .onnx file"
        )
