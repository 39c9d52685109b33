"""ImageTransformation: scales, rotates and flips whole images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

import numpy as np

from graphflow import Calculator, Context, Input, Option, OptionGroup, Output, SideInput
from graphflow.context import Binding

from ..lazy import cv2
from ..payloads import Image, ImageSize, LetterboxPadding

_DEGREES: Final = {"UNKNOWN": 0, "ROTATION_0": 0, "ROTATION_90": 90, "ROTATION_180": 180, "ROTATION_270": 270}
_TURNS: Final = {90: "ROTATE_90_COUNTERCLOCKWISE", 180: "ROTATE_180", 270: "ROTATE_90_CLOCKWISE"}


class PaddingColor(OptionGroup):
    """A colour, 0..255 for each channel."""

    red: int = 0
    green: int = 0
    blue: int = 0


class ImageTransformation(Calculator):
    """Scales an image, then rotates it counterclockwise, then flips it.

    A rotation that does not change the size is a warp around width / 2, height / 2, as MediaPipe does it: by 180
    degrees, the first row and column come out black. Source: MediaPipe ImageTransformationCalculator.
    """

    image = Input("IMAGE", Image, "any image; this or IMAGE_GPU", optional=True)
    image_gpu = Input("IMAGE_GPU", Image, "the same under MediaPipe's other name", optional=True)
    size = Input(
        "OUTPUT_DIMENSIONS", ImageSize, "width, height from now on; nothing goes out without", optional=True
    )
    degrees = Input("ROTATION_DEGREES", int, "from now on", optional=True)
    horizontal = Input("FLIP_HORIZONTALLY", bool, "from now on", optional=True)
    vertical = Input("FLIP_VERTICALLY", bool, "from now on", optional=True)
    side_size = SideInput("OUTPUT_DIMENSIONS", ImageSize, "in place of the options", optional=True)
    side_degrees = SideInput("ROTATION_DEGREES", int, "in place of the option", optional=True)
    side_horizontal = SideInput("FLIP_HORIZONTALLY", bool, "in place of the option", optional=True)
    side_vertical = SideInput("FLIP_VERTICALLY", bool, "in place of the option", optional=True)
    output = Output("IMAGE", Image, "the transformed image", optional=True)
    output_gpu = Output("IMAGE_GPU", Image, "the same", optional=True)
    padding = Output("LETTERBOX_PADDING", LetterboxPadding, "what FIT added, as fractions of the output", optional=True)

    output_width: int = Option(0, "pixels; 0 keeps the size")
    output_height: int = Option(0, "pixels; 0 keeps the size")
    rotation_mode: Literal["UNKNOWN", "ROTATION_0", "ROTATION_90", "ROTATION_180", "ROTATION_270"] = Option(
        "UNKNOWN", "counterclockwise"
    )
    flip_vertically: bool = Option(False, "after the rotation")
    flip_horizontally: bool = Option(False, "after the rotation")
    scale_mode: Literal["DEFAULT", "STRETCH", "FIT", "FILL_AND_CROP"] = Option(
        "DEFAULT", "STRETCH fills the size; FIT pads; FILL_AND_CROP gives the part that FIT would pad"
    )
    constant_padding: bool = Option(True, "whether FIT pads with a colour, otherwise with the nearest pixels")
    padding_color: PaddingColor = Option(PaddingColor(), "the colour FIT pads with")
    interpolation_mode: Literal["DEFAULT", "LINEAR", "NEAREST"] = Option(
        "DEFAULT", "LINEAR is bilinear to enlarge, and averages areas to shrink"
    )

    def check(self, binding: Binding) -> Iterable[str]:
        slots = binding.slots
        if (self.image in slots) == (self.image_gpu in slots):
            yield "connect one of IMAGE and IMAGE_GPU"
        if (self.image in slots) != (self.output in slots) or (self.image_gpu in slots) != (self.output_gpu in slots):
            yield "the output has the same tag as the input"

    def open(self, context: Context) -> None:
        size = context[self.side_size]
        self._size = (self.output_width, self.output_height) if size is None else (int(size[0]), int(size[1]))
        degrees = context[self.side_degrees]
        self._degrees = _DEGREES[self.rotation_mode] if degrees is None else _known(degrees)
        horizontal, vertical = context[self.side_horizontal], context[self.side_vertical]
        self._horizontal = self.flip_horizontally if horizontal is None else horizontal
        self._vertical = self.flip_vertically if vertical is None else vertical

    def process(self, context: Context) -> None:
        if context[self.degrees] is not None:
            self._degrees = _known(context[self.degrees])
        if context[self.horizontal] is not None:
            self._horizontal = context[self.horizontal]
        if context[self.vertical] is not None:
            self._vertical = context[self.vertical]
        if context.is_connected(self.size):
            if context[self.size] is None:
                return
            self._size = context[self.size]
        for source, target in ((self.image, self.output), (self.image_gpu, self.output_gpu)):
            image = context[source]
            if image is not None:
                context[self.padding] = self._letterbox(image)
                context[target] = self._flipped(self._rotated(self._scaled(image), image))

    @property
    def _scales(self) -> bool:
        return self._size[0] > 0 and self._size[1] > 0

    def _output_size(self, image: Image) -> ImageSize:
        height, width = image.shape[:2]
        if self._scales:
            return self._size
        return (height, width) if self._degrees in (90, 270) else (width, height)

    def _scaled(self, image: Image) -> Image:
        if not self._scales:
            return image
        height, width = image.shape[:2]
        target = self._size
        shrinks = width > target[0] and height > target[1]
        if self.scale_mode in ("FIT", "FILL_AND_CROP"):
            scale = min(np.float32(target[0]) / np.float32(width), np.float32(target[1]) / np.float32(height))
            target = (_rounded(np.float32(width) * scale), _rounded(np.float32(height) * scale))
            shrinks = bool(scale < 1)
        mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        if self.interpolation_mode == "NEAREST":
            mode = cv2.INTER_NEAREST
        scaled: Any = cv2.resize(image, target, interpolation=mode)
        return self._padded(scaled) if self.scale_mode == "FIT" else scaled

    def _padded(self, image: Image) -> Image:
        height, width = image.shape[:2]
        top, left = (self._size[1] - height) // 2, (self._size[0] - width) // 2
        bottom, right = self._size[1] - height - top, self._size[0] - width - left
        color = self.padding_color
        border = cv2.BORDER_CONSTANT if self.constant_padding else cv2.BORDER_REPLICATE
        return cv2.copyMakeBorder(image, top, bottom, left, right, border, value=(color.red, color.green, color.blue))

    def _letterbox(self, image: Image) -> LetterboxPadding:
        padding = np.zeros(4, np.float32)
        if self.scale_mode != "FIT":
            return padding
        height, width = image.shape[:2]
        if self._degrees in (90, 270):
            width, height = height, width
        output_width, output_height = self._output_size(image)
        one, two = np.float32(1), np.float32(2)
        before = np.float32(width) / np.float32(height)
        after = np.float32(output_width) / np.float32(output_height)
        if before < after:
            padding[[0, 2]] = (one - before / after) / two
        elif after < before:
            padding[[1, 3]] = (one - after / before) / two
        return padding

    def _rotated(self, scaled: Image, image: Image) -> Image:
        size = self._output_size(image)
        if self._scales and self.scale_mode == "FILL_AND_CROP":
            size = (scaled.shape[1], scaled.shape[0])
        if (scaled.shape[1], scaled.shape[0]) == size:
            if self._degrees == 0:
                return scaled
            centre = (scaled.shape[1] / 2.0, scaled.shape[0] / 2.0)
            return cv2.warpAffine(scaled, cv2.getRotationMatrix2D(centre, self._degrees, 1.0), size)
        return cv2.rotate(scaled, getattr(cv2, _TURNS[self._degrees])) if self._degrees else scaled

    def _flipped(self, image: Image) -> Image:
        axes = tuple(axis for axis, flips in ((0, self._vertical), (1, self._horizontal)) if flips)
        return np.ascontiguousarray(np.flip(image, axes)) if axes else image


def _known(degrees: int) -> int:
    return degrees if degrees in _TURNS else 0


def _rounded(number: np.float32) -> int:
    return int(np.floor(np.float64(number) + 0.5))
