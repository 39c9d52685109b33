"""The recorded cases of MediaPipe's scheduler and calculators, on ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conformance.comparison import load_comparison
from conformance.runner import case_files, run_file

_SHARED = Path(os.environ.get("GRAPHFLOW_SHARED") or Path(__file__).parents[3] / "shared")
_FRAMEWORK = _SHARED / "conformance" / "framework"
CASES = case_files(_FRAMEWORK) if _FRAMEWORK.is_dir() else []


@pytest.mark.parametrize("fuse", [True, False], ids=["fused", "unfused"])
@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_recorded_case(case: Path, threads: int, fuse: bool) -> None:
    outcome = run_file(case, load_comparison(_FRAMEWORK), timeout=60, num_threads=threads, fuse=fuse)
    assert outcome.differences == [], "\n".join(outcome.waiting)


def test_there_are_cases(shared: Path) -> None:
    assert len(CASES) >= 290
