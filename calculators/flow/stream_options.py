"""Options that arrive while a graph runs, in a side packet or a stream OPTIONS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphflow import Calculator


def merge_options(calculator: Calculator, given: Mapping[str, Any] | None) -> None:
    """Sets the options that `given` names on a calculator; the others stay as they are.

    Raises:
        ValueError: there is no such option, or its value is of another type.
    """
    for name, value in (given or {}).items():
        if name not in calculator.options():
            exists = ", ".join(calculator.options())
            raise ValueError(f"{type(calculator).__name__} has no option '{name}'; there are: {exists}")
        setattr(calculator, name, calculator.convert_option(name, value))
