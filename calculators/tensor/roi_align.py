"""Pools regions of a feature map to one size, as Mask R-CNN's heads take them."""

from __future__ import annotations

import functools
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import FloatArray, NormalizedRect
from .tensors import TensorsOrOne, tensor_list

PoolMode: TypeAlias = Literal["avg", "max"]
CoordinateMode: TypeAlias = Literal["half_pixel", "output_half_pixel"]


def roi_align(
    features: FloatArray,
    rois: npt.ArrayLike,
    output_size: tuple[int, int],
    batch_indices: npt.ArrayLike | None = None,
    mode: PoolMode = "avg",
    coordinates: CoordinateMode = "half_pixel",
    sampling_ratio: int = 0,
    spatial_scale: float = 1.0,
) -> FloatArray:
    """Each region's share of a feature map, sampled bilinearly and pooled.

    Args:
        features: float32 [B, C, H, W].
        rois: [N, 4] (x1, y1, x2, y2), in pixels of the image.
        output_size: height, width.
        batch_indices: which of the B each region is of, [N]; default the first.
        mode: "avg", the mean of the samples; "max", the maximum over the four weighted corners of the samples, which
            is ONNX Runtime's reading of it, not over the samples.
        coordinates: "half_pixel" moves regions by half a pixel, as Detectron2's `aligned`; "output_half_pixel" does
            not, and widens those smaller than one pixel, as the first Mask R-CNN.
        sampling_ratio: samples along each side of an output pixel; 0 takes as many as the region has pixels there.
        spatial_scale: feature pixels in an image pixel.

    Returns:
        float32 [N, C, height, width]. Of regions turned inside out, for which no number of samples can be told, zeros.

    Raises:
        ValueError: shapes do not go together, or an index is not below B.

    Source: the ONNX operator RoiAlign, version 16; He et al., "Mask R-CNN", 2017, section 3.
    """
    boxes = np.ascontiguousarray(rois, np.float32).reshape(-1, 4)
    indices = np.zeros(len(boxes), np.int64) if batch_indices is None else np.asarray(batch_indices, np.int64)
    if features.ndim != 4 or indices.shape != (len(boxes),):
        raise ValueError(
            f"features are [B, C, H, W], regions [N, 4] and indices [N]; here are {list(features.shape)}, "
            f"{list(boxes.shape)} and {list(indices.shape)}"
        )
    if len(indices) and not (indices.min() >= 0 and indices.max() < len(features)):
        raise ValueError(f"batch_indices must be in 0..{len(features) - 1}, not {indices.tolist()}")
    if not len(boxes):
        return np.zeros((0, features.shape[1], *output_size), np.float32)
    without = np.zeros(len(boxes), np.bool_)
    if coordinates == "half_pixel" and sampling_ratio == 0:
        without = ~((boxes[:, 2] >= boxes[:, 0]) & (boxes[:, 3] >= boxes[:, 1]))
        boxes = np.where(without[:, None], np.float32(0), boxes)
    session = _session(mode, coordinates, sampling_ratio, float(spatial_scale), *output_size)
    given = {"features": np.ascontiguousarray(features, np.float32), "rois": boxes, "batch_indices": indices}
    pooled: FloatArray = session.run(None, given)[0]
    if without.any():
        pooled[without] = 0
    return pooled


class RoiAlign(Calculator):
    """Pools regions of a feature map to one size, for heads as Mask R-CNN has them.

    Source: see `roi_align`.
    """

    tensors = Input("TENSORS", TensorsOrOne, "the first is the feature map [1, C, H, W]")
    rects = Input("NORM_RECTS", list[NormalizedRect], "upright regions, normalized by what the map shows")
    pooled = Output("TENSORS", list[np.ndarray[Any, Any]], "one tensor [N, C, output_height, output_width]")

    output_height: int = Option(7, "of the pooled region")
    output_width: int = Option(7, "of the pooled region")
    mode: PoolMode = Option("avg", "how samples are pooled")
    coordinate_transformation_mode: CoordinateMode = Option("half_pixel", "as Detectron2's `aligned`, or as before it")
    sampling_ratio: int = Option(0, "samples along each side of an output pixel; 0: as the region's size asks for")

    def process(self, context: Context) -> None:
        tensors, rects = context[self.tensors], context[self.rects]
        if tensors is None or rects is None:
            return
        features = tensor_list(tensors)[0]
        if features.ndim != 4:
            raise ValueError(f"a feature map is [1, C, H, W], not {list(features.shape)}")
        height, width = features.shape[2:]
        sides = [(r.x_center, r.y_center, r.width / 2, r.height / 2) for r in rects]
        x, y, a, b = np.array(sides, np.float32).reshape(-1, 4).T
        boxes = np.stack([(x - a) * width, (y - b) * height, (x + a) * width, (y + b) * height], axis=1)
        size = (self.output_height, self.output_width)
        context[self.pooled] = [
            roi_align(features, boxes, size, None, self.mode, self.coordinate_transformation_mode, self.sampling_ratio)
        ]


@functools.lru_cache(maxsize=32)
def _session(
    mode: PoolMode, coordinates: CoordinateMode, sampling_ratio: int, spatial_scale: float, height: int, width: int
) -> Any:
    """ONNX Runtime on a graph of the one operator."""
    import onnx
    import onnxruntime as ort

    node = onnx.helper.make_node(
        "RoiAlign",
        ["features", "rois", "batch_indices"],
        ["pooled"],
        mode=mode,
        coordinate_transformation_mode=coordinates,
        sampling_ratio=sampling_ratio,
        spatial_scale=spatial_scale,
        output_height=height,
        output_width=width,
    )
    inputs = [
        onnx.helper.make_tensor_value_info("features", onnx.TensorProto.FLOAT, ["B", "C", "H", "W"]),
        onnx.helper.make_tensor_value_info("rois", onnx.TensorProto.FLOAT, ["N", 4]),
        onnx.helper.make_tensor_value_info("batch_indices", onnx.TensorProto.INT64, ["N"]),
    ]
    output = onnx.helper.make_tensor_value_info("pooled", onnx.TensorProto.FLOAT, ["N", "C", height, width])
    graph = onnx.helper.make_graph([node], "roi_align", inputs, [output])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 16)], ir_version=8)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    ort.set_default_logger_severity(3)  # it warns of every "max" on a logger that session options do not reach
    try:
        return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    finally:
        ort.set_default_logger_severity(2)
