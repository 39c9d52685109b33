"""Drawn people, and networks of a few convolutions that see them: truth from pixels to people.

A joint is a disc and a limb a line whose red says which it is. Green and blue of a limb say which way it runs; green of
a joint says whose it is. Later people hide earlier ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnx
from graphflow.calculators.grouping.topology import OPENPOSE_18
from onnx import TensorProto, helper, numpy_helper

Image = npt.NDArray[np.uint8]

RADIUS = 4
_LIMB = [10 + 8 * number for number in range(19)]
_JOINT = [166 + 5 * number for number in range(18)]
# a standing figure in OpenPose's order, x and y in units of its height
FIGURE = np.array(
    [
        *((0.5, 0.08), (0.5, 0.2), (0.38, 0.2), (0.33, 0.36), (0.3, 0.52), (0.62, 0.2), (0.67, 0.36), (0.7, 0.52)),
        *((0.43, 0.5), (0.42, 0.73), (0.41, 0.95), (0.57, 0.5), (0.58, 0.73), (0.59, 0.95)),
        *((0.45, 0.0), (0.55, 0.0), (0.38, 0.05), (0.62, 0.05)),
    ]
)
COCO = [0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10]


@dataclass(frozen=True)
class Scene:
    """A drawing, its people [N, 18, 2] in pixels, and which of their joints can be seen, bool [N, 18]."""

    image: Image
    people: npt.NDArray[np.float64]
    visible: npt.NDArray[np.bool_]


def drawn(people: npt.NDArray[np.float64], width: int, height: int) -> Scene:
    """A drawing of people, the first one at the back."""
    image = np.zeros((height, width, 3), np.uint8)
    owner = np.full((height, width), -1, np.int32)
    for number, joints in enumerate(people):
        for limb, (a, b) in enumerate(OPENPOSE_18.limbs[:17]):
            along = (joints[b] - joints[a]) / np.linalg.norm(joints[b] - joints[a])
            color = (_LIMB[limb], *(round(128 + 120 * value) for value in along.tolist()))
            for canvas, value in ((image, color), (owner, number)):
                cv2.line(canvas, _pixel(joints[a]), _pixel(joints[b]), value, 3)  # type: ignore[call-overload]
        for k, joint in enumerate(joints):
            for canvas, value in ((image, (_JOINT[k], 10 + 20 * number, 0)), (owner, number)):
                cv2.circle(canvas, _pixel(joint), RADIUS, value, -1)  # type: ignore[call-overload]
    visible = np.array(
        [
            [_shown(owner, image, number, k, joint) for k, joint in enumerate(joints)]
            for number, joints in enumerate(people)
        ]
    )
    return Scene(image, people, visible.reshape(-1, 18))


def _pixel(point: npt.NDArray[np.float64]) -> tuple[int, int]:
    x, y = point.tolist()
    return round(x), round(y)


def _shown(owner: Any, image: Image, number: int, k: int, joint: Any) -> bool:
    """Whether nearly all of the disc can be seen."""
    disc = np.zeros(owner.shape, np.uint8)
    cv2.circle(disc, _pixel(joint), RADIUS, 1, -1)
    seen = (owner == number) & (image[..., 0] == _JOINT[k]) & (disc > 0)
    return bool(seen.sum() > 0.9 * disc.sum())


def standing(count: int, width: int, height: int, seed: int) -> npt.NDArray[np.float64]:
    """People who do not touch, in rows of up to six: [N, 18, 2]."""
    rng = np.random.default_rng(seed)
    rows = 1 if count <= 6 else 2
    columns = -(-count // rows)
    size = min(height / rows - 4 * RADIUS, width / columns / 0.6)
    people = []
    for number in range(count):
        row, column = divmod(number, columns)
        corner = ((column + 0.5) * width / columns - size / 2, row * height / rows + 2 * RADIUS)
        people.append((FIGURE + rng.normal(0, 0.006, FIGURE.shape)) * size * 0.95 + corner)
    return np.array(people)


def crossing(count: int, width: int, height: int, seed: int) -> npt.NDArray[np.float64]:
    """People who overlap at random: [N, 18, 2]."""
    rng = np.random.default_rng(seed)
    size = height * (0.75 if count <= 4 else 0.5)
    corners = rng.uniform((-0.1 * size, 2 * RADIUS), (width - 0.9 * size, height - size - RADIUS), (count, 2))
    return (FIGURE + rng.normal(0, 0.01, (count, *FIGURE.shape))) * size + corners[:, None]


def _saved(path: Path, nodes: list[Any], constants: dict[str, Any], outputs: list[str]) -> Path:
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(
        nodes,
        "drawn",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "H", "W"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        tensors,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def _masks(name: str, codes: list[int], constants: dict[str, Any]) -> list[Any]:
    """1 where red has a code, 0 elsewhere: [1, codes, H, W], of 0..255 RGB."""
    constants[f"{name}_red"] = np.tile(np.array([1, 0, 0], np.float32).reshape(1, 3, 1, 1), (len(codes), 1, 1, 1))
    constants[f"{name}_code"] = -np.array(codes, np.float32)
    constants["one"] = np.float32(1)
    return [
        helper.make_node("Conv", ["image", f"{name}_red", f"{name}_code"], [f"{name}_off"]),
        helper.make_node("Abs", [f"{name}_off"], [f"{name}_far"]),
        helper.make_node("Sub", ["one", f"{name}_far"], [f"{name}_near"]),
        helper.make_node("Relu", [f"{name}_near"], [name]),
    ]


def _blur(source: str, target: str, channels: int, stride: int, constants: dict[str, Any]) -> Any:
    """A Gaussian of a disc's size around each cell's middle, one channel at a time; a whole disc gives nearly 1."""
    reach = 10
    places = np.arange(2 * reach + stride) - (2 * reach + stride - 1) / 2
    gaussian = np.exp(-(places[:, None] ** 2 + places[None] ** 2) / (2 * 3.0**2))
    disc = (places[:, None] ** 2 + places[None] ** 2 <= RADIUS**2) * gaussian
    kernel = (gaussian / disc.sum()).astype(np.float32)
    constants[f"{target}_kernel"] = np.tile(kernel, (channels, 1, 1, 1))
    pads = [reach] * 4
    return helper.make_node(
        "Conv", [source, f"{target}_kernel"], [target], group=channels, strides=[stride] * 2, pads=pads
    )


def openpose_network(path: Path, stride: int = 4) -> Path:
    """57 maps of drawn people: 18 confidence maps, an empty one, 38 fields."""
    constants: dict[str, Any] = {"tiny": np.float32(2e-3)}
    nodes = [*_masks("joints", _JOINT, constants), _blur("joints", "maps", 18, stride, constants)]
    nodes += _masks("limbs", _LIMB, constants)
    pool = {"kernel_shape": [stride + 14] * 2, "strides": [stride] * 2, "pads": [7] * 4}
    nodes.append(helper.make_node("AveragePool", ["limbs"], ["share"], **pool))
    nodes.append(helper.make_node("Add", ["share", "tiny"], ["divisor"]))
    for axis, channel in (("x", 1), ("y", 2)):
        weights = np.zeros((1, 3, 1, 1), np.float32)
        weights[0, channel] = 1 / 120
        constants[f"{axis}_weights"], constants[f"{axis}_bias"] = weights, np.array([-128 / 120], np.float32)
        nodes.append(helper.make_node("Conv", ["image", f"{axis}_weights", f"{axis}_bias"], [f"{axis}_way"]))
        nodes.append(helper.make_node("Mul", ["limbs", f"{axis}_way"], [f"{axis}_limbs"]))
        nodes.append(helper.make_node("AveragePool", [f"{axis}_limbs"], [f"{axis}_mean"], **pool))
        nodes.append(helper.make_node("Div", [f"{axis}_mean", "divisor"], [f"{axis}_field"]))
    place = np.zeros(38, np.int64)
    for limb, (x, y) in enumerate(OPENPOSE_18.channels):
        place[x], place[y] = limb, 19 + limb
    constants["place"], constants["none"] = place, np.array([0], np.int64)
    nodes += [
        helper.make_node("Concat", ["x_field", "y_field"], ["both"], axis=1),
        helper.make_node("Gather", ["both", "place"], ["fields"], axis=1),
        helper.make_node("Gather", ["maps", "none"], ["first"], axis=1),
        helper.make_node("Sub", ["first", "first"], ["background"]),
        helper.make_node("Concat", ["maps", "background", "fields"], ["answer"], axis=1),
    ]
    return _saved(path, nodes, constants, ["answer"])


def tag_network(path: Path) -> Path:
    """HigherHRNet's two stages of drawn people: 17 heatmaps and 17 tags at a quarter, 17 heatmaps at half."""
    codes = [_JOINT[k] for k in COCO]
    constants: dict[str, Any] = {"tiny": np.float32(1e-3), "scale": np.float32(0.1)}
    constants["green"] = np.array([0, 1, 0], np.float32).reshape(1, 3, 1, 1)
    nodes = [
        *_masks("joints", codes, constants),
        _blur("joints", "quarter", 17, 4, constants),
        _blur("joints", "half", 17, 2, constants),
        helper.make_node("Conv", ["image", "green"], ["whose"]),
        helper.make_node("Mul", ["joints", "whose"], ["owned"]),
        _blur("owned", "owners", 17, 4, constants),
        helper.make_node("Add", ["quarter", "tiny"], ["divisor"]),
        helper.make_node("Div", ["owners", "divisor"], ["number"]),
        helper.make_node("Mul", ["number", "scale"], ["tags"]),
        helper.make_node("Concat", ["quarter", "tags"], ["stage0"], axis=1),
    ]
    return _saved(path, nodes, constants, ["stage0", "half"])
