"""The command line as a whole."""

import subprocess
import sys

import pytest

from graphflow.cli.listing import columns
from graphflow.cli.progress import FetchBar, RunProgress
from graphflow.cli.reporting import report
from graphflow.inference import FetchProgress

from .conftest import Cli

HEAVY = ("numba", "cv2", "onnxruntime", "onnx", "networkx", "av", "skimage", "scipy")


def test_help_loads_nothing_heavy() -> None:
    code = f"import sys, graphflow.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "command", [(), ("run",), ("check",), ("list",), ("describe",), ("models",), ("models", "fetch")], ids=" ".join
)
def test_every_command_explains_itself(cli: Cli, command: tuple[str, ...]) -> None:
    outcome = cli(*command, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert f"Usage: graphflow {' '.join(command)}".rstrip() in outcome.out


def test_version(cli: Cli) -> None:
    outcome = cli("--version")
    assert (outcome.code, outcome.out.split()[0]) == (0, "graphflow")


@pytest.mark.parametrize(
    ("arguments", "message"), [(("rnu",), "No such command 'rnu'"), (("models", "x"), "No such command")]
)
def test_unknown_commands(cli: Cli, arguments: tuple[str, ...], message: str) -> None:
    outcome = cli(*arguments)
    assert outcome.code == 2
    assert message in outcome.err


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (PermissionError(13, "Permission denied", "out.mp4"), 1, "error: out.mp4: Permission denied\n"),
        (ZeroDivisionError("by zero"), 1, "error: ZeroDivisionError: by zero\nThis is a bug of graphflow"),
    ],
)
def test_errors_nobody_foresaw(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, message: str
) -> None:
    assert report(error) == code
    assert capsys.readouterr().err.startswith(message)


def test_fetch_is_told_step_by_step_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with FetchBar() as bar:
        for done in (0, 500_000, 1_000_000):
            bar(FetchProgress("downloading", done, 1_000_000))
        bar(FetchProgress("unpacking"))
    assert capsys.readouterr().err == "downloading (1.0 MB)\nunpacking\n"


def test_progress_is_told_now_and_then_without_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 1.0, 9.0, 11.0, 12.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    with RunProgress("Pose", 300, live=True) as progress:
        for frames, dropped in ((1, 0), (81, 2), (101, 3), (110, 3)):
            progress.update(frames, dropped)
    assert capsys.readouterr().err == "Pose: 101 of 300 frames, 10.0 fps, 3 dropped\n"


def test_columns_are_aligned() -> None:
    assert columns([("a", "1", "x"), ("long", "22", "")]) == "  a     1   x\n  long  22"
