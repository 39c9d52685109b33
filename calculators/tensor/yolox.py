"""People from a YOLOX detector: its input, and boxes out of its raw grid."""

from __future__ import annotations

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output

from ..lazy import cv2
from ..payloads import Detection, FloatArray, Image, ImageSize, Tensors
from .tensors import TensorsOrOne, tensor_list

_STRIDES = (8, 16, 32)
_PADDING = 114


def decode_grid(rows: FloatArray, width: int, height: int) -> FloatArray:
    """YOLOX's raw rows with centres and sides in pixels of the input.

    Args:
        rows: float32 [N, 5 + C]: centre in cells from its cell, logarithm of the sides in cells, objectness, classes;
            cell by cell, row by row, of the grids of strides 8, 16 and 32.
        width: of the input, in pixels.
        height: of the input, in pixels.

    Returns:
        float32 [N, 5 + C]: centre x, y, width, height in pixels, the rest as it was.

    Raises:
        ValueError: an input of that size has another number of cells.

    Source: Ge et al., "YOLOX", 2021; its `demo_postprocess`.
    """
    cells, strides = [], []
    for stride in _STRIDES:
        y, x = np.mgrid[0 : height // stride, 0 : width // stride]
        cells.append(np.stack([x.reshape(-1), y.reshape(-1)], axis=1))
        strides.append(np.full((x.size, 1), stride))
    grid, stride_of = np.concatenate(cells), np.concatenate(strides)
    if len(grid) != len(rows) or rows.shape[1] < 6:
        raise ValueError(f"an input of {width} x {height} has {len(grid)} cells; the output has {list(rows.shape)}")
    decoded = rows.astype(np.float32)
    decoded[:, :2] = (rows[:, :2] + grid) * stride_of
    decoded[:, 2:4] = np.exp(np.clip(rows[:, 2:4], None, 20)) * stride_of
    return decoded


class YoloxImageToTensor(Calculator):
    """Fits an image into the upper left of YOLOX's input, grey elsewhere: BGR, 0 to 255.

    Source: YOLOX `preproc`.
    """

    image = Input("IMAGE", Image, "uint8 RGB")
    tensors = Output("TENSORS", Tensors, "one tensor [1, 3, size, size]")

    size: int = Option(640, "side of the network's input; 416 for nano and tiny")

    def process(self, context: Context) -> None:
        image = context[self.image]
        if image is None:
            return
        ratio = _ratio(image.shape[1], image.shape[0], self.size)
        inner = int(image.shape[1] * ratio), int(image.shape[0] * ratio)
        padded = np.full((self.size, self.size, 3), _PADDING, np.uint8)
        padded[: inner[1], : inner[0]] = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
        planes = padded[..., ::-1].transpose(2, 0, 1)[None]
        context[self.tensors] = [np.ascontiguousarray(planes, np.float32)]


class YoloxToDetections(Calculator):
    """Boxes of one class, persons, out of YOLOX's raw output; overlapping ones are for `NonMaxSuppression`.

    Source: YOLOX `demo_postprocess`.
    """

    tensors = Input("TENSORS", TensorsOrOne, "the first is [1, N, 5 + C], not decoded")
    size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels")
    detections = Output("DETECTIONS", list[Detection], "normalized; the surest first")

    input_size: int = Option(640, "side of the network's input")
    label: int = Option(0, "the class to keep; a person in COCO")
    min_score: float = Option(0.3, "boxes that score less are dropped")

    def process(self, context: Context) -> None:
        tensors, size = context[self.tensors], context[self.size]
        if tensors is None or size is None:
            return
        rows = tensor_list(tensors)[0]
        if rows.ndim != 3 or rows.shape[0] != 1 or rows.shape[2] <= 5 + self.label:
            raise ValueError(f"YOLOX gives [1, N, 5 + classes], not {list(rows.shape)}")
        decoded = decode_grid(rows[0], self.input_size, self.input_size)
        scores = decoded[:, 4] * decoded[:, 5 + self.label]
        kept = np.flatnonzero(scores >= self.min_score)
        kept = kept[np.argsort(-scores[kept], kind="stable")]
        # the part of the input that the image fills, in pixels of the input
        used = np.array(size) * _ratio(size[0], size[1], self.input_size)
        boxes = np.concatenate([decoded[:, :2] - decoded[:, 2:4] / 2, decoded[:, 2:4]], axis=1) / np.tile(used, 2)
        context[self.detections] = [
            Detection(
                boxes[row].astype(np.float32),
                scores=scores[row : row + 1].astype(np.float32),
                label_ids=np.array([self.label], np.int32),
            )
            for row in kept
        ]


def _ratio(width: int, height: int, size: int) -> float:
    return min(size / width, size / height)
