"""SetAlpha: how opaque an image is."""

from __future__ import annotations

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import Image


class SetAlpha(Calculator):
    """Gives an image an alpha channel: one value, or the first channel of a mask.

    Where the mask has no packet at a timestamp the alpha is 0. Source: MediaPipe SetAlphaCalculator.
    """

    image = Input("IMAGE", Image, "uint8 [H, W, 3] or [H, W, 4]")
    alpha = Input("ALPHA", Image, "uint8, or float32 in 0..1, of the same size; this or alpha_value", optional=True)
    output = Output("IMAGE", Image, "uint8 [H, W, 4]")

    alpha_value: int = Option(-1, "alpha of all pixels, 0..255; -1 for the mask's")

    def open(self, context: Context) -> None:
        if (self.alpha_value >= 0) == context.is_connected(self.alpha):
            raise ValueError("set alpha_value or connect ALPHA, one of them")

    def process(self, context: Context) -> None:
        image = context[self.image]
        if image is None:
            return
        if image.ndim != 3 or image.shape[2] not in (3, 4) or image.dtype != np.uint8:
            raise ValueError(f"an image must be uint8 [H, W, 3] or [H, W, 4], not {image.dtype} {list(image.shape)}")
        output = np.empty((*image.shape[:2], 4), np.uint8)
        output[..., :3] = image[..., :3]
        mask = context[self.alpha]
        output[..., 3] = min(max(self.alpha_value, 0), 255) if mask is None else _opacity(mask, image)
        context[self.output] = output


def _opacity(mask: Image, image: Image) -> Image:
    if mask.shape[:2] != image.shape[:2]:
        raise ValueError(f"the mask has {list(mask.shape[:2])} pixels, the image {list(image.shape[:2])}")
    first = mask if mask.ndim == 2 else mask[..., 0]
    if first.dtype == np.uint8:
        return first
    if first.dtype != np.float32:
        raise ValueError(f"a mask is uint8 or float32, not {first.dtype}")
    scaled = np.floor((first * np.float32(255)).astype(np.float64) + 0.5)
    return np.clip(scaled, 0, 255).astype(np.uint8)
