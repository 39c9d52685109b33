"""`graphflow doctor`."""

import importlib.metadata
import json
import sys

import pytest

from .conftest import Cli


def test_it_says_what_there_is(cli: Cli) -> None:
    outcome = cli("doctor", "--json")
    assert outcome.code == 0, outcome.err
    found = {finding["name"]: finding for finding in json.loads(outcome.out)}
    wanted = {"graphflow", "python", "onnxruntime", "opencv-python", "providers", "video files", "models", "cameras"}
    assert wanted <= found.keys()
    assert "CPUExecutionProvider" in found["providers"]["detail"]
    assert found["models"]["state"] in ("ok", "missing")
    lines = cli("doctor").out.splitlines()
    assert len(lines) == len(found)
    assert {line.split()[0] for line in lines} <= {"ok", "missing"}


def test_it_says_what_to_do(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    version = importlib.metadata.version

    def without(name: str) -> str:
        if name in ("pyarrow", "numba"):
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", without)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    outcome = cli("doctor")
    assert outcome.code == 1
    assert "not installed; for --save results.parquet — pip install 'graphflow[parquet]'" in outcome.out
    assert "broken   numba" in outcome.out
    assert "error: numba, onnxruntime must be mended before graphflow works" in outcome.err
