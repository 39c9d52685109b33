"""`graphflow convert`, `graphflow expand`, and `--graph-path`."""

from pathlib import Path

import pytest

from graphflow.config import read

from .conftest import Cli

PBTXT = """\
# A comment.
type: "Passing"
input_stream: "a"
output_stream: "b"
node { calculator: "PassThroughCalculator" input_stream: "a" output_stream: "b" }
"""
YAML = """\
graph: Passing
inputs: [a]
outputs: [b]
nodes:
  pass_through:
    calculator: PassThrough
    inputs: [a]
    outputs: [b]
"""
USER = """\
input_stream: "x"
output_stream: "y"
node { name: "inner" calculator: "Passing" input_stream: "x" output_stream: "y" }
"""


def test_there_and_back(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "g.pbtxt").write_text(PBTXT)
    outcome = cli("convert", "g.pbtxt", "g.yaml")
    assert (outcome.code, outcome.out, outcome.err) == (0, "wrote g.yaml: Passing, 1 node\n", "")
    assert (tmp_path / "g.yaml").read_text() == YAML
    assert cli("convert", "g.yaml", "back.pbtxt").code == 0
    assert read(tmp_path / "back.pbtxt").nodes[0].inputs == read(tmp_path / "g.pbtxt").nodes[0].inputs


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("g.pbtxt", "g.json"), "g.json: the ending says what to write, and must be .yaml, .yml, .pbtxt"),
        (("g.pbtxt", "g.pbtxt"), "g.pbtxt is the graph itself"),
        (("none.pbtxt", "g.yaml"), "no graph file none.pbtxt"),
        (("when.yaml", "w.pbtxt"), "when.yaml:5:11: 'when: $p' cannot be written as pbtxt"),
    ],
)
def test_wrong_usage(cli: Cli, tmp_path: Path, arguments: tuple[str, str], message: str) -> None:
    (tmp_path / "g.pbtxt").write_text(PBTXT)
    (tmp_path / "when.yaml").write_text("params: {p: 1}\nnodes:\n  n:\n    calculator: Gate\n    when: $p\n")
    outcome = cli("convert", *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert not (tmp_path / "w.pbtxt").exists()


def test_graph_path(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "p.pbtxt").write_text(PBTXT)
    (tmp_path / "user.pbtxt").write_text(USER)
    assert "unknown calculator or graph 'Passing'" in cli("check", "user.pbtxt").err
    assert cli("check", "user.pbtxt", "--graph-path", "far").out == "user is right: 1 node, 2 streams\n"
    assert cli("convert", "Passing", "p.yaml", "--graph-path", "far").out == "wrote p.yaml: Passing, 1 node\n"
    outcome = cli("check", "user.pbtxt", "--graph-path", "nowhere")
    assert (outcome.code, outcome.err) == (2, "nowhere: no such folder to find graphs in\n1 problem\n")


def test_expand(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "p.pbtxt").write_text(PBTXT)
    (tmp_path / "user.pbtxt").write_text(USER)
    outcome = cli("expand", "user.pbtxt")
    assert outcome.out == YAML.replace("Passing", "user").replace("[a]", "[x]").replace("[b]", "[y]").replace(
        "  pass_through:", "  inner__pass_through:"
    )
    outcome = cli(
        "expand",
        "PoseLandmarkSmoothing",
        "--param",
        "smooth=false",
        "--set",
        "auxiliary/object_scale.rotation_vector_end_keypoint_index=7",
    )
    assert "visible/smooth_landmarks:" not in outcome.out
    assert "rotation_vector_end_keypoint_index: 7" in outcome.out
