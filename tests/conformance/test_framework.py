"""The recorded cases of MediaPipe's scheduler, on ours.

A case takes part once every calculator it names exists here; `COVERED` only ever grows.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conformance.driver import run_case

from graphflow import registry

COVERED = 20
"""Cases that took part when this number was last raised."""

_SHARED = Path(os.environ.get("GRAPHFLOW_SHARED") or Path(__file__).parents[3] / "shared")
_FRAMEWORK = _SHARED / "conformance" / "framework"


def _exists(name: str) -> bool:
    try:
        registry.find(name)
    except registry.UnknownCalculatorError:
        return False
    return True


def _covered() -> list[str]:
    found = []
    known: dict[str, bool] = {}
    for path in sorted((_FRAMEWORK / "cases").glob("*.json")):
        graph = json.loads(path.read_text())["graph"]
        names = re.findall(r'calculator:\s*"(\w+)"', graph)
        for name in names:
            known.setdefault(name, _exists(name))
        if all(known[name] or name == "SwitchContainer" for name in names):
            found.append(path.stem)
    return found


def _compare() -> Callable[..., list[str]]:
    spec = importlib.util.spec_from_file_location("recorded_compare", _FRAMEWORK / "compare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    compare: Callable[..., list[str]] = module.compare
    return compare


CASES = _covered()


def _case(name: str) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((_FRAMEWORK / "cases" / f"{name}.json").read_text())
    return case


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("name", CASES)
def test_a_recorded_case(name: str, threads: int) -> None:
    case = _case(name)
    observation = run_case(case, None if "num_threads" in case["graph"] else threads)
    assert _compare()(case, observation, bounds=True) == []


def test_no_case_was_lost(shared: Path) -> None:
    assert len(CASES) >= COVERED
