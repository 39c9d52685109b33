"""VideoWriter: frames to a video file that people can watch."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, SideInput

from ..lazy import cv2
from ..payloads import Image
from .output_file import check_folder, partial_path
from .video_encoders import Encoder, H264Encoder, OpenCvEncoder

_LOGGER = logging.getLogger("graphflow")

VIDEO_OUTPUT_ENDINGS: Final = (".m4v", ".mkv", ".mov", ".mp4")


class VideoWriter(Calculator):
    """Writes the frames that reach it into a video file: H.264 through PyAV, else what OpenCV writes.

    The file is written beside its final name (`overlay.part.mp4`) and renamed when it is complete. When the graph fails
    or is cancelled, or the disk is full, the frames until then become the file, playable. Frames of odd size lose their
    last row or column, as H.264 asks for; frames of another size than the first are fitted into it.
    """

    image = Input("IMAGE", Image, "uint8 [H, W, 3] RGB")
    path: str = Option(doc="the file; .mp4, .m4v, .mov or .mkv")
    fps: float | None = Option(None, "frames a second; default what the timestamps say")
    audio: str = Option("", "the source file whose sound to keep, where the timestamps are its own; needs PyAV")
    written = SideInput("WRITTEN", dict, "where to count the frames of this file, by its path", optional=True)

    def open(self, context: Context) -> None:
        if self.fps is not None and self.fps <= 0:
            raise ValueError(f"fps must be positive, not {self.fps}")
        self._path = Path(self.path).expanduser()
        if self._path.suffix.lower() not in VIDEO_OUTPUT_ENDINGS:
            raise ValueError(f"cannot write a video to {self._path}: the name must end in {_listed()}")
        check_folder(self._path)
        self._partial = partial_path(self._path)
        self._encoder: Encoder | None = None
        self._size = (0, 0)
        self._failed = False
        self._held: tuple[npt.NDArray[np.uint8], int] | None = None
        self._frames = 0
        self._counts: dict[str, int] = context[self.written] if context[self.written] is not None else {}
        self._warned_size = False

    def process(self, context: Context) -> None:
        image = context[self.image]
        if image is None:
            return
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"a video frame is uint8 [H, W, 3] RGB, not {image.dtype} {list(image.shape)}")
        if self._encoder is None and self._held is None and not self._frames:
            height, width = image.shape[:2]
            self._size = width - width % 2, height - height % 2
            if min(self._size) == 0:
                raise ValueError(f"a video frame needs at least 2 x 2 pixels, not {width} x {height}")
        frame = self._fitted(image)
        if self._encoder is None and self.fps is None and self._held is None:
            self._held = frame, context.timestamp  # the second frame will say how fast they follow each other
            return
        self._write(frame, context.timestamp)

    def close(self, context: Context) -> None:
        if self._held is not None and not self._failed:
            frame, timestamp = self._held
            self._held = None
            self._start(fps=30.0)
            self._encode(frame, timestamp)
        if self._encoder is None:
            _LOGGER.warning("%s was not written: no frame came", self._path)
            return
        try:
            self._encoder.close()
        except OSError as error:
            if not self._failed:
                raise OSError(f"{self._path} cannot be finished: {error}") from error
        finally:
            if self._partial.exists():
                self._partial.replace(self._path)

    def reset(self, context: Context) -> None:
        self.close(context)
        self.open(context)

    def _write(self, frame: npt.NDArray[np.uint8], timestamp: int) -> None:
        if self._encoder is None:
            between = timestamp - self._held[1] if self._held else 0
            self._start(self.fps or 1_000_000 / between)
        if self._held is not None:
            held, self._held = self._held, None
            self._encode(*held)
        self._encode(frame, timestamp)

    def _start(self, fps: float) -> None:
        variable = self.fps is None
        if importlib.util.find_spec("av") is not None:
            self._encoder = H264Encoder(self._partial, self._size, fps, variable, self.audio)
            return
        _LOGGER.warning(
            "%s is written as MPEG-4 part 2, which browsers may not play; for H.264: pip install 'graphflow[video]'",
            self._path,
        )
        self._encoder = OpenCvEncoder(self._partial, self._size, fps)

    def _encode(self, frame: npt.NDArray[np.uint8], timestamp: int) -> None:
        assert self._encoder is not None
        try:
            self._encoder.write(frame, timestamp)
        except OSError as error:
            self._failed = True
            raise OSError(f"{self._path} cannot be written after {self._frames} frames: {error}") from error
        self._frames += 1
        self._counts[self.path] = self._frames

    def _fitted(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        width, height = self._size
        if image.shape[1] - image.shape[1] % 2 == width and image.shape[0] - image.shape[0] % 2 == height:
            return image[:height, :width]
        if not self._warned_size:
            self._warned_size = True
            _LOGGER.warning(
                "%s: a frame of %d x %d is fitted into %d x %d, the size of the first one",
                self._path, image.shape[1], image.shape[0], width, height,
            )  # fmt: skip
        scale = min(width / image.shape[1], height / image.shape[0])
        inner = max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1)
        frame = np.zeros((height, width, 3), np.uint8)
        left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
        shrinks = scale < 1
        frame[top : top + inner[1], left : left + inner[0]] = cv2.resize(
            image, inner, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        return frame


def _listed() -> str:
    return ", ".join(VIDEO_OUTPUT_ENDINGS[:-1]) + " or " + VIDEO_OUTPUT_ENDINGS[-1]
