"""FakeCamera: stands in for a camera or a network stream."""

from __future__ import annotations

import queue
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self
from unittest import mock

import numpy as np

_CUT = object()
_GONE_S = 60.0


class FakeCamera:
    """While it is entered, every `camera:N` and every network stream shows what a test puts in.

    ```python
    with FakeCamera([frame, frame]) as camera:
        for result in graphflow.stream("pose", "camera:0"):
            ...
    ```

    Args:
        frames: shown first, uint8 [H, W, 3] RGB; then come those of `put`.
        fps: frames a second that it states; they come as fast as they are taken.
        ends: whether it ends after `frames`, rather than wait for more.
    """

    def __init__(self, frames: Iterable[Any] = (), fps: float = 30.0, ends: bool = True) -> None:
        self.connections = 0
        self.released = 0
        self.available = True
        self._fps = fps
        self._shown = 0
        self._frames: queue.Queue[Any] = queue.Queue()
        for frame in frames:
            self.put(frame)
        if ends:
            self.end()

    def put(self, frame: Any) -> None:
        """Shows another frame."""
        self._frames.put(np.ascontiguousarray(np.asarray(frame)[..., ::-1]))

    def cut(self) -> None:
        """Breaks the connection off after the frames so far; the next one goes on with those that are put then."""
        self._frames.put(_CUT)

    def end(self) -> None:
        """Breaks off after the frames so far, for good."""
        self._frames.put(None)

    def __enter__(self) -> Self:
        self._patch = mock.patch("cv2.VideoCapture", self._connect)
        self._patch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._patch.stop()
        self.end()  # whoever still waits for a frame

    def _connect(self, *_: Any) -> _Connection:
        self.connections += self.available
        return _Connection(self, self.available)

    def next_frame(self) -> Any:
        """What the device gives now; None where it breaks off."""
        frame = self._frames.get(timeout=_GONE_S)
        if frame is None:
            self.available = False
            self._frames.put(None)
        elif frame is not _CUT:
            self._shown += 1
            return frame
        return None

    def stated_ms(self) -> float:
        """The presentation time of the newest frame in milliseconds."""
        return (self._shown - 1) * 1000 / self._fps


class _Connection:
    """As `cv2.VideoCapture`."""

    def __init__(self, camera: FakeCamera, opened: bool) -> None:
        self._camera = camera
        self._opened = opened

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self._opened

    def read(self) -> tuple[bool, Any]:
        frame = self._camera.next_frame()
        return frame is not None, frame

    def get(self, what: int) -> float:
        import cv2

        return self._camera.stated_ms() if what == cv2.CAP_PROP_POS_MSEC else 0.0

    def release(self) -> None:
        self._camera.released += 1
