"""`graphflow list` and `graphflow describe`."""

import json
from pathlib import Path

import pytest

from graphflow import config

from .conftest import Cli


def test_list_names_everything(cli: Cli) -> None:
    outcome = cli("list")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("graphs\n")
    assert "Body, both hands and face" in outcome.out
    for name in ("PoseLandmarks", "Gate", "Inference", "pose_landmark_full"):
        assert f"\n  {name} " in outcome.out


def test_list_of_one_kind(cli: Cli) -> None:
    assert list(json.loads(cli("list", "models", "--json").out)) == ["models"]
    assert cli("list", "graphs").out.startswith("graphs\n")
    outcome = cli("list", "calculatorz")
    assert (outcome.code, outcome.out) == (2, "")
    assert "there is no list of 'calculatorz'; did you mean 'calculators'?" in outcome.err


def test_list_for_programs(cli: Cli) -> None:
    listed = json.loads(cli("list", "--json").out)
    assert list(listed) == ["graphs", "subgraphs", "calculators", "models"]
    assert [entry["name"] for entry in listed["graphs"]] == config.graph_names()
    assert all(entry["doc"] and "cannot be" not in entry["doc"] for entries in listed.values() for entry in entries)


def test_describe_calculator(cli: Cli, graphs: Path) -> None:
    outcome = cli("describe", f"{graphs}/calculators.py:Spell")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        "Spell — calculator\n\n"
        "Turns numbers into text.\n\n"
        "inputs\n  VALUE  float\n\n"
        "outputs\n  TEXT  str\n\n"
        "options\n  language  str  required  which language to spell in\n\n"
        "in a graph\n"
        "  spell:\n"
        f"    calculator: {graphs}/calculators.py:Spell\n"
        "    inputs:\n      VALUE: value\n"
        "    outputs:\n      TEXT: text\n"
        "    options:\n      language: <str>\n"
    )


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("default", "All inputs wait for one another"),
        ("immediate", "No input waits for another"),
        ("sync_sets", "sync_set: …"),
        ("fixed_size", "trigger_queue_size: …"),
        ("barrier", "Runs when every input has a packet"),
        ("early_close", "closes as soon as any input is done"),
        ("mux", "the rest is dropped"),
        ("timestamp_align", "timestamp_base_tag_index: …"),
    ],
)
def test_describe_input_policy(cli: Cli, policy: str, says: str) -> None:
    outcome = cli("describe", policy)
    assert outcome.code == 0
    assert f"{policy} — input policy" in outcome.out
    assert says in outcome.out


def test_a_calculator_says_when_it_runs(cli: Cli) -> None:
    assert "runs with input policy immediate: No input waits" in cli("describe", "PreviousLoopback").out


def test_describe_calculator_for_programs(cli: Cli) -> None:
    described = json.loads(cli("describe", "ImageToTensorCalculator", "--json").out)
    assert (described["kind"], described["name"]) == ("calculator", "ImageToTensor")
    assert {"IMAGE", "NORM_RECT"} <= {port["tag"] for port in described["inputs"]}
    assert "output_tensor_width" in {option["name"] for option in described["options"]}


def test_describe_graph(cli: Cli) -> None:
    outcome = cli("describe", "holistic")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("Holistic — graph\n\nBody, both hands and face of the most prominent person")
    assert "POSE_LANDMARKS: pose_landmarks" in outcome.out
    described = json.loads(cli("describe", "holistic", "--json").out)
    smooth = {"name": "smooth_landmarks", "default": True, "doc": "over time; false for unrelated images"}
    assert smooth in described["params"]
    assert {node["name"]: node["doc"] for node in described["nodes"]}["pose"].startswith("The body first")
    assert {"name": "face_landmark", "nodes": ["face/landmarks/inference"]}.items() <= described["models"][1].items()
    tree = {entry["node"]: [inner["node"] for inner in entry["subgraphs"]] for entry in described["subgraphs"]}
    assert tree["hands"] == ["left", "right"]
    assert "  │ ├ detection " in outcome.out
    assert "pose_landmark_full          33 + 6 points" in outcome.out


def test_describe_graph_with_mistakes(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "g.yaml").write_text("graph: G\nnodes:\n  n: {calculator: Gata}\n")
    outcome = cli("describe", "g.yaml")
    assert outcome.code == 0
    assert "It has mistakes, so less is known of it: graphflow check g.yaml" in outcome.out


def test_describe_graph_types(cli: Cli) -> None:
    described = json.loads(cli("describe", "holistic", "--json").out)
    types = {entry["name"]: entry["type"] for entry in described["outputs"]}
    assert types["pose_landmarks"] == "NormalizedLandmarkList"


@pytest.mark.parametrize("name", ["Gate", "ImageProperties", "Merge", "PreviousLoopback", "ResultsWriter", "Inference"])
def test_snippet_is_a_node_that_can_be_read(cli: Cli, name: str) -> None:
    snippet = json.loads(cli("describe", name, "--json").out)["yaml"]
    body = "".join(f"  {line}\n" for line in snippet.splitlines())
    [node] = config.read(f"graph: Test\nnodes:\n{body}").nodes
    assert node.calculator == name
    assert node.inputs


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Gata", "no graph, calculator or input policy is called 'Gata'; did you mean 'Gate'"),
        ("./missing.py:Name", "no file"),
        ("missing.yaml", "no graph file missing.yaml"),
        ("xyzzy", "graphflow list names what there is"),
    ],
)
def test_unknown_name(cli: Cli, name: str, message: str) -> None:
    outcome = cli("describe", name)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert "Traceback" not in outcome.err
