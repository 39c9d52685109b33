"""The frames both sides work on: decoded once, so that no two decoders can differ."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FRAME_US = 33333


def decode(path: str, limit: int) -> Any:
    """The first frames of a video, uint8 [N, H, W, 3] RGB."""
    import cv2
    import numpy as np

    capture = cv2.VideoCapture(path)
    frames: list[Any] = []
    while len(frames) < limit:
        found, frame = capture.read()
        if not found:
            break
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    if not frames:
        sys.exit(f"{path}: no frames could be read")
    return np.stack(frames)


@contextlib.contextmanager
def decoded(path: str, limit: int) -> Iterator[Path]:
    """A file with the first frames of a video, as `numpy.load` reads it."""
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frames.npy"
        np.save(file, decode(path, limit))
        yield file
