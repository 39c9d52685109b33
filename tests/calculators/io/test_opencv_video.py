"""OpenCvVideoDecoder and OpenCvVideoEncoder, from file to file."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from graphflow.calculators.io.opencv_video import OpenCvVideoDecoder, OpenCvVideoEncoder
from graphflow.calculators.video_header import VideoHeader

from graphflow import timestamp as ts
from graphflow.testing import run_calculator

FRAMES = [np.full((48, 64, 3), (40 * number, 90, 200), np.uint8) for number in range(5)]
MJPG = {"codec": "MJPG", "video_format": "avi"}


def encode(path: Path, options: dict[str, object], header: VideoHeader | None) -> None:
    inputs: dict[str, list[tuple[int, object]]] = {
        "VIDEO": [(number * 40_000, frame) for number, frame in enumerate(FRAMES)]
    }
    if header is not None:
        inputs["VIDEO_PRESTREAM"] = [(ts.PRESTREAM, header)]
    run_calculator(OpenCvVideoEncoder, inputs, options, {"OUTPUT_FILE_PATH": str(path)})


@pytest.mark.parametrize(
    ("name", "options", "header"),
    [
        ("video.avi", MJPG, VideoHeader(64, 48, 25.0)),
        ("video.avi", {**MJPG, "width": 64, "height": 48, "fps": 25.0}, None),
        ("video.mp4", {"codec": "avc1", "video_format": "mp4"}, VideoHeader(64, 48, 25.0)),
        ("video.mp4", {"codec": "mp4v", "video_format": "mp4"}, VideoHeader(64, 48, 25.0)),
    ],
)
def test_there_and_back(tmp_path: Path, name: str, options: dict[str, object], header: VideoHeader | None) -> None:
    path = tmp_path / name
    if options["codec"] == "avc1":
        pytest.importorskip("av")
    encode(path, options, header)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    found = run_calculator(OpenCvVideoDecoder, side_inputs={"INPUT_FILE_PATH": str(path)})
    [(timestamp, told)] = found["VIDEO_PRESTREAM"]
    assert timestamp == ts.PRESTREAM
    assert (told.width, told.height, told.channels) == (64, 48, 3)
    assert told.frame_rate == pytest.approx(25.0)
    assert told.duration == pytest.approx(0.2, abs=0.01)
    assert [time for time, _ in found["VIDEO"]] == [40_000 * number for number in range(5)]
    for (_, decoded), frame in zip(found["VIDEO"], FRAMES, strict=True):
        assert np.abs(decoded.astype(int) - frame).max() < 12


def test_grey_and_alpha_are_encoded(tmp_path: Path) -> None:
    path = tmp_path / "video.avi"
    frames = [(0, np.full((48, 64), 80, np.uint8)), (1, np.full((48, 64, 4), 80, np.uint8))]
    options = {**MJPG, "width": 64, "height": 48, "fps": 25.0}
    run_calculator(OpenCvVideoEncoder, {"VIDEO": frames}, options, {"OUTPUT_FILE_PATH": str(path)})
    capture = cv2.VideoCapture(str(path))
    assert abs(int(capture.read()[1].mean()) - 80) < 3
    assert capture.read()[0]
    capture.release()


@pytest.mark.parametrize(
    ("name", "options", "header", "message"),
    [
        ("video.avi", {"codec": "abc", "video_format": "avi"}, VideoHeader(64, 48, 25.0), "four characters"),
        ("video.mp4", MJPG, VideoHeader(64, 48, 25.0), "must end in .avi"),
        ("video.avi", MJPG, None, "'fps', 'width' and 'height'"),
        ("video.avi", MJPG, VideoHeader(0, 48, 25.0), "0 x 48"),
        ("video.avi", MJPG, VideoHeader(128, 48, 25.0), "does not fit a video of 128 x 48"),
    ],
)
def test_what_cannot_be_written(
    tmp_path: Path, name: str, options: dict[str, object], header: VideoHeader | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        encode(tmp_path / name, options, header)
    assert not (tmp_path / name).exists()


def test_no_video(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.mp4"):
        run_calculator(OpenCvVideoDecoder, side_inputs={"INPUT_FILE_PATH": str(tmp_path / "none.mp4")})
