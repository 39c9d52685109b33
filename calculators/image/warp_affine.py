"""WarpAffine: an image through a matrix."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output

from ..lazy import cv2
from ..payloads import Image, ImageSize, Matrix4
from .affine import warp_affine

_INTERPOLATION: Final = ("INTER_CUBIC", "INTER_NEAREST")


class WarpAffine(Calculator):
    """Fills an image of a given size with what a matrix finds in another image.

    Between pixels the result equals that of MediaPipe's OpenCV bit for bit, whatever OpenCV is installed; INTER_CUBIC
    and INTER_NEAREST are the installed one's. Source: MediaPipe WarpAffineCalculator, on the CPU.
    """

    aliases = ("WarpAffineCalculatorCpu", "WarpAffineCalculatorGpu")

    image = Input("IMAGE", Image, "where the pixels come from")
    matrix = Input("MATRIX", Matrix4, "from normalized coordinates of the output to normalized ones of the image")
    size = Input("OUTPUT_SIZE", ImageSize, "width, height of the output in pixels")
    output = Output("IMAGE", Image, "the warped image")

    border_mode: Literal["BORDER_UNSPECIFIED", "BORDER_ZERO", "BORDER_REPLICATE"] = Option(
        "BORDER_REPLICATE", "what lies outside of the image: zeros, or the nearest pixel of its edge"
    )
    interpolation: Literal["INTER_UNSPECIFIED", "INTER_LINEAR", "INTER_CUBIC", "INTER_NEAREST"] = Option(
        "INTER_LINEAR", "between pixels"
    )
    gpu_origin: Literal["DEFAULT", "CONVENTIONAL", "TOP_LEFT"] | None = Option(
        None, "accepted for MediaPipe's graphs; images on a CPU start at the top left"
    )

    def process(self, context: Context) -> None:
        image, matrix, size = context[self.image], context[self.matrix], context[self.size]
        if image is None or matrix is None or size is None:
            return
        in_pixels, zeros = _in_pixels(matrix, image, size), self.border_mode == "BORDER_ZERO"
        if self.interpolation not in _INTERPOLATION:
            width, height = size
            context[self.output] = warp_affine(image, in_pixels, width, height, "zero" if zeros else "replicate")
            return
        border = cv2.BORDER_CONSTANT if zeros else cv2.BORDER_REPLICATE
        mode = getattr(cv2, self.interpolation) | cv2.WARP_INVERSE_MAP
        warped: Any = cv2.warpAffine(image, in_pixels, size, flags=mode, borderMode=border)
        context[self.output] = warped


def _in_pixels(matrix: Matrix4, image: Image, size: ImageSize) -> Any:
    """float32 [2, 3]: the matrix between pixel coordinates, without OpenCV's half-pixel shifts, as MediaPipe has it."""
    height, width = image.shape[:2]
    to_pixels = np.diag(np.array([width, height, 1, 1], np.float32))
    from_pixels = np.diag(np.float32(1) / np.array([size[0], size[1], 1, 1], np.float32))
    return (to_pixels @ np.asarray(matrix, np.float32).reshape(4, 4) @ from_pixels)[:2][:, [0, 1, 3]]
