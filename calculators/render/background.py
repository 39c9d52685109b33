"""BackgroundBlur: people in front of a background that steps back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output

from ..image.resize import resize_mask
from ..lazy import cv2, njit
from ..payloads import FloatArray, Image

_SMALL_SIDE: Final = 160
"""The background is blurred at this length of its longer side: what a blur leaves fits into it."""

_DIM_TO: Final = np.array([22, 30, 48], np.float32)
"""What the background is dimmed towards: a dark blue, since most things people are in front of are warm."""


class BackgroundBlur(Calculator):
    """Blurs and dims what a mask leaves out, as in a video call.

    The colours of people do not bleed into the blur around them. An image without a mask passes as it is.
    """

    image = Input("IMAGE", Image, "uint8 [H, W, 3] RGB")
    mask = Input("MASK", Image, "float32 [H, W] in 0..1, 1 for people; scaled to the image")
    blurred = Output("IMAGE", Image, "uint8 [H, W, 3] RGB")

    blur: float = Option(0.02, "standard deviation of the blur as a fraction of the image's longer side; 0 for none")
    dim: float = Option(0.35, "how much darker the background becomes, 0..1")

    def process(self, context: Context) -> None:
        image, mask = context[self.image], context[self.mask]
        if image is None:
            return
        if mask is None:
            context.emit_packet(self.blurred, context.packet(self.image))
        else:
            context[self.blurred] = set_back(image, mask, self.blur, self.dim)


def set_back(image: Image, mask: FloatArray, blur: float, dim: float) -> npt.NDArray[np.uint8]:
    """The image with everything blurred and dimmed that the mask leaves out.

    Args:
        image: uint8 [H, W, 3] RGB.
        mask: float32 [h, w] in 0..1.
        blur: standard deviation as a fraction of the image's longer side.
        dim: 0..1, how far towards a dark blue.

    Raises:
        ValueError: the image or the mask is of another type or shape.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"a background is blurred in uint8 [H, W, 3] RGB, not {image.dtype} {list(image.shape)}")
    height, width = image.shape[:2]
    people = np.ascontiguousarray(resize_mask(mask, width, height)).view()
    source = np.ascontiguousarray(image).view()
    background = _blurred(source, people, blur) if blur > 0 else source
    # one compiled kernel, whether or not they are read-only
    source.flags.writeable = people.flags.writeable = background.flags.writeable = False
    composed = np.empty(image.shape, np.uint8)
    _compose(source, people, background, np.float32(dim), _DIM_TO, composed)
    return composed


def _blurred(image: Image, people: FloatArray, blur: float) -> Image:
    height, width = image.shape[:2]
    scale = min(1.0, _SMALL_SIDE / max(height, width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    weight: Any = 1 - np.clip(cv2.resize(people, size, interpolation=cv2.INTER_AREA), 0, 1)
    weight = np.maximum(weight, 1e-3)  # inside people there is nothing to see, but something to divide by
    pixels: Any = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    sigma = blur * max(size)
    spread: Any = cv2.GaussianBlur(pixels * weight[:, :, None], (0, 0), sigma)
    share: Any = cv2.GaussianBlur(weight, (0, 0), sigma)
    small = np.clip(spread / share[:, :, None] + 0.5, 0, 255).astype(np.uint8)
    large: Any = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large)


@njit(cache=True, nogil=True)
def _compose(
    image: npt.NDArray[np.uint8],
    people: FloatArray,
    background: npt.NDArray[np.uint8],
    dim: np.float32,
    dim_to: FloatArray,
    composed: npt.NDArray[np.uint8],
) -> None:
    one, half = np.float32(1), np.float32(0.5)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            near = people[y, x]
            near = near if near > 0 else np.float32(0)  # what is no number counts as background
            near = near if near < one else one
            near *= near * (np.float32(3) - np.float32(2) * near)  # doubtful pixels would be a bright rim
            for channel in range(3):
                behind = background[y, x, channel] * (one - dim) + dim_to[channel] * dim
                composed[y, x, channel] = np.uint8(behind + (image[y, x, channel] - behind) * near + half)
