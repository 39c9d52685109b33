"""`graphflow check`."""

import json
from pathlib import Path

from .conftest import Cli

WRONG = """\
graph: Wrong
inputs: {IMAGE: image}
outputs: {SIZE: sise}
nodes:
  size:
    calculator: ImagePropertys
    inputs: {IMAGE: imag}
    outputs: {SIZE: size}
"""


def test_every_problem_is_shown_at_its_place(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG)
    outcome = cli("check", "wrong.yaml")
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err == (
        "wrong.yaml:3:17: no node produces the graph's output 'sise' — did you mean 'size'?\n"
        "  3 | outputs: {SIZE: sise}\n"
        "                      ^\n"
        "wrong.yaml:6:17: unknown calculator or graph 'ImagePropertys' — did you mean 'ImageProperties' "
        "or 'ImageFileProperties'?\n"
        "  6 |     calculator: ImagePropertys\n"
        "                      ^\n"
        "wrong.yaml:7:21: node 'size' reads stream 'imag', which nothing produces — did you mean 'image'?\n"
        "  7 |     inputs: {IMAGE: imag}\n"
        "                          ^\n"
        "3 problems\n"
    )


def test_problems_for_programs(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG)
    outcome = cli("check", "wrong.yaml", "--json")
    assert (outcome.code, outcome.err) == (2, "")
    answer = json.loads(outcome.out)
    assert answer["ok"] is False
    assert [(entry["file"], entry["line"], entry["column"]) for entry in answer["problems"]] == [
        ("wrong.yaml", 3, 17),
        ("wrong.yaml", 6, 17),
        ("wrong.yaml", 7, 21),
    ]
    assert answer["problems"][2]["hint"] == "did you mean 'image'?"


def test_right_graphs(cli: Cli, graphs: Path) -> None:
    outcome = cli("check", graphs / "brightness.yaml", "--param", "threshold=3")
    assert (outcome.code, outcome.out, outcome.err) == (0, "Brightness is right: 3 nodes, 4 streams\n", "")
    for name in ("pose", "holistic"):
        assert json.loads(cli("check", name, "--json").out) == {"ok": True, "problems": []}


def test_settings_are_checked_too(cli: Cli, graphs: Path) -> None:
    outcome = cli("check", graphs / "brightness.yaml", "--set", "bright.threshold=high")
    assert outcome.code == 2
    assert "override bright.threshold" in outcome.err


def test_unknown_graph(cli: Cli) -> None:
    outcome = cli("check", "hollistic")
    assert outcome.code == 2
    assert "did you mean 'holistic'? shipped graphs: " in outcome.err
