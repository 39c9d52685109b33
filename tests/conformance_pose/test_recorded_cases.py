"""The recorded answers of other pose systems, on ours; one test for each kind of case."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conformance_pose.cases import Case, topics
from conformance_pose.runner import run_case

_POSE = Path(os.environ.get("GRAPHFLOW_SHARED") or Path(__file__).parents[3] / "shared") / "conformance" / "pose"


def _kinds() -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {}
    for topic in topics(_POSE) if _POSE.is_dir() else ():
        for case in topic.cases.values():
            found.setdefault(f"{topic.name}: {case.kind}", []).append(case)
    return found


KINDS = _kinds()


@pytest.mark.parametrize("kind", KINDS)
def test_recorded_cases(kind: str) -> None:
    outcomes = [run_case(case) for case in KINDS[kind]]
    assert [(outcome.case, outcome.differences[0]) for outcome in outcomes if outcome.differences] == []


def test_there_are_cases(shared: Path) -> None:
    assert sum(len(cases) for cases in KINDS.values()) >= 600
