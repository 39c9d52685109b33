"""The places an SSD detector's answers are relative to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from graphflow import Calculator, Context, Option, OptionGroup, SideOutput, Stop
from graphflow.context import Binding

from ..payloads import FloatArray

_float = np.float32


class Anchor(OptionGroup):
    """One anchor, normalized by the image."""

    x_center: float
    y_center: float
    w: float
    h: float


class SsdAnchors(Calculator):
    """Makes the grid of anchor boxes of a single-shot detector, one or several at each cell of its feature maps.

    Source: MediaPipe's SsdAnchorsCalculator; with `multiscale_anchor_generation` the pyramid of Lin et al., "Focal
    Loss for Dense Object Detection" (https://arxiv.org/abs/1708.02002).
    """

    anchors = SideOutput("", np.ndarray, "float32 [N, 4]: x_center, y_center, width, height, normalized")

    input_size_width: int | None = Option(None, "width of the model's input")
    input_size_height: int | None = Option(None, "height of the model's input")
    min_scale: float | None = Option(None, "size of the boxes on the finest feature map, as part of the image")
    max_scale: float | None = Option(None, "size of the boxes on the coarsest feature map")
    anchor_offset_x: float = Option(0.5, "where in its cell an anchor lies, as part of the cell")
    anchor_offset_y: float = Option(0.5, "where in its cell an anchor lies, as part of the cell")
    num_layers: int | None = Option(None, "how many feature maps")
    feature_map_width: list[int] = Option([], "columns of each feature map, instead of those the strides give")
    feature_map_height: list[int] = Option([], "rows of each feature map, instead of those the strides give")
    strides: list[int] = Option([], "pixels from cell to cell, of each feature map; equal ones share their cells")
    aspect_ratios: list[float] = Option([], "width / height of the boxes of a cell")
    reduce_boxes_in_lowest_layer: bool = Option(False, "three fixed boxes a cell on the first feature map")
    interpolated_scale_aspect_ratio: float = Option(1.0, "of one more box, between two scales; 0 for none")
    fixed_anchor_size: bool = Option(False, "every box is as large as the image, for models that answer in pixels")
    multiscale_anchor_generation: bool = Option(False, "make a pyramid with octaves of scales")
    min_level: int = Option(3, "finest level of the pyramid")
    max_level: int = Option(7, "coarsest level of the pyramid")
    anchor_scale: float = Option(4.0, "size of a box in strides, in the pyramid")
    scales_per_octave: int = Option(2, "scales between two levels of the pyramid")
    normalize_coordinates: bool = Option(True, "divide the pyramid's boxes by the input's size")
    fixed_anchors: list[Anchor] = Option([], "the anchors themselves, instead of everything above")

    def check(self, binding: Binding) -> Iterable[str]:
        if self.fixed_anchors:
            generating = ("input_size_height", "input_size_width", "min_scale", "max_scale", "num_layers")
            also = [name for name in generating if getattr(self, name) is not None]
            if also or self.multiscale_anchor_generation:
                yield f"'fixed_anchors' leaves nothing to generate: drop {also or ['multiscale_anchor_generation']}"
            return
        required = ["input_size_height", "input_size_width"]
        if not self.multiscale_anchor_generation:
            required += ["min_scale", "max_scale", "num_layers"]
        for name in required:
            if getattr(self, name) is None:
                yield f"option '{name}' must be set"
        layers = self._layers()
        maps = (("feature_map_height", self.feature_map_height), ("feature_map_width", self.feature_map_width))
        for name, sizes in maps if any(sizes for _, sizes in maps) else ():
            if len(sizes) != layers:
                yield f"option '{name}' needs one size for each of {layers} layers, not {len(sizes)}"
        if len(self.strides) != layers and not (self.multiscale_anchor_generation and self.feature_map_height):
            yield f"option 'strides' needs one value for each of {layers} layers, not {len(self.strides)}"

    def open(self, context: Context) -> None:
        if self.fixed_anchors:
            rows = [(anchor.x_center, anchor.y_center, anchor.w, anchor.h) for anchor in self.fixed_anchors]
            context[self.anchors] = np.array(rows, np.float32)
        else:
            layers = self._pyramid() if self.multiscale_anchor_generation else self._grids()
            context[self.anchors] = np.concatenate(list(layers))

    def process(self, context: Context) -> None:
        raise Stop

    def _layers(self) -> int:
        return self.max_level - self.min_level + 1 if self.multiscale_anchor_generation else self.num_layers or 0

    def _map_size(self, layer: int) -> tuple[int, int]:
        """Columns and rows of a feature map."""
        if self.feature_map_height:
            return self.feature_map_width[layer], self.feature_map_height[layer]
        stride = self.strides[layer]
        return math.ceil((self.input_size_width or 0) / stride), math.ceil((self.input_size_height or 0) / stride)

    def _grids(self) -> Iterator[FloatArray]:
        first = 0
        while first < len(self.strides):
            last = first
            shapes: list[tuple[_float, _float]] = []
            while last < len(self.strides) and self.strides[last] == self.strides[first]:
                shapes += self._shapes(last)
                last += 1
            columns, rows = self._map_size(first)
            x = (np.arange(columns, dtype=np.float32) + _float(self.anchor_offset_x)) / _float(columns)
            y = (np.arange(rows, dtype=np.float32) + _float(self.anchor_offset_y)) / _float(rows)
            boxes = [(_float(1), _float(1))] * len(shapes) if self.fixed_anchor_size else shapes
            yield _on_grid(x, y, boxes)
            first = last

    def _shapes(self, layer: int) -> list[tuple[_float, _float]]:
        """Width and height of the boxes of a cell of a layer, normalized."""
        scale = self._scale(layer)
        if layer == 0 and self.reduce_boxes_in_lowest_layer:
            ratios_and_scales = [(_float(1), _float(0.1)), (_float(2), scale), (_float(0.5), scale)]
        else:
            ratios_and_scales = [(_float(ratio), scale) for ratio in self.aspect_ratios]
            if self.interpolated_scale_aspect_ratio > 0:
                coarser = _float(1) if layer == len(self.strides) - 1 else self._scale(layer + 1)
                ratios_and_scales.append((_float(self.interpolated_scale_aspect_ratio), np.sqrt(scale * coarser)))
        return [(scale * np.sqrt(ratio), scale / np.sqrt(ratio)) for ratio, scale in ratios_and_scales]

    def _scale(self, layer: int) -> _float:
        low, high = _float(self.min_scale or 0), _float(self.max_scale or 0)
        if len(self.strides) == 1:
            return (low + high) * _float(0.5)
        return _float(float(low) + float(high - low) * layer / (len(self.strides) - 1))

    def _pyramid(self) -> Iterator[FloatArray]:
        width, height = self.input_size_width or 0, self.input_size_height or 0
        scales = [_float(2.0 ** (step / self.scales_per_octave)) for step in range(self.scales_per_octave)]
        for layer, level in enumerate(range(self.min_level, self.max_level + 1)):
            stride = _float(2.0**level)
            size = stride * _float(self.anchor_scale)
            roots = [np.sqrt(_float(ratio)) for ratio in self.aspect_ratios]
            shapes = [(scale * root * size, scale * size / root) for root in roots for scale in scales]
            # A half stride in, but only where the level's grid fills the input exactly.
            offsets = [
                stride / _float(2) if length % 2**level == 0 or length == 1 else _float(0) for length in (width, height)
            ]
            columns, rows = self._map_size(layer)
            x = np.arange(columns, dtype=np.float32) * stride + offsets[0]
            y = np.arange(rows, dtype=np.float32) * stride + offsets[1]
            boxes = _on_grid(x, y, shapes)
            if self.normalize_coordinates:
                boxes /= np.array([width, height] * 2, np.float32)
            yield boxes


def _on_grid(x: FloatArray, y: FloatArray, shapes: list[tuple[_float, _float]]) -> FloatArray:
    """Every shape at every place: row by row, cell by cell, shape by shape."""
    boxes = np.empty((len(y), len(x), len(shapes), 4), np.float32)
    boxes[..., 0] = x[np.newaxis, :, np.newaxis]
    boxes[..., 1] = y[:, np.newaxis, np.newaxis]
    boxes[..., 2:] = shapes
    return boxes.reshape(-1, 4)
