"""ImageSource and EncodedImageSource: image files as the frames of a stream."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Option, Output, Stop

from ..lazy import cv2
from ..payloads import Image
from .sources import DEFAULT_FPS, SourceError, list_images


def read_image(path: Path) -> npt.NDArray[np.uint8]:
    """An image file, turned as its EXIF orientation says.

    Returns:
        uint8 [H, W, 3] RGB; transparency is dropped, 16 bits become 8.

    Raises:
        SourceError: it cannot be read or is no image.
    """
    # not cv2.imread: it cannot open every path that Python can, and does not say why
    data = np.frombuffer(_read_bytes(path), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise SourceError(f"{path} is not an image that can be decoded ({data.size} bytes)")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None


class ImageSource(Calculator):
    """One image, or those of a folder or glob in natural order, as a stream; never drops one."""

    image = Output("IMAGE", Image, "uint8 [H, W, 3] RGB; image i is at i / fps seconds")
    path: str = Option(doc="an image file, a folder, or a glob such as frames/*.png")
    fps: float | None = Option(None, "images a second; default 30")
    max_frames: int | None = Option(None, "stop after this many images")

    def open(self, context: Context) -> None:
        if self.fps is not None and self.fps <= 0:
            raise ValueError(f"fps must be positive, not {self.fps}")
        self._paths = list_images(self.path)[: self.max_frames]
        self._next = 0

    def process(self, context: Context) -> None:
        if self._next >= len(self._paths):
            raise Stop
        timestamp = round(self._next * 1_000_000 / (self.fps or DEFAULT_FPS))
        context.emit(self.image, self._read(self._paths[self._next]), timestamp)
        self._next += 1

    @staticmethod
    def _read(path: Path) -> Any:
        return read_image(path)


class EncodedImageSource(ImageSource):
    """The bytes of one image file, or of those of a folder or glob, for graphs that decode them themselves."""

    image = Output("IMAGE", bytes, "the contents of a file; file i is at i / fps seconds")

    @staticmethod
    def _read(path: Path) -> bytes:
        return _read_bytes(path)
