"""ImageFileProperties: what the camera wrote into an image file."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from graphflow import Calculator, Context, Input, Output, SideInput, SideOutput
from graphflow.context import Binding

_SENSOR_DIAGONAL_35MM: Final = math.sqrt(36.0**2 + 24.0**2)

_SUB_DIRECTORY: Final = 0x8769
_WIDTH: Final = 0xA002
_HEIGHT: Final = 0xA003
_FOCAL_LENGTH: Final = 0x920A
_FOCAL_LENGTH_35MM: Final = 0xA405

# of the types of numbers in a directory: short, long, rational
_NUMBERS: Final = {3: "H", 4: "I", 5: "II"}


@dataclass(frozen=True, slots=True)
class ExifProperties:
    """What EXIF says of an image and the lens it was taken with. Source: MediaPipe ImageFileProperties.

    Attributes:
        image_width: columns.
        image_height: rows.
        focal_length_mm: of the lens.
        focal_length_35mm: of a lens with the same view on 35 mm film.
        focal_length_pixels: in pixels of the image.
    """

    image_width: int
    image_height: int
    focal_length_mm: float
    focal_length_35mm: float
    focal_length_pixels: float


class ImageFileProperties(Calculator):
    """Reads the size and the focal length from the EXIF data of a JPEG file's bytes, from a stream or a side packet.

    As in MediaPipe, an image without a focal length is an error. Source: MediaPipe ImageFilePropertiesCalculator.
    """

    image = Input("", bytes, "a JPEG file; this or the side packet", optional=True)
    side_image = SideInput("", bytes, "a JPEG file", optional=True)
    properties = Output("", ExifProperties, "for each image; this or the side packet", optional=True)
    side_properties = SideOutput("", ExifProperties, "of the first image", optional=True)

    def check(self, binding: Binding) -> Iterable[str]:
        if len(binding.inputs) + len(binding.side_inputs) != 1:
            yield "connect one input: a stream or a side packet"
        if len(binding.outputs) + len(binding.side_outputs) != 1:
            yield "connect one output: a stream or a side packet"
        if binding.outputs and not binding.inputs:
            yield "a side packet comes out of a side packet"

    def open(self, context: Context) -> None:
        self._set = False
        if context.is_connected(self.side_image):
            context[self.side_properties] = read_properties(context[self.side_image])
            self._set = True

    def process(self, context: Context) -> None:
        image = context[self.image]
        if image is None:
            return
        found = read_properties(image)
        context[self.properties] = found
        if not self._set:
            context[self.side_properties] = found
            self._set = True


def read_properties(file: bytes) -> ExifProperties:
    """What EXIF says of an image.

    Args:
        file: the bytes of a JPEG file.

    Raises:
        ValueError: it is no JPEG file, has no EXIF data, or these lack the size or the focal length.
    """
    fields = _exif(file)
    names = {
        _WIDTH: "the width",
        _HEIGHT: "the height",
        _FOCAL_LENGTH: "the focal length",
        _FOCAL_LENGTH_35MM: "the focal length on 35 mm film",
    }
    missing = [name for tag, name in names.items() if not fields.get(tag)]
    if missing:
        raise ValueError(f"the EXIF data of the image do not say {', '.join(missing)}")
    width, height = int(fields[_WIDTH]), int(fields[_HEIGHT])
    focal_mm, focal_35mm = fields[_FOCAL_LENGTH], fields[_FOCAL_LENGTH_35MM]
    diagonal_mm = _SENSOR_DIAGONAL_35MM / focal_35mm * focal_mm
    longer, shorter = max(width, height), min(width, height)
    sensor_width_mm = diagonal_mm / math.sqrt(1.0 + (shorter / longer) ** 2)
    return ExifProperties(width, height, focal_mm, focal_35mm, longer * focal_mm / sensor_width_mm)


def _exif(file: bytes) -> Mapping[int, float]:
    """The numbers in the EXIF data of a JPEG file, by tag."""
    if file[:2] != b"\xff\xd8":
        raise ValueError("the image is not a JPEG file, which EXIF data are read from")
    place = 2
    while place + 4 <= len(file) and file[place] == 0xFF and file[place + 1] != 0xDA:
        length = int.from_bytes(file[place + 2 : place + 4], "big")
        segment = file[place + 4 : place + 2 + length]
        if file[place + 1] == 0xE1 and segment[:6] == b"Exif\0\0":
            try:
                return _numbers(segment[6:])
            except (struct.error, ZeroDivisionError) as error:
                raise ValueError(f"the EXIF data of the image are damaged: {error}") from error
        place += 2 + length
    raise ValueError("the image has no EXIF data")


def _numbers(tiff: bytes) -> Mapping[int, float]:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        raise ValueError("the EXIF data of the image are damaged: they do not say their byte order")
    (first,) = struct.unpack_from(f"{order}I", tiff, 4)
    fields = _directory(tiff, order, first)
    if _SUB_DIRECTORY in fields:
        fields |= _directory(tiff, order, int(fields[_SUB_DIRECTORY]))
    return fields


def _directory(tiff: bytes, order: str, place: int) -> dict[int, float]:
    (count,) = struct.unpack_from(f"{order}H", tiff, place)
    fields: dict[int, float] = {}
    for entry in range(place + 2, place + 2 + 12 * count, 12):
        tag, kind, numbers = struct.unpack_from(f"{order}HHI", tiff, entry)
        if kind not in _NUMBERS or numbers != 1:
            continue
        at = struct.unpack_from(f"{order}I", tiff, entry + 8)[0] if kind == 5 else entry + 8
        values = struct.unpack_from(f"{order}{_NUMBERS[kind]}", tiff, at)
        if kind != 5:
            fields[tag] = float(values[0])
        elif values[1]:
            fields[tag] = values[0] / values[1]
    return fields
