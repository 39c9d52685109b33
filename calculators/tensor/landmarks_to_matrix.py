"""LandmarksToMatrix: landmarks as the input of a gesture model."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..payloads import FloatArray, ImageSize, LandmarkList, NormalizedLandmarkList, NormalizedRect

_CENTRE = np.float32(0.5)
"""What points are turned around: the middle of the image, and, as MediaPipe has it, for points in metres the same."""


class LandmarksToMatrix(Calculator):
    """Lays out landmarks as a matrix, turned upright and freed from place and size as the options say.

    Source: MediaPipe LandmarksToMatrixCalculator.
    """

    fusible = True

    landmarks = Input("LANDMARKS", NormalizedLandmarkList, "needs IMAGE_SIZE; this or WORLD_LANDMARKS", optional=True)
    world_landmarks = Input("WORLD_LANDMARKS", LandmarkList, "points in metres", optional=True)
    image_size = Input("IMAGE_SIZE", ImageSize, "makes x and y equally long", optional=True)
    norm_rect = Input("NORM_RECT", NormalizedRect, "its rotation is taken back", optional=True)
    matrix = Output("LANDMARKS_MATRIX", np.ndarray, "float32 [3, N]: x, y, z")

    object_normalization: bool = Option(doc="whether one landmark becomes the origin and the longer side 1")
    object_normalization_origin_offset: int = Option(0, "number of the landmark that becomes the origin")

    def check(self, binding: Binding) -> Iterable[str]:
        slots = binding.slots
        if (self.landmarks in slots) == (self.world_landmarks in slots):
            yield "connect one of LANDMARKS and WORLD_LANDMARKS"
        if self.landmarks in slots and self.image_size not in slots:
            yield "LANDMARKS needs IMAGE_SIZE"

    def process(self, context: Context) -> None:
        normalized = context.is_connected(self.landmarks)
        landmarks = context[self.landmarks] if normalized else context[self.world_landmarks]
        if landmarks is None:
            return
        points: FloatArray = landmarks.xyz
        if normalized:
            if context[self.image_size] is None:
                raise ValueError("there are landmarks, but IMAGE_SIZE has no packet")
            size = np.array(context[self.image_size], np.float32)
            if size.max() <= 0:
                raise ValueError(f"an image of {size[0]:.0f} x {size[1]:.0f} pixels has no sides to compare")
            points = np.concatenate([(points[:, :2] - _CENTRE) * (size / size.max()) + _CENTRE, points[:, 2:]], axis=1)
        if context.is_connected(self.norm_rect):
            rect: NormalizedRect | None = context[self.norm_rect]
            if rect is None:
                raise ValueError("there are landmarks, but NORM_RECT has no packet")
            points = _rotated(points, rect.rotation)
        if self.object_normalization:
            points = self._without_place_and_size(points)
        context[self.matrix] = np.ascontiguousarray(points.T, np.float32)

    def _without_place_and_size(self, points: FloatArray) -> FloatArray:
        origin = self.object_normalization_origin_offset
        if not 0 <= origin < len(points):
            raise ValueError(f"object_normalization_origin_offset is {origin}, but there are {len(points)} landmarks")
        moved = points - points[origin]
        extent = (moved[:, :2].max(axis=0) - moved[:, :2].min(axis=0)).max()
        scaled: FloatArray = moved / (extent + np.float32(1e-5))
        return scaled


def _rotated(points: FloatArray, rotation: float) -> FloatArray:
    # y points down, so that the rotation is taken back by turning the other way
    cosine, sine = np.float32(np.cos(np.float32(rotation))), np.float32(np.sin(-np.float32(rotation)))
    x, y = points[:, 0] - _CENTRE, points[:, 1] - _CENTRE
    return np.stack([cosine * x - sine * y + _CENTRE, sine * x + cosine * y + _CENTRE, points[:, 2]], axis=1)
