"""Network streams, read from servers on this machine."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from live_servers import MjpegServer, RtspServer

import graphflow

BRIGHTNESS = Path(__file__).parents[2] / "graphs" / "brightness.yaml"
TWO_CAMERAS = """
graph: TwoCameras
inputs: {LEFT: left, RIGHT: right}
outputs: {DIFFERENCE: difference}
nodes:
  measure_left: {calculator: "@brightness.py:Brightness", inputs: {IMAGE: left}, outputs: {MEAN: left_mean}}
  measure_right: {calculator: "@brightness.py:Brightness", inputs: {IMAGE: right}, outputs: {MEAN: right_mean}}
  pair: {calculator: MakePair, inputs: [left_mean, right_mean], outputs: [difference]}
""".replace("@", f"{BRIGHTNESS.parent}/")


@pytest.fixture
def camera() -> Iterator[MjpegServer]:
    server = MjpegServer()
    yield server
    server.stop()


def test_a_stream_that_breaks_off_is_got_back(camera: MjpegServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "graphflow")
    results = graphflow.stream(BRIGHTNESS, camera.url, max_frames=40)
    seen = [next(results) for _ in range(10)]
    camera.stop()
    camera.start()
    seen += results
    assert len(seen) == 40
    timestamps = [result.timestamp for result in seen]
    assert timestamps == sorted(set(timestamps))
    means = [result.mean for result in seen]
    assert means == sorted(means)
    assert camera.connections == 2
    assert [record.getMessage().split(" ", 1)[1][:9] for record in caplog.records] == ["broke off", "is back a"]


def test_a_stream_that_does_not_come_back_is_an_error(camera: MjpegServer) -> None:
    source = {"image": camera.url}
    checked = graphflow.config.load(BRIGHTNESS)
    fed = graphflow.feeding.feed(checked, source, options={"source.reconnect_seconds": 0.5})
    graph = graphflow.Graph(graphflow.pipeline.compose(checked, fed.attachments))
    graph.observe("mean", lambda packet: camera.stop())
    graph.start()
    with pytest.raises(graphflow.CalculatorError, match=r"after \d+ frames and did not come back within 0.5 s"):
        graph.wait_until_done()


@pytest.mark.parametrize(("drop", "lossless"), [("old", False), ("new", False), ("never", True)])
def test_a_busy_graph_drops_frames_as_it_is_told(camera: MjpegServer, drop: str, lossless: bool) -> None:
    results = graphflow.stream(BRIGHTNESS, camera.url, overrides={"source.drop": drop})
    means = []
    for _ in range(25):
        means.append(next(results).mean)
        camera.wait_for(3)
    results.close()
    steps = np.diff(np.round(means)) % 250
    assert (steps > 0).all()
    assert (steps == 1).all() == lossless


def test_two_cameras_are_brought_together() -> None:
    cameras = [MjpegServer(), MjpegServer()]
    try:
        sources = dict(zip(("left", "right"), (camera.url for camera in cameras), strict=True))
        results = list(graphflow.stream(TWO_CAMERAS, sources, max_frames=30))
    finally:
        for camera in cameras:
            camera.stop()
    pairs = [result.difference for result in results if result.difference is not None]
    assert len(pairs) > 10
    timestamps = [result.timestamp for result in results]
    assert timestamps == sorted(set(timestamps))
    # both count one a hundredth of a second, from when they were first asked
    differences = np.array([left - right for left, right in pairs])
    assert np.abs(differences - np.median(differences)).max() <= 20


def test_rtsp_is_cut_and_restored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("aio_rtsp_toolkit.server", reason="needs a server: pip install 'aio-rtsp-toolkit[server]'")
    caplog.set_level(logging.WARNING, "graphflow")
    write_clip(tmp_path / "clip.mp4")
    server = RtspServer(tmp_path)
    try:
        results = graphflow.stream(
            BRIGHTNESS, server.url("clip.mp4"), max_frames=50, overrides={"source.timestamps": "clamp"}
        )
        seen = [next(results) for _ in range(20)]
        server.stop()
        server.start()
        seen += results
    finally:
        server.stop()
    assert len(seen) == 50
    steps = np.diff([result.timestamp for result in seen])
    assert (steps > 0).all()
    assert np.median(steps) == pytest.approx(20_000, abs=1)  # as the stream states, not as packets arrived
    assert ["broke off" in record.getMessage() for record in caplog.records] == [True, False]


def write_clip(path: Path) -> None:
    """Half a minute of 50 frames a second that grow brighter, encoded as cameras do: no frame waits for a later one."""
    from fractions import Fraction

    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=50)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"g": "10", "tune": "zerolatency", "bf": "0"}
        for number in range(1500):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number // 6, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 50)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
