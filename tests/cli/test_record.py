"""`graphflow record` and `graphflow replay`."""

from pathlib import Path

import pytest

from graphflow.recording import Recording

from .conftest import FRAMES, Cli

OVER = """
graph: Over
inputs: [mean]
outputs: [high]
nodes: {over: {calculator: "@brightness.py:Over", inputs: [mean], outputs: [high], options: {threshold: 100}}}
"""


def test_what_is_replayed_gives_the_same_bytes(cli: Cli, graphs: Path, video: Path, tmp_path: Path) -> None:
    graph = graphs / "brightness.yaml"
    assert cli("run", graph, "-i", video, "--save", "live.jsonl").code == 0
    outcome = cli("record", graph, "-i", video, "-o", "run.gfrec")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"{FRAMES} frames in ")
    assert outcome.out.endswith("written to run.gfrec\n")
    assert Recording(tmp_path / "run.gfrec").streams == ("image", "mean", "bright")
    outcome = cli("replay", "run.gfrec", graph, "--save", "replayed.jsonl", "-o", "overlay.mp4")
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "live.jsonl").read_bytes() == (tmp_path / "replayed.jsonl").read_bytes()
    assert cli("record", graph, "-i", video, "-o", "again.gfrec").code == 0
    assert (tmp_path / "run.gfrec").read_bytes() == (tmp_path / "again.gfrec").read_bytes()


def test_any_stream_into_any_graph(cli: Cli, graphs: Path, video: Path, tmp_path: Path) -> None:
    outcome = cli("record", graphs / "brightness.yaml", "-i", video, "-o", "run.gfrec", "--streams", "mean, overlay")
    assert outcome.code == 0, outcome.err
    assert Recording(tmp_path / "run.gfrec").streams == ("mean", "overlay")
    (tmp_path / "over.yaml").write_text(OVER.replace("@", f"{graphs}/"))
    outcome = cli("replay", "run.gfrec", "over.yaml", "--save", "high.csv")
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "high.csv").read_text().count(",high,") == 6
    outcome = cli("replay", "run.gfrec", graphs / "brightness.yaml", "--stream", "image=overlay", "--max-frames", 3)
    assert outcome.code == 0, outcome.err
    assert "bright       3 of 3 frames" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["record", "{graph}", "-i", "{video}", "-o", "run.mp4"], "the name of a recording must end in .gfrec"),
        (["record", "{graph}", "-i", "{video}", "-o", "sub/run.gfrec"], "there is no folder sub"),
        (["record", "{graph}", "-i", "{video}", "-o", "a.gfrec", "--streams", "maen"], "did you mean 'mean'?"),
        (["replay", "none.gfrec", "{graph}"], "none.gfrec cannot be replayed: No such file"),
        (["replay", "{video}", "{graph}"], "is not a recording"),
        (["replay", "means.gfrec", "{graph}"], "for the input 'image'; it has: mean; --stream image="),
        (["replay", "means.gfrec", "{graph}", "--stream", "frames=mean"], "the inputs are: image"),
        (["replay", "means.gfrec", "{shining}"], "has no inputs to replay"),
    ],
    ids=lambda value: " ".join(value)[:60],
)
def test_what_is_wrong_is_said(cli: Cli, graphs: Path, video: Path, arguments: list[str], message: str) -> None:
    names = {"graph": graphs / "brightness.yaml", "shining": graphs / "shining.yaml", "video": video}
    cli("record", graphs / "brightness.yaml", "-i", video, "-o", "means.gfrec", "--streams", "mean")
    outcome = cli(*(argument.format(**names) for argument in arguments))
    assert (outcome.code, message in outcome.err) == (2, True), outcome.err


def test_a_failed_run_keeps_what_was_recorded(cli: Cli, graphs: Path, video: Path, tmp_path: Path) -> None:
    arguments = ("-i", video, "-o", "run.gfrec", "--set", "measure.fail_at=5")
    outcome = cli("record", graphs / "brightness.yaml", *arguments)
    assert outcome.code == 1
    assert "what came before is in run.gfrec (5 frames)" in outcome.err
    assert Recording(tmp_path / "run.gfrec").timestamps() == [n * 40_000 for n in range(5)]
