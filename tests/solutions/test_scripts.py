"""The scripts of the migration page run, print what the page shows, and print what MediaPipe prints."""

from __future__ import annotations

from pathlib import Path

import pytest
from solutions.side_by_side import differences, lay_out, run_theirs, scripts, shown, shown_scripts

from graphflow.errors import ModelError
from graphflow.inference import ModelStore

SCRIPTS = scripts()
SLOW = {"video"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Path:
    """A working directory with what the scripts read."""
    try:
        ModelStore().fetch()
    except ModelError as error:
        pytest.skip(f"the models cannot be had: {error}")
    made = tmp_path_factory.mktemp("scripts")
    lay_out(shared / "data", made)
    return made


def check(ours: str, theirs: str) -> None:
    """Numbers are normalized, metres, shares, or pixels of images with up to 1400: 1/1000 of the whole may differ."""
    for mine, other in differences(ours, theirs):
        if mine.is_integer() and other.is_integer():
            assert mine == other
        assert mine == pytest.approx(other, abs=1e-3 if abs(other) < 2 else 1.4)


def printed(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.chdir(folder)
    exec(compile(SCRIPTS[name], f"{name}.py", "exec"), {"__name__": "__main__"})
    return capsys.readouterr().out


def test_there_is_a_script_for_each_solution() -> None:
    solutions = {"holistic", "pose", "hands", "face_mesh", "face_detection", "selfie_segmentation"}
    assert set(SCRIPTS) == {*solutions, "arrays", "video"}
    assert set(shown_scripts()) == {*solutions, "video"}


def test_landmarks_as_arrays(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed("arrays", folder, monkeypatch, capsys) == "(33, 3) float32 (33,)\nTrue\n"


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in shown_scripts()]
)
def test_scripts_print_what_the_page_shows(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(name, folder, monkeypatch, capsys).splitlines()
    check("\n".join(line for line in lines if line) + "\n", shown(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", shown_scripts())
def test_scripts_print_what_mediapipe_prints(
    name: str,
    folder: Path,
    peer_python: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ours = printed(name, folder, monkeypatch, capsys)
    check(ours, run_theirs(peer_python, SCRIPTS[name], folder))
