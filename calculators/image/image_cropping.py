"""ImageCropping: a rotated part of an image, pixel for pixel."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..lazy import njit
from ..payloads import Image, NormalizedRect, Rect


class Crop(NamedTuple):
    """What to cut out: size in whole pixels, centre in pixels from the corner of the image, radians clockwise."""

    width: int
    height: int
    x_center: float
    y_center: float
    rotation_rad: float


class ImageCropping(Calculator):
    """Cuts a rotated rectangle out of an image, with its nearest pixels; scales it down only to a largest size.

    A rectangle without area stands for the whole image; where none comes nothing goes out.
    Source: MediaPipe ImageCroppingCalculator.
    """

    image = Input("IMAGE", Image, "any image")
    rect = Input("RECT", Rect, "what to cut out, in pixels", optional=True)
    norm_rect = Input("NORM_RECT", NormalizedRect, "what to cut out", optional=True)
    width_stream = Input("WIDTH", int, "pixels; with HEIGHT in place of the options", optional=True)
    height_stream = Input("HEIGHT", int, "pixels", optional=True)
    cropped = Output("IMAGE", Image, "upright, at least one pixel")

    width: int | None = Option(None, "pixels; with height, where no stream says")
    height: int | None = Option(None, "pixels")
    rotation: float | None = Option(None, "radians, clockwise; not for RECT and NORM_RECT, which have their own")
    norm_width: float | None = Option(None, "of the image; with norm_height, where no stream says")
    norm_height: float | None = Option(None, "of the image")
    norm_center_x: float | None = Option(None, "with norm_center_y the centre; the image's where not set")
    norm_center_y: float | None = Option(None, "of the image")
    border_mode: Literal["BORDER_ZERO", "BORDER_REPLICATE"] = Option(
        "BORDER_ZERO", "what lies outside the image: zeros, or its nearest edge pixel"
    )
    output_max_width: int | None = Option(None, "a wider result is scaled down to it")
    output_max_height: int | None = Option(None, "a higher result is scaled down to it")

    def check(self, binding: Binding) -> Iterable[str]:
        slots = binding.slots
        ways = (
            self.rect in slots,
            self.norm_rect in slots,
            self.width_stream in slots and self.height_stream in slots,
            self.width is not None and self.height is not None,
            self.norm_width is not None and self.norm_height is not None,
        )
        if sum(ways) != 1:
            yield (
                "say what to cut out in one way: RECT, NORM_RECT, WIDTH and HEIGHT, or the options width and height "
                "or norm_width and norm_height"
            )

    def process(self, context: Context) -> None:
        image = context[self.image]
        missing = any(context.is_connected(port) and context[port] is None for port in (self.rect, self.norm_rect))
        if image is None or missing:
            return
        crop = self._crop(context, image)
        limits = zip((self.output_max_width, self.output_max_height), crop[:2], strict=True)
        scale = min([1.0, *(limit / size for limit, size in limits if limit is not None and size > 0)])
        size = max(int(crop.width * scale), 1), max(int(crop.height * scale), 1)
        context[self.cropped] = crop_image(image, crop, *size, replicate=self.border_mode == "BORDER_REPLICATE")

    def _crop(self, context: Context, image: Image) -> Crop:
        rows, columns = image.shape[:2]
        rect: Rect | NormalizedRect | None = context[self.rect] or context[self.norm_rect]
        size: tuple[float, float] = (columns, rows)
        center = (columns / 2, rows / 2)
        rotation = self.rotation or 0.0
        if rect is not None:
            rotation = 0.0
            if rect.width > 0 and rect.height > 0:
                size, center, rotation = (rect.width, rect.height), (rect.x_center, rect.y_center), rect.rotation
                if isinstance(rect, NormalizedRect):
                    size, center = _times(size, columns, rows), _times(center, columns, rows)
        elif context.is_connected(self.width_stream):
            size = context[self.width_stream], context[self.height_stream]
        elif self.width is not None and self.height is not None:
            size = self.width, self.height
        elif self.norm_width is not None and self.norm_height is not None:
            size = _times((self.norm_width, self.norm_height), columns, rows)
        if rect is None and self.norm_center_x is not None and self.norm_center_y is not None:
            center = _times((self.norm_center_x, self.norm_center_y), columns, rows)
        width, height = _rounded(size[0]), _rounded(size[1])
        if rotation == 0:
            center = _on_pixels(center[0], width), _on_pixels(center[1], height)
        return Crop(width, height, *center, rotation)


def crop_image(image: Image, crop: Crop, width: int, height: int, replicate: bool) -> npt.NDArray[Any]:
    """Fills an image with the nearest pixels of a rotated part of another.

    Args:
        image: [H, W] or [H, W, channels], any dtype.
        crop: the part.
        width: columns of the result; the part is scaled to it.
        height: rows of the result.
        replicate: whether pixels outside the image are its nearest edge pixel, otherwise 0.

    Returns:
        [height, width] or [height, width, channels], of the image's dtype.

    Raises:
        ValueError: the image is empty, or a number of the part is not finite.
    """
    if image.ndim not in (2, 3) or image.size == 0:
        raise ValueError(f"an image to crop must be [H, W] or [H, W, channels], not {list(image.shape)}")
    if not all(map(math.isfinite, crop)):
        raise ValueError(f"the part to crop must be finite, not {crop}")
    cos, sin = math.cos(crop.rotation_rad), math.sin(crop.rotation_rad)
    x_step, y_step = crop.width / width, crop.height / height
    matrix = np.array([[cos * x_step, -sin * y_step, 0], [sin * x_step, cos * y_step, 0]])
    # pixel centres are whole numbers on both sides
    matrix[:, 2] = matrix[:, :2] @ (0.5 - np.array([width, height]) / 2) + (crop.x_center, crop.y_center) - 0.5
    pixels = np.atleast_3d(np.ascontiguousarray(image)).view()
    pixels.flags.writeable = False  # one compiled kernel, whether or not the image is read-only
    cropped = np.zeros((height, width, pixels.shape[2]), image.dtype)
    _sample(pixels, matrix, replicate, cropped)
    return cropped.reshape(height, width, *image.shape[2:])


@njit(cache=True, nogil=True)
def _sample(pixels: npt.NDArray[Any], matrix: npt.NDArray[np.float64], replicate: bool, out: npt.NDArray[Any]) -> None:
    rows, columns, channels = pixels.shape
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            # clipped while still a float: what lies far off may not fit an integer
            exact_x = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
            exact_y = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]
            column = int(np.rint(min(max(exact_x, -1.0), float(columns))))
            row = int(np.rint(min(max(exact_y, -1.0), float(rows))))
            if not replicate and not (0 <= column < columns and 0 <= row < rows):
                continue
            column, row = min(max(column, 0), columns - 1), min(max(row, 0), rows - 1)
            for channel in range(channels):
                out[y, x, channel] = pixels[row, column, channel]


def _times(pair: tuple[float, float], width: int, height: int) -> tuple[float, float]:
    x, y = np.float32(pair[0]) * np.float32(width), np.float32(pair[1]) * np.float32(height)
    return float(x), float(y)


def _rounded(number: float) -> int:
    """Half away from zero, as C rounds."""
    return int(math.copysign(math.floor(abs(number) + 0.5), number))


def _on_pixels(center: float, size: int) -> float:
    """The centre nearest to this one where pixels of the part lie on pixels of the image."""
    return float(_rounded(center)) if size % 2 == 0 else _rounded(center + 0.5) - 0.5
