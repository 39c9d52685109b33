import queue
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from graphflow.calculators.io.camera_source import CameraSource
from graphflow.calculators.io.sources import SourceError

from graphflow import Stop
from graphflow.context import Binding, Connection, Context


class FakeCamera:
    """Gives the frames a test puts in; None ends the stream."""

    def __init__(self, frames: "queue.Queue[np.ndarray | None]") -> None:
        self.frames = frames
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        frame = self.frames.get(timeout=60)
        self.frames.task_done()
        return frame is not None, frame

    def get(self, what: int) -> float:
        return 0.0

    def release(self) -> None:
        self.released = True


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> "Iterator[queue.Queue[np.ndarray | None]]":
    waiting: queue.Queue[np.ndarray | None] = queue.Queue()
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: FakeCamera(waiting))
    yield waiting
    waiting.put(None)


def opened(**options: object) -> tuple[CameraSource, Context]:
    camera = CameraSource({"reconnect_seconds": 0, **options})
    context = Context(Binding(outputs=(Connection("IMAGE", 0, "image", CameraSource.image),)))
    camera.open(context)
    return camera, context


def shown(camera: CameraSource, context: Context) -> list[tuple[int, int]]:
    """Runs until something is emitted: (timestamp, brightness of the first pixel's red)."""
    while not any(context.emitted):
        camera.process(context)
    found = [(packet.timestamp, int(packet.value[0, 0, 0])) for packet in context.emitted[0]]
    context.begin(0, ())
    return found


def frame(red: int) -> np.ndarray:
    return np.full((2, 2, 3), (0, 0, red), np.uint8)


def test_only_the_newest_frame_is_used_and_the_others_are_counted(frames: "queue.Queue[np.ndarray | None]") -> None:
    camera, context = opened()
    frames.put(frame(1))
    assert shown(camera, context) == [(0, 1)]
    for red in (2, 3, 4):
        frames.put(frame(red))
    frames.put(None)
    assert camera._reader.join(60)
    ((timestamp, red),) = shown(camera, context)
    assert red == 4
    assert timestamp > 0
    assert camera.dropped == 2
    with pytest.raises(Stop):
        camera.process(context)
    camera.close(context)
    assert camera._reader._capture.released


def test_a_camera_that_gives_nothing_is_an_error(frames: "queue.Queue[np.ndarray | None]") -> None:
    frames.put(None)
    camera, context = opened(index=3)
    assert camera._reader.join(60)
    with pytest.raises(SourceError, match="camera:3 was opened but gave no frame"):
        camera.process(context)


def test_frames_can_be_stamped_and_limited(frames: "queue.Queue[np.ndarray | None]") -> None:
    camera, context = opened(fps=10, max_frames=2)
    for red in (1, 2):
        frames.put(frame(red))
        assert shown(camera, context) == [((red - 1) * 100_000, red)]
    with pytest.raises(Stop):
        camera.process(context)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"index": 987}, "no camera at index 987"), ({"url": "rtsp://127.0.0.1:1/x"}, "rtsp://127.0.0.1:1/x cannot be")],
)
def test_no_camera(options: dict[str, object], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        opened(**options)
