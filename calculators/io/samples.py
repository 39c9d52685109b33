"""The sample clips: a photograph of a person that an installed package carries, moved as a camera would."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Option, Output, Stop

from ..lazy import cv2
from ..payloads import Image

SAMPLE_NAMES: Final = ("astronaut",)
SAMPLE_SIZE: Final = (640, 480)
"""Width and height of every sample's frames in pixels."""


def load_photograph(name: str) -> npt.NDArray[np.uint8]:
    """The photograph of a sample, uint8 [H, W, 3] RGB.

    Raises:
        ImportError: the package that carries it is not installed; the message says how to get it.
        ValueError: there is no such sample.
    """
    if name not in SAMPLE_NAMES:
        raise ValueError(f"no sample '{name}'; there is: {', '.join(SAMPLE_NAMES)}")
    try:
        from skimage import data
    except ImportError:
        raise ImportError(
            f"sample '{name}' is a photograph from scikit-image, which is not installed: pip install 'graphflow[demo]'"
        ) from None
    return np.asarray(data.astronaut(), np.uint8)  # type: ignore[no-untyped-call]


class SampleSource(Calculator):
    """A short clip from a photograph by a slow pan and zoom; face and upper body stay in view.

    The same frames every time: what it shows is a function of the frame's number.
    """

    image = Output("IMAGE", Image, "uint8 [480, 640, 3] RGB")
    name: str = Option("astronaut", "which photograph")
    frames: int = Option(90, "length of the clip")
    fps: float = Option(30.0, "frames a second")
    max_frames: int | None = Option(None, "stop after this many frames")

    def open(self, context: Context) -> None:
        if self.fps <= 0:
            raise ValueError(f"fps must be positive, not {self.fps}")
        self._photograph = load_photograph(self.name)
        self._next = 0
        self._end = self.frames if self.max_frames is None else min(self.frames, self.max_frames)

    def process(self, context: Context) -> None:
        if self._next >= self._end:
            raise Stop
        frame = _frame(self._photograph, self._next / max(self.frames - 1, 1))
        context.emit(self.image, frame, round(self._next * 1_000_000 / self.fps))
        self._next += 1


def _frame(photograph: npt.NDArray[np.uint8], progress: float) -> npt.NDArray[np.uint8]:
    """The camera's view at `progress` 0..1: it drifts around once and comes nearer and back."""
    height, width = photograph.shape[:2]
    view_width, view_height = SAMPLE_SIZE
    turn = 2 * math.pi * progress
    widest = min(width, height * view_width / view_height)
    visible_width = widest * (0.92 - 0.06 * (1 - math.cos(turn)) / 2)
    room_x = width - visible_width
    left = min(max(0.5 * room_x + 0.35 * room_x * math.sin(turn), 0.0), room_x)
    top = 10.0 * (1 - math.cos(turn)) / 2
    scale = view_width / visible_width
    # pixel centres: the view's first one shows (left, top) of the photograph
    matrix = np.array([[scale, 0, -scale * left], [0, scale, -scale * top]])
    view = cv2.warpAffine(photograph, matrix, SAMPLE_SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(view, np.uint8)
