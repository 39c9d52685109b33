"""EncodedImageSource: image files as they are, for graphs that decode them themselves."""

from __future__ import annotations

from graphflow import Calculator, Context, Option, Output, Stop

from .sources import DEFAULT_FPS, SourceError, list_images


class EncodedImageSource(Calculator):
    """The bytes of one image file, or of those of a folder or glob in natural order, as a stream."""

    image = Output("IMAGE", bytes, "the contents of a file; file i is at i / fps seconds")
    path: str = Option(doc="an image file, a folder, or a glob such as frames/*.jpg")
    fps: float | None = Option(None, "files a second; default 30")
    max_frames: int | None = Option(None, "stop after this many files")

    def open(self, context: Context) -> None:
        if self.fps is not None and self.fps <= 0:
            raise ValueError(f"fps must be positive, not {self.fps}")
        self._paths = list_images(self.path)[: self.max_frames]
        self._next = 0

    def process(self, context: Context) -> None:
        if self._next >= len(self._paths):
            raise Stop
        path = self._paths[self._next]
        try:
            contents = path.read_bytes()
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}") from None
        context.emit(self.image, contents, round(self._next * 1_000_000 / (self.fps or DEFAULT_FPS)))
        self._next += 1
