"""Resources: where the relative paths of graphs are looked for."""

from pathlib import Path

import pytest

from graphflow import Resources


def test_folders_and_those_around_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = tmp_path / "checkout" / "mediapipe" / "modules" / "x.txt"
    graphs = tmp_path / "checkout" / "mediapipe" / "graphs" / "hands"
    elsewhere = tmp_path / "elsewhere"
    for each in (wanted.parent, graphs, elsewhere):
        each.mkdir(parents=True)
    wanted.write_text("x")
    monkeypatch.chdir(elsewhere)
    for folder in (graphs, tmp_path / "checkout"):
        assert Resources([folder]).find("mediapipe/modules/x.txt") == wanted
    assert Resources().find(str(wanted)) == wanted
    assert Resources([elsewhere]).find_if_any("mediapipe/modules/x.txt") is None
    with pytest.raises(FileNotFoundError, match=r"no file 'y\.txt'.*elsewhere"):
        Resources([elsewhere]).find("y.txt")
    (elsewhere / "y.txt").write_text("y")
    assert Resources([graphs]).find("y.txt") == Path("y.txt"), "the working directory comes first"
