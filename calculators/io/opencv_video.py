"""OpenCvVideoDecoder and OpenCvVideoEncoder: the ends of MediaPipe's graphs that read and write files themselves."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output, SideInput, Stop
from graphflow import timestamp as ts
from graphflow.context import Binding

from ..lazy import cv2
from ..payloads import Image
from ..video_header import VideoHeader
from .output_file import check_folder, partial_path
from .sources import SourceError, open_video
from .video_encoders import Encoder, H264Encoder, OpenCvEncoder

_LOGGER = logging.getLogger("graphflow")

_H264_CODES = ("avc1", "h264", "x264", "H264", "X264")


class OpenCvVideoDecoder(Calculator):
    """Decodes the video file that a side packet names, after a header at PRESTREAM.

    Timestamps are the presentation times; a frame that does not come later than the one before is left out.
    Source: MediaPipe OpenCvVideoDecoderCalculator.
    """

    path = SideInput("INPUT_FILE_PATH", str, "the video file")
    video = Output("VIDEO", Image, "uint8 RGB or grey")
    header = Output("VIDEO_PRESTREAM", VideoHeader, "size and rate, at PRESTREAM", optional=True)

    def open(self, context: Context) -> None:
        self._capture = open_video(Path(context[self.path]).expanduser())
        self._timestamp = ts.UNSET
        self._frames = 0
        width, height = (int(self._capture.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        rate, count = self._capture.get(cv2.CAP_PROP_FPS), int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if min(rate, count, width, height) <= 0:
            raise SourceError(
                f"{context[self.path]} does not say what it holds: {width} x {height}, {count} frames at {rate:g}/s"
            )
        context.emit(self.header, VideoHeader(width, height, rate, count / rate), ts.PRESTREAM)
        context.close_output(self.header)

    def process(self, context: Context) -> None:
        read, frame = self._capture.read()
        if not read:
            read, frame = self._capture.read()  # sometimes there are more frames after an empty one
        if not read:
            self._capture.release()
            if not self._frames:
                raise SourceError(f"{context[self.path]} has no frame that can be decoded")
            raise Stop
        timestamp = int(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1000)
        if timestamp <= self._timestamp:
            return
        self._timestamp = timestamp
        self._frames += 1
        grey = frame.ndim == 2 or frame.shape[2] == 1
        context.emit(self.video, frame if grey else cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), timestamp)

    def close(self, context: Context) -> None:
        self._capture.release()


class OpenCvVideoEncoder(Calculator):
    """Encodes the frames that reach it into the file that a side packet names, at a constant rate.

    Size and rate come as a header at PRESTREAM, or as options. H.264 goes through PyAV where that is installed, since
    few OpenCV can write it. Source: MediaPipe OpenCvVideoEncoderCalculator.
    """

    path = SideInput("OUTPUT_FILE_PATH", str, "the file, with the ending of 'video_format'")
    video = Input("VIDEO", Image, "uint8 RGB, RGBA or grey")
    header = Input("VIDEO_PRESTREAM", VideoHeader, "size and rate, at PRESTREAM; default the options", optional=True)

    codec: str = Option(doc="OpenCV's four characters for the encoding, such as avc1 or MJPG")
    video_format: str = Option(doc="the ending of the file, such as mp4")
    fps: float | None = Option(None, "frames a second, where no header comes")
    width: int | None = Option(None, "columns, where no header comes")
    height: int | None = Option(None, "rows, where no header comes")

    def check(self, binding: Binding) -> Iterable[str]:
        if len(self.codec) != 4:
            yield f"option 'codec' has four characters, not {self.codec!r}"
        given = (self.fps, self.width, self.height)
        if self.header not in binding.slots and not all(number and number > 0 for number in given):
            yield "without the input VIDEO_PRESTREAM the options 'fps', 'width' and 'height' must be set"

    def open(self, context: Context) -> None:
        self._path = Path(context[self.path]).expanduser()
        if self._path.suffix != f".{self.video_format}":
            raise ValueError(
                f"the name of {self._path} must end in .{self.video_format}, as option 'video_format' says"
            )
        check_folder(self._path)
        self._partial = partial_path(self._path)
        self._encoder: Encoder | None = None
        if not context.is_connected(self.header):
            self._start(VideoHeader(self.width or 0, self.height or 0, self.fps or 0.0))

    def process(self, context: Context) -> None:
        if context.timestamp == ts.PRESTREAM:
            if context[self.header] is not None:
                self._start(context[self.header])
            return
        image = context[self.video]
        if image is None:
            return
        if self._encoder is None:
            raise ValueError("a frame came before the header on VIDEO_PRESTREAM")
        frame = self._rgb(image)
        width, height = self._size
        if frame.shape[:2] != (height, width) and (frame.shape[0] < height or frame.shape[1] < width):
            raise ValueError(
                f"a frame of {frame.shape[1]} x {frame.shape[0]} does not fit a video of {width} x {height}"
            )
        try:
            self._encoder.write(np.ascontiguousarray(frame[:height, :width]), context.timestamp)
        except OSError as error:
            raise OSError(f"{self._path} cannot be written: {error}") from error

    def close(self, context: Context) -> None:
        if self._encoder is None:
            _LOGGER.warning("%s was not written: no header came", self._path)
            return
        self._encoder.close()
        self._partial.replace(self._path)

    def _start(self, header: VideoHeader) -> None:
        if min(header.width, header.height, header.frame_rate) <= 0:
            raise ValueError(f"a video of {header.width} x {header.height} at {header.frame_rate:g} frames a second")
        if self.codec in _H264_CODES and importlib.util.find_spec("av") is not None:
            self._size = header.width - header.width % 2, header.height - header.height % 2
            self._encoder = H264Encoder(self._partial, self._size, header.frame_rate, variable=False)
        else:
            self._size = header.width, header.height
            self._encoder = OpenCvEncoder(self._partial, self._size, header.frame_rate, self.codec)

    @staticmethod
    def _rgb(image: Image) -> Image:
        if image.dtype != np.uint8 or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
            raise ValueError(f"a video frame is uint8 RGB, RGBA or grey, not {image.dtype} {list(image.shape)}")
        if image.ndim == 2 or image.shape[2] == 1:
            return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB))
        return image[:, :, :3]
