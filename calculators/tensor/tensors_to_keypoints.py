"""Top-down networks' outputs as landmarks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..payloads import FloatArray, NormalizedLandmarkList
from .flip_test import FlipMode, average, unflipped_coordinates, unflipped_heatmaps, unflipped_simcc
from .heatmap_decoding import HeatmapDecoder, decode_heatmaps
from .simcc import decode_regression, decode_simcc
from .tensors import TensorsOrOne, tensor_list


class HeatmapsToLandmarks(Calculator):
    """Turns the heatmaps of one person into landmarks, their scores as visibility.

    With FLIPPED_TENSORS, the answer to the mirrored image, both are averaged first (flip test).

    Source: see `decode_heatmaps`.
    """

    tensors = Input("TENSORS", TensorsOrOne, "the first is [1, K, H, W], or [1, H, W, K] with `layout` NHWC")
    flipped = Input("FLIPPED_TENSORS", TensorsOrOne, "the same of the mirrored image", optional=True)
    landmarks = Output("NORM_LANDMARKS", NormalizedLandmarkList, "normalized to the network's input, z 0")

    input_width: int = Option(192, "of the network, in pixels")
    input_height: int = Option(256, "of the network, in pixels")
    decoder: HeatmapDecoder = Option("quarter_offset", "how the network's own program finds keypoints")
    kernel_size: int = Option(11, "of the blur of dark, udp and megvii; odd")
    reference: Literal["exact", "mmpose"] = Option("exact", "whose scale of udp; mmpose's is up to a pixel too long")
    layout: Literal["NCHW", "NHWC"] = Option("NCHW", "the order of the tensor's axes")
    flip_partners: list[int] = Option([], "for each keypoint the one on the other side; for the flip test")
    flip_shift: bool = Option(False, "the mirrored maps lie one pixel to the left, as those of strided networks do")

    def check(self, binding: Binding) -> Iterable[str]:
        if self.flipped in binding.slots and not self.flip_partners:
            yield "FLIPPED_TENSORS needs the option 'flip_partners'"
        if self.kernel_size < 1 or self.kernel_size % 2 == 0:
            yield f"option 'kernel_size' must be odd and positive, not {self.kernel_size}"

    def process(self, context: Context) -> None:
        tensors, flipped = context[self.tensors], context[self.flipped]
        if tensors is None or (flipped is None and context.is_connected(self.flipped)):
            return
        maps = self._maps(tensors)
        if flipped is not None:
            mode: FlipMode = "udp_combined" if self.decoder == "udp_combined" else "heatmap"
            maps = average(maps, unflipped_heatmaps(self._maps(flipped), self.flip_partners, mode, self.flip_shift))
        size = (self.input_width, self.input_height)
        points, scores = decode_heatmaps(maps, size, self.decoder, self.kernel_size, reference=self.reference)
        context[self.landmarks] = _landmarks(points / size, scores)

    def _maps(self, tensors: TensorsOrOne) -> FloatArray:
        first = _one(tensors, 0)
        if first.ndim != 3:
            raise ValueError(f"heatmaps are [1, K, H, W] or [1, H, W, K], not {[1, *first.shape]}")
        return first if self.layout == "NCHW" else first.transpose(2, 0, 1)


class SimCCToLandmarks(Calculator):
    """Turns SimCC vectors of one person into landmarks, their scores as visibility; with a flip test as above.

    Source: Li et al., "SimCC", 2022; RTMPose.
    """

    tensors = Input("TENSORS", TensorsOrOne, "[1, K, Wx] and [1, K, Wy]")
    flipped = Input("FLIPPED_TENSORS", TensorsOrOne, "the same of the mirrored image", optional=True)
    landmarks = Output("NORM_LANDMARKS", NormalizedLandmarkList, "normalized to the network's input, z 0")

    input_width: int = Option(192, "of the network, in pixels")
    input_height: int = Option(256, "of the network, in pixels")
    split_ratio: float = Option(2.0, "bins for each pixel")
    dark_sigma: list[float] = Option([], "deviations in bins along x and y, to refine by DARK")
    flip_partners: list[int] = Option([], "for each keypoint the one on the other side; for the flip test")

    def check(self, binding: Binding) -> Iterable[str]:
        if self.flipped in binding.slots and not self.flip_partners:
            yield "FLIPPED_TENSORS needs the option 'flip_partners'"
        if len(self.dark_sigma) not in (0, 2):
            yield f"option 'dark_sigma' has two numbers, not {len(self.dark_sigma)}"

    def process(self, context: Context) -> None:
        tensors, flipped = context[self.tensors], context[self.flipped]
        if tensors is None or (flipped is None and context.is_connected(self.flipped)):
            return
        x, y = _one(tensors, 0), _one(tensors, 1)
        if flipped is not None:
            other_x, other_y = unflipped_simcc(_one(flipped, 0), _one(flipped, 1), self.flip_partners)
            x, y = average(x, other_x), average(y, other_y)
        sigma = (self.dark_sigma[0], self.dark_sigma[1]) if self.dark_sigma else None
        points, scores = decode_simcc(x, y, self.split_ratio, sigma)
        context[self.landmarks] = _landmarks(points / (self.input_width, self.input_height), scores)


class RegressionToLandmarks(Calculator):
    """Turns coordinates in 0..1 of one person, with or without deviations, into landmarks with scores as visibility.

    Source: DeepPose; RLE. With a flip test as above.
    """

    tensors = Input("TENSORS", TensorsOrOne, "the first is [1, K, 2] or [1, K, 4]")
    flipped = Input("FLIPPED_TENSORS", TensorsOrOne, "the same of the mirrored image", optional=True)
    landmarks = Output("NORM_LANDMARKS", NormalizedLandmarkList, "normalized to the network's input, z 0")

    input_width: int = Option(192, "of the network, in pixels")
    flip_partners: list[int] = Option([], "for each keypoint the one on the other side; for the flip test")
    flip_shift: bool = Option(False, "the mirrored answer lies one pixel of the input to the right")

    def check(self, binding: Binding) -> Iterable[str]:
        if self.flipped in binding.slots and not self.flip_partners:
            yield "FLIPPED_TENSORS needs the option 'flip_partners'"

    def process(self, context: Context) -> None:
        tensors, flipped = context[self.tensors], context[self.flipped]
        if tensors is None or (flipped is None and context.is_connected(self.flipped)):
            return
        numbers = _one(tensors, 0)
        if flipped is not None:
            other = _one(flipped, 0)
            places = unflipped_coordinates(other[:, :2], self.flip_partners, self.input_width, self.flip_shift)
            numbers = average(numbers, np.concatenate([places, other[self.flip_partners, 2:]], axis=1))
        points, scores = decode_regression(numbers, (1, 1))
        context[self.landmarks] = _landmarks(points, scores)


class FlipTensor(Calculator):
    """Mirrors an image tensor left to right, for a flip test: run it through the network, too.

    Source: Newell et al., "Stacked Hourglass Networks", 2016, section 4.1.
    """

    tensors = Input("TENSORS", TensorsOrOne, "the first is [1, C, H, W], or [1, H, W, C] with `layout` NHWC")
    flipped = Output("TENSORS", list[np.ndarray], "one tensor")

    layout: Literal["NCHW", "NHWC"] = Option("NCHW", "the order of the tensor's axes")

    def process(self, context: Context) -> None:
        tensors = context[self.tensors]
        if tensors is None:
            return
        image = tensor_list(tensors)[0]
        if image.ndim != 4:
            raise ValueError(f"an image tensor has 4 axes, not {list(image.shape)}")
        mirrored = image[..., ::-1] if self.layout == "NCHW" else image[:, :, ::-1]
        context[self.flipped] = [np.ascontiguousarray(mirrored)]


def _one(tensors: TensorsOrOne, position: int) -> FloatArray:
    """One tensor without its batch axis; float32."""
    found = tensor_list(tensors)
    if position >= len(found) or found[position].ndim < 2 or len(found[position]) != 1:
        raise ValueError(f"a tensor [1, …] is needed at {position}; there are {[list(each.shape) for each in found]}")
    single: FloatArray = found[position][0].astype(np.float32, copy=False)
    return single


def _landmarks(points: npt.NDArray[np.floating], scores: FloatArray) -> NormalizedLandmarkList:
    xyz = np.zeros((len(points), 3), np.float32)
    xyz[:, :2] = points
    return NormalizedLandmarkList(xyz, visibility=scores.astype(np.float32, copy=False))
