"""VideoHeader: what is known of a video before its first frame."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VideoHeader:
    """Size, rate and length of a video; a decoder sends it at PRESTREAM. Source: MediaPipe VideoHeader.

    Attributes:
        width: columns of a frame.
        height: rows of a frame.
        frame_rate: frames a second.
        duration: seconds, as far as the file says.
        channels: 1 for grey frames, 3 for RGB, 4 for RGBA.
    """

    width: int
    height: int
    frame_rate: float
    duration: float = 0.0
    channels: int = 3
