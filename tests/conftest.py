"""Fixtures every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded media and answers: `GRAPHFLOW_SHARED`, else `../shared` beside the repository."""
    found = Path(os.environ.get("GRAPHFLOW_SHARED") or Path(__file__).parents[2] / "shared")
    if not found.is_dir():
        pytest.skip("no shared media: set GRAPHFLOW_SHARED to the folder with data/ and conformance/")
    return found
