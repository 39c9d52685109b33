"""`graphflow draw`."""

from pathlib import Path

import pytest

from .conftest import Cli


@pytest.mark.parametrize(
    ("name", "begins"),
    [("g.svg", "<svg "), ("g.html", "<!DOCTYPE html>"), ("g.mmd", "flowchart TB"), ("g.dot", 'digraph "Hands"')],
)
def test_kinds_of_pictures(cli: Cli, tmp_path: Path, name: str, begins: str) -> None:
    outcome = cli("draw", "hands", "-o", name, "--depth", "1")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"drew {name}: Hands, ")
    assert (tmp_path / name).read_text().startswith(begins)


def test_wrong_usage(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("draw", "hands", "-o", "g.png")
    assert outcome.code == 2
    assert "must be .html, .svg, .mmd, .dot" in outcome.err
    (tmp_path / "wrong.yaml").write_text("nodes: {n: {calculator: Gata}}\n")
    outcome = cli("draw", "wrong.yaml", "-o", "g.svg")
    assert outcome.code == 2
    assert "wrong.yaml:1:25: unknown calculator or graph 'Gata'" in outcome.err
    assert not (tmp_path / "g.svg").exists()
