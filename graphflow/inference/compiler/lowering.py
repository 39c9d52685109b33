"""From an imported graph to layers: activations, sums and paddings join the convolutions they belong to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .network import (
    NO_ACTIVATION,
    Activation,
    Array,
    Convolution,
    DepthToSpace,
    Elementwise,
    Enlargement,
    GlobalAverage,
    Layer,
    MaxPool,
    Network,
    Tensor,
)
from .program import Finish

if TYPE_CHECKING:
    from ..onnx_graph import Node, OnnxGraph

# What rearranges or finishes results is left to NumPy: a few small arrays at the end of a run.
_FINISHING = frozenset({"Identity", "Reshape", "Transpose", "Concat", "Sigmoid"})


class UnsupportedNetworkError(Exception):
    """A graph holds what the compiler has no kernel for; the message names it."""


@dataclass(slots=True)
class Lowered:
    """A network, the steps that make the graph's `outputs` of its results, and the results' own names."""

    network: Network
    finishes: list[Finish] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)


def lower(graph: OnnxGraph) -> Lowered:
    """Return the layers of an imported graph of float32 images of one; raises UnsupportedNetworkError."""
    return _Lowering(graph).run()


class _Lowering:
    def __init__(self, graph: OnnxGraph) -> None:
        self.graph = graph
        self.consumers = graph.consumers()
        self.network = Network()
        self.tensors: dict[str, Tensor] = {}
        self.makers: dict[str, Layer] = {}
        self.padding: dict[str, tuple[str, tuple[int, int, int, int]]] = {}
        self.finishing = self._finishing_nodes()
        self.handlers: dict[str, Callable[[Node], None]] = {
            "Conv": self._convolution,
            "Clip": self._activation,
            "Relu": self._activation,
            "PRelu": self._activation,
            "Add": self._sum,
            "Pad": self._pad,
            "MaxPool": self._max_pool,
            "GlobalAveragePool": self._average,
            "Resize": self._resize,
            "DepthToSpace": self._depth_to_space,
        }

    def run(self) -> Lowered:
        for name in self.graph.inputs:
            if not name.endswith("_planes") or len(self.graph.shapes[name]) != 4:
                raise UnsupportedNetworkError(f"the input {name} is no image")
            self.network.inputs.append(self._tensor(name, planes=True))
        lowered = Lowered(self.network, outputs=list(self.graph.outputs))
        for node in self.graph.nodes:
            if id(node) in self.finishing:
                lowered.finishes.append(self._finish(node))
                lowered.results += [
                    name for name in node.inputs if name in self.tensors and name not in lowered.results
                ]
                continue
            handler = self.handlers.get(node.op)
            if handler is None:
                raise UnsupportedNetworkError(f"no kernel for {node.op}")
            handler(node)
        lowered.results += [name for name in self.graph.outputs if name in self.tensors and name not in lowered.results]
        self.network.results = [self._read(name) for name in lowered.results]
        return lowered

    def _finishing_nodes(self) -> set[int]:
        """Nodes that only lead to outputs through others of their kind."""
        found: set[int] = set()
        for node in reversed(self.graph.nodes):
            readers = self.consumers.get(node.outputs[0], [])
            if node.op in _FINISHING and all(id(reader) in found for reader in readers):
                found.add(id(node))
        return found

    def _finish(self, node: Node) -> Finish:
        detail: Sequence[int] = ()
        names = node.inputs
        if node.op == "Reshape":
            detail, names = self.graph.constants[node.inputs[1]].tolist(), node.inputs[:1]
        elif node.op == "Transpose":
            detail = node.attributes["perm"]
        elif node.op == "Concat":
            detail = [node.attributes["axis"]]
        return Finish(node.op, tuple(names), node.outputs[0], tuple(detail))

    def _tensor(self, name: str, planes: bool = False) -> Tensor:
        shape = self.graph.shapes[name]
        if len(shape) != 4 or shape[0] != 1:
            raise UnsupportedNetworkError(f"{name} has the shape {list(shape)}")
        _, channels, height, width = shape
        tensor = self.tensors[name] = Tensor(height, width, channels, planes)
        return tensor

    def _append(self, layer: Layer, node: Node) -> None:
        self.network.layers.append(layer)
        self.makers[node.outputs[0]] = layer

    def _read(self, name: str, in_planes: bool = False) -> Tensor:
        """The tensor of a name; only convolutions over all channels read an image as it comes, `in_planes`."""
        if name not in self.tensors:
            raise UnsupportedNetworkError(f"{name} is read where its value is not known")
        if self.tensors[name].planes and not in_planes:
            raise UnsupportedNetworkError("an image that is not read by a convolution over all its channels")
        return self.tensors[name]

    def _constant(self, node: Node, position: int) -> npt.NDArray[Any]:
        name = node.inputs[position]
        if name not in self.graph.constants:
            raise UnsupportedNetworkError(f"{node.op} with a computed {name}")
        return self.graph.constants[name]

    def _convolution(self, node: Node) -> None:
        weights = self._constant(node, 1)
        bias = self._constant(node, 2) if len(node.inputs) > 2 else np.zeros(len(weights), np.float32)
        top, left, bottom, right = node.attributes.get("pads", [0, 0, 0, 0])
        name = node.inputs[0]
        if name in self.padding:
            name, before = self.padding[name]
            top, left, bottom, right = (a + b for a, b in zip((top, left, bottom, right), before, strict=True))
        group = node.attributes.get("group", 1)
        depthwise = group > 1
        source = self._read(name, in_planes=not depthwise)
        if depthwise and not group == source.channels == len(weights):
            raise UnsupportedNetworkError(f"a convolution of {group} groups")
        if weights.dtype != np.float32 or list(node.attributes.get("dilations", [1, 1])) != [1, 1]:
            raise UnsupportedNetworkError("a dilated convolution or one not of float32")
        source.want_halo(top, left, bottom, right)
        stride = tuple(node.attributes.get("strides", [1, 1]))
        self._append(
            Convolution([source], self._tensor(node.outputs[0]), weights, bias, stride, (top, left), depthwise), node
        )

    def _activation(self, node: Node) -> None:
        activation, slopes = self._activation_of(node)
        maker = self._joinable(node.inputs[0])
        if isinstance(maker, Convolution) and maker.residual is None and maker.activation is NO_ACTIVATION:
            maker.activation, maker.slopes = activation, slopes
        elif isinstance(maker, Convolution) and maker.residual is not None and maker.final is NO_ACTIVATION:
            maker.final, maker.final_slopes = activation, slopes
        elif isinstance(maker, Elementwise) and maker.activation is NO_ACTIVATION:
            maker.activation, maker.slopes = activation, slopes
        else:
            source = self._read(node.inputs[0])
            layer = Elementwise([source], self._tensor(node.outputs[0]), activation, slopes)
            self._append(layer, node)
            return
        self._rename(maker, node)

    def _activation_of(self, node: Node) -> tuple[Activation, Array | None]:
        if node.op == "Relu":
            return Activation("relu"), None
        if node.op == "Clip":
            low, high = (float(self._constant(node, position)) for position in (1, 2))
            if low != 0:
                raise UnsupportedNetworkError(f"Clip to {low}..{high}")
            return Activation("clip", high), None
        slopes = self._constant(node, 1).astype(np.float32).reshape(-1)
        channels = self.graph.shapes[node.outputs[0]][1]
        if len(slopes) not in (1, channels):
            raise UnsupportedNetworkError("a PReLU with slopes of its own for each pixel")
        return Activation("prelu"), np.broadcast_to(slopes, channels)

    def _joinable(self, name: str) -> Layer | None:
        """The layer that makes a value nobody else wants."""
        if len(self.consumers.get(name, [])) == 1 and name not in self.graph.outputs:
            return self.makers.get(name)
        return None

    def _rename(self, layer: Layer, node: Node) -> None:
        """Let a layer make what a node behind it makes."""
        layer.output = self._tensor(node.outputs[0])
        self.makers[node.outputs[0]] = layer

    def _sum(self, node: Node) -> None:
        last = self.network.layers[-1] if self.network.layers else None
        for name, other in (node.inputs, node.inputs[::-1]):
            maker = self._joinable(name)
            # the other has to be there when the convolution runs
            if isinstance(maker, Convolution) and maker is last and maker.residual is None and name != other:
                residual = self._read(other)
                if maker.depthwise and residual.channels < maker.output.channels:
                    continue
                maker.residual = residual
                self._check_same_size(maker.residual, node)
                self._rename(maker, node)
                return
        inputs = [self._read(name) for name in node.inputs]
        for tensor in inputs:
            self._check_same_size(tensor, node)
        self._append(Elementwise(inputs, self._tensor(node.outputs[0])), node)

    def _check_same_size(self, tensor: Tensor, node: Node) -> None:
        if (tensor.height, tensor.width) != self.graph.shapes[node.outputs[0]][2:]:
            raise UnsupportedNetworkError("a sum of tensors of different sizes")

    def _pad(self, node: Node) -> None:
        amounts = self._constant(node, 1).tolist()
        value = float(self._constant(node, 2)) if len(node.inputs) > 2 and node.inputs[2] else 0.0
        before, after = amounts[:4], amounts[4:]
        if value or before[:2] != [0, 0] or after[0]:
            raise UnsupportedNetworkError(f"a padding of {amounts} with {value}")
        readers = self.consumers.get(node.outputs[0], [])
        if node.outputs[0] in self.graph.outputs:
            raise UnsupportedNetworkError("a padding that is a result")
        if after[1] == 0 and all(reader.op == "Conv" for reader in readers):
            self.padding[node.outputs[0]] = (node.inputs[0], (before[2], before[3], after[2], after[3]))
        elif not any(before) and after[2:] == [0, 0] and all(reader.op == "Add" for reader in readers):
            # more channels, all zero: that is what sums take missing ones for
            self.tensors[node.outputs[0]] = self._read(node.inputs[0])
        else:
            raise UnsupportedNetworkError(f"a padding of {amounts}")

    def _max_pool(self, node: Node) -> None:
        if any(node.attributes.get("pads", [0])):
            raise UnsupportedNetworkError("a padded MaxPool")
        size, stride = tuple(node.attributes["kernel_shape"]), tuple(node.attributes.get("strides", [1, 1]))
        source = self._read(node.inputs[0])
        self._append(MaxPool([source], self._tensor(node.outputs[0]), size, stride), node)

    def _average(self, node: Node) -> None:
        source = self._read(node.inputs[0])
        self._append(GlobalAverage([source], self._tensor(node.outputs[0])), node)

    def _resize(self, node: Node) -> None:
        source = self._read(node.inputs[0])
        attributes = node.attributes
        target = self._tensor(node.outputs[0])
        factor = (target.height // source.height, target.width // source.width)
        whole = (source.height * factor[0], source.width * factor[1]) == (target.height, target.width)
        plain = attributes.get("mode") == "linear"
        middles = attributes.get("coordinate_transformation_mode", "half_pixel") == "half_pixel"
        if not (whole and plain and middles):
            raise UnsupportedNetworkError("a Resize that is no bilinear enlargement by a whole factor")
        self._append(Enlargement([source], target, factor), node)

    def _depth_to_space(self, node: Node) -> None:
        if node.attributes.get("mode", "DCR") not in ("DCR", b"DCR"):
            raise UnsupportedNetworkError("a DepthToSpace whose channels come first")
        source = self._read(node.inputs[0])
        self._append(DepthToSpace([source], self._tensor(node.outputs[0]), node.attributes["blocksize"]), node)
