"""Landmarks as the input of a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..payloads import FloatArray, ImageSize, LandmarkList, NormalizedLandmarkList, Tensors


class LandmarksToTensor(Calculator):
    """Lays out chosen numbers of landmarks as a tensor; normalized ones are turned into pixels first.

    Source: MediaPipe's LandmarksToTensorCalculator.
    """

    fusible = True

    landmarks = Input("LANDMARKS", LandmarkList, "used as they are; this or NORM_LANDMARKS", optional=True)
    norm_landmarks = Input("NORM_LANDMARKS", NormalizedLandmarkList, "multiplied by IMAGE_SIZE", optional=True)
    image_size = Input("IMAGE_SIZE", ImageSize, "for NORM_LANDMARKS", optional=True)
    tensors = Output("TENSORS", Tensors, "one tensor: [1, landmarks, attributes]")

    attributes: list[Literal["X", "Y", "Z", "VISIBILITY", "PRESENCE"]] = Option(doc="which numbers, in which order")
    flatten: bool = Option(False, "[1, landmarks * attributes] instead")

    def check(self, binding: Binding) -> Iterable[str]:
        if not self.attributes:
            yield "option 'attributes' must name at least one"
        if (self.landmarks in binding.slots) == (self.norm_landmarks in binding.slots):
            yield "connect one of LANDMARKS and NORM_LANDMARKS"
        elif (self.norm_landmarks in binding.slots) != (self.image_size in binding.slots):
            yield "connect IMAGE_SIZE for NORM_LANDMARKS, and for nothing else"

    def process(self, context: Context) -> None:
        landmarks: LandmarkList | NormalizedLandmarkList | None = context[self.landmarks]
        width = height = np.float32(1)
        if context.is_connected(self.norm_landmarks):
            landmarks = context[self.norm_landmarks]
            size = context[self.image_size]
            if size is None:
                raise ValueError("no IMAGE_SIZE at the timestamp of the landmarks")
            width, height = np.float32(size[0]), np.float32(size[1])
        if landmarks is None:
            return
        x, y, z = landmarks.xyz.T
        zeros = np.zeros(len(landmarks), np.float32)
        columns: dict[str, FloatArray] = {
            "X": x * width,
            "Y": y * height,
            "Z": z * width,
            "VISIBILITY": zeros if landmarks.visibility is None else landmarks.visibility,
            "PRESENCE": zeros if landmarks.presence is None else landmarks.presence,
        }
        tensor = np.stack([columns[attribute] for attribute in self.attributes], axis=-1)
        context[self.tensors] = [tensor.reshape(1, -1) if self.flatten else tensor[np.newaxis]]
