"""OpenCvEncodedImageToImageFrame: an image out of the bytes of its file."""

from __future__ import annotations

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output

from ..lazy import cv2
from ..payloads import Image


class OpenCvEncodedImageToImageFrame(Calculator):
    """Decodes the bytes of an image file: JPEG, PNG, and what else OpenCV reads.

    Source: MediaPipe OpenCvEncodedImageToImageFrameCalculator.
    """

    encoded = Input("", bytes, "an image file")
    image = Output("", Image, "uint8 grey, RGB or RGBA")

    apply_orientation_from_exif_data: bool = Option(False, "turn the image as its EXIF data say")

    def process(self, context: Context) -> None:
        encoded = context[self.encoded]
        if encoded is None:
            return
        turned = self.apply_orientation_from_exif_data
        flags = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH if turned else cv2.IMREAD_UNCHANGED
        decoded = cv2.imdecode(np.frombuffer(encoded, np.uint8), flags) if encoded else None
        if decoded is None:
            raise ValueError(f"{len(encoded)} bytes that are no image OpenCV can read")
        if decoded.ndim == 3 and decoded.shape[2] == 3:
            decoded = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
        elif decoded.ndim == 3 and decoded.shape[2] == 4:
            decoded = cv2.cvtColor(decoded, cv2.COLOR_BGRA2RGBA)
        context[self.image] = decoded
