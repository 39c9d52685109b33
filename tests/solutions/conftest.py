"""What the tests of the solutions share: MediaPipe itself, where it is installed, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

Peer = Callable[[str], Any]


@pytest.fixture(scope="session")
def peer_python() -> str:
    """A Python that has mediapipe 0.10.21: `GRAPHFLOW_PEER_PYTHON`."""
    found = os.environ.get("GRAPHFLOW_PEER_PYTHON")
    if not found:
        pytest.skip("no MediaPipe to compare with: set GRAPHFLOW_PEER_PYTHON to a Python that has mediapipe 0.10.21")
    return found


@pytest.fixture(scope="session")
def peer(peer_python: str) -> Peer:
    """Runs code in MediaPipe's Python and gives what it leaves in `answer`, as JSON has it."""

    def run(code: str) -> Any:
        text = f"{code}\nimport json, sys\njson.dump(answer, sys.stdout)"
        done = subprocess.run([peer_python, "-c", text], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
