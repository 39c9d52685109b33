"""What an installation is to hold: every package of the tree."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {
    "graphflow": ROOT / "graphflow",
    "graphflow.calculators": ROOT / "calculators",
    "graphflow.graphs": ROOT / "graphs",
}


def test_every_package_is_installed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    there = {
        ".".join((name, *file.parent.relative_to(folder).parts))
        for name, folder in FOLDERS.items()
        for file in folder.rglob("__init__.py")
    }
    assert set(listed) == there
