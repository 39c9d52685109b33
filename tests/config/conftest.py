"""Graphs with mistakes in them, and where the mistakes are."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from graphflow import GraphConfigError
from graphflow.config import load

Found = list[tuple[int, int, str]]


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of tiny graphs, made the working directory so that texts find `./calculators.py` and the graphs."""
    folder = Path(__file__).parents[1] / "graphs"
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def mistakes(graphs: Path) -> Callable[..., tuple[Found, list[tuple[int, int]]]]:
    """What `load` reports of a text as (line, column, message and hint), and the places marked in it with `«`."""

    def report(text: str, params: Mapping[str, Any] | None = None) -> tuple[Found, list[tuple[int, int]]]:
        places = []
        while "«" in text:
            before, _, after = text.partition("«")
            places.append((before.count("\n") + 1, len(before) - before.rfind("\n")))
            text = before + after
        with pytest.raises(GraphConfigError) as caught:
            load(text, params=params)
        problems = caught.value.problems
        assert {problem.location.file for problem in problems} == {"<text>"}
        found = [(p.location.line, p.location.column, f"{p.message} | {p.hint}") for p in problems]
        return found, places

    return report
