import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from graphflow.calculators.io.image_source import ImageSource
from graphflow.calculators.io.samples import SampleSource
from graphflow.calculators.io.sources import SourceError, open_source

from graphflow.testing import run_calculator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two frames whose order by name and by number differ, and things that are no images."""
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in (2, 10):
        cv2.imwrite(str(frames / f"img{number}.png"), np.full((4, 6, 3), (0, 0, number), np.uint8))
    (frames / "notes.txt").write_text("no image")
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.mp4").write_bytes(b"no video")
    (tmp_path / "clips" / "empty.mp4").touch()
    (tmp_path / "broken.png").write_bytes(b"no image")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "calculator", "options"),
    [
        ("camera:1", "CameraSource", {"index": 1}),
        ("rtsp://host/live", "CameraSource", {"url": "rtsp://host/live"}),
        ("sample:astronaut", "SampleSource", {"name": "astronaut"}),
    ],
)
def test_sources_that_are_no_files(text: str, calculator: str, options: dict[str, object]) -> None:
    found = open_source(text)
    assert (found.calculator, found.options, found.live) == (calculator, options, calculator == "CameraSource")


@pytest.mark.parametrize(("name", "frames"), [("frames", 2), ("frames/*.png", 2), ("frames/img2.png", 1)])
def test_images(folder: Path, name: str, frames: int) -> None:
    text = str(folder / name)
    found = open_source(text)
    assert (found.calculator, found.options, found.frames, found.fps) == ("ImageSource", {"path": text}, frames, 30.0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("frame", "did you mean .*frames"),
        ("nowhere/a.mp4", "there is no folder"),
        ("clips", "has no images .* it has videos, name one of them: a.mp4, empty.mp4"),
        ("clips/a.mp4", "may be truncated or still being written"),
        ("clips/empty.mp4", "is empty"),
        ("frames/notes.txt", "it is not a video; a source is a video, an image"),
        ("frames/*", "matches .*notes.txt, which is not an image"),
        ("*.webp", "nothing matches"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, name: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        open_source(str(folder / name))


@pytest.mark.parametrize(
    ("text", "message"),
    [("camera:front", "it is camera:0"), ("sample:moon", "no sample 'moon'; there is: astronaut")],
)
def test_unknown_names(text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        open_source(text)


def test_a_sample_without_its_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(SourceError, match=r"pip install 'graphflow\[demo\]'"):
        open_source("sample:astronaut")


def test_images_come_in_natural_order_as_rgb(folder: Path) -> None:
    images = run_calculator(ImageSource, options={"path": str(folder / "frames"), "fps": 10})["IMAGE"]
    assert [timestamp for timestamp, _ in images] == [0, 100_000]
    assert [image[0, 0].tolist() for _, image in images] == [[2, 0, 0], [10, 0, 0]]
    assert images[0][1].shape == (4, 6, 3)


def test_fewer_images_when_asked(folder: Path) -> None:
    images = run_calculator(ImageSource, options={"path": str(folder / "frames"), "max_frames": 1})["IMAGE"]
    assert [timestamp for timestamp, _ in images] == [0]


def test_a_broken_image_is_named(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"broken.png is not an image that can be decoded \(8 bytes\)"):
        run_calculator(ImageSource, options={"path": str(folder / "broken.png")})


def test_sample_is_the_same_each_time_and_moves() -> None:
    first, second = (run_calculator(SampleSource, options={"max_frames": 3})["IMAGE"] for _ in range(2))
    assert [timestamp for timestamp, _ in first] == [0, 33333, 66667]
    assert all((one == other).all() for (_, one), (_, other) in zip(first, second, strict=True))
    assert first[0][1].shape == (480, 640, 3)
    assert (first[0][1] != first[2][1]).any()
