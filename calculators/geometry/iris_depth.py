"""IrisToDepth: how far an eye is from the camera, from the size of its iris."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output, SideInput
from graphflow.context import Binding

from ..image.image_file_properties import ExifProperties
from ..payloads import FloatArray, ImageSize, NormalizedLandmarkList

IRIS_LANDMARKS = 10
"""Five of the iris left in the image (centre, right, top, left, bottom), five of the other."""

_IRIS_MM = np.float32(11.8)
"""Human irises are about as wide as each other."""

_NEWEST_WEIGHT = np.float32(0.1)


def iris_diameter_px(iris: FloatArray, size: ImageSize) -> np.float32:
    """The mean of an iris's height and width in pixels.

    Args:
        iris: float32 [5, 3], normalized: centre, top, bottom, left, right.
        size: of the image.
    """
    points = iris[:, :2] * np.array(size, np.float32)
    across = np.sqrt(((points[1] - points[2]) ** 2).sum()), np.sqrt(((points[3] - points[4]) ** 2).sum())
    return np.float32((across[0] + across[1]) / np.float32(2))


class IrisToDepth(Calculator):
    """Estimates the distance of both eyes from the camera, smoothed over time.

    An iris is 11.8 mm wide in all people, so that its size in the image and the focal length of the camera tell how far
    it is. Nothing goes out without a focal length. Source: MediaPipe IrisToDepthCalculator.
    """

    fusible = True

    iris = Input("IRIS", NormalizedLandmarkList, "10 landmarks, five of each iris")
    image_size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels")
    focal_length = SideInput("FOCAL_LENGTH", float, "in pixels; this or IMAGE_FILE_PROPERTIES", optional=True)
    properties = SideInput("IMAGE_FILE_PROPERTIES", ExifProperties, "what the camera wrote", optional=True)
    left_depth = Output("LEFT_IRIS_DEPTH_MM", float, "of the eye left in the image, in millimetres", optional=True)
    right_depth = Output("RIGHT_IRIS_DEPTH_MM", float, "of the other eye, in millimetres", optional=True)

    left_iris_center_index: int = Option(0, "which landmark it is")
    left_iris_top_index: int = Option(2, "which landmark it is")
    left_iris_bottom_index: int = Option(4, "which landmark it is")
    left_iris_left_index: int = Option(3, "which landmark it is")
    left_iris_right_index: int = Option(1, "which landmark it is")
    right_iris_center_index: int = Option(5, "which landmark it is")
    right_iris_top_index: int = Option(7, "which landmark it is")
    right_iris_bottom_index: int = Option(9, "which landmark it is")
    right_iris_left_index: int = Option(6, "which landmark it is")
    right_iris_right_index: int = Option(8, "which landmark it is")

    def check(self, binding: Binding) -> Iterable[str]:
        if self.focal_length in binding.slots and self.properties in binding.slots:
            yield "connect one of FOCAL_LENGTH and IMAGE_FILE_PROPERTIES"
        for name in self.options():
            if not 0 <= getattr(self, name) < IRIS_LANDMARKS:
                yield f"option '{name}' must be in 0..{IRIS_LANDMARKS - 1}, not {getattr(self, name)}"

    def open(self, context: Context) -> None:
        given, properties = context[self.focal_length], context[self.properties]
        self._focal_length = np.float32(properties.focal_length_pixels if properties else given or 0.0)
        self._smoothed = [np.float32(-1), np.float32(-1)]
        parts = ("center", "top", "bottom", "left", "right")
        self._indices = [[getattr(self, f"{side}_iris_{part}_index") for part in parts] for side in ("left", "right")]

    def process(self, context: Context) -> None:
        iris, size = context[self.iris], context[self.image_size]
        if iris is None:
            return
        if len(iris) != IRIS_LANDMARKS or size is None:
            raise ValueError(
                f"IRIS needs {IRIS_LANDMARKS} landmarks and IMAGE_SIZE a packet, not {len(iris)} and {size}"
            )
        if self._focal_length <= 0:
            return
        for side, port in enumerate((self.left_depth, self.right_depth)):
            depth = self._depth(iris.xyz[self._indices[side]], size)
            before = self._smoothed[side]
            if not (before < 0 or math.isinf(before)):
                depth = before * (np.float32(1) - _NEWEST_WEIGHT) + depth * _NEWEST_WEIGHT
            self._smoothed[side] = depth
            context[port] = float(depth)

    def _depth(self, iris: FloatArray, size: ImageSize) -> np.float32:
        middle = np.array(size, np.float32) / np.float32(2)
        aside = np.sqrt(((middle - iris[0, :2] * np.array(size, np.float32)) ** 2).sum())
        along_ray = np.sqrt(self._focal_length * self._focal_length + aside * aside)
        with np.errstate(divide="ignore"):
            return np.float32(_IRIS_MM * along_ray / iris_diameter_px(iris, size))
