"""Detections out of the output tensors of an SSD detector."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, OptionGroup, Output, SideInput
from graphflow.context import Binding

from ..payloads import Detection, FloatArray
from .class_filter import ClassFilter
from .detection_kernels import XYWH, XYXY, YXHW, BoolArray, BoxCoding, ScoreCoding, decode
from .tensors import TensorsOrOne, flat_values, tensor_list


class TensorMapping(OptionGroup):
    """Which tensor holds what, where the model's order is not the usual one."""

    detections_tensor_index: int | None = None
    classes_tensor_index: int | None = None
    scores_tensor_index: int | None = None
    num_detections_tensor_index: int | None = None
    anchors_tensor_index: int | None = None


class BoxBoundariesIndices(OptionGroup):
    """Where in a box of a model that decodes boxes itself its sides are."""

    ymin: int = 0
    xmin: int = 1
    ymax: int = 2
    xmax: int = 3


class TensorsToDetections(Calculator):
    """Decodes a detector's raw boxes and scores against its anchors and drops what scores too low.

    Two tensors are boxes [1, N, num_coords] and scores [1, N, num_classes]; a third one holds the anchors [N, 4] as
    y_center, x_center, height, width, which otherwise come as a side packet. Four tensors are those of a model that
    decodes and suppresses itself: boxes, classes, scores, number of boxes.

    Source: MediaPipe's TensorsToDetectionsCalculator.
    """

    tensors = Input("TENSORS", TensorsOrOne, "float32: boxes, scores and perhaps anchors")
    anchors = SideInput("ANCHORS", np.ndarray, "float32 [N, 4]: x_center, y_center, width, height", optional=True)
    side_ignored = SideInput("IGNORE_CLASSES", list[int], "overrides the option 'ignore_classes'", optional=True)
    detections = Output("DETECTIONS", list[Detection], "normalized to the model's input, in the order of the anchors")

    num_classes: int = Option(doc="scores for each anchor")
    num_boxes: int = Option(0, "how many anchors")
    num_coords: int = Option(doc="numbers for each anchor: 4 of the box and 2 for each keypoint")
    keypoint_coord_offset: int = Option(0, "where the keypoints start among those numbers")
    num_keypoints: int = Option(0, "keypoints of a detection")
    num_values_per_keypoint: Literal[2] = Option(2, "x and y")
    box_coord_offset: int = Option(0, "where the box starts among those numbers")
    x_scale: float = Option(0.0, "what x is divided by; an anchor's width is one unit then")
    y_scale: float = Option(0.0, "what y is divided by")
    w_scale: float = Option(0.0, "what the width is divided by")
    h_scale: float = Option(0.0, "what the height is divided by")
    apply_exponential_on_box_size: bool = Option(False, "width and height are logarithms")
    reverse_output_order: bool = Option(False, "x before y; box_format says it more clearly")
    ignore_classes: list[int] = Option([], "classes that never win")
    allow_classes: list[int] = Option([], "the only classes that may win")
    sigmoid_score: bool = Option(False, "scores are logits")
    score_clipping_thresh: float | None = Option(None, "cut logits off at plus and minus this")
    flip_vertically: bool = Option(False, "the model's y points up")
    min_score_thresh: float | None = Option(None, "drop what scores less")
    max_results: int = Option(-1, "keep only the first so many; negative for all")
    max_classes_per_detection: int = Option(1, "how often a model that decodes itself repeats each box")
    tensor_mapping: TensorMapping | None = Option(None, "which tensor holds what")
    box_boundaries_indices: BoxBoundariesIndices | None = Option(None, "for models that decode themselves")
    box_format: Literal["UNSPECIFIED", "YXHW", "XYWH", "XYXY"] = Option("UNSPECIFIED", "order of a box's numbers")

    _classes: ClassFilter
    _allowed: BoolArray
    _box_coding: BoxCoding
    _score_coding: ScoreCoding

    def check(self, binding: Binding) -> Iterable[str]:
        coords = 4 + self.num_keypoints * self.num_values_per_keypoint
        if coords != self.num_coords:
            yield f"{self.num_keypoints} keypoints make 'num_coords' {coords}, not {self.num_coords}"
        if self.max_results == 0:
            yield "option 'max_results' must not be 0; negative means no limit"
        if self.allow_classes and (self.ignore_classes or self.side_ignored in binding.slots):
            yield "set one of 'allow_classes' and 'ignore_classes'"
        if self.tensor_mapping is not None:
            yield from _mapping_problems(self.tensor_mapping)
        sides = self.box_boundaries_indices
        if sides is not None and sorted((sides.ymin, sides.xmin, sides.ymax, sides.xmax)) != [0, 1, 2, 3]:
            yield "option 'box_boundaries_indices' must name each of 0, 1, 2, 3 once"

    def open(self, context: Context) -> None:
        ignored = context[self.side_ignored]
        self._classes = ClassFilter(self.allow_classes, self.ignore_classes if ignored is None else ignored)
        self._allowed = np.array([self._classes.allows(index) for index in range(self.num_classes)], np.bool_)
        unspecified = XYWH if self.reverse_output_order else YXHW
        layouts = {"UNSPECIFIED": unspecified, "YXHW": YXHW, "XYWH": XYWH, "XYXY": XYXY}
        self._box_coding = BoxCoding(
            layouts[self.box_format],
            self.box_coord_offset,
            self.keypoint_coord_offset,
            self.num_keypoints,
            np.float32(self.x_scale),
            np.float32(self.y_scale),
            np.float32(self.w_scale),
            np.float32(self.h_scale),
            self.apply_exponential_on_box_size,
            self.flip_vertically,
        )
        clip, minimum = self.score_clipping_thresh, self.min_score_thresh
        self._score_coding = ScoreCoding(
            self.sigmoid_score,
            np.float32(np.inf if clip is None else clip),
            np.float32(-np.inf if minimum is None else minimum),
            not self._classes.allows(-1),
        )

    def process(self, context: Context) -> None:
        value = context[self.tensors]
        if value is None:
            return
        tensors = tensor_list(value)
        if len(tensors) == 4:
            context[self.detections] = self._decoded_by_model(tensors)
        elif len(tensors) in (2, 3):
            context[self.detections] = self._decode(tensors, context[self.anchors])
        else:
            raise ValueError(f"TENSORS holds boxes, scores and perhaps anchors: 2, 3 or 4 tensors, not {len(tensors)}")

    def _decode(self, tensors: list[npt.NDArray[Any]], anchors: FloatArray | None) -> list[Detection]:
        mapping = self.tensor_mapping or TensorMapping()
        boxes = tensors[_index(mapping.detections_tensor_index, 0)]
        scores = tensors[_index(mapping.scores_tensor_index, 1)]
        if self.box_boundaries_indices is not None:
            raise ValueError("option 'box_boundaries_indices' is for the four tensors of a model that decodes itself")
        for name, tensor, size in (("boxes", boxes, self.num_coords), ("scores", scores, self.num_classes)):
            if tensor.size != self.num_boxes * size or tensor.shape[-1] != size:
                raise ValueError(f"{name} must be [1, {self.num_boxes}, {size}], not {list(tensor.shape)}")
        if len(tensors) == 3:
            anchors = tensors[_index(mapping.anchors_tensor_index, 2)].reshape(-1, 4)[:, [1, 0, 3, 2]]
        elif anchors is None:
            raise ValueError("no anchors: connect the side input ANCHORS, or give them as a third tensor")
        found = decode(
            flat_values(boxes).reshape(self.num_boxes, self.num_coords),
            flat_values(scores).reshape(self.num_boxes, self.num_classes),
            flat_values(anchors).reshape(-1, 4),
            self._allowed,
            self._box_coding,
            self._score_coding,
            self.max_results,
        )
        return [
            Detection(found.boxes[i], found.scores[i : i + 1], found.classes[i : i + 1], (), found.keypoints[i])
            for i in range(len(found.scores))
        ]

    def _decoded_by_model(self, tensors: list[npt.NDArray[Any]]) -> list[Detection]:
        mapping = self.tensor_mapping or TensorMapping()
        boxes = flat_values(tensors[_index(mapping.detections_tensor_index, 0)]).reshape(-1, self.num_coords)
        classes = flat_values(tensors[_index(mapping.classes_tensor_index, 1)]).astype(np.int32)
        scores = flat_values(tensors[_index(mapping.scores_tensor_index, 2)])
        count = int(flat_values(tensors[_index(mapping.num_detections_tensor_index, 3)])[0])
        each = self.max_classes_per_detection
        if count * each > min(len(boxes), len(classes), len(scores)):
            raise ValueError(f"the model says {count} boxes of {each} classes, and gives {len(boxes)} boxes")
        sides = self.box_boundaries_indices or BoxBoundariesIndices()
        found: list[Detection] = []
        for first in range(0, count * each, each):
            if len(found) == self.max_results:
                break
            ymin, xmin, ymax, xmax = (boxes[first, at] for at in (sides.ymin, sides.xmin, sides.ymax, sides.xmax))
            if not (xmax - xmin >= 0 and ymax - ymin >= 0):
                continue
            keep = [
                index
                for index in range(first, first + each)
                if self._classes.allows(int(classes[index])) and not scores[index] < self._score_coding.minimum
            ]
            if keep:
                top = np.float32(1) - ymax if self.flip_vertically else ymin
                box = np.array([xmin, top, xmax - xmin, ymax - ymin], np.float32)
                found.append(Detection(box, scores[keep], classes[keep], (), self._keypoints(boxes[first])))
        return found

    def _keypoints(self, numbers: FloatArray) -> FloatArray:
        start = self.keypoint_coord_offset
        points = numbers[start : start + 2 * self.num_keypoints].reshape(-1, 2).copy()
        if self.flip_vertically:
            points[:, 1] = np.float32(1) - points[:, 1]
        return points


def _index(given: int | None, usual: int) -> int:
    return usual if given is None else given


def _mapping_problems(mapping: TensorMapping) -> Iterable[str]:
    given = {name.removesuffix("_tensor_index"): index for name, index in mapping if index is not None}
    complete = (
        {"detections", "scores"},
        {"detections", "scores", "anchors"},
        {"detections", "scores", "classes", "num_detections"},
    )
    if set(given) not in complete:
        yield f"option 'tensor_mapping' must name one of {[sorted(names) for names in complete]}, not {sorted(given)}"
    elif sorted(given.values()) != list(range(len(given))):
        yield f"option 'tensor_mapping' must use each of 0..{len(given) - 1} once, not {sorted(given.values())}"
