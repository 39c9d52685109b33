"""Two ways to encode a video: H.264 through PyAV, and what OpenCV brings along."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from ..lazy import cv2
from .audio_track import AudioTrack

_LOGGER = logging.getLogger("graphflow")

_MICROSECONDS: Final = Fraction(1, 1_000_000)

_FRAGMENTS: Final = {
    "movflags": "+frag_keyframe+delay_moov+default_base_moof",
    "frag_duration": "1000000",
    "flush_packets": "1",
}

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

    While it is written an MP4 is fragmented, so that what is there plays even where the end cannot be written: on a
    full disk, or when the program is killed. Closing it puts the index in front.

    Args:
        path: the file; its ending names the container.
        size: even width and height.
        fps: frames a second; with `variable` only a hint, the frames' timestamps count.
        variable: whether frames keep the distances of their timestamps.
        audio: a file whose sound to keep; the timestamps of the frames are those of its video. "": none.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float, variable: bool, audio: str = "") -> None:
        import av

        self._av = av
        self._path = path
        self._variable = variable
        rate = Fraction(fps).limit_denominator(1001)
        self._period_us = round(1_000_000 / rate)
        self._fragmented = path.suffix.lower() != ".mkv"
        self._container: Any = av.open(str(path), "w", options=_FRAGMENTS if self._fragmented else {})
        stream: Any = self._container.add_stream("libx264", rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "20", "preset": "veryfast", "x264-params": _COLORS}
        self._time_base = _MICROSECONDS if variable else 1 / rate
        stream.codec_context.time_base = self._time_base
        self._stream = stream
        self._audio = AudioTrack(self._container, audio) if audio else None
        self._frames = 0
        self._first = self._last = 0

    def write(self, frame: npt.NDArray[np.uint8], timestamp: int) -> None:
        if self._frames == 0:
            self._first = timestamp
        picture = self._av.VideoFrame.from_ndarray(frame, format="rgb24")
        picture.pts = timestamp - self._first if self._variable else self._frames
        picture.time_base = self._time_base
        self._frames += 1
        self._last = timestamp
        for packet in self._stream.encode(picture):
            self._container.mux(packet)
        if self._audio is not None:
            self._audio.copy_until(self._first, timestamp)

    def close(self) -> None:
        try:
            for packet in self._stream.encode(None):
                self._container.mux(packet)
            if self._audio is not None:
                self._audio.copy_until(self._first, self._last + self._period_us)
        finally:
            if self._audio is not None:
                self._audio.close()
            self._container.close()
        if self._fragmented:
            self._put_index_in_front()

    def _put_index_in_front(self) -> None:
        target = self._path.with_name(f"{self._path.stem}.indexed{self._path.suffix}")
        try:
            _copy_with_index(self._path, target)
        except OSError:
            # no room for a second copy; the fragmented one plays, too
            _LOGGER.warning("%s: its index could not be put in front: no room for a copy", self._path)
            target.unlink(missing_ok=True)
            return
        target.replace(self._path)


def _copy_with_index(source: Path, target: Path) -> None:
    import av

    with av.open(str(source)) as before, av.open(str(target), "w", options={"movflags": "+faststart"}) as after:
        add = getattr(after, "add_stream_from_template", None)
        pairs = {each.index: add(each) if add else after.add_stream(template=each) for each in before.streams}  # type: ignore[call-overload]
        for packet in before.demux():
            if packet.dts is not None:
                packet.stream = pairs[packet.stream.index]
                after.mux(packet)


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
