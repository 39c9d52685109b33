"""Runs recorded cases on ours: one function for each kind of case, in the module of its topic."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .cases import Case, topics

Check = Callable[[Case], Iterator[str]]


@dataclass(frozen=True)
class Outcome:
    """What came of one case: it holds where there are no differences."""

    topic: str
    case: str
    kind: str
    differences: tuple[str, ...]


def run_case(case: Case) -> Outcome:
    """Runs one case. What is recorded for information only must be survived, not copied."""
    try:
        check = checks(case.topic.name)[case.kind]
        found = tuple(check(case))
    except Exception as error:  # a case that breaks is a case that falls short
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        return Outcome(case.topic.name, case.id, case.kind, (f"{type(error).__name__}: {error} ({where})",))
    return Outcome(case.topic.name, case.id, case.kind, found if case.normative else ())


def run_folder(folder: Path, group: str = "") -> Iterator[Outcome]:
    """Runs the cases of a folder, or of one topic in it.

    Raises:
        FileNotFoundError: there are none.
    """
    for topic in topics(folder, group):
        for case in topic.cases.values():
            yield run_case(case)


def checks(topic: str) -> Mapping[str, Check]:
    """The checks of a topic by kind of case."""
    module = importlib.import_module(f".{topic}", __package__)
    found: Mapping[str, Check] = module.CHECKS
    return found


def arrays_are_there(case: Case) -> Iterator[str]:
    """The check of cases that only hold inputs for others."""
    for name in case.inputs:
        if case.input(name) is None:
            yield f"{name}: nothing recorded"
