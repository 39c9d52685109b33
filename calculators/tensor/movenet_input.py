"""From a square of an image to MoveNet's input, the ways MoveNet's programs do it."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output

from ..geometry.movenet_crop import CropBox, padded_square
from ..lazy import cv2, njit
from ..payloads import FloatArray, Image, NormalizedRect

Resampling: TypeAlias = Literal["crop_and_resize", "pad_then_resize"]
"""tf.image.crop_and_resize (tutorial, tfjs), or OpenCV's border and linear resize (TFLite example)."""

Bytes: TypeAlias = npt.NDArray[np.uint8]


def crop_and_resize(image: Bytes, crop: CropBox, size: int) -> FloatArray:
    """A square of an image at another size, black outside the image: float32 [size, size, 3] in 0..255.

    The first and last samples lie on the centres of the crop's corner pixels, which are taken from an image one pixel
    smaller than it is: that is how TensorFlow has it, and what MoveNet's outputs are mapped back by.

    Args:
        image: uint8 [H, W, 3].
        crop: normalized by the image.
        size: side of the result in pixels.

    Raises:
        ValueError: the image is not uint8 [H, W, 3], or the size not positive.

    Source: `tf.image.crop_and_resize`, bilinear, extrapolation value 0, in float32.
    """
    _check(image, size)
    out = np.empty((size, size, 3), np.float32)
    y_min, x_min, y_max, x_max = (np.float32(side) for side in crop)
    _crop_and_resize(_plain(image), y_min, x_min, y_max, x_max, out)
    return out


def pad_then_resize(image: Bytes, crop: CropBox, size: int) -> Bytes:
    """A square of an image, cut out at whole pixels, padded with black and resized by OpenCV: uint8 [size, size, 3].

    Raises:
        ValueError: the image is not uint8 [H, W, 3], the size not positive, or no pixel is in the crop.

    Source: the TFLite pose estimation example, `_crop_and_resize`.
    """
    _check(image, size)
    height, width = image.shape[:2]
    rows = int(0 if crop.y_min < 0 else crop.y_min * height), int(height if crop.y_max >= 1 else crop.y_max * height)
    columns = int(0 if crop.x_min < 0 else crop.x_min * width), int(width if crop.x_max >= 1 else crop.x_max * width)
    inside = image[rows[0] : rows[1], columns[0] : columns[1]]
    if inside.size == 0:
        raise ValueError(f"there is no pixel of an image of {width} x {height} in {crop}")
    padding = (
        int(-crop.y_min * height if crop.y_min < 0 else 0),
        int((crop.y_max - 1) * height if crop.y_max >= 1 else 0),
        int(-crop.x_min * width if crop.x_min < 0 else 0),
        int((crop.x_max - 1) * width if crop.x_max >= 1 else 0),
    )
    padded = cv2.copyMakeBorder(inside, *padding, cv2.BORDER_CONSTANT)
    resized: Bytes = cv2.resize(padded, (size, size)).astype(np.uint8, copy=False)
    return resized


def resize_with_pad(image: Bytes, size: int) -> FloatArray:
    """A whole image in the middle of a black square: float32 [size, size, 3] in 0..255.

    Raises:
        ValueError: the image is not uint8 [H, W, 3], or the size not positive.

    Source: `tf.image.resize_with_pad`, bilinear, without antialiasing.
    """
    _check(image, size)
    height, width = image.shape[:2]
    ratio = np.float32(max(width, height)) / np.float32(size)
    inner_height, inner_width = np.float32(height) / ratio, np.float32(width) / ratio
    # the band's share is taken before the inner size is rounded, as TensorFlow does
    top, left = int((np.float32(size) - inner_height) / 2), int((np.float32(size) - inner_width) / 2)
    out = np.zeros((size, size, 3), np.float32)
    _resize(_plain(image), out[top : top + int(inner_height), left : left + int(inner_width)])
    return out


class MoveNetImageToTensor(Calculator):
    """Cuts the square that MoveNet should look at out of an image.

    The numbers are whole, 0..255, whatever their type, as MoveNet takes them. `ImageToTensor` would do as well; this
    one samples where MoveNet's own programs do, to the last bit.

    Source: TensorFlow Hub's MoveNet tutorial; with "pad_then_resize" the TFLite pose estimation example.
    """

    image = Input("IMAGE", Image, "uint8 RGB")
    rect = Input("NORM_RECT", NormalizedRect, "upright; default the padded square", optional=True)
    tensors = Output("TENSORS", list[np.ndarray[Any, Any]], "one tensor [1, size, size, 3]")

    size: int = Option(192, "side of the model's input: 192 for Lightning, 256 for Thunder")
    resampling: Resampling = Option("crop_and_resize", "whose way to sample")
    dtype: Literal["uint8", "int32", "float32"] = Option("uint8", "the model's type of input")

    def process(self, context: Context) -> None:
        image = context[self.image]
        rect: NormalizedRect | None = context[self.rect]
        if image is None or (rect is None and context.is_connected(self.rect)):
            return
        if rect is None:
            crop = padded_square(image.shape[1], image.shape[0])
        else:
            x, y, width, height, _ = rect
            crop = CropBox(y - height / 2, x - width / 2, y + height / 2, x + width / 2)
        sampled: npt.NDArray[Any]
        if self.resampling == "crop_and_resize":
            sampled = crop_and_resize(image, crop, self.size).astype(np.uint8)
        else:
            sampled = pad_then_resize(image, crop, self.size)
        context[self.tensors] = [sampled[None].astype(self.dtype, copy=False)]


def _plain(image: Bytes) -> Bytes:
    """Contiguous and read-only, so that the kernels are compiled for one type only."""
    plain = np.ascontiguousarray(image).view()
    plain.flags.writeable = False
    return plain


def _check(image: Bytes, size: int) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"an image is uint8 [H, W, 3], not {image.dtype} {list(image.shape)}")
    if size < 1:
        raise ValueError(f"size must be positive, not {size}")


@njit(cache=True, nogil=True, error_model="numpy")
def _blend(image: Bytes, y: np.float32, x: np.float32, out: FloatArray) -> None:
    """One sample at a place inside the image; float32 throughout, in TensorFlow's order."""
    top, left = int(np.floor(y)), int(np.floor(x))
    bottom, right = min(top + 1, image.shape[0] - 1), min(left + 1, image.shape[1] - 1)
    down, across = y - np.float32(top), x - np.float32(left)
    for channel in range(3):
        upper_left, lower_left = np.float32(image[top, left, channel]), np.float32(image[bottom, left, channel])
        upper = upper_left + (np.float32(image[top, right, channel]) - upper_left) * across
        lower = lower_left + (np.float32(image[bottom, right, channel]) - lower_left) * across
        out[channel] = upper + (lower - upper) * down


@njit(cache=True, nogil=True, error_model="numpy")
def _crop_and_resize(
    image: Bytes, y_min: np.float32, x_min: np.float32, y_max: np.float32, x_max: np.float32, out: FloatArray
) -> None:
    rows, columns = np.float32(image.shape[0] - 1), np.float32(image.shape[1] - 1)
    size = out.shape[0]
    steps = np.float32(max(size - 1, 1))
    y_step, x_step = (y_max - y_min) * rows / steps, (x_max - x_min) * columns / steps
    half = np.float32(0.5)
    for i in range(size):
        y = y_min * rows + np.float32(i) * y_step if size > 1 else half * (y_min + y_max) * rows
        for j in range(size):
            x = x_min * columns + np.float32(j) * x_step if size > 1 else half * (x_min + x_max) * columns
            if np.float32(0) <= y <= rows and np.float32(0) <= x <= columns:
                _blend(image, y, x, out[i, j])
            else:
                out[i, j] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def _resize(image: Bytes, out: FloatArray) -> None:
    half, zero = np.float32(0.5), np.float32(0)
    y_scale = np.float32(image.shape[0]) / np.float32(out.shape[0])
    x_scale = np.float32(image.shape[1]) / np.float32(out.shape[1])
    for i in range(out.shape[0]):
        y = min(max((np.float32(i) + half) * y_scale - half, zero), np.float32(image.shape[0] - 1))
        for j in range(out.shape[1]):
            x = min(max((np.float32(j) + half) * x_scale - half, zero), np.float32(image.shape[1] - 1))
            _blend(image, y, x, out[i, j])
