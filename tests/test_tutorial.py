"""docs/tutorial.md works as it is written: its files, its commands, and what they print."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from graphflow.errors import ModelError
from graphflow.inference import ModelStore

TUTORIAL = (Path(__file__).parents[1] / "docs" / "tutorial.md").read_text("utf-8")
BLOCKS = re.findall(r"^(<!-- not in the tests: [^\n]* -->\n)?```(\w+)\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)
RECORDED = 30


def environment(folder: Path) -> dict[str, str]:
    """As after `. .venv/bin/activate`, with packages installed into the folder rather than where the tests run."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    path = [str(folder / "bin"), str(Path(sys.executable).parent), given.get("PATH", "")]
    site = [str(folder / "site"), given.get("PYTHONPATH", "")]
    return given | {"PATH": os.pathsep.join(path), "PYTHONPATH": os.pathsep.join(filter(None, site))}


def write_pip(folder: Path) -> None:
    """A `pip` that installs into the folder."""
    (folder / "bin").mkdir()
    pip = folder / "bin" / "pip"
    pip.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pip "$@" --quiet --no-deps --target "{folder}/site"\n')
    pip.chmod(0o755)


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def replace_section(path: Path, section: str) -> None:
    """Puts a section of a TOML file in the place of the one with its heading."""
    text = path.read_text("utf-8")
    heading = section.splitlines()[0]
    assert heading in text
    before, _, after = text.partition(heading)
    rest = after[after.index("\n[") :] if "\n[" in after else ""
    path.write_text(before + section.rstrip() + "\n" + rest, "utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="its commands are for a POSIX shell")
def test_the_tutorial_works_as_it_is_written(shared: Path, tmp_path: Path) -> None:
    try:
        ModelStore().fetch(["pose_detection", "pose_landmark_full"])
    except ModelError as error:
        pytest.skip(f"the models cannot be had: {error}")
    shutil.copy(shared / "data" / "videos" / "pose_squats.mp4", tmp_path / "squats.mp4")
    write_pip(tmp_path)
    printed, checked = "", []
    for excluded, language, text in BLOCKS:
        named = re.match(r"# (\S+\.\w+)\n", text)
        if excluded:
            continue
        if language == "toml" and named:
            replace_section(tmp_path / named[1], text.partition("\n")[2])
        elif named:
            (tmp_path / named[1]).write_text(text, "utf-8")
        elif language == "bash":
            printed = run(["bash", "-euc", text], tmp_path)
        elif language == "python":
            printed = run([sys.executable, "-c", text], tmp_path)
        elif language == "output":
            assert printed == text
        else:
            raise AssertionError(f"what is a block of {language} for?")
        checked.append(language)
    assert (checked.count("bash"), checked.count("python"), checked.count("output")) == (11, 3, 1)
    assert (tmp_path / "overlay.mp4").stat().st_size > 10_000
    assert (tmp_path / "strict.csv").read_text().count(",squats,") == RECORDED


def test_what_it_leaves_out_is_little() -> None:
    assert [bool(excluded) for excluded, *_ in BLOCKS].count(True) == 3
    listing = next(text for _, _, text in BLOCKS if text.startswith("# squats.py"))
    statements = [line for line in listing.splitlines() if line.strip() and '"""' not in line and "import" not in line]
    assert len(statements) <= 24, "it promises about twenty lines of Python"
