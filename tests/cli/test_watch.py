"""`graphflow run --watch`: the graph is replaced, the source and the files go on."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from live_servers import MjpegServer

from .conftest import Cli

GRAPH = """
graph: Watched
inputs: {IMAGE: image}
outputs: [level]
nodes:
  level:
    calculator: ./level.py:Level
    inputs: {IMAGE: image}
    outputs: [level]
    options: {add: 1000}
"""
CALCULATOR = """
import numpy as np
from graphflow import Calculator, Input, Option, Output

class Level(Calculator):
    image, level = Input("IMAGE", np.ndarray), Output("", float)
    add: int = Option(0)

    def process(self, context):
        context[self.level] = float(self.add)
"""


@pytest.fixture
def camera() -> Iterator[MjpegServer]:
    server = MjpegServer()
    yield server
    server.stop()


class Watched:
    """A run in a process of its own, and what it has written so far."""

    def __init__(self, folder: Path, camera: MjpegServer) -> None:
        self.folder = folder
        (folder / "level.py").write_text(CALCULATOR)
        (folder / "watched.yaml").write_text(GRAPH)
        self.messages = folder / "messages.txt"
        command = [sys.executable, "-c", "from graphflow.cli import main; main()", "run", "watched.yaml", "--watch"]
        with self.messages.open("w") as messages:
            self.process = subprocess.Popen(
                [*command, "-i", camera.url, "--save", "out.jsonl"], cwd=folder, stdout=messages, stderr=messages
            )

    def lines(self) -> list[dict[str, Any]]:
        path = self.folder / "out.jsonl"
        text = path.read_text() if path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def until(self, condition: Callable[[], Any]) -> None:
        """Waits until something holds."""
        patience = time.monotonic() + 60
        while not condition():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)
                break
            assert time.monotonic() < patience, self.messages.read_text()
        assert condition(), self.messages.read_text()

    def until_level(self, level: float) -> None:
        """Waits until the graph says so, for a few frames."""
        self.until(lambda: [line.get("level") for line in self.lines()[-3:]] == [level] * 3)


@pytest.mark.skipif(sys.platform == "win32", reason="signals cannot be sent to one process there")
def test_what_is_saved_takes_over_and_mistakes_do_not(camera: MjpegServer, tmp_path: Path) -> None:
    run = Watched(tmp_path, camera)
    try:
        run.until_level(1000)
        (tmp_path / "watched.yaml").write_text(GRAPH.replace("1000", "2000"))
        run.until_level(2000)
        (tmp_path / "watched.yaml").write_text(GRAPH.replace("1000", "many"))
        run.until(lambda: "the graph goes on as it was" in run.messages.read_text())
        assert "watched.yaml:10:15: " in run.messages.read_text()
        count = len(run.lines())
        run.until(lambda: len(run.lines()) > count + 5)
        (tmp_path / "watched.yaml").write_text(GRAPH.replace("1000", "2000"))
        (tmp_path / "level.py").write_text(CALCULATOR.replace("self.add)", "self.add + 1)"))
        run.until_level(2001)
        (tmp_path / "level.py").write_text(CALCULATOR.replace("float(self.add)", "float(1 / 0)"))
        run.until(lambda: "frames wait until a file of the graph is saved" in run.messages.read_text())
        assert "level.py:10" in run.messages.read_text()
        (tmp_path / "level.py").write_text(CALCULATOR.replace("self.add)", "self.add + 2)"))
        run.until_level(2002)
        run.process.terminate()
        assert run.process.wait(60) == 143, run.messages.read_text()
    finally:
        run.process.kill()
        run.process.wait()
    lines = run.lines()
    timestamps = [line["timestamp"] for line in lines]
    assert timestamps == sorted(set(timestamps))
    assert camera.connections == 1
    levels = [line["level"] for line in lines if "level" in line]
    assert [level for place, level in enumerate(levels) if level != levels[max(place - 1, 0)]] == [2000, 2001, 2002]
    assert "Traceback" not in run.messages.read_text()


def test_a_video_is_run_to_its_end(cli: Cli, graphs: Path, video: Path, tmp_path: Path) -> None:
    arguments = ("-i", video, "-o", "out.mp4", "--save")
    for extra in ((), ("--watch",)):
        name = "watched.jsonl" if extra else "plain.jsonl"
        outcome = cli("run", graphs / "brightness.yaml", *arguments, name, *extra)
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out.startswith("12 frames in")
    assert (tmp_path / "plain.jsonl").read_bytes() == (tmp_path / "watched.jsonl").read_bytes()


def test_what_ends_a_watched_run(cli: Cli, graphs: Path, video: Path) -> None:
    outcome = cli("run", graphs / "shining.yaml", "--watch")
    assert (outcome.code, "--watch goes with a source" in outcome.err) == (2, True)
    outcome = cli("run", graphs / "brightness.yaml", "-i", video, "--watch", "--stats")
    assert (outcome.code, "without --trace and --stats" in outcome.err) == (2, True)
