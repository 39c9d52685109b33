"""Turns landmarks into a detection, so that whatever takes detections can be made of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..payloads import Detection, NormalizedLandmarkList
from .kernels import SMALLEST_POSITIVE, surrounding_box


class LandmarksToDetection(Calculator):
    """Makes a detection whose key points are the landmarks, or some of them, and whose box surrounds them."""

    fusible = True

    landmarks = Input("NORM_LANDMARKS", NormalizedLandmarkList)
    detection = Output("DETECTION", Detection)
    selected_landmark_indices: list[int] = Option([], "the landmarks that count, in this order; all without")

    def check(self, binding: Binding) -> Iterable[str]:
        wrong = [index for index in self.selected_landmark_indices if index < 0]
        if wrong:
            yield f"selected_landmark_indices count from 0; there is no landmark {wrong[0]}"

    def open(self, context: Context) -> None:
        self._selected = np.array(self.selected_landmark_indices, np.intp)

    def process(self, context: Context) -> None:
        landmarks = context[self.landmarks]
        if landmarks is None:
            return
        if not len(landmarks):
            raise ValueError("no detection can be made of an empty list of landmarks")
        if len(self._selected) and self._selected.max() >= len(landmarks):
            raise ValueError(f"selected landmark {self._selected.max()} does not exist: there are {len(landmarks)}")
        keypoints = landmarks.xyz[self._selected, :2] if len(self._selected) else landmarks.xyz[:, :2].copy()
        # a box of points all left of or above the image reaches its edge: so MediaPipe's does
        context[self.detection] = Detection(surrounding_box(keypoints, SMALLEST_POSITIVE), keypoints=keypoints)
