"""`graphflow run`."""

import json
import os
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
    (["holistc", "-i", "{video}"], "no graph 'holistc' — did you mean 'holistic'? shipped graphs: "),
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
    (["{graph}", "-i", "{video}", "--save", "out.txt"], "--save out.txt: the name must end in .jsonl"),
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
    outcome = cli("run", graphs / "shining.yaml", "--save", "out.jsonl", "--set", "measure.fail_at=200")
    assert outcome.code == 1
    assert "what came before is in out.jsonl" in outcome.err
    lines = lines_of(tmp_path / "out.jsonl")
    assert [line["mean"] for line in lines] == list(range(len(lines)))
    assert 0 < len(lines) <= 200


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_interrupted_run_completes_its_files(graphs: Path, tmp_path: Path) -> None:
    arguments = ["run", str(graphs / "shining.yaml"), "-o", "out.mp4", "--save", "out.jsonl"]
    arguments += ["--set", "measure.interrupt_at=40"]
    done = subprocess.run(
        [sys.executable, "-c", "from graphflow.cli import main; main()", *arguments],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 130, done.stderr
    assert "finishing the frames on their way" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.startswith("interrupted after ")
    lines = lines_of(tmp_path / "out.jsonl")
    assert len(lines) > 40
    assert [line["timestamp"] for line in lines] == [n * 40_000 for n in range(len(lines))]
    assert len(frames_of(tmp_path / "out.mp4")) == len(lines)


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
