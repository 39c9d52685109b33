"""The index of the shipped calculators, which is kept from one process to the next."""

import json
import os
from pathlib import Path

import pytest

from graphflow import registry

SOURCE = '''
class Gate(Calculator):
    aliases = ("Door",)
    def process(self, context): ...
'''
INDEX = {"Gate": ("graphflow.calculators.flow.gate", "Gate"), "Door": ("graphflow.calculators.flow.gate", "Gate")}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRAPHFLOW_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "calculators"
    (folder / "flow").mkdir(parents=True)
    (folder / "flow/gate.py").write_text(SOURCE)
    assert registry._index_of(folder) == INDEX
    return folder


def kept(folder: Path) -> Path:
    (found,) = (folder.parent / "cache" / "calculators").iterdir()
    return found


def test_the_index_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_read_index", lambda *_: pytest.fail("the sources were read again"))
    assert registry._index_of(folder) == INDEX


def test_changed_sources_are_read_again(folder: Path) -> None:
    (folder / "flow/gate.py").write_text(SOURCE.replace("Door", "Fence"))
    os.utime(folder / "flow/gate.py", ns=(1, 1))
    assert set(registry._index_of(folder)) == {"Gate", "Fence"}
    (folder / "more.py").write_text(SOURCE.replace("Gate", "Tap"))
    assert "Tap" in registry._index_of(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}', "\\udc00"])
def test_a_damaged_index_is_made_anew(folder: Path, text: str) -> None:
    kept(folder).write_text(text)
    assert registry._index_of(folder) == INDEX
    assert json.loads(kept(folder).read_text())["index"]["Gate"] == list(INDEX["Gate"])


def test_where_nothing_can_be_kept_the_sources_are_read_each_time(folder: Path) -> None:
    place = kept(folder).parent
    kept(folder).unlink()
    place.rmdir()
    place.write_text("a file in the way")
    assert registry._index_of(folder) == INDEX
