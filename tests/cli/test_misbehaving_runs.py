"""What `graphflow run` says about calculators that misbehave, and what it keeps of their runs."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from graphflow.calculators.io.video_source import VideoSource

from graphflow.testing import run_calculator

from .conftest import FRAMES, Cli

PLACE = r"unruly.yaml:7:3: node 'unruly' \(./unruly.py:Unruly\) of graph 'Unruly'"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("raise", r"failed in process at timestamp 120000: RuntimeError: the lens cap is on \(.*unruly.py:\d+\)"),
        ("wrong_type", r"TypeError: output MEAN:0:mean takes float, not str \('bright'\) \(.*unruly.py:\d+\)"),
        ("back", r"failed in output 'mean' at timestamp 20000: .*80001"),
        ("scribble", r"assignment destination is read-only; packets are shared .* copy the array first"),
        ("exit", r"SystemExit: 3"),
    ],
)
def test_mistakes_are_located_and_what_came_before_is_kept(
    cli: Cli, graphs: Path, video: Path, tmp_path: Path, how: str, message: str
) -> None:
    files = ("-o", "out.mp4", "--save", "out.jsonl")
    outcome = cli("run", graphs / "unruly.yaml", "-i", video, "--param", f"how={how}", *files)
    assert outcome.code == 1
    assert re.search(f"error: .*{PLACE} .*{message}", outcome.err), outcome.err
    kept = re.search(r"came before is in out.mp4 \((\d) frames?\) and out.jsonl \((\d) frames?\)", outcome.err)
    assert kept, outcome.err
    # pictures on their way between nodes are lost, and with them what comes later than the time that was gone back to
    pictures, lines = int(kept[1]), int(kept[2])
    assert 1 <= pictures <= 3
    assert lines == 3 or (how == "back" and 1 <= lines < 3)
    written = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["frame"] for line in written] == list(range(lines))
    assert len(run_calculator(VideoSource, options={"path": "out.mp4"})["IMAGE"]) == pictures


def test_what_a_calculator_prints_is_told_apart(cli: Cli, graphs: Path, video: Path) -> None:
    outcome = cli("run", graphs / "unruly.yaml", "-i", video, "--param", "how=print", "--save", "out.jsonl")
    assert outcome.code == 0
    assert outcome.err == "node 'unruly' printed: hello from a calculator\n"
    assert outcome.out.startswith(f"{FRAMES} frames in ")
    assert "hello" not in outcome.out


@pytest.mark.skipif(sys.platform == "win32", reason="signals cannot be sent to one process there")
def test_a_calculator_that_blocks_for_ever_does_not_hang_the_end(graphs: Path, video: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from graphflow.cli import main; main()", "run", str(graphs / "unruly.yaml")]
    process = subprocess.Popen(
        [*command, "-i", str(video), "--param", "how=block", "--save", "out.jsonl", "-o", "out.mp4"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    patience = time.monotonic() + 60
    while not (tmp_path / "out.jsonl").exists() or (tmp_path / "out.jsonl").read_bytes().count(b"\n") < 3:
        assert time.monotonic() < patience
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        try:
            process.wait(0.3)
        except subprocess.TimeoutExpired:
            continue
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert re.search(rf"{PLACE} has been in process at timestamp 120000 for \d s and does not return", err), err
    assert (tmp_path / "out.jsonl").read_text().count("\n") == 3
    assert 1 <= len(run_calculator(VideoSource, options={"path": str(tmp_path / "out.mp4")})["IMAGE"]) <= 3


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Path:
    """A file system of 96 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux":
        pytest.skip("needs a tmpfs")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96k", "none", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("only root may mount a tmpfs")
    return folder


def test_a_full_disk(cli: Cli, graphs: Path, tiny_disk: Path) -> None:
    try:
        files = ("-o", tiny_disk / "out.mp4", "--save", tiny_disk / "out.jsonl")
        outcome = cli("run", graphs / "unruly.yaml", "-i", "sample:astronaut", "--param", "at=1000", *files)
        assert outcome.code == 1
        assert re.search(r"error: .*out.(mp4|jsonl) cannot be (written|finished).*No space left on device", outcome.err)
        kept = re.search(r"came before is in .*out.mp4 \((\d+) frames\) and .*out.jsonl \((\d+) frames\)", outcome.err)
        assert kept, outcome.err
        lines = [json.loads(line) for line in (tiny_disk / "out.jsonl").read_text().splitlines()]
        assert [line["frame"] for line in lines] == list(range(int(kept[2])))
        played = run_calculator(VideoSource, options={"path": str(tiny_disk / "out.mp4")})["IMAGE"]
        assert 20 < len(played) <= int(kept[1])
        assert sorted(entry.name for entry in tiny_disk.iterdir()) == ["out.jsonl", "out.mp4"]
    finally:
        subprocess.run(["umount", str(tiny_disk)], check=True)
