"""The region of a hand whose landmarks are known."""

from __future__ import annotations

from graphflow import Calculator, Context, Input, Output

from ..payloads import ImageSize, NormalizedLandmarkList, NormalizedRect
from .rect_kernels import hand_from_landmarks


class HandLandmarksToRect(Calculator):
    """Surrounds the palm with a rectangle whose rotation puts the wrist at the bottom and the fingers on top."""

    fusible = True

    landmarks = Input("NORM_LANDMARKS", NormalizedLandmarkList, "the 21 of a hand, or the palm's 12 alone")
    image_size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels")
    rect = Output("NORM_RECT", NormalizedRect)

    def process(self, context: Context) -> None:
        landmarks, size = context[self.landmarks], context[self.image_size]
        if landmarks is None:
            return
        if size is None:
            raise ValueError("NORM_LANDMARKS without IMAGE_SIZE: both are needed at the same timestamp")
        if len(landmarks) < 9:
            raise ValueError(f"a hand has 21 landmarks, or 12 of the palm; these are {len(landmarks)}")
        context[self.rect] = NormalizedRect(*hand_from_landmarks(landmarks.xyz, size))
