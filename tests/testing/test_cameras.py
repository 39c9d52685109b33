from pathlib import Path

import numpy as np
import pytest

import graphflow
from graphflow.testing import FakeCamera

BRIGHTNESS = Path(__file__).parents[1] / "graphs" / "brightness.yaml"


def frame(level: int) -> np.ndarray:
    return np.full((4, 4, 3), level, np.uint8)


@pytest.mark.parametrize("source", ["camera:0", "rtsp://camera.invalid/live"])
def test_frames_are_those_of_the_test(source: str) -> None:
    overrides = {"source.drop": "never", "source.timestamps": "clamp", "source.reconnect_seconds": 0}
    with FakeCamera([frame(10), frame(20), frame(30)], fps=50) as camera:
        results = list(graphflow.stream(BRIGHTNESS, source, overrides=overrides))
    assert [(result.timestamp, result.mean) for result in results] == [(0, 10), (20_000, 20), (40_000, 30)]
    assert (camera.connections, camera.released) == (1, 1)


def test_a_connection_that_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    with FakeCamera([frame(10)], ends=False) as camera:
        camera.cut()
        camera.put(frame(20))
        camera.end()
        results = list(graphflow.stream(BRIGHTNESS, "camera:0", overrides={"source.drop": "never"}, max_frames=2))
    assert [result.mean for result in results] == [10, 20]
    assert camera.connections == 2
    assert "broke off" in caplog.text


def test_colours_are_not_swapped() -> None:
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 200
    with FakeCamera([red]):
        [result] = graphflow.stream(BRIGHTNESS, "camera:0", max_frames=1)
    assert (result.image == red).all()
