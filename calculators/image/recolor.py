"""Recolor: a colour over what a mask shows."""

from __future__ import annotations

from typing import Any, Literal

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
    if image.shape[2] != 3 or recolored.shape[2] != 3:  # so that the compiler knows, and takes vector instructions
        return
    one, full = np.float32(1), np.int32(255)
    red, green, blue = np.float32(color[0]), np.float32(color[1]), np.float32(color[2])
    of_red, of_green, of_blue = share[0], share[1], share[2]
    mixes = np.empty(image.shape[1], np.float32)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            weight = weights[y, x]
            mixes[x] = one - weight if invert else weight
        if by_luminance:
            for x in range(image.shape[1]):
                brightness = image[y, x, 0] * of_red + image[y, x, 1] * of_green + image[y, x, 2] * of_blue
                mixes[x] *= np.float32(brightness / 255)
        for x in range(image.shape[1]):
            mix = mixes[x]
            left = 1.0 - mix
            # the two parts are rounded each, as products of OpenCV's vectors of bytes are
            recolored[y, x, 0] = min(_byte(image[y, x, 0] * left) + _byte(red * mix), full)
            recolored[y, x, 1] = min(_byte(image[y, x, 1] * left) + _byte(green * mix), full)
            recolored[y, x, 2] = min(_byte(image[y, x, 2] * left) + _byte(blue * mix), full)


@njit(cache=True, nogil=True)
def _byte(value: Any) -> np.int32:
    # written so that what is no number becomes 0
    value = value if value > 0 else type(value)(0)
    return np.int32(np.rint(value if value < 255 else type(value)(255)))
