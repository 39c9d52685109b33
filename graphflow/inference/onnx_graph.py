"""A small mutable ONNX graph: what the importer writes, the rewrites change, and a file is made of.

ONNX's own protobuf objects are awkward to edit (no producers, no shapes, raw bytes for constants), so the graph is
kept as plain nodes and arrays until it is complete.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

# Opset 17 has every operator used here and runs on every ONNX Runtime from 1.12 on.
_OPSET = 17
_IR_VERSION = 8


@dataclass(eq=False, slots=True)
class Node:
    """One ONNX operator; `inputs` and `outputs` are value names, empty for an optional input left out."""

    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any] = field(default_factory=dict)


class OnnxGraph:
    """Nodes in execution order, named constants, and the shape of every value.

    >>> graph = OnnxGraph("double")
    >>> graph.add_input("x", (1, 2))
    >>> graph.add_output(graph.add("Add", ["x", "x"], (1, 2), "y"), (1, 2))
    >>> graph.to_model().graph.node[0].op_type
    'Add'
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[Node] = []
        self.constants: dict[str, npt.NDArray[Any]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.inputs: list[str] = []
        self.outputs: list[str] = []
        self._types: dict[str, np.dtype[Any]] = {}
        self._used: defaultdict[str, int] = defaultdict(int)

    def add_input(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike = np.float32) -> None:
        """Declare an input of the graph."""
        self._used[name] += 1
        self.inputs.append(name)
        self.shapes[name] = shape
        self._types[name] = np.dtype(dtype)

    def add_output(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike = np.float32) -> None:
        """Declare an existing value as the next output of the graph."""
        self.outputs.append(name)
        self.shapes[name] = shape
        self._types[name] = np.dtype(dtype)

    def rename_input(self, position: int, name: str, shape: tuple[int, ...]) -> None:
        """Give an input another name, and its readers with it, and another shape."""
        old, self.inputs[position] = self.inputs[position], name
        self.shapes[name] = shape
        self._used[name] += 1
        self._types[name] = self._types.pop(old)
        self.replace_value(old, name)

    def add(self, op: str, inputs: Sequence[str], shape: tuple[int, ...], hint: str, **attributes: Any) -> str:
        """Append a node with one output of `shape`; returns the output's name, `hint` or a free variant of it."""
        node = self.new_node(op, inputs, shape, hint, **attributes)
        self.nodes.append(node)
        return node.outputs[0]

    def new_node(self, op: str, inputs: Sequence[str], shape: tuple[int, ...], hint: str, **attributes: Any) -> Node:
        """Make a node with one output of `shape` without placing it, for a rewrite that inserts it itself."""
        output = self._free_name(hint)
        self.shapes[output] = shape
        return Node(op, list(inputs), [output], attributes)

    def constant(self, value: npt.NDArray[Any], hint: str) -> str:
        """Store a constant; returns its name."""
        name = self._free_name(hint)
        self.constants[name] = np.asarray(value, order="C")
        self.shapes[name] = value.shape
        return name

    def producers(self) -> dict[str, Node]:
        """Map every computed value to the node that makes it."""
        return {output: node for node in self.nodes for output in node.outputs}

    def consumers(self) -> dict[str, list[Node]]:
        """Map every value to the nodes that read it (a node that reads it twice is named once)."""
        users: defaultdict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                users[name].append(node)
        return dict(users)

    def element_types(self) -> dict[str, np.dtype[Any]]:
        """Map inputs, constants and what QuantizeLinear gives, moved or not, to their element types."""
        types = self._types | {name: value.dtype for name, value in self.constants.items()}
        for node in self.nodes:
            if node.op == "QuantizeLinear":
                types[node.outputs[0]] = types[node.inputs[2]]
            elif node.op in ("Reshape", "Transpose") and node.inputs[0] in types:
                types[node.outputs[0]] = types[node.inputs[0]]
        return types

    def replace_value(self, old: str, new: str) -> None:
        """Make every reader of `old`, the graph's outputs included, read `new`."""
        for node in self.nodes:
            node.inputs = [new if name == old else name for name in node.inputs]
        self.outputs = [new if name == old else name for name in self.outputs]

    def prune(self) -> None:
        """Drop the nodes and constants that no output needs."""
        needed = set(self.outputs)
        kept: list[Node] = []
        for node in reversed(self.nodes):
            if needed.intersection(node.outputs):
                kept.append(node)
                needed.update(node.inputs)
        self.nodes = kept[::-1]
        self.constants = {name: value for name, value in self.constants.items() if name in needed}

    def sort(self) -> None:
        """Bring the nodes into an order in which every value is made before it is read."""
        producers = self.producers()
        done: set[int] = set()
        order: list[Node] = []
        for root in self.nodes:
            stack = [root]
            while stack:
                node = stack[-1]
                waiting = [
                    producers[name] for name in node.inputs if name in producers and id(producers[name]) not in done
                ]
                if id(node) in done:
                    stack.pop()
                elif waiting:
                    stack.extend(waiting)
                else:
                    done.add(id(node))
                    order.append(stack.pop())
        self.nodes = order

    def to_model(self, metadata: Mapping[str, str] | None = None) -> onnx.ModelProto:
        """Return the graph as a checked ONNX model that carries `metadata`."""
        self.prune()
        graph = helper.make_graph(
            # named: ONNX Runtime makes names of what it joins of theirs
            [
                helper.make_node(node.op, node.inputs, node.outputs, name=node.outputs[0], **node.attributes)
                for node in self.nodes
            ],
            self.name,
            [self._value_info(name) for name in self.inputs],
            [self._value_info(name) for name in self.outputs],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()],
        )
        model = helper.make_model(
            graph,
            producer_name="graphflow",
            ir_version=_IR_VERSION,
            opset_imports=[helper.make_opsetid("", _OPSET)],
        )
        helper.set_model_props(model, dict(metadata or {}))
        onnx.checker.check_model(model)
        return model

    def _value_info(self, name: str) -> onnx.ValueInfoProto:
        element = helper.np_dtype_to_tensor_dtype(self._types.get(name, np.dtype(np.float32)))
        return helper.make_tensor_value_info(name, element, self.shapes[name])

    def _free_name(self, hint: str) -> str:
        count = self._used[hint]
        self._used[hint] += 1
        return hint if count == 0 else self._free_name(f"{hint}_{count}")
