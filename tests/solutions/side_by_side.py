"""Runs the scripts of `docs/migration.md` with MediaPipe and with graphflow, and writes into it what both print.

    python tests/solutions/side_by_side.py --peer-python PATH --data ../shared/data

`PATH` is a Python that has mediapipe 0.10.21.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2

DOCUMENT = Path(__file__).parents[2] / "docs" / "migration.md"

OURS, THEIRS = "import graphflow.compat as mp", "import mediapipe as mp"

MEDIA = {
    "person.png": "images/pose.jpg",
    "hands.png": "images/hands.jpg",
    "faces.png": "images/three_people.jpg",
    "portrait.png": "images/portrait.jpg",
    "business_person.png": "images/business_person.png",
    "video.mkv": "videos/sign_again.mkv",
}
"""What the scripts read, and of what it is made: images without loss, so that both see the same pixels."""

_SCRIPT = re.compile(r"^```python\n# (\w+)\.py\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?")


def scripts() -> dict[str, str]:
    """The scripts of the document by name, graphflow's way."""
    return {match[1]: match[2] for match in _SCRIPT.finditer(DOCUMENT.read_text("utf-8"))}


def shown_scripts() -> list[str]:
    """Names of the scripts whose output the document shows."""
    return re.findall(r"^<!-- printed: (\w+) -->$", DOCUMENT.read_text("utf-8"), re.MULTILINE)


def lay_out(data: Path, folder: Path) -> None:
    """Puts what the scripts read into a folder."""
    for name, source in MEDIA.items():
        if name.endswith(".png"):
            picture = cv2.imread(str(data / source))
            assert picture is not None, f"{data / source} cannot be read"
            cv2.imwrite(str(folder / name), picture)
        else:
            shutil.copy(data / source, folder / name)


def run(python: str, script: str, folder: Path) -> str:
    """What a script prints.

    Raises:
        RuntimeError: it fails.
    """
    done = subprocess.run([python, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{python} failed:\n{done.stderr}")
    return done.stdout


def run_theirs(peer_python: str, script: str, folder: Path) -> str:
    """What a script prints with MediaPipe."""
    changed = script.replace(OURS, THEIRS)
    assert changed != script
    return run(peer_python, changed, folder)


def differences(ours: str, theirs: str) -> Iterator[tuple[float, float]]:
    """The numbers of both outputs in pairs.

    Raises:
        ValueError: the words around the numbers are not the same.
    """
    if _NUMBER.sub("#", ours) != _NUMBER.sub("#", theirs):
        raise ValueError(f"graphflow printed:\n{ours}\nMediaPipe printed:\n{theirs}")
    for mine, other in zip(_NUMBER.findall(ours), _NUMBER.findall(theirs), strict=True):
        yield float(mine), float(other)


def shown(name: str) -> str:
    """What graphflow printed when the document's table for a script was made, without empty lines."""
    text = DOCUMENT.read_text("utf-8")
    place = re.search(rf"<!-- printed: {name} -->\n(.*?)<!-- end -->", text, re.DOTALL)
    assert place is not None
    return "\n".join(re.findall(r"\| `([^`]*)` \|$", place[1], re.MULTILINE)) + "\n"


def table(ours: str, theirs: str) -> str:
    """Both outputs, line by line, as Markdown."""
    rows = [
        f"| `{other}` | `{mine}` |" for mine, other in zip(ours.splitlines(), theirs.splitlines(), strict=True) if mine
    ]
    return "\n".join(["| MediaPipe 0.10.21 | graphflow |", "| --- | --- |", *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", required=True, help="a Python that has mediapipe 0.10.21")
    parser.add_argument("--data", type=Path, required=True, help="the folder with images/ and videos/")
    given = parser.parse_args()
    known = scripts()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lay_out(given.data.resolve(), folder)
        for script in shown_scripts():
            ours = run(sys.executable, known[script], folder)
            printed = table(ours, run_theirs(given.peer_python, known[script], folder))
            text = DOCUMENT.read_text("utf-8")
            place = re.compile(rf"(?<=<!-- printed: {script} -->\n).*?(?=<!-- end -->)", re.DOTALL)
            DOCUMENT.write_text(place.sub(lambda _, printed=printed: f"\n{printed}\n\n", text, count=1), "utf-8")


if __name__ == "__main__":
    main()
