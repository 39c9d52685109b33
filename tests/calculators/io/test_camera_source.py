import numpy as np
import pytest
from graphflow.calculators.io.camera_source import CameraSource
from graphflow.calculators.io.sources import SourceError

from graphflow import Stop
from graphflow.context import Binding, Connection, Context
from graphflow.testing import FakeCamera


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
    return np.full((2, 2, 3), (red, 0, 0), np.uint8)


def test_only_the_newest_frame_is_used_and_the_others_are_counted() -> None:
    with FakeCamera(ends=False) as device:
        camera, context = opened()
        device.put(frame(1))
        assert shown(camera, context) == [(0, 1)]
        for red in (2, 3, 4):
            device.put(frame(red))
        device.end()
        assert camera._reader.join(60)
        ((timestamp, red),) = shown(camera, context)
        assert red == 4
        assert timestamp > 0
        assert camera.dropped == 2
        with pytest.raises(Stop):
            camera.process(context)
        camera.close(context)
    assert device.released == 1


def test_a_camera_that_gives_nothing_is_an_error() -> None:
    with FakeCamera():
        camera, context = opened(index=3)
        assert camera._reader.join(60)
        with pytest.raises(SourceError, match="camera:3 was opened but gave no frame"):
            camera.process(context)


def test_frames_can_be_stamped_and_limited() -> None:
    with FakeCamera(ends=False) as device:
        camera, context = opened(fps=10, max_frames=2)
        for red in (1, 2):
            device.put(frame(red))
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
