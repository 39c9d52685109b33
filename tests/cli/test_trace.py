"""`graphflow run --trace` and `--stats`."""

import json
from pathlib import Path

from .conftest import FRAMES, Cli


def test_a_trace_and_statistics(cli: Cli, graphs: Path, video: Path, tmp_path: Path) -> None:
    outcome = cli("run", graphs / "brightness.yaml", "-i", video, "--save", "o.jsonl", "--trace", "t.json", "--stats")
    assert outcome.code == 0, outcome.err
    assert outcome.err == "trace: t.json\n"
    calls = [event for event in json.loads((tmp_path / "t.json").read_text()) if event["ph"] == "X"]
    assert sum(event["cat"] == "ResultsWriter" and "(" not in event["name"] for event in calls) == FRAMES
    assert "latency from source to sink in ms: p50 " in outcome.out
    assert "threads busy" in outcome.out
    row = next(line.split() for line in outcome.out.splitlines() if line.strip().startswith("results"))
    assert row[1] == str(FRAMES + 2)


def test_a_trace_that_cannot_be_written(cli: Cli, graphs: Path, video: Path) -> None:
    outcome = cli("run", graphs / "brightness.yaml", "-i", video, "--trace", "nowhere/t.json")
    assert outcome.code == 2
    assert "--trace nowhere/t.json: No such file or directory" in outcome.err


def test_a_full_disk_costs_the_trace_only(cli: Cli, graphs: Path, video: Path, tmp_path: Path) -> None:
    outcome = cli("run", graphs / "brightness.yaml", "-i", video, "--save", "o.jsonl", "--trace", "/dev/full")
    assert outcome.code == 0
    assert "the trace could not be written whole: " in outcome.err
    assert len((tmp_path / "o.jsonl").read_text().splitlines()) == FRAMES
