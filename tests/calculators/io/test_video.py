import importlib.util
import logging
import resource
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphflow.calculators.io.sources import SourceError, open_source
from graphflow.calculators.io.video_source import VideoSource
from graphflow.calculators.io.video_writer import VideoWriter

import graphflow
from graphflow import Packet
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


def read(path: Path | str, **options: Any) -> list[tuple[int, np.ndarray]]:
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
    with pytest.raises(SourceError, match=r"states 0 µs for frame 1, after one at 0 µs; timestamps: clamp"):
        read(tmp_path, timestamps="strict")


def test_a_video_that_a_web_server_has(tmp_path: Path) -> None:
    write(tmp_path / "clip.mp4", clip(5), fps=30)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/clip.mp4?token=1"
        found = open_source(url)
        assert (found.calculator, found.frames, found.live) == ("VideoSource", 5, False)
        assert len(read(url)) == 5
        with pytest.raises(SourceError, match=r"gone.mp4.* cannot be opened as a video: check that"):
            open_source(url.replace("clip", "gone"))
        server.shutdown()


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


@needs_av
def test_presentation_times_are_exact_however_they_vary(tmp_path: Path) -> None:
    from fractions import Fraction

    import av

    path = tmp_path / "variable.mp4"
    ticks = [0, 1, 7, 8, 20, 21, 50, 333, 334, 900]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90_000)
        for tick, frame in zip(ticks, clip(10), strict=True):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts, picture.time_base = tick * 3003, Fraction(1, 90_000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    assert [timestamp for timestamp, _ in read(path)] == [round(tick * 3003 / 0.09) for tick in ticks]


@needs_av
@pytest.mark.parametrize(
    ("matrix", "turned"),
    [((0, 1, -1, 0), lambda image: np.rot90(image, -1)), ((-1, 0, 0, -1), lambda image: np.rot90(image, 2))],
    ids=["quarter", "half"],
)
def test_frames_are_turned_as_the_file_says(tmp_path: Path, matrix: tuple[int, ...], turned: Any) -> None:
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[:24, :32] = 200
    path = tmp_path / "phone.mp4"
    write(path, [frame] * 3, fps=30)
    data = bytearray(path.read_bytes())
    # the display matrix stands 40 bytes behind the version of the track's header: a b u c d v, in 16.16 fixed point
    start = data.index(b"tkhd") + 4 + 40
    a, b, c, d = matrix
    for offset, number in zip((0, 4, 12, 16), (a, b, c, d), strict=True):
        data[start + offset : start + offset + 4] = (number * 65536).to_bytes(4, "big", signed=True)
    path.write_bytes(data)
    expected = turned(frame)
    found = open_source(str(path))
    assert found.size == (expected.shape[1], expected.shape[0])
    (_, image), *_ = read(path)
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected).mean() < 4


@needs_av
def test_what_a_killed_program_wrote_plays(tmp_path: Path) -> None:
    writer = VideoWriter({"path": str(tmp_path / "clip.mp4"), "fps": 30})
    connections = (Connection("IMAGE", 0, "image", VideoWriter.image),)
    context = Context(Binding(connections))
    writer.open(context)
    noise = np.random.default_rng(0).integers(0, 255, (120, 48, 64, 3), np.uint8)
    for number, frame in enumerate(noise):
        context.begin(number * 33_333, [Packet(frame, number * 33_333)])
        writer.process(context)
    assert len(read(tmp_path / "clip.part.mp4")) >= 60  # the last second and what the encoder holds is lost


def with_sound(path: Path, codec: str) -> None:
    """A second of video at 25 frames a second and a tone."""
    from fractions import Fraction

    import av

    with av.open(str(path), "w") as container:
        video, sound = container.add_stream("libx264", rate=25), container.add_stream(codec, rate=48_000)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound.layout = "mono"
        for number, image in enumerate(clip(13) * 2):
            picture = av.VideoFrame.from_ndarray(image, format="rgb24")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(video.encode(picture))
        tone = (np.sin(np.arange(48_000 * 26 // 25) / 20) * 10_000).astype(np.int16)
        for start in range(0, len(tone), 960):
            piece = av.AudioFrame.from_ndarray(tone[None, start : start + 960], format="s16", layout="mono")
            piece.sample_rate, piece.pts, piece.time_base = 48_000, start, Fraction(1, 48_000)
            resampled = av.AudioResampler(sound.format.name, "mono", 48_000).resample(piece)
            for each in resampled:
                container.mux(sound.encode(each))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))


@needs_av
@pytest.mark.parametrize(("ending", "codec"), [("mp4", "aac"), ("mkv", "pcm_s16le")])
@pytest.mark.parametrize("frames", [26, 10])
def test_the_sound_of_the_source_is_kept(tmp_path: Path, ending: str, codec: str, frames: int) -> None:
    import av

    source = tmp_path / f"source.{ending}"
    with_sound(source, codec)
    images = read(source)[:frames]
    path = tmp_path / "overlay.mp4"
    write(path, [image for _, image in images], [timestamp for timestamp, _ in images], audio=str(source))
    with av.open(str(path)) as container:
        sound = container.streams.audio[0]
        assert sound.codec_context.name == "aac"
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(sound)])
    assert len(heard) / 48_000 == pytest.approx(frames / 25, abs=0.05)
    assert np.abs(heard[4800:-4800]).max() == pytest.approx(10_000 / 32_768, rel=0.1)
    assert len(read(path)) == frames


@needs_av
def test_a_source_without_sound_is_no_problem(tmp_path: Path) -> None:
    write(tmp_path / "mute.mp4", clip(3), fps=30)
    write(tmp_path / "clip.mp4", clip(3), fps=30, audio=str(tmp_path / "mute.mp4"))
    assert len(read(tmp_path / "clip.mp4")) == 3


@needs_av
def test_what_fitted_on_a_full_disk_plays(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 48, 64, 3), np.uint8)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    graph = """
    graph: Write
    inputs: [image]
    nodes: {write: {calculator: VideoWriter, inputs: {IMAGE: image}, options: {path: PATH, fps: 30}}}
    """.replace("PATH", str(tmp_path / "clip.mp4"))
    running = graphflow.load(graph)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        running.start()
        with pytest.raises(graphflow.CalculatorError, match=r"clip.mp4 cannot be written after .* File too large"):
            for number, frame in enumerate(noise):
                running.add_packet("image", frame, number * 33_333)
            running.close_all_inputs()
            running.wait_until_done()
        with pytest.raises(graphflow.CalculatorError):
            running.wait_until_done()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(read(tmp_path / "clip.mp4")) >= 30
    assert [entry.name for entry in tmp_path.iterdir()] == ["clip.mp4"]
