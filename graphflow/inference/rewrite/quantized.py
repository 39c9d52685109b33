"""Rewrites of quantised graphs: work on 256 values whose result is known before the run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..onnx_graph import Node, OnnxGraph

_Array = npt.NDArray[Any]
_LEVELS = np.arange(256, dtype=np.uint8)
# In levels: how far float32 may put a result that lies halfway.
_HALFWAY = 1e-3


def is_quantized(graph: OnnxGraph) -> bool:
    """Whether parts of the graph compute on integers."""
    return any(node.op == "QuantizeLinear" for node in graph.nodes)


def fold_shifts(graph: OnnxGraph) -> int:
    """Replace chains from uint8 to uint8 that only add a constant; returns how many vanished.

    A network that brings its image to -1..1 by itself does so in several steps, each over the whole image. Where the
    integers at the end are those at the beginning moved by a constant, with those that leave 0..255 held at the end,
    the same is said by holding the first and moving the zero point of who reads them. A result halfway between two
    levels goes to either, as it does among TFLite's kernels.
    """
    folded = 0
    for last in [node for node in graph.nodes if node.op == "QuantizeLinear"]:
        chain = _chain_to(graph, last)
        if chain is None:
            continue
        origin, results = chain
        shift = _shift_of(results)
        readers = graph.consumers().get(last.outputs[0], [])
        if shift is None or last.outputs[0] in graph.outputs or not _may_move(graph, readers, shift):
            continue
        _hold(graph, last, origin, shift)
        for node in readers:
            zero_point = int(graph.constants[node.inputs[2]]) - shift
            node.inputs[2] = graph.constant(np.array(zero_point, dtype=np.uint8), "zero_point")
        folded += 1
    graph.prune()
    return folded


def _chain_to(graph: OnnxGraph, last: Node) -> tuple[str, _Array] | None:
    """Return the farthest uint8 value on which `last` alone depends, and its result before rounding, level by level."""
    producers, types = graph.producers(), graph.element_types()
    steps: list[tuple[Node, int]] = []
    found: tuple[str, int] | None = None
    name = last.outputs[0]
    while name in producers and producers[name].op in _STEPS:
        node = producers[name]
        varying = [place for place, value in enumerate(node.inputs) if _uniform(graph, producers, value) is None]
        if len(varying) != 1:
            break
        steps.append((node, varying[0]))
        name = node.inputs[varying[0]]
        if types.get(name) == np.uint8:
            found = name, len(steps)
    if found is None or found[1] < 3:
        # what remains of a chain that is one step already: between QuantizeLinear and DequantizeLinear
        return None
    values: _Array = _LEVELS
    for node, place in reversed(steps[1 : found[1]]):
        arguments = [_uniform(graph, producers, value) for value in node.inputs]
        arguments[place] = values
        values = _STEPS[node.op](*arguments)
    scale, zero_point = (_uniform(graph, producers, value) for value in last.inputs[1:3])
    if scale is None or zero_point is None:
        return None
    return found[0], values / np.float64(scale) + int(zero_point)


def _uniform(graph: OnnxGraph, producers: Mapping[str, Node], name: str) -> _Array | None:
    """Return the one number that all elements of a value are, where that is known."""
    if name in graph.constants:
        constant = graph.constants[name]
        same = constant.size > 0 and bool((constant == constant.reshape(-1)[0]).all())
        return np.asarray(constant.reshape(-1)[0]) if same else None
    node = producers.get(name)
    if node is None or node.op != "DequantizeLinear":
        return None
    arguments = [_uniform(graph, producers, value) for value in node.inputs]
    return None if any(value is None for value in arguments) else _dequantize(*arguments)


def _shift_of(results: _Array) -> int | None:
    """Return k where each of 256 results is its level + k within half a level, or is held at an end of 0..255."""
    levels, results = np.arange(256), np.clip(results, 0, 255)
    middle = float(results[128]) - 128
    for shift in (math.floor(middle), math.ceil(middle)):
        if np.abs(np.clip(levels + shift, 0, 255) - results).max() <= 0.5 + _HALFWAY:
            return shift
    return None


def _may_move(graph: OnnxGraph, readers: list[Node], shift: int) -> bool:
    return bool(readers) and all(
        node.op == "DequantizeLinear" and 0 <= int(graph.constants[node.inputs[2]]) - shift <= 255 for node in readers
    )


def _hold(graph: OnnxGraph, last: Node, origin: str, shift: int) -> None:
    """Put in the place of `last` the levels of `origin`, those held that it moves out of 0..255."""
    if shift == 0:
        graph.replace_value(last.outputs[0], origin)
        return
    lowest, highest = max(0, -shift), min(255, 255 - shift)
    limits = [graph.constant(np.array(limit, dtype=np.uint8), "limit") for limit in (lowest, highest)]
    # Clip, since not every ONNX Runtime has Max and Min of bytes
    held = graph.new_node("Clip", [origin, *limits], graph.shapes[origin], f"{origin}_held")
    graph.nodes[graph.nodes.index(last)] = held
    graph.replace_value(last.outputs[0], held.outputs[0])


def _quantize(values: Any, scale: Any, zero_point: Any) -> _Array:
    return np.asarray(np.clip(np.rint(np.float32(values) / scale) + zero_point, 0, 255).astype(np.uint8))


def _dequantize(values: Any, scale: Any, zero_point: Any) -> _Array:
    return np.asarray((np.int32(values) - np.int32(zero_point)).astype(np.float32) * np.float32(scale))


def _real(values: Any) -> _Array:
    return np.asarray(values, dtype=np.float32)


_STEPS: Mapping[str, Callable[..., _Array]] = {
    "Add": lambda left, right: np.add(_real(left), _real(right)),
    "Cast": _real,
    "DequantizeLinear": _dequantize,
    "Div": lambda left, right: np.divide(_real(left), _real(right)),
    "Mul": lambda left, right: np.multiply(_real(left), _real(right)),
    "QuantizeLinear": _quantize,
    "Sub": lambda left, right: np.subtract(_real(left), _real(right)),
}
