"""Recolor: a colour over what a mask shows."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output

from ..lazy import njit
from ..payloads import FloatArray, Image
from .flat_color_image import Color
from .resize import resize_mask

_BT601 = np.array([0.299, 0.587, 0.114])


class Recolor(Calculator):
    """Blends a colour into an image, the more the mask says so and, by default, the brighter the pixel is.

    An image without a mask at its timestamp passes as it is. Source: MediaPipe RecolorCalculator, on the CPU.
    """

    image = Input("IMAGE", Image, "uint8 [H, W, 3] RGB")
    mask = Input("MASK", Image, "float32 [H, W] in 0..1, or uint8 [H, W] or with channels; scaled to the image")
    output = Output("IMAGE", Image, "uint8 [H, W, 3]")

    color: Color = Option(doc="the colour")
    mask_channel: Literal["UNKNOWN", "RED", "ALPHA"] = Option("RED", "the channel of a mask that has several")
    invert_mask: bool = Option(False, "recolour what the mask leaves out")
    adjust_with_luminance: bool = Option(True, "keep dark pixels, so that what is recoloured keeps its texture")

    def process(self, context: Context) -> None:
        image, mask = context[self.image], context[self.mask]
        if image is None:
            return
        if mask is None:
            context.emit_packet(self.output, context.packet(self.image))
            return
        if mask.ndim == 3:
            mask = mask[..., 3 if self.mask_channel == "ALPHA" and mask.shape[2] > 3 else 0]
        color = np.array([self.color.r, self.color.g, self.color.b]).clip(0, 255).astype(np.uint8)
        context[self.output] = recolor(image, mask, color, self.invert_mask, self.adjust_with_luminance)


def recolor(
    image: npt.NDArray[np.uint8],
    mask: npt.NDArray[np.float32] | npt.NDArray[np.uint8],
    color: npt.NDArray[np.uint8],
    invert_mask: bool = False,
    adjust_with_luminance: bool = True,
) -> npt.NDArray[np.uint8]:
    """An image with a colour blended in.

    Args:
        image: uint8 [H, W, 3] RGB.
        mask: float32 [h, w] in 0..1, or uint8 [h, w]; scaled to the image where it differs in size.
        color: uint8 [3].
        invert_mask: recolour what the mask leaves out.
        adjust_with_luminance: weigh the mask by the brightness of the pixel.

    Raises:
        ValueError: the image or the mask is of another type or shape.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"an image to recolour must be uint8 [H, W, 3] RGB, not {image.dtype} {list(image.shape)}")
    height, width = image.shape[:2]
    if mask.dtype == np.uint8:
        levels = mask.astype(np.float32)
        if mask.shape != (height, width):
            levels = np.rint(resize_mask(levels, width, height))
        weights = (levels * (1.0 / 255.0)).astype(np.float32)
    else:
        weights = resize_mask(mask.astype(np.float32, copy=False), width, height)
    pixels, weights = np.ascontiguousarray(image).view(), np.ascontiguousarray(weights).view()
    pixels.flags.writeable = weights.flags.writeable = False  # one compiled kernel, whether or not they are read-only
    recolored = np.empty(image.shape, np.uint8)
    _blend(pixels, weights, color, invert_mask, adjust_with_luminance, _BT601, recolored)
    return recolored


@njit(cache=True, nogil=True, error_model="numpy")
def _blend(
    image: npt.NDArray[np.uint8],
    weights: FloatArray,
    color: npt.NDArray[np.uint8],
    invert: bool,
    by_luminance: bool,
    share: npt.NDArray[np.float64],
    recolored: npt.NDArray[np.uint8],
) -> None:
    one = np.float32(1)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            weight = weights[y, x]
            mix = one - weight if invert else weight
            if by_luminance:
                brightness = image[y, x, 0] * share[0] + image[y, x, 1] * share[1] + image[y, x, 2] * share[2]
                mix *= np.float32(brightness / 255)
            for channel in range(3):
                # the two parts are rounded each, as products of OpenCV's vectors of bytes are
                kept = _byte(image[y, x, channel] * (1.0 - mix))
                added = _byte(np.float64(np.float32(color[channel]) * mix))
                recolored[y, x, channel] = min(kept + added, 255)


@njit(cache=True, nogil=True)
def _byte(value: float) -> int:
    # written so that what is no number becomes 0
    return int(np.rint(value)) if 0.0 < value < 255.0 else (255 if value >= 255.0 else 0)
