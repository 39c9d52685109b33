"""Whatever a graph's text says, reading it gives a graph or a GraphConfigError, soon, and in little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from graphflow import GraphConfigError, config

PROGRAM = Path(__file__).with_name("mutated_texts.py")
SHARED = Path(os.environ.get("GRAPHFLOW_SHARED") or Path(__file__).parents[3] / "shared")


def read_mutated(count: int, seed: int, timeout_s: float) -> None:
    command = [sys.executable, str(PROGRAM), str(count), str(seed)]
    if SHARED.is_dir():  # the recorded cases are further texts to start from
        command.append(str(SHARED))
    finished = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    assert finished.returncode == 0, finished.stderr[-3000:]
    found = json.loads(finished.stdout)
    shown = "\n\n".join(f"{entry['failure']}\n{entry['text']}" for entry in found["failures"][:5])
    assert not found["failures"], f"{len(found['failures'])} of {count} texts, such as:\n{shown}"
    assert found["graph"] + found["error"] == count
    # both happen often enough to mean something
    assert found["graph"] > count / 50
    assert found["error"] > count / 5
    assert found["grown_mib"] < 200


def test_mutated_texts_give_a_graph_or_say_what_is_wrong() -> None:
    read_mutated(400, seed=7, timeout_s=120)


@pytest.mark.slow
@pytest.mark.timeout(1900)
def test_ten_thousand_mutated_texts_give_a_graph_or_say_what_is_wrong() -> None:
    read_mutated(10_000, seed=11, timeout_s=1800)


GRAPH = """
graph: Found
inputs: [a]
outputs: [b]
nodes:
  split: {{calculator: {calculator}, inputs: [a], outputs: [b], options: {{ranges: {ranges}}}}}
"""


@pytest.mark.parametrize(
    ("calculator", "ranges", "says"),
    [
        ("SplitFloatVector", "[{begin: !!int x, end: 1}]", "'x' is not a value of type int"),
        ("SplitFloatVector", "!!int x", "'x' is not a value of type int"),
        ("n" * 5000, "[]", "unknown calculator or graph"),
    ],
)
def test_texts_that_once_gave_another_exception(calculator: str, ranges: str, says: str) -> None:
    with pytest.raises(GraphConfigError, match=says):
        config.load(GRAPH.format(calculator=calculator, ranges=ranges))
