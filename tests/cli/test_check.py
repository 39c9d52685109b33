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
    assert "did you mean 'holistic'" in outcome.err
    assert "? shipped graphs: " in outcome.err


OUTER = """\
graph: Outer
inputs: [a]
outputs: [b]
params: {model: pose_landmark_ful}
nodes:
  one: {calculator: Inner, inputs: [a], outputs: [b], options: {model: $model}}
"""
INNER = """\
graph: Inner
inputs: [tensors]
outputs: [out]
params: {model: hand_landmark_full}
nodes:
  infer: {calculator: Inference, inputs: {TENSORS: tensors}, outputs: {TENSORS: out}, options: {model: $model}}
"""


def test_a_mistake_in_a_subgraph_shows_what_leads_there(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "outer.yaml").write_text(OUTER)
    (tmp_path / "inner.yaml").write_text(INNER)
    outcome = cli("check", "outer.yaml")
    assert outcome.code == 2
    message, line, caret, uses, count = outcome.err.splitlines()
    assert message.startswith("inner.yaml:6:97: node 'one/infer' (Inference): no model is called 'pose_landmark_ful'")
    assert "did you mean 'pose_landmark_full'" in message
    assert line[caret.index("^") :] == "model: $model}}"
    assert uses == "  used at outer.yaml:6:21 (one)"
    assert count == "1 problem"
    [problem] = json.loads(cli("check", "outer.yaml", "--json").out)["problems"]
    assert problem["severity"] == "error"
    assert problem["uses"] == [{"node": "one", "graph": "Inner", "file": "outer.yaml", "line": 6, "column": 21}]


def test_a_stream_that_a_subgraph_is_to_read_is_missed_outside(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "outer.yaml").write_text(OUTER.replace("[a], outputs: [b], opt", "[aa], outputs: [b], opt"))
    (tmp_path / "inner.yaml").write_text(INNER)
    outcome = cli("check", "outer.yaml", "--param", "model=pose_detection")
    assert "outer.yaml:6:37: node 'one' reads stream 'aa', which nothing produces — did you mean 'a'?" in outcome.err
    assert outcome.err.endswith("1 problem\n")


def test_warnings_are_mistakes_where_asked(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "g.yaml").write_text("inputs: [a]\nnodes:\n  n: {calculator: PassThrough, inputs: [a], outputs: [b]}\n")
    outcome = cli("check", "g.yaml")
    assert (outcome.code, outcome.out) == (0, "g is right: 1 node, 2 streams\n")
    assert outcome.err.startswith("g.yaml:3:55: warning: nothing reads stream 'b'")
    assert outcome.err.endswith("1 warning\n")
    assert cli("check", "g.yaml", "--strict").code == 2
    answer = json.loads(cli("check", "g.yaml", "--json").out)
    assert (answer["ok"], answer["problems"][0]["severity"]) == (True, "warning")
    assert json.loads(cli("check", "g.yaml", "--json", "--strict").out)["ok"] is False
