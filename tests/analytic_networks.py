"""Small ONNX networks whose answers follow from the pixels: they find joints that tests drew in colours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

JOINTS = ("head", "left_hand", "right_hand", "left_foot", "right_foot")
COLORS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255))

# response of a joint to red, green, blue in 0..1, and bias: above 0 for its own colour alone
_FILTERS = ((2, -2, -2, -1), (-2, 2, -2, -1), (-2, -2, 2, -1), (2, 2, -2, -3), (2, -2, 2, -3))
_SIGMA_PX = 3.0


def draw_person(image: npt.NDArray[np.uint8], points: npt.ArrayLike) -> None:
    """Draw the joints [5, 2] (x, y) of one person as discs of 3 pixels' radius."""
    import cv2

    for (x, y), color in zip(np.asarray(points, int), COLORS, strict=True):
        cv2.circle(image, (int(x), int(y)), 3, color, -1)


class _Builder:
    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, op: str, inputs: Sequence[str], **attributes: Any) -> str:
        name = f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def constant(self, values: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def save(self, path: Path, inputs: Sequence[Any], outputs: Sequence[tuple[str, Sequence[Any]]]) -> Path:
        infos = []
        for number, (name, shape) in enumerate(outputs):
            self.nodes.append(helper.make_node("Identity", [name], [f"output{number}"]))
            infos.append(helper.make_tensor_value_info(f"output{number}", TensorProto.FLOAT, shape))
        graph = helper.make_graph(self.nodes, "analytic", list(inputs), infos, self.constants)
        model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
        onnx.checker.check_model(model)
        onnx.save(model, path)
        return path


def joint_network(
    path: Path,
    kind: str,
    size: tuple[int, int] = (48, 64),
    mean: Sequence[float] = (0, 0, 0),
    deviation: Sequence[float] = (255, 255, 255),
    bgr: bool = False,
    batch: int | str = "N",
) -> Path:
    """A network from normalized planes [N, 3, H, W] to joints: `heatmap` (stride 4), `simcc` (2 bins a pixel) or
    `regression` (0..1).

    Heatmaps are drawn discs seen through a Gaussian; cell i looks at pixel 4 i. Coordinates are their centres of mass.
    """
    width, height = size
    build = _Builder()
    value = build.add("Mul", ["image", build.constant(np.reshape(deviation, (1, 3, 1, 1)))])
    value = build.add("Add", [value, build.constant(np.reshape(mean, (1, 3, 1, 1)))])
    filters = np.array(_FILTERS, np.float32)
    colors = filters[:, [2, 1, 0]] if bgr else filters[:, :3]
    weights = build.constant(colors[:, :, np.newaxis, np.newaxis] / 255)
    value = build.add("Relu", [build.add("Conv", [value, weights, build.constant(filters[:, 3])])])

    reach = np.arange(-9, 10)
    bell = np.exp(-(reach[:, np.newaxis] ** 2 + reach**2) / (2 * _SIGMA_PX**2))
    stride = 4 if kind == "heatmap" else 1
    kernel = build.constant(np.tile(bell / bell.sum() * 3, (5, 1, 1, 1)))
    maps = build.add("Conv", [value, kernel], group=5, pads=[9, 9, 9, 9], strides=[stride, stride])

    if kind == "heatmap":
        outputs: list[tuple[str, Sequence[Any]]] = [(maps, (batch, 5, height // 4, width // 4))]
    elif kind == "simcc":
        vectors = [build.add("ReduceMax", [maps], axes=[axis], keepdims=0) for axis in (2, 3)]
        doubled = build.constant([1, 1, 2])
        nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        vectors = [build.add("Resize", [vector, "", doubled], **nearest) for vector in vectors]
        outputs = [(vectors[0], (batch, 5, 2 * width)), (vectors[1], (batch, 5, 2 * height))]
    else:
        total = build.add("ReduceSum", [maps, build.constant([2, 3], np.int64)], keepdims=0)
        places = []
        for axis, count in ((3, width), (2, height)):
            shape = [1, 1, 1, 1]
            shape[axis] = count
            weighted = build.add("Mul", [maps, build.constant((np.arange(count) / count).reshape(shape))])
            summed = build.add("ReduceSum", [weighted, build.constant([2, 3], np.int64)], keepdims=0)
            places.append(build.add("Unsqueeze", [build.add("Div", [summed, total]), build.constant([2], np.int64)]))
        outputs = [(build.add("Concat", places, axis=2), (batch, 5, 2))]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, (batch, 3, height, width))
    return build.save(path, [image], outputs)


def refiner_network(path: Path, size: tuple[int, int], peak: float = 1.0, separate: bool = False) -> Path:
    """A network from planes in 0..1 and drawn poses to heatmaps [N, 5, H, W]: of all joints of a colour the one that
    the pose is near to.

    The pose is channels 3 to 7 of the image, or a second input.
    """
    width, height = size
    build = _Builder()
    inputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, ("N", 3 if separate else 8, height, width))]
    image, pose = "image", "pose"
    if separate:
        inputs.append(helper.make_tensor_value_info("pose", TensorProto.FLOAT, ("N", 5, height, width)))
    else:
        bounds = [build.constant([at], np.int64) for at in (0, 3, 8, 1)]
        pose = build.add("Slice", ["image", bounds[1], bounds[2], bounds[3]])
        image = build.add("Slice", ["image", bounds[0], bounds[1], bounds[3]])
    filters = np.array(_FILTERS, np.float32)
    weights = build.constant(filters[:, :3, np.newaxis, np.newaxis])
    value = build.add("Relu", [build.add("Conv", [image, weights, build.constant(filters[:, 3])])])
    reach = np.arange(-9, 10)
    bell = np.exp(-(reach[:, np.newaxis] ** 2 + reach**2) / (2 * _SIGMA_PX**2))
    kernel = build.constant(np.tile(bell / bell.sum(), (5, 1, 1, 1)))
    near = build.add("Conv", [value, kernel], group=5, pads=[9, 9, 9, 9])
    # weighted by blocks, so that the pose chooses the joint but does not pull its place
    share = build.add("Mul", [pose, build.constant(1 / peak)])
    chosen = build.add("Cast", [build.add("Greater", [share, build.constant(0.3)])], to=TensorProto.FLOAT)
    return build.save(path, inputs, [(build.add("Mul", [near, chosen]), ("N", 5, height, width))])


def constant_network(
    path: Path, shape: Sequence[Any], *answers: npt.ArrayLike, element: int = TensorProto.FLOAT
) -> Path:
    """A network that answers the same whatever it is given."""
    build = _Builder()
    value = build.add("Cast", ["image"], to=TensorProto.FLOAT)
    zero = build.add("Mul", [build.add("ReduceSum", [value], keepdims=0), build.constant(0.0)])
    image = helper.make_tensor_value_info("image", element, shape)
    outputs = []
    for answer in answers:
        values = np.asarray(answer, np.float32)
        outputs.append((build.add("Add", [build.constant(values), zero]), values.shape))
    return build.save(path, [image], outputs)
