"""`graphflow new`: what it writes is right, passes its own tests, and is found."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import yaml

from .conftest import Cli


def run_tests(folder: Path, python: str = sys.executable) -> str:
    """The last line of pytest, run in a folder as its user would."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_graph(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("new", "graph", "MyFirst")
    assert (outcome.code, outcome.err) == (0, "")
    text = (tmp_path / "my_first.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=graphflow.schema.json\n")
    schema = json.loads((tmp_path / "graphflow.schema.json").read_text())
    import jsonschema

    jsonschema.Draft7Validator(schema).validate(yaml.safe_load(text))
    assert cli("check", "my_first.yaml", "--strict").code == 0


@pytest.mark.parametrize("how", [(), ("--function",)], ids=["class", "function"])
def test_calculator(cli: Cli, tmp_path: Path, how: tuple[str, ...]) -> None:
    outcome = cli("new", "calculator", "nose-height", *how)
    assert (outcome.code, outcome.err) == (0, "")
    names = {"nose_height.py", "test_nose_height.py", "nose_height.yaml", "graphflow.schema.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert run_tests(tmp_path).startswith("3 passed")
    assert cli("check", "nose_height.yaml", "--strict").code == 0
    described = json.loads(cli("describe", "./nose_height.py:NoseHeight", "--json").out)
    assert described["doc"] == "Says how high a landmark is in the image."
    assert described["options"][0]["doc"] == "which landmark; 0 is a body's nose"
    assert described["outputs"][0]["doc"].startswith("0 at the lower edge")
    assert "./nose_height.py:NoseHeight" in (tmp_path / "graphflow.schema.json").read_text()


def test_nothing_is_written_over(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("mine\n")
    outcome = cli("new", "calculator", "Mine")
    assert outcome.code == 2
    assert "already there: mine.yaml" in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize("name", ["1st", "class", "--", "é"])
def test_names_that_cannot_be(cli: Cli, tmp_path: Path, name: str) -> None:
    outcome = cli("new", "graph", "--", name)
    assert outcome.code == 2
    assert f"'{name}' cannot be the name" in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_plugin(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("new", "plugin", "squat_counter", "--folder", "made")
    assert (outcome.code, outcome.err) == (0, "")
    root = tmp_path / "made" / "graphflow-squat-counter"
    written = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert written == {
        "pyproject.toml",
        "README.md",
        "src/graphflow_squat_counter/__init__.py",
        "src/graphflow_squat_counter/py.typed",
        "src/graphflow_squat_counter/squat_counter.py",
        "tests/test_squat_counter.py",
        "examples/squat_counter.yaml",
    }
    entry = 'SquatCounter = "graphflow_squat_counter.squat_counter:SquatCounter"'
    assert entry in (root / "pyproject.toml").read_text()
    assert not any("@" in path.read_text().replace("@pytest", "") for path in root.rglob("*") if path.is_file())


@pytest.mark.slow
def test_plugin_is_installed_and_found(cli: Cli, tmp_path: Path) -> None:
    assert cli("new", "plugin", "squats").code == 0
    root = tmp_path / "graphflow-squats"
    venv.create(tmp_path / "venv", with_pip=True)
    folder = "Scripts" if os.name == "nt" else "bin"
    python = str(tmp_path / "venv" / folder / "python")
    site = subprocess.run(
        [python, "-c", "import site; print(site.getsitepackages()[0])"], capture_output=True, text=True, check=True
    ).stdout.strip()
    # graphflow and what it needs come from the environment of these tests
    ours = [path for path in sys.path if path.endswith("site-packages")]
    Path(site, "ours.pth").write_text("".join(f"import site; site.addsitedir({path!r})\n" for path in ours))
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", str(root)], check=True, timeout=240)
    assert run_tests(root, python).startswith("3 passed")
    code = "from graphflow.cli import main; main(['check', '--strict', 'examples/squats.yaml'])"
    done = subprocess.run([python, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
