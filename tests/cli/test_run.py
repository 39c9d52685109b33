"""`graphflow run`."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from graphflow.errors import ModelError
from graphflow.inference import ModelStore

from .conftest import FRAMES, Cli


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def frames_of(path: Path) -> list[Any]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    capture.release()
    return frames


def test_video_and_results_are_written(cli: Cli, graphs: Path, video: Path, tmp_path: Path) -> None:
    outcome = cli("run", graphs / "brightness.yaml", "-i", video, "-o", "out.mp4", "--save", "out.jsonl")
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    assert outcome.out.startswith(f"{FRAMES} frames in ")
    assert outcome.out.endswith("written to out.mp4 and out.jsonl\n")
    lines = lines_of(tmp_path / "out.jsonl")
    assert [(line["frame"], line["timestamp"]) for line in lines] == [(n, n * 40_000) for n in range(FRAMES)]
    assert [line["mean"] for line in lines] == pytest.approx([n * 20 for n in range(FRAMES)], abs=8)
    assert [n for n, line in enumerate(lines) if "bright" in line] == [n for n in range(FRAMES) if n * 20 > 100]
    negatives = [float(frame.mean()) for frame in frames_of(tmp_path / "out.mp4")]
    assert negatives == pytest.approx([255 - n * 20 for n in range(FRAMES)], abs=9)


def test_options_of_the_run_and_of_nodes(cli: Cli, graphs: Path, video: Path, tmp_path: Path) -> None:
    outcome = cli(
        "run", graphs / "brightness.yaml", "-i", video, "--save", "out.jsonl", "--fps", "10", "--max-frames", "3",
        "--threads", "1", "--param", "threshold=10", "--set", "bright.threshold=30",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    lines = lines_of(tmp_path / "out.jsonl")
    assert [line["timestamp"] for line in lines] == [0, 100_000, 200_000]
    assert ["bright" in line for line in lines] == [False, False, True]


def test_same_bytes_from_any_number_of_threads(cli: Cli, graphs: Path, video: Path, tmp_path: Path) -> None:
    for threads in (1, 4):
        outcome = cli(
            "run", graphs / "brightness.yaml", "-i", video, "--save", f"{threads}.jsonl", "--threads", threads
        )
        assert outcome.code == 0, outcome.err
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "4.jsonl").read_bytes()


def test_without_files_it_says_what_was_found(cli: Cli, graphs: Path, video: Path) -> None:
    outcome = cli("run", graphs / "brightness.yaml", "-i", video)
    assert outcome.code == 0, outcome.err
    assert f"mean        {FRAMES} of {FRAMES} frames" in outcome.out
    assert f"bright       6 of {FRAMES} frames" in outcome.out
    assert "Nothing was written: -o overlay.mp4 draws it, --save results.jsonl keeps the numbers." in outcome.out


SHIFTED = """\
graph: Shifted
inputs: {{IMAGE: image}}
side_inputs: {{OFFSET: offset}}
outputs: {{RESULT: shifted}}
nodes:
  measure:
    calculator: {folder}/brightness.py:Brightness
    inputs: {{IMAGE: image}}
    outputs: {{MEAN: mean}}
  shift:
    calculator: {folder}/calculators.py:Offset
    inputs: {{VALUE: mean}}
    side_inputs: {{OFFSET: offset}}
    outputs: {{RESULT: shifted}}
"""

WRONG_ARGUMENTS: list[tuple[list[str], str]] = [
    (["holistc", "-i", "{video}"], "no graph 'holistc' — did you mean 'holistic' or 'multi_holistic'? shipped"),
    (["nothing.yaml", "-i", "{video}"], "no graph file nothing.yaml"),
    (["{graph}"], "say what to run"),
    (["{shining}", "-i", "{video}"], "takes no frames from outside: leave out -i"),
    (["{shifted}", "-i", "{video}"], "cannot be run from the command line: graph 'Shifted' needs the side packet"),
    (["{graph}", "-i", "missing.mp4"], "no file missing.mp4"),
    (["{graph}", "-i", "sub/missing.mp4"], "no file sub/missing.mp4: there is no folder sub"),
    (["{graph}", "-i", "{graph}"], "cannot be opened as a video: it is not a video"),
    (["{graph}", "-i", "*.png"], "nothing matches *.png"),
    (["{graph}", "-i", "camera:first"], "camera:first names no camera: it is camera:0"),
    (["{graph}", "-i", "camera:63"], "no camera at index 63"),
    (["{graph}", "-i", "sample:nobody"], "no sample 'nobody'; there is: astronaut"),
    (["{graph}", "-i", "{video}", "-o", "out.gif"], "-o out.gif: the name must end in .m4v, .mkv, .mov, .mp4"),
    (["{graph}", "-i", "{video}", "--save", "out.txt"], "--save out.txt: the name must end in .jsonl, .csv, .parquet"),
    (["{graph}", "-i", "{video}", "--save", "a.csv", "--save", "a.csv"], "--save a.csv is named twice"),
    (["{graph}", "-i", "{video}", "-i", "{video}"], "say which input each of the sources is for: NAME=SOURCE"),
    (["{graph}", "-i", "{video}", "--set", "source.speed=2"], "VideoSource has no option 'speed'"),
    (["{graph}", "-i", "{video}", "--set", "source_left.fps=2"], "no source node 'source_left' — there is: source"),
    (["{graph}", "-i", "{video}", "-o", "sub/out.mp4"], "cannot write sub/out.mp4: there is no folder sub"),
    (["{graph}", "-i", "{video}", "--save", "folder.jsonl"], "cannot write folder.jsonl: it is a folder"),
    (["{graph}", "-i", "{video}", "-o", "{video}"], "is the source itself: name another file"),
    (["{graph}", "-i", "{video}", "--fps", "0"], "--fps must be positive, not 0"),
    (["{graph}", "-i", "{video}", "--max-frames", "0"], "--max-frames"),
    (["{graph}", "-i", "{video}", "--threads", "none"], "--threads"),
    (["{graph}", "-i", "{video}", "--set", "threshold"], "--set takes NODE.OPTION=VALUE, not 'threshold'"),
    (["{graph}", "-i", "{video}", "--set", "bright.threshold=[1"], "the value is not valid YAML"),
    (["{graph}", "-i", "{video}", "--set", "brigth.threshold=1"], "no node 'brigth' — did you mean 'bright'?"),
    (["{graph}", "-i", "{video}", "--param", "treshold=1"], "no parameter 'treshold' — did you mean 'threshold'?"),
    (["{graph}", "-i", "{video}", "--verbose"], "No such option: --verbose"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG_ARGUMENTS, ids=lambda value: " ".join(value)[:60])
def test_wrong_arguments(
    cli: Cli, graphs: Path, video: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "shifted.yaml").write_text(SHIFTED.format(folder=graphs))
    names = {
        "shifted": "shifted.yaml",
        "graph": graphs / "brightness.yaml",
        "shining": graphs / "shining.yaml",
        "video": video,
    }
    outcome = cli("run", *(argument.format(**names) for argument in arguments))
    assert message in outcome.err
    assert "Traceback" not in outcome.err
    assert (outcome.code, outcome.out) == (2, "")


def test_folder_that_cannot_be_written(cli: Cli, graphs: Path, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # not by its mode: root may write everywhere
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)
    outcome = cli("run", graphs / "brightness.yaml", "-i", video, "--save", "out.jsonl")
    assert (outcome.code, outcome.err) == (2, "error: --save: cannot write out.jsonl: permission denied\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_full_disk(cli: Cli, graphs: Path, video: Path, tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").symlink_to("/dev/full")
    outcome = cli("run", graphs / "brightness.yaml", "-i", video, "--save", "out.jsonl")
    assert outcome.code == 1
    assert outcome.err == "error: out.jsonl cannot be written after 0 frames: No space left on device\n"


def test_failing_calculator(cli: Cli, graphs: Path, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("run", graphs / "brightness.yaml", "-i", video, "--save", "out.jsonl", "--set", "measure.fail_at=5")
    outcome = cli(*arguments)
    assert (outcome.code, outcome.out) == (1, "")
    assert "brightness.yaml:12:3: node 'measure' (./brightness.py:Brightness) of graph 'Brightness'" in outcome.err
    assert "at timestamp 200000: RuntimeError: the frame is too dark to read" in outcome.err
    assert "Traceback" not in outcome.err
    monkeypatch.setenv("GRAPHFLOW_DEBUG", "1")
    assert 'raise RuntimeError("the frame is too dark to read")' in cli(*arguments).err


def test_files_of_a_failed_run_are_complete(cli: Cli, graphs: Path, tmp_path: Path) -> None:
    outcome = cli(
        "run", graphs / "shining.yaml", "-o", "out.mp4", "--save", "out.jsonl", "--set", "measure.fail_at=200"
    )
    assert outcome.code == 1
    lines = lines_of(tmp_path / "out.jsonl")
    assert [line["mean"] for line in lines] == list(range(len(lines)))
    assert len(lines) == 200
    assert len(frames_of(tmp_path / "out.mp4")) == 200
    assert "what came before is in out.mp4 (200 frames) and out.jsonl (200 frames)" in outcome.err


def started(*arguments: object, cwd: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from graphflow.cli import main; main()", "run", *map(str, arguments)]
    return subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_lines(process: subprocess.Popen[str], path: Path, lines: int) -> None:
    """Waits until a run that goes on has written so many lines."""
    for _ in range(1200):
        if path.exists() and path.read_bytes().count(b"\n") >= lines:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            break
    process.kill()
    raise AssertionError(process.communicate())


@pytest.mark.skipif(sys.platform == "win32", reason="signals cannot be sent to one process there")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_run_completes_its_files(graphs: Path, tmp_path: Path, number: int, code: int) -> None:
    pytest.importorskip("pyarrow", reason="pip install 'graphflow[parquet]'")
    names = ["out.jsonl", "out.csv", "out.npz", "out.parquet", "out.coco.json"]
    saves = [argument for name in names for argument in ("--save", name)]
    process = started(graphs / "shining.yaml", "-o", "out.mp4", "-o", "again.mkv", *saves, cwd=tmp_path)
    wait_for_lines(process, tmp_path / "out.jsonl", 40)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "finishing the frames on their way" in err
    assert "Traceback" not in err
    assert out.startswith("interrupted after ")
    lines = lines_of(tmp_path / "out.jsonl")
    assert len(lines) >= 40
    assert [line["timestamp"] for line in lines] == [n * 40_000 for n in range(len(lines))]
    assert len(frames_of(tmp_path / "out.mp4")) == len(frames_of(tmp_path / "again.mkv")) == len(lines)
    assert (tmp_path / "out.csv").read_text().count("\n") == len(lines) + 1
    with np.load(tmp_path / "out.npz") as arrays:
        assert arrays["mean"].tolist() == [line["mean"] for line in lines]
    pq = pytest.importorskip("pyarrow.parquet")
    assert pq.read_table(tmp_path / "out.parquet").num_rows == len(lines)
    assert len(json.loads((tmp_path / "out.coco.json").read_text())["images"]) == len(lines)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([*names, "out.mp4", "again.mkv"])


@pytest.mark.skipif(sys.platform == "win32", reason="signals cannot be sent to one process there")
def test_the_second_interruption_drops_what_is_on_its_way(graphs: Path, tmp_path: Path) -> None:
    process = started(
        graphs / "shining.yaml", "--save", "out.jsonl", "--set", "measure.stuck_at=30", cwd=tmp_path
    )
    wait_for_lines(process, tmp_path / "out.jsonl", 20)
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Ctrl-C again" in err
    lines = lines_of(tmp_path / "out.jsonl")
    assert 20 <= len(lines) <= 30


def test_offline_without_models(cli: Cli, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GRAPHFLOW_OFFLINE", "1")
    outcome = cli("run", "pose", "-i", video, "--save", "out.jsonl")
    assert outcome.code == 1
    assert "models missing from the cache" in outcome.err
    assert "pose_detection, pose_landmark_full" in outcome.err
    assert "graphflow models fetch" in outcome.err
    assert not (tmp_path / "out.jsonl").exists()


def test_holistic_finds_the_person_of_the_sample(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("skimage", reason="the sample's photograph is in scikit-image: pip install 'graphflow[demo]'")
    try:
        ModelStore().fetch()
    except ModelError as error:
        pytest.skip(f"the models cannot be had: {error}")
    for threads in (1, 4):
        outcome = cli(
            "run", "holistic", "-i", "sample:astronaut", "--max-frames", 4, "--threads", threads,
            "-o", f"{threads}.mp4", "--save", f"{threads}.jsonl",
        )  # fmt: skip
        assert outcome.code == 0, outcome.err
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "4.jsonl").read_bytes()
    lines = lines_of(tmp_path / "1.jsonl")
    assert [line["frame"] for line in lines] == [0, 1, 2, 3]
    for line in lines:
        shapes = {"pose_landmarks": (33, 5), "pose_world_landmarks": (33, 5), "face_landmarks": (468, 3)}
        assert {key: (len(line[key]), len(line[key][0])) for key in shapes} == shapes
        nose, face_nose = line["pose_landmarks"][0], line["face_landmarks"][1]
        assert nose[:2] == pytest.approx(face_nose[:2], abs=0.05)
        assert nose[3] > 0.9
    assert [frame.shape for frame in frames_of(tmp_path / "1.mp4")] == [(480, 640, 3)] * 4


FROM_FILE_TO_FILE = """
node {
  calculator: "OpenCvVideoDecoderCalculator"
  input_side_packet: "INPUT_FILE_PATH:source"
  output_stream: "VIDEO:frames"
  output_stream: "VIDEO_PRESTREAM:header"
}
node {
  calculator: "OpenCvVideoEncoderCalculator"
  input_stream: "VIDEO:frames"
  input_stream: "VIDEO_PRESTREAM:header"
  input_side_packet: "OUTPUT_FILE_PATH:target"
  options: { [mediapipe.OpenCvVideoEncoderCalculatorOptions.ext] { codec: "mp4v" video_format: "mp4" } }
}
"""


def test_a_graph_that_reads_and_writes_files_itself(cli: Cli, video: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.pbtxt").write_text(FROM_FILE_TO_FILE)
    arguments = ("--side-packet", f"source={video}", "--side-packet", f"target={tmp_path / 'copy.mp4'}")
    outcome = cli("run", "copy.pbtxt", *arguments)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"{FRAMES} frames in ")
    assert "Nothing was written" not in outcome.out
    assert (tmp_path / "copy.mp4").stat().st_size > 0
    outcome = cli("run", "copy.pbtxt", *arguments[:2])
    assert outcome.code == 2
    assert "needs the side packet 'target'" in outcome.err
    assert "--side-packet NAME=VALUE" in outcome.err


ENCODED = """
input_stream: "files"
output_stream: "image"
node { calculator: "OpenCvEncodedImageToImageFrameCalculator" input_stream: "files" output_stream: "image" }
"""


def test_a_graph_that_decodes_images_itself(cli: Cli, video: Path, tmp_path: Path) -> None:
    (tmp_path / "decode.pbtxt").write_text(ENCODED)
    assert cv2.imwrite(str(tmp_path / "photo.png"), np.full((48, 64, 3), 90, np.uint8))
    outcome = cli("run", "decode.pbtxt", "-i", "photo.png", "-o", "photo.mp4")
    assert (outcome.code, outcome.err) == (0, "")
    assert (tmp_path / "photo.mp4").stat().st_size > 0
    outcome = cli("run", "decode.pbtxt", "-i", video, "-o", "video.mp4")
    assert outcome.code == 2
    assert "its source must be images" in outcome.err


def test_two_sources_and_their_options(cli: Cli, graphs: Path, video: Path, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(f"""
graph: Two
inputs: {{LEFT: left, RIGHT: right}}
outputs: [left_mean, right_mean]
nodes:
  left: {{calculator: {graphs}/brightness.py:Brightness, inputs: {{IMAGE: left}}, outputs: {{MEAN: left_mean}}}}
  right: {{calculator: {graphs}/brightness.py:Brightness, inputs: {{IMAGE: right}}, outputs: {{MEAN: right_mean}}}}
""")
    arguments = ("-i", f"right={video}", "-i", f"LEFT={video}", "--set", "source_right.max_frames=6")
    outcome = cli("run", "two.yaml", *arguments, "--save", "out.jsonl")
    assert outcome.code == 0, outcome.err
    lines = lines_of(tmp_path / "out.jsonl")
    assert [line["timestamp"] for line in lines] == [n * 40_000 for n in range(6)]
    assert all(line["left_mean"] == line["right_mean"] for line in lines)
    assert "nothing feeds the inputs LEFT:0:left" in cli("run", "two.yaml", "-i", f"right={video}").err


class FakeWindows:
    """OpenCV's windows, without a screen; the user presses q at the third picture."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown: list[tuple[str, float]] = []
        monkeypatch.setenv("DISPLAY", ":0")
        for name in ("namedWindow", "imshow", "waitKey", "getWindowProperty", "destroyAllWindows"):
            monkeypatch.setattr(cv2, name, getattr(self, name))

    def namedWindow(self, title: str, flags: int) -> None:  # noqa: N802 - OpenCV's name
        pass

    def imshow(self, title: str, image: Any) -> None:
        self.shown.append((title, float(image.mean())))

    def waitKey(self, milliseconds: int) -> int:  # noqa: N802
        return ord("q") if len(self.shown) == 3 else -1

    def getWindowProperty(self, title: str, which: int) -> float:  # noqa: N802
        return 1.0

    def destroyAllWindows(self) -> None:  # noqa: N802
        pass


def test_a_window_shows_pictures_until_it_is_closed(cli: Cli, graphs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    windows = FakeWindows(monkeypatch)
    outcome = cli("run", graphs / "shining.yaml", "--show")
    assert outcome.code == 0, outcome.err
    assert [title for title, _ in windows.shown[:3]] == ["Shining"] * 3
    assert "Nothing was written" not in outcome.out


def test_no_window_without_a_screen(cli: Cli, graphs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(title: str, flags: int) -> None:
        raise cv2.error("The function is not implemented")

    monkeypatch.setattr(cv2, "namedWindow", refuse)
    monkeypatch.setattr("sys.platform", "linux")
    for screen, message in ((":0", "--show: this OpenCV has no windows"), ("", "--show: there is no screen")):
        monkeypatch.setenv("DISPLAY", screen)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        outcome = cli("run", graphs / "shining.yaml", "--show")
        assert outcome.code == 2
        assert message in outcome.err
