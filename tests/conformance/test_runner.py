"""The runner of cases: what it says of cases that hold, differ, break and hang."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from conformance.__main__ import main
from conformance.comparison import compare
from conformance.runner import run_file

GRAPH = 'input_stream: "a" output_stream: "o" node { calculator: "%s" input_stream: "a" output_stream: "o" }'
STUCK = f"{Path(__file__).parent / 'stuck.py'}:Stuck"


def _write(folder: Path, name: str, calculator: str = "PassThrough", group: str = "one", **changes: Any) -> Path:
    packet = {"type": "int", "value": 3}
    case = {
        "name": name,
        "group": group,
        "graph": GRAPH % calculator,
        "side_packets": {},
        "observe": [{"stream": "o"}],
        "pacing": "step",
        "script": [{"op": "add", "stream": "a", "ts": 1, "packet": packet}],
        "close_order": ["a"],
        "side_outputs": [],
        "expect": {
            "outputs": {"o": [{"ts": 1, **packet, "step": 0}]},
            "side_outputs": {},
            "error": None,
            "op_errors": [],
        },
        **changes,
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(case))
    return path


def test_a_case_that_holds(tmp_path: Path) -> None:
    outcome = run_file(_write(tmp_path, "good"), compare, timeout=20)
    assert outcome.differences == []
    assert not outcome.hangs


def test_a_case_that_differs(tmp_path: Path) -> None:
    script = [{"op": "add", "stream": "a", "ts": 1, "packet": {"type": "int", "value": 4}}]
    outcome = run_file(_write(tmp_path, "bad", script=script), compare, timeout=20)
    assert outcome.differences == ["o[0]@1: value 4, expected 3"]


def test_a_case_that_breaks_something(tmp_path: Path) -> None:
    script = [{"op": "add", "stream": "a", "ts": 1, "packet": {"type": "unheard of"}}]
    outcome = run_file(_write(tmp_path, "broken", script=script), compare, timeout=20)
    assert "raised ValueError: no value for packets of type 'unheard of'" in outcome.differences[0]


def test_a_case_that_hangs_says_who_waits(tmp_path: Path) -> None:
    path = _write(tmp_path, "stuck", calculator=STUCK)
    try:
        outcome = run_file(path, compare, timeout=0.5)
    finally:
        for name, module in list(sys.modules.items()):
            if name.startswith("graphflow_user_stuck"):
                module.let_go.set()
    assert outcome.hangs
    assert outcome.differences == ["hangs: not over after 0.5 s"]
    assert "  input 'a': open, settled before 2" in outcome.waiting
    assert any("Stuck): 1 in flight or waiting for a thread: process at 1" in line for line in outcome.waiting)


def test_a_folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cases").mkdir()
    _write(tmp_path / "cases", "good")
    _write(tmp_path / "cases", "stuck", calculator=STUCK)
    _write(tmp_path / "cases", "unknown", calculator="Nobody", group="two")
    assert main([str(tmp_path), "--jobs", "2", "--timeout", "1"]) == 1
    lines = capfd.readouterr().out.splitlines()
    assert "stuck: hangs: not over after 1 s" in lines
    assert any(line.startswith("unknown: unexpected failure:") for line in lines)
    assert lines[-1] == "1 of 3 cases hold"
    assert main([str(tmp_path), "--group", "two"]) == 1
    assert capfd.readouterr().out.splitlines()[-1] == "0 of 1 cases hold"


def test_a_folder_without_cases_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(tmp_path)])
    assert caught.value.code == 2
