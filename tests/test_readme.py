"""What README.md shows works as it stands."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from graphflow.cli import main
from graphflow.errors import ModelError
from graphflow.inference import ModelStore

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the files README.md shows, each named by its first line."""
    pytest.importorskip("skimage", reason="the sample's photograph is in scikit-image: pip install 'graphflow[demo]'")
    try:
        ModelStore().fetch()
    except ModelError as error:
        pytest.skip(f"the models cannot be had: {error}")
    for _, text in BLOCKS:
        name = re.match(r"# (\S+\.(?:py|yaml))\n", text)
        if name:
            (tmp_path / name[1]).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_two_commands_for_newcomers() -> None:
    marked = re.findall(r"<!-- command: (\w+) -->\n```bash\n(.*)\n```\n", README)
    assert [name for name, _ in marked] == ["run", "test"]
    assert marked[0][1].startswith("pip install '.[video,demo]' && graphflow run holistic -i sample:astronaut ")
    assert marked[1][1].endswith("&& pytest")
    assert README.index("<!-- command: test -->") < 2000, "they belong on the first screen"


def test_python_examples(folder: Path) -> None:
    examples = [text for language, text in BLOCKS if language == "python" and not text.startswith("# ")]
    assert len(examples) == 2
    for text in examples:
        done = subprocess.run([sys.executable, "-c", text], cwd=folder, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 0  # nobody is on a black image


def test_graph_example(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = [line for language, text in BLOCKS if language == "bash" for line in text.splitlines() if "raised" in line]
    assert [line.split()[1] for line in shown] == ["check", "run"]
    for line in shown:
        with pytest.raises(SystemExit) as end:
            main(line.split()[1:])
        assert end.value.code == 0, capsys.readouterr().err
    lines = [json.loads(line) for line in (folder / "raised.jsonl").read_text().splitlines()]
    assert len(lines) == 90
    assert all(line["raise_count"] == 0 and line["wrist_height"] < 0 for line in lines)
