"""The examples in the docstrings of the shipped calculators; pytest itself finds those of the framework."""

import doctest
import importlib
import pkgutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from graphflow import calculators


def _modules_with_examples() -> list[str]:
    names = [module.name for module in pkgutil.walk_packages(calculators.__path__, "graphflow.calculators.")]
    specs = [spec for spec in map(find_spec, names) if spec is not None and spec.origin is not None]
    return [spec.name for spec in specs if ">>>" in Path(spec.origin or "").read_text("utf-8")]


@pytest.mark.parametrize("name", _modules_with_examples())
def test_examples_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
