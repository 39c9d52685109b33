"""Bottom-up networks in a graph: an image in, everybody in it out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..geometry.kernels import project_by_matrix
from ..geometry.person_crop import crop_matrix, cropped, fix_aspect_ratio
from ..payloads import FloatArray, Image, Matrix4, NormalizedLandmarkList
from ..tensor.tensors import TensorsOrOne, tensor_list
from .associative_embedding import TagParameters, TagReference, aggregate_stages, group_by_tags
from .part_affinity import PRESETS, enlarged, group_people
from .topology import COCO_PARTNERS, OPENPOSE_18

_COCO_OF_OPENPOSE = (0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10)


class BottomUpTensor(Calculator):
    """Fits a whole image into a network's input, with black bands where the aspect ratio asks for them.

    Pixels are (value - mean) / deviation, channel by channel. MATRIX leads back: from coordinates normalized by the
    input to those normalized by the image.

    Source: OpenPose's and HigherHRNet's programs, but for the bands' place, which are on both sides here.
    """

    image = Input("IMAGE", Image, "uint8 RGB")
    tensors = Output("TENSORS", list[np.ndarray[Any, Any]], "one tensor [1, 3, height, width]")
    matrix = Output("MATRIX", Matrix4, "from the input's normalized coordinates to the image's")

    width: int = Option(656, "of the network's input, in pixels")
    height: int = Option(368, "of the network's input, in pixels")
    mean: list[float] = Option([128.0, 128.0, 128.0], "subtracted from each channel, in the network's order")
    deviation: list[float] = Option([256.0, 256.0, 256.0], "each channel is divided by")
    channels: Literal["rgb", "bgr"] = Option("bgr", "the network's order of colours")

    def process(self, context: Context) -> None:
        image = context[self.image]
        if image is None:
            return
        size = np.array([image.shape[1], image.shape[0]], np.float64)
        sides = fix_aspect_ratio(size, self.width / self.height)
        matrix = crop_matrix(size / 2, sides, (self.width, self.height))
        scale = matrix[0, 0]
        by_pixel = matrix.copy()
        by_pixel[:, 2] += (scale - 1) / 2  # OpenCV counts from the middle of the first pixel, not from its corner
        fitted = cropped(image[..., :3], by_pixel, (self.width, self.height))
        if self.channels == "bgr":
            fitted = fitted[..., ::-1]
        values = (fitted - np.array(self.mean, np.float32)) / np.array(self.deviation, np.float32)
        context[self.tensors] = [np.ascontiguousarray(values.transpose(2, 0, 1)[None], np.float32)]
        back = np.eye(4, dtype=np.float32)
        back[[0, 1], [0, 1]] = np.array([self.width, self.height]) / scale / size
        back[:2, 3] = -matrix[:, 2] / scale / size
        context[self.matrix] = back


class PartAffinityGrouping(Calculator):
    """Finds everybody in confidence maps and part affinity fields.

    The landmarks are COCO's 17, or OpenPose's 18 with the neck; what was not found has visibility 0. People come the
    surest first.

    Source: Cao et al., "OpenPose", 2019, section 3; see `group_people`.
    """

    tensors = Input("TENSORS", TensorsOrOne, "[1, 57, h, w]; or [1, 18 or 19, h, w] and [1, 38, h, w] in any order")
    matrix = Input("MATRIX", Matrix4, "from the maps' normalized coordinates to the image's", optional=True)
    landmarks = Output("LANDMARKS", list[NormalizedLandmarkList], "everybody, scores as visibility")
    scores = Output("SCORES", list[float], "of each person, per keypoint", optional=True)

    reference: Literal["paper", "openpose", "lightweight"] = Option("paper", "whose peaks, assignment and numbers")
    upsample: float = Option(4.0, "enlarge the maps by this before peaks are looked for")
    order: Literal["coco", "openpose"] = Option("coco", "which keypoints, in which order")

    def process(self, context: Context) -> None:
        tensors = context[self.tensors]
        matrix = context[self.matrix]
        if tensors is None or (matrix is None and context.is_connected(self.matrix)):
            return
        maps, fields = _maps_and_fields(tensor_list(tensors))
        maps, fields = enlarged(maps, self.upsample), enlarged(fields, self.upsample)
        found = group_people(maps, fields, OPENPOSE_18, PRESETS[self.reference])
        sure = found.scores / np.maximum(found.parts, 1)
        people: list[NormalizedLandmarkList] = []
        ranked = np.argsort(-sure, kind="stable")
        for person in found.people[ranked]:
            seen = person >= 0
            points, visible = np.zeros((len(person), 2), np.float32), np.zeros(len(person), np.float32)
            points[seen], visible[seen] = found.peaks[person[seen], :2], found.peaks[person[seen], 2]
            if self.order == "coco":
                points, visible = points[list(_COCO_OF_OPENPOSE)], visible[list(_COCO_OF_OPENPOSE)]
            people.append(_landmarks(points, visible, maps.shape[1:], matrix))
        context[self.landmarks] = people
        context[self.scores] = [float(score) for score in sure[ranked]]


class AssociativeEmbeddingGrouping(Calculator):
    """Finds everybody in heatmaps and tags of one or more resolutions.

    With FLIPPED_TENSORS, the answer to the mirrored image, heatmaps are averaged and tags told apart by both. What was
    not found has visibility 0. People come in the order in which they were found.

    Source: Newell et al., 2017; Cheng et al., "HigherHRNet", 2020; see `group_by_tags` and `aggregate_stages`.
    """

    tensors = Input("TENSORS", TensorsOrOne, "[1, 2 K, h, w], heatmaps and tags; then larger heatmaps [1, K, h, w]")
    flipped = Input("FLIPPED_TENSORS", TensorsOrOne, "the same of the mirrored image", optional=True)
    matrix = Input("MATRIX", Matrix4, "from the maps' normalized coordinates to the image's", optional=True)
    landmarks = Output("LANDMARKS", list[NormalizedLandmarkList], "everybody, scores as visibility")
    scores = Output("SCORES", list[float], "of each person, the mean over all joints", optional=True)

    score_threshold: float = Option(0.1, "confidence that a peak must exceed, 0..1")
    tag_threshold: float = Option(1.0, "peaks whose tag is farther from a person's begin a new one")
    most_people: int = Option(30, "that are kept")
    fill_missing: bool = Option(True, "look for missing joints where the tags fit")
    refinement: Literal["quarter", "udp"] = Option("quarter", "udp for networks with UDP's heatmaps")
    reference: TagReference = Option("exact", "whose ties, quarter offset and search")
    flip_partners: list[int] = Option(list(COCO_PARTNERS), "for each keypoint the one on the other side")
    order: list[int] = Option([], "of keypoints; default HigherHRNet's for COCO's 17, else as they are")

    def check(self, binding: Binding) -> Iterable[str]:
        if self.order and sorted(self.order) != list(range(len(self.order))):
            yield f"option 'order' must name each keypoint once, not {self.order}"

    def process(self, context: Context) -> None:
        tensors, flipped, matrix = context[self.tensors], context[self.flipped], context[self.matrix]
        waits = (flipped is None and context.is_connected(self.flipped)) or (
            matrix is None and context.is_connected(self.matrix)
        )
        if tensors is None or waits:
            return
        mirrored = [] if flipped is None else _batch_of_one(tensor_list(flipped))
        maps, tags = aggregate_stages(_batch_of_one(tensor_list(tensors)), mirrored, self.flip_partners)
        parameters = TagParameters(
            self.score_threshold,
            self.tag_threshold,
            most_people=self.most_people,
            refinement=self.refinement,
            center_shift=0.5 if self.reference == "higherhrnet" else 0.0,
            fill_missing=self.fill_missing,
            reference=self.reference,
        )
        if self.order or len(maps) != len(COCO_PARTNERS):
            parameters = replace(parameters, order=tuple(self.order or range(len(maps))))
        found = group_by_tags(maps, tags, parameters)
        shift = np.float32(
            0.5 if self.reference == "higherhrnet" else 0.0
        )  # the shift it adds is to the pixel's middle
        context[self.landmarks] = [
            _landmarks(points - shift, visible, maps.shape[1:], matrix)
            for points, visible in zip(found.keypoints, found.scores, strict=True)
        ]
        context[self.scores] = [float(score) for score in found.person_scores]


def _batch_of_one(tensors: list[npt.NDArray[Any]]) -> list[FloatArray]:
    if not tensors or any(tensor.ndim != 4 or len(tensor) != 1 for tensor in tensors):
        raise ValueError(f"maps are tensors [1, C, h, w], not {[list(tensor.shape) for tensor in tensors]}")
    return [tensor[0].astype(np.float32, copy=False) for tensor in tensors]


def _maps_and_fields(tensors: list[npt.NDArray[Any]]) -> tuple[FloatArray, FloatArray]:
    maps = _batch_of_one(tensors)
    keypoints, fields = len(OPENPOSE_18.keypoints), 2 * len(OPENPOSE_18.limbs)
    if len(maps) == 1 and len(maps[0]) >= keypoints + fields:
        return maps[0][:keypoints], maps[0][-fields:]
    if len(maps) == 2:
        first, second = sorted(maps, key=len)
        if len(first) in (keypoints, keypoints + 1) and len(second) == fields:
            return first[:keypoints], second
    raise ValueError(
        f"OpenPose gives [1, 57, h, w], or [1, 19, h, w] and [1, 38, h, w], not {[list(t.shape) for t in tensors]}"
    )


def _landmarks(
    points_px: FloatArray, visible: FloatArray, map_shape: tuple[int, ...], matrix: Matrix4 | None
) -> NormalizedLandmarkList:
    """Landmarks of places counted from the middle of the maps' first pixel."""
    height, width = map_shape
    xyz = np.zeros((len(points_px), 3), np.float32)
    xyz[:, :2] = (points_px + np.float32(0.5)) / np.array([width, height], np.float32)
    if matrix is not None:
        xyz = project_by_matrix(xyz, matrix)
    xyz[~(visible > 0)] = 0
    return NormalizedLandmarkList(xyz, visibility=visible.astype(np.float32, copy=False))
