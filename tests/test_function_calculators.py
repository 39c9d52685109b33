"""Calculators made of functions: the signature is the contract."""

from typing import Annotated, Any, NamedTuple

import pytest
from pydantic import Field

from graphflow import OptionError, calculator
from graphflow.testing import run_calculator


class Halves(NamedTuple):
    left: Annotated[str, "what comes first"]
    right: str


class Only(NamedTuple):
    size: int


@calculator
def halve(text: Annotated[str, "what to cut"], *, at: Annotated[int, "where", Field(ge=0)] = 1) -> Halves | None:
    """Cuts a text in two."""
    return Halves(text[:at], text[at:]) if text else None


@calculator
def measure(text: str) -> Only:
    return Only(len(text))


@calculator
def combine(first: str, second: str | None, *, between: str) -> Annotated[str, "both"]:
    return f"{first}{between}{second}"


def test_the_signature_is_the_contract() -> None:
    assert halve.__name__ == "Halve"
    assert halve.__doc__ == "Cuts a text in two."
    assert [(type(port).__name__, port.tag, port.type, port.doc) for port in halve.ports()] == [
        ("Input", "TEXT", str, "what to cut"),
        ("Output", "LEFT", str, "what comes first"),
        ("Output", "RIGHT", str, ""),
    ]
    assert [(name, option.default, option.doc) for name, option in halve.options().items()] == [("at", 1, "where")]
    assert [(port.tag, port.doc) for port in combine.ports()] == [("FIRST", ""), ("SECOND", ""), ("", "both")]


@pytest.mark.parametrize(
    ("function", "inputs", "options", "expected"),
    [
        (halve, {"TEXT": [(1, "ab"), (2, "")]}, {}, {"LEFT": [(1, "a")], "RIGHT": [(1, "b")]}),
        (halve, {"TEXT": [(1, "abc")]}, {"at": 2}, {"LEFT": [(1, "ab")], "RIGHT": [(1, "c")]}),
        (measure, {"TEXT": [(1, "abc")]}, {}, {"SIZE": [(1, 3)]}),
        (combine, {"FIRST": [(1, "a")], "SECOND": [(1, "c")]}, {"between": "-"}, {"": [(1, "a-c")]}),
        (combine, {"FIRST": [(1, "a")], "SECOND": [(2, "c")]}, {"between": "-"}, {"": [(1, "a-None")]}),
    ],
)
def test_it_runs_where_its_inputs_are_there(function: Any, inputs: Any, options: Any, expected: Any) -> None:
    assert run_calculator(function, inputs, options) == expected


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (combine, {}, "option 'between' must be set"),
        (halve, {"at": "x"}, "valid integer"),
        (halve, {"at": -1}, "greater than or equal to 0"),
        (halve, {"att": 1}, "no option 'att'"),
    ],
)
def test_options_are_checked(function: Any, options: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        function(options)
