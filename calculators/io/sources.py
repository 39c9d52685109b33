"""What a user means by SOURCE: a video, an image, a folder, a glob, a camera, a network stream or a sample."""

from __future__ import annotations

import contextlib
import difflib
import glob
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ..lazy import cv2
from .cameras import find_cameras, list_cameras
from .samples import SAMPLE_NAMES, SAMPLE_SIZE, load_photograph

IMAGE_ENDINGS: Final = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
VIDEO_ENDINGS: Final = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".ts", ".webm", ".wmv")
STREAM_SCHEMES: Final = ("rtsp", "rtsps", "rtmp", "http", "https", "udp", "tcp", "srt")
KINDS: Final = "a video, an image, a folder, a glob, camera:0, camera:NAME, rtsp://…, http://…, or sample:" + "|".join(
    SAMPLE_NAMES
)

DEFAULT_FPS: Final = 30.0
"""Frames a second of images, and of videos that do not say."""

# FFmpeg would write its own complaints to stderr, beside the errors raised here.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "8")


class SourceError(ValueError):
    """A source cannot be read; the message says what is wrong with it and what would be right."""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """The calculator that reads a source, and what is known before reading it.

    Attributes:
        calculator: name of the source calculator.
        options: its options.
        name: how to call the source in front of people.
        frames: number of frames, as far as it is announced; containers often only estimate it. None where endless.
        fps: frames a second; None where unknown.
        size: width and height in pixels; None where unknown, or where images differ.
        live: whether frames come when they come, and may be dropped.
    """

    calculator: str
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    frames: int | None = None
    fps: float | None = None
    size: tuple[int, int] | None = None
    live: bool = False


def open_source(text: str) -> SourceInfo:
    """What reads the source a user named, after a look whether it can be read at all.

    Args:
        text: `video.mp4`, `photo.png`, `folder/`, `frames/*.jpg`, `camera:0`, `camera:NAME`, `rtsp://…`,
            `sample:astronaut`; `http://…` is a live stream, or a video where its path ends like one.

    Raises:
        SourceError: there is no such thing, or it is neither video nor image.
    """
    text = os.fspath(text)
    scheme, colon, rest = text.partition(":")
    if scheme == "camera" and colon:
        return _camera(text, rest)
    if scheme == "sample" and colon:
        return _sample(rest)
    if scheme.lower() in STREAM_SCHEMES and rest.startswith("//"):
        if _is_video_url(text):
            return _video(text)
        return SourceInfo("CameraSource", {"url": text}, text, live=True)
    path = Path(text).expanduser()
    if path.is_dir():
        return _images(text, list_images(text))
    if path.exists():
        if not path.is_file() and not stat.S_ISFIFO(path.stat().st_mode):
            raise SourceError(f"{text} is not a file; a source is {KINDS}")
        return _images(text, [path]) if path.suffix.lower() in IMAGE_ENDINGS else _video(str(path))
    if glob.has_magic(text):
        found = glob_files(text)
        if len(found) == 1 and found[0].suffix.lower() not in IMAGE_ENDINGS:
            return _video(str(found[0]))
        return _images(text, list_images(text))
    raise SourceError(_missing(text, path))


def open_video(place: str | Path) -> cv2.VideoCapture:
    """An OpenCV capture on a video file, or on one that a web server has.

    Raises:
        SourceError: the file is missing, empty, or no video.
    """
    if _is_video_url(str(place)):
        with quiet_opencv():
            capture = cv2.VideoCapture(str(place), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise SourceError(f"{place} cannot be opened as a video: check that this machine reaches the address")
        return capture
    path = Path(place).expanduser()
    if not path.is_file():
        raise SourceError(_missing(str(path), path))
    if path.stat().st_size == 0:
        raise SourceError(f"{path} is empty (0 bytes)")
    if not os.access(path, os.R_OK):
        raise SourceError(f"{path} cannot be read: permission denied")
    with quiet_opencv():
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        ending = path.suffix.lower()
        reason = "it may be truncated or still being written" if ending in VIDEO_ENDINGS else "it is not a video"
        raise SourceError(f"{path} cannot be opened as a video: {reason}; a source is {KINDS}")
    return capture


@contextlib.contextmanager
def quiet_opencv() -> Iterator[None]:
    """Keeps OpenCV from writing to stderr, for each driver it tries, that it could not open something."""
    logging_module = getattr(cv2.utils, "logging", None)
    if logging_module is None:
        yield
        return
    level = logging_module.getLogLevel()
    logging_module.setLogLevel(logging_module.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging_module.setLogLevel(level)


def list_images(text: str) -> list[Path]:
    """The images a file, a folder or a glob stands for, in natural order: `img2` before `img10`.

    Raises:
        SourceError: there is none; the message says what is there instead.
    """
    path = Path(text).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        entries = [entry for entry in path.iterdir() if entry.is_file()]
        found = [entry for entry in entries if entry.suffix.lower() in IMAGE_ENDINGS]
        if not found:
            raise SourceError(f"folder {text} has no images ({', '.join(IMAGE_ENDINGS)}){_instead(entries)}")
        return sorted(found, key=_natural_order)
    if not glob.has_magic(text):
        raise SourceError(_missing(text, path))
    found = glob_files(text)
    others = [entry for entry in found if entry.suffix.lower() not in IMAGE_ENDINGS]
    if others:
        raise SourceError(f"{text} matches {others[0]}, which is not an image; name one video, or images only")
    return found


def glob_files(pattern: str) -> list[Path]:
    """The files a glob matches, in natural order.

    Raises:
        SourceError: none does.
    """
    found = [Path(entry) for entry in glob.glob(os.path.expanduser(pattern), recursive=True) if os.path.isfile(entry)]
    if not found:
        raise SourceError(f"nothing matches {pattern} in {Path.cwd()}")
    return sorted(found, key=_natural_order)


def _is_video_url(text: str) -> bool:
    url = urlsplit(text)
    return url.scheme.lower() in ("http", "https") and url.path.lower().endswith(VIDEO_ENDINGS)


def _camera(text: str, which: str) -> SourceInfo:
    if which.isdecimal():
        return SourceInfo("CameraSource", {"index": int(which)}, text, live=True)
    found = find_cameras(which)
    if len(found) == 1:
        return SourceInfo("CameraSource", {"index": found[0].index}, text, live=True)
    known = found or list_cameras()
    exists = ", ".join(f"camera:{camera.index} ({camera.name})" for camera in known)
    if found:
        raise SourceError(f"{text} may be any of: {exists}; name one by its number")
    there_is = f"there is: {exists}" if exists else "it is camera:0 for the first, camera:1 for the next"
    raise SourceError(f"{text} names no camera: {there_is}")


def _sample(name: str) -> SourceInfo:
    if name not in SAMPLE_NAMES:
        raise SourceError(f"no sample '{name}'; there is: {', '.join(SAMPLE_NAMES)}")
    try:
        load_photograph(name)
    except ImportError as error:
        raise SourceError(str(error)) from None
    return SourceInfo("SampleSource", {"name": name}, f"sample:{name}", 90, DEFAULT_FPS, SAMPLE_SIZE)


def _images(text: str, found: list[Path]) -> SourceInfo:
    if not os.access(found[0], os.R_OK):
        raise SourceError(f"{found[0]} cannot be read: permission denied")
    return SourceInfo("ImageSource", {"path": text}, text, len(found), DEFAULT_FPS)


def _video(place: str) -> SourceInfo:
    capture = open_video(place)
    try:
        frames, fps = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), capture.get(cv2.CAP_PROP_FPS)
        size = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        if not capture.grab():
            raise SourceError(f"{place} has no frame that can be decoded")
    finally:
        capture.release()
    known_size = size if min(size) > 0 else None
    return SourceInfo(
        "VideoSource", {"path": place}, place, frames if frames > 0 else None, fps if fps > 0 else None, known_size
    )


def _missing(text: str, path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"no file {text}: there is no folder {folder}"
    candidates = [entry.name for entry in folder.iterdir()]
    near = difflib.get_close_matches(path.name, candidates, n=1)
    hint = f"did you mean {folder / near[0]}?" if near else f"a source is {KINDS}"
    return f"no file {text}; {hint}"


def _instead(entries: Iterable[Path]) -> str:
    videos = sorted(entry.name for entry in entries if entry.suffix.lower() in VIDEO_ENDINGS)
    return f"; it has videos, name one of them: {', '.join(videos[:5])}" if videos else ""


def _natural_order(path: Path) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", str(path))
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts]
