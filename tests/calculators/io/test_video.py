import importlib.util
import logging
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphflow.calculators.io.sources import SourceError, open_source
from graphflow.calculators.io.video_source import VideoSource
from graphflow.calculators.io.video_writer import VideoWriter

from graphflow.context import Binding, Connection, Context
from graphflow.testing import run_calculator

needs_av = pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="needs PyAV: the [video] extra")


@pytest.fixture(params=[pytest.param("av", marks=needs_av), "opencv"])
def encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to encode: with PyAV, and as where it is not installed."""
    if request.param == "opencv":
        find = importlib.util.find_spec
        without_av = lambda name, package=None: None if name == "av" else find(name, package)  # noqa: E731
        monkeypatch.setattr(importlib.util, "find_spec", without_av)
    return str(request.param)


def clip(count: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Frames of one colour each: red rises, so that every frame can be told from its neighbours."""
    return [np.full((height, width, 3), (20 + 15 * number, 60, 120), np.uint8) for number in range(count)]


def write(path: Path, frames: list[np.ndarray], times: list[int] | None = None, **options: Any) -> None:
    times = times or [round(number * 1e6 / 30) for number in range(len(frames))]
    inputs = {"IMAGE": list(zip(times, frames, strict=True))}
    run_calculator(VideoWriter, inputs, {"path": str(path), **options})


def read(path: Path, **options: Any) -> list[tuple[int, np.ndarray]]:
    return run_calculator(VideoSource, options={"path": str(path), **options})["IMAGE"]


def test_round_trip(tmp_path: Path, encoder: str, caplog: pytest.LogCaptureFixture) -> None:
    frames = clip(12)
    path = tmp_path / "clip.mp4"
    write(path, frames, fps=25)
    back = read(path)
    assert [timestamp for timestamp, _ in back] == [40_000 * number for number in range(12)]
    for (_, image), frame in zip(back, frames, strict=True):
        assert np.abs(image.astype(int) - frame).max() <= 6
    assert [entry.name for entry in tmp_path.iterdir()] == ["clip.mp4"]
    assert ("pip install 'graphflow[video]'" in caplog.text) == (encoder == "opencv")


def test_rate_from_the_timestamps(tmp_path: Path, encoder: str) -> None:
    path = tmp_path / "clip.mp4"
    write(path, clip(6), [1000 + 50_000 * number for number in range(6)])
    assert [timestamp for timestamp, _ in read(path)] == [50_000 * number for number in range(6)]


@needs_av
def test_frames_keep_their_distances(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    times = [0, 33_000, 133_000, 166_000, 500_000]
    write(path, clip(5), times)
    assert [timestamp for timestamp, _ in read(path)] == pytest.approx(times, abs=50)


@needs_av
def test_browsers_play_it(tmp_path: Path) -> None:
    import av

    path = tmp_path / "clip.mp4"
    write(path, clip(3, 65, 49), fps=30)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt, stream.width, stream.height) == ("h264", "yuv420p", 64, 48)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_one_frame_is_a_video(tmp_path: Path, encoder: str) -> None:
    path = tmp_path / "clip.mp4"
    write(path, clip(1))
    assert len(read(path)) == 1


def test_frames_of_another_size_are_fitted_in(tmp_path: Path, encoder: str) -> None:
    path = tmp_path / "clip.mp4"
    write(path, [*clip(2), np.full((100, 50, 3), 200, np.uint8)], fps=30)
    last = read(path)[2][1]
    assert last.shape == (48, 64, 3)
    assert last[24, 32].min() > 180
    assert last[24, 4].max() < 20


def test_frames_before_a_failure_are_playable(tmp_path: Path, encoder: str) -> None:
    path = tmp_path / "clip.mp4"
    writer = VideoWriter({"path": str(path), "fps": 30})
    calls = iter(clip(4))

    class OneAfterAnother:
        timestamp = 0

        def __getitem__(self, port: object) -> np.ndarray | None:
            return next(calls) if port is VideoWriter.image else None

    writer.open(OneAfterAnother())  # type: ignore[arg-type]
    for _ in range(4):
        writer.process(OneAfterAnother())  # type: ignore[arg-type]
    assert not path.exists()
    writer.close(OneAfterAnother())  # type: ignore[arg-type]
    assert len(read(path)) == 4


@needs_av
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 120, 160, 3), np.uint8)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(OSError, match=r"clip.mp4 cannot be .*File too large"):
            write(tmp_path / "clip.mp4", list(noise), fps=30)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("clip.gif", ValueError, "must end in .m4v, .mkv, .mov or .mp4"),
        ("missing/clip.mp4", FileNotFoundError, "there is no folder"),
        ("folder.mp4", IsADirectoryError, "it is a folder"),
    ],
)
def test_where_it_cannot_write(tmp_path: Path, name: str, error: type[Exception], message: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(error, match=message):
        write(tmp_path / name, clip(1))


def test_no_frame_makes_no_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "clip.mp4", [])
    assert list(tmp_path.iterdir()) == []
    assert "was not written: no frame came" in caplog.text


def test_grey_frames_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"uint8 \[H, W, 3\] RGB, not uint8 \[4, 4\]"):
        write(tmp_path / "clip.mp4", [np.zeros((4, 4), np.uint8)])


def test_stamps_and_limit(shared: Path) -> None:
    path = shared / "data" / "videos" / "pose_squats.mp4"
    found = open_source(str(path))
    assert (found.calculator, found.frames, found.fps, found.size) == ("VideoSource", 65, 5.0, (720, 1280))
    assert [timestamp for timestamp, _ in read(path, max_frames=3)] == [0, 200_000, 400_000]
    assert [timestamp for timestamp, _ in read(path, max_frames=4, fps=30)] == [0, 33_333, 66_667, 100_000]


def test_pixels_are_those_the_goldens_were_made_from(shared: Path) -> None:
    import hashlib

    goldens = np.load(shared / "data" / "goldens" / "videos" / "pose_1.mp4" / "holistic.npz")
    images = read(shared / "data" / "videos" / "pose_1.mp4")
    digests = [hashlib.sha256(image.tobytes()).hexdigest()[:16] for _, image in images]
    assert digests == goldens["frame_rgb_sha256_16"].tolist()


def test_a_video_that_breaks_off_keeps_its_frames(
    shared: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = (shared / "data" / "videos" / "sign_again.mkv").read_bytes()
    path = tmp_path / "half.mkv"
    path.write_bytes(data[: len(data) // 2])
    whole, half = read(shared / "data" / "videos" / "sign_again.mkv"), read(path)
    assert 10 < len(half) < len(whole) - 10
    # the last few lack frames between them, which come later in the file
    assert all((image == whole[number][1]).all() for number, (_, image) in enumerate(half[:-4]))
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert f"broke off after {len(half)} of 78 announced frames" in caplog.text


def test_a_video_without_frames_is_an_error(shared: Path, tmp_path: Path) -> None:
    data = (shared / "data" / "videos" / "sign_again.mkv").read_bytes()
    path = tmp_path / "head.mkv"
    path.write_bytes(data[:3000])
    with pytest.raises(SourceError, match=r"no frame that can be decoded|cannot be opened as a video"):
        read(path)


@pytest.mark.parametrize("options", [{"fps": 0}, {"fps": -1}])
def test_impossible_rates(options: dict[str, Any], tmp_path: Path) -> None:
    for cls in (VideoSource, VideoWriter):
        with pytest.raises(ValueError, match="fps must be positive"):
            run_calculator(cls, options={"path": str(tmp_path / "a.mp4"), **options})


def test_times_rise_where_the_container_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Timeless:
        """A raw stream: frames, and 0 for everything else."""

        left = 3

        def get(self, what: int) -> float:
            return 0.0

        def read(self) -> tuple[bool, np.ndarray | None]:
            self.left -= 1
            return self.left >= 0, np.zeros((2, 2, 3), np.uint8)

        def release(self) -> None:
            pass

    monkeypatch.setattr("graphflow.calculators.io.video_source.open_video", lambda path: Timeless())
    assert [timestamp for timestamp, _ in read(tmp_path)] == [0, 33_333, 66_666]


def test_reset_starts_over(shared: Path) -> None:
    source = VideoSource({"path": str(shared / "data" / "videos" / "pose_1.mp4")})
    context = Context(Binding(outputs=(Connection("IMAGE", 0, "image", VideoSource.image),)))
    source.open(context)
    source.process(context)
    source.process(context)
    source.reset(context)
    source.process(context)
    source.close(context)
    first, second, again = context.emitted[0]
    assert (first.timestamp, second.timestamp, again.timestamp) == (0, 33_333, 0)
    assert (first.value == again.value).all()
