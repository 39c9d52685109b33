"""Landmarks out of a regression model's output tensor."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output, SideInput
from graphflow.context import Binding

from ..lazy import njit
from ..payloads import FloatArray, LandmarkList, NormalizedLandmarkList
from .sigmoid import Activation, activate
from .tensors import TensorsOrOne, first_values


class TensorsToLandmarks(Calculator):
    """Turns the first tensor, N points of 1 to 5 and more numbers, into landmarks.

    The numbers of a point are x, y, z, visibility, presence; those that the model does not give are 0 (x, y, z) or
    absent, those after the fifth are ignored.

    Source: MediaPipe's TensorsToLandmarksCalculator.
    """

    fusible = True
    aliases = ("TfLiteTensorsToLandmarks",)

    tensors = Input("TENSORS", TensorsOrOne, "float32; only the first is used")
    flip_x = Input("FLIP_HORIZONTALLY", bool, "overrides the side packet and the option", optional=True)
    flip_y = Input("FLIP_VERTICALLY", bool, "overrides the side packet and the option", optional=True)
    side_flip_x = SideInput("FLIP_HORIZONTALLY", bool, "overrides the option", optional=True)
    side_flip_y = SideInput("FLIP_VERTICALLY", bool, "overrides the option", optional=True)
    landmarks = Output("LANDMARKS", LandmarkList, "in the model's own unit", optional=True)
    norm_landmarks = Output("NORM_LANDMARKS", NormalizedLandmarkList, "divided by the input's size", optional=True)

    num_landmarks: int = Option(doc="how many points the tensor holds")
    input_image_width: int | None = Option(None, "width of the model's input, for NORM_LANDMARKS and flips")
    input_image_height: int | None = Option(None, "height of the model's input, for NORM_LANDMARKS and flips")
    flip_horizontally: bool = Option(False, "the input was mirrored left to right")
    flip_vertically: bool = Option(False, "the input was mirrored top to bottom")
    normalize_z: float = Option(1.0, "what z of NORM_LANDMARKS is divided by, beyond the width of the input")
    visibility_activation: Activation = Option("NONE", "applied to visibility")
    presence_activation: Activation = Option("NONE", "applied to presence")

    def check(self, binding: Binding) -> Iterable[str]:
        if self.num_landmarks <= 0:
            yield f"option 'num_landmarks' must be positive, not {self.num_landmarks}"
        if self.input_image_width is not None and self.input_image_height is not None:
            return
        if self.norm_landmarks in binding.slots:
            yield "NORM_LANDMARKS needs the options 'input_image_width' and 'input_image_height'"
        flips = (self.flip_x, self.flip_y, self.side_flip_x, self.side_flip_y)
        if self.flip_horizontally or self.flip_vertically or any(port in binding.slots for port in flips):
            yield "flipping needs the options 'input_image_width' and 'input_image_height'"

    def process(self, context: Context) -> None:
        tensors = context[self.tensors]
        if tensors is None:
            return
        values = first_values(tensors)
        size = len(values) // self.num_landmarks
        if size == 0:
            raise ValueError(f"a tensor of {len(values)} numbers cannot hold {self.num_landmarks} landmarks")
        points = values[: self.num_landmarks * size].reshape(self.num_landmarks, size)
        width, height = np.float32(self.input_image_width or 0), np.float32(self.input_image_height or 0)
        flips = (
            self._flip(context, self.flip_x, self.side_flip_x, self.flip_horizontally),
            self._flip(context, self.flip_y, self.side_flip_y, self.flip_vertically),
        )
        xyz = np.zeros((self.num_landmarks, 3), np.float32)
        _fill_points(points, width, height, *flips, xyz)
        visibility = self._score(points, 3, self.visibility_activation)
        presence = self._score(points, 4, self.presence_activation)
        context[self.landmarks] = LandmarkList(xyz, visibility, presence)
        if context.is_connected(self.norm_landmarks):
            normalized = np.empty_like(xyz)
            _normalize(xyz, width, height, np.float32(self.normalize_z), normalized)
            context[self.norm_landmarks] = NormalizedLandmarkList(normalized, visibility, presence)

    @staticmethod
    def _flip(context: Context, stream: Input, side: SideInput, default: bool) -> bool:
        port = stream if context.is_connected(stream) else side
        value = context[port]
        return default if value is None else bool(value)

    @staticmethod
    def _score(points: FloatArray, column: int, activation: Activation) -> FloatArray | None:
        return activate(points[:, column].copy(), activation) if points.shape[1] > column else None


@njit(cache=True, nogil=True)
def _fill_points(
    points: FloatArray, width: np.float32, height: np.float32, flip_x: bool, flip_y: bool, out: FloatArray
) -> None:
    given = min(points.shape[1], 3)
    for i in range(len(points)):
        for axis in range(given):
            out[i, axis] = points[i, axis]
        if flip_x:
            out[i, 0] = width - out[i, 0]
        if flip_y and given > 1:
            out[i, 1] = height - out[i, 1]


@njit(cache=True, nogil=True, error_model="numpy")
def _normalize(
    points: FloatArray, width: np.float32, height: np.float32, normalize_z: np.float32, out: FloatArray
) -> None:
    for i in range(len(points)):
        out[i, 0] = points[i, 0] / width
        out[i, 1] = points[i, 1] / height
        out[i, 2] = points[i, 2] / width / normalize_z
