"""ImageSource: image files as the frames of a stream."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Option, Output, Stop

from ..payloads import Image
from .sources import DEFAULT_FPS, SourceError, list_images


def read_image(path: Path) -> npt.NDArray[np.uint8]:
    """An image file, turned as its EXIF orientation says.

    Returns:
        uint8 [H, W, 3] RGB; transparency is dropped, 16 bits become 8.

    Raises:
        SourceError: it cannot be read or is no image.
    """
    try:
        # not cv2.imread: it cannot open every path that Python can, and does not say why
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise SourceError(f"{path} is not an image that can be decoded ({data.size} bytes)")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


class ImageSource(Calculator):
    """One image, or those of a folder or glob in natural order, as a stream."""

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
        context.emit(self.image, read_image(self._paths[self._next]), timestamp)
        self._next += 1
