"""`graphflow schema`."""

import json
from pathlib import Path

from .conftest import Cli

MINE = '''\
from graphflow import calculator


@calculator
def twice(value: float, *, times: int = 2) -> float:
    """Multiplies."""
    return value * times
'''


def test_schema_of_a_folder(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "script.py").write_text("raise SystemExit('not to be run')\n")
    outcome = cli("schema", "-o", "s.json")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == "wrote s.json; a graph names it in its first line: # yaml-language-server: $schema=s.json\n"
    written = json.loads((tmp_path / "s.json").read_text())
    assert written["definitions"]["options-._mine.py_Twice"]["properties"]["times"]["default"] == 2
    assert cli("schema").out == (tmp_path / "s.json").read_text()


def test_schema_with_a_file_elsewhere(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine.py").write_text(MINE)
    schema = json.loads(cli("schema", "--with", "elsewhere/mine.py").out)
    assert "./elsewhere/mine.py:Twice" in schema["definitions"]["calculator"]["anyOf"][0]["enum"]


def test_wrong_usage(cli: Cli, tmp_path: Path) -> None:
    assert "no folder none" in cli("schema", "--folder", "none").err
    (tmp_path / "broken.py").write_text("import nothing_of_this_name\n" + MINE)
    outcome = cli("schema")
    assert (outcome.code, outcome.out) == (2, "")
    assert "broken.py:1 cannot be loaded: ModuleNotFoundError" in outcome.err
