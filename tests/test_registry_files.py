"""Calculators in a user's own files and folders."""

from pathlib import Path

import pytest

from graphflow import registry
from graphflow.config import examine

CALCULATORS = '''\
from graphflow import Calculator, Context, Input, Output, calculator


class {name}(Calculator):
    """Adds one."""

    value = Input(type=float)
    more = Output(type=float)

    def process(self, context: Context) -> None:
        context[self.more] = context[self.value] + 1.0


@calculator
def {function}(value: float) -> float:
    """Takes one away."""
    return value - 1.0
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files of calculators, and one that must not be run."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "up.py").write_text(CALCULATORS.format(name="Up", function="step_down"))
    (tmp_path / "mine" / "over.py").write_text(CALCULATORS.format(name="OverCalculator", function="step_under"))
    (tmp_path / "mine" / "script.py").write_text("raise SystemExit('run')\n")
    return tmp_path


@pytest.mark.parametrize("name", ["Up", "StepDown", "OverCalculator", "StepUnder"])
def test_a_folder_of_calculators(folder: Path, name: str) -> None:
    assert registry.find(f"./mine:{name}", folder).__name__ == name


def test_what_a_folder_defines_is_said(folder: Path) -> None:
    with pytest.raises(registry.UnknownCalculatorError, match="mine defines no calculator 'Upp'; it") as caught:
        registry.find("./mine:Upp", folder)
    assert caught.value.matches[0] == "Up"


def test_names_are_read_without_running_the_file(folder: Path) -> None:
    assert registry.names_in_file(folder / "mine" / "up.py") == ["Up", "StepDown"]
    (folder / "loud.py").write_text("raise SystemExit\nclass Loud(Calculator):\n    def process(self, context): ...\n")
    assert registry.names_in_file(folder / "loud.py") == ["Loud"]
    assert registry.names_in_file(folder / "none.py") == []


def test_a_name_without_its_file_is_found_beside_the_graph(folder: Path) -> None:
    (folder / "mine" / "g.yaml").write_text(
        "inputs: [a]\noutputs: [b]\nnodes:\n  n: {calculator: StepDwn, inputs: {VALUE: a}, outputs: [b]}\n"
    )
    [problem] = examine(folder / "mine" / "g.yaml").problems
    assert problem.hint.startswith("did you mean './up.py:StepDown'")


def test_a_file_that_is_not_there_has_neighbours(folder: Path) -> None:
    with pytest.raises(registry.UnknownCalculatorError, match="for calculator") as caught:
        registry.find("./mine/upp.py:Up", folder)
    assert caught.value.matches[0] == "./mine/up.py:Up"


def test_spellings() -> None:
    assert registry.spellings("Gate") == ["Gate", "GateCalculator"]
    for name in registry.names():
        assert all(registry.find(spelling) for spelling in registry.spellings(name)), name


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('value = Input("value")', "Mine.value: 'value' is no tag; tags look like 'VALUE'"),
        ("one = Input()\n    two = Input()", "Mine.two: Input with no tag is there already, as 'one'"),
        ('one = Output("A")\n    two = Output("A")', "Mine.two: Output with tag 'A' is there already, as 'one'"),
        ("factor = Option(2.0)", "Mine.factor: an option says its type: factor: float = Option"),
        ("open: bool = Option(True)", "Mine.open: 'open' is a method; call the option something else"),
    ],
)
def test_declarations_that_cannot_work_are_refused_with_their_line(tmp_path: Path, body: str, message: str) -> None:
    text = f"from graphflow import Calculator, Input, Option, Output\n\n\nclass Mine(Calculator):\n    {body}\n"
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(registry.UnknownCalculatorError) as caught:
        registry.find("./mine.py:Mine", tmp_path)
    assert f"mine.py:4 cannot be loaded: TypeError: {message}" in str(caught.value)
