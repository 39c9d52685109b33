"""Two ways to encode a video: H.264 through PyAV, and what OpenCV brings along."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from ..lazy import cv2

_MICROSECONDS: Final = Fraction(1, 1_000_000)

# PyAV converts RGB by BT.601; saying so keeps players from assuming BT.709 for large frames, which tints them.
_COLORS: Final = "colorprim=smpte170m:transfer=smpte170m:colormatrix=smpte170m"


class Encoder(Protocol):
    """Writes frames of one size into a file."""

    def write(self, frame: npt.NDArray[np.uint8], timestamp: int) -> None:
        """Adds a frame.

        Args:
            frame: uint8 [H, W, 3] RGB.
            timestamp: in microseconds; rising.

        Raises:
            OSError: the file cannot be written.
        """

    def close(self) -> None:
        """Completes the file; what was written plays.

        Raises:
            OSError: the file cannot be written.
        """


class H264Encoder:
    """H.264 as browsers play it: 4:2:0, with the index in front so that playing starts before all is loaded.

    Args:
        path: the file; its ending names the container.
        size: even width and height.
        fps: frames a second; with `variable` only a hint, the frames' timestamps count.
        variable: whether frames keep the distances of their timestamps.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float, variable: bool) -> None:
        import av

        self._av = av
        self._variable = variable
        rate = Fraction(fps).limit_denominator(1001)
        container_options = {} if path.suffix.lower() == ".mkv" else {"movflags": "+faststart"}
        self._container: Any = av.open(str(path), "w", options=container_options)
        stream: Any = self._container.add_stream("libx264", rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "20", "preset": "veryfast", "x264-params": _COLORS}
        self._time_base = _MICROSECONDS if variable else 1 / rate
        stream.codec_context.time_base = self._time_base
        self._stream = stream
        self._frames = 0
        self._first = 0

    def write(self, frame: npt.NDArray[np.uint8], timestamp: int) -> None:
        if self._frames == 0:
            self._first = timestamp
        picture = self._av.VideoFrame.from_ndarray(frame, format="rgb24")
        picture.pts = timestamp - self._first if self._variable else self._frames
        picture.time_base = self._time_base
        self._frames += 1
        for packet in self._stream.encode(picture):
            self._container.mux(packet)

    def close(self) -> None:
        try:
            for packet in self._stream.encode(None):
                self._container.mux(packet)
        finally:
            self._container.close()


class OpenCvEncoder:
    """What OpenCV writes, at a constant rate: MPEG-4 part 2, which every OpenCV writes and few browsers play, or other.

    Arguments as of `H264Encoder`; `codec` is OpenCV's four characters for the encoding.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float, codec: str = "mp4v") -> None:
        self._path = path
        self._writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, size)
        if not self._writer.isOpened():
            raise OSError(f"OpenCV cannot write {path.suffix} files encoded as {codec} here")
        self._frames = 0

    def write(self, frame: npt.NDArray[np.uint8], timestamp: int) -> None:
        self._writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        self._frames += 1

    def close(self) -> None:
        self._writer.release()
        # the writer says nothing when the disk is full
        capture = cv2.VideoCapture(str(self._path))
        written = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
        capture.release()
        if written < self._frames:
            raise OSError(f"only {max(written, 0)} of {self._frames} frames could be written; is the disk full?")
