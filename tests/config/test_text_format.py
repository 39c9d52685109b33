"""Protobuf's text format, field by field."""

import math
from typing import Any

import pytest

from graphflow.config.text_format import TextFormatError, parse_text_format
from graphflow.errors import Location

VALUES: dict[str, Any] = {
    "12": 12, "-12": -12, "- 12": -12, "0x1F": 31, "-0xff": -255, "017": 15, "0": 0,
    "1.5": 1.5, ".5": 0.5, "5.": 5.0, "1e3": 1000.0, "-1.5E-2f": -0.015, "2f": 2.0, "inf": math.inf, "-inf": -math.inf,
    "-Infinity": -math.inf, "true": True, "false": False, "True": True, "SQUARE_LONG": "SQUARE_LONG",
    '"text"': "text", "'single \"quoted\"'": 'single "quoted"', '"a" \'b\' # note\n "c"': "abc",
    r'"\n\t\\\"\'"': "\n\t\\\"'", r'"\303\244\xc3\xa4ä\u00e4\U000000e4"': "äääää", '"#no comment"': "#no comment",
    "{}": {}, "{ a: 1 }": {"a": 1}, "< a: 1 >": {"a": 1}, "{ a { b: 1 } a { b: 2 } }": {"a": [{"b": 1}, {"b": 2}]},
    "{ a: 1, b: 2; c: 3 }": {"a": 1, "b": 2, "c": 3},
    "{ [mediapipe.Gate.ext] { allow: true } }": {"[mediapipe.Gate.ext]": {"allow": True}},
    "{ [type.googleapis.com/mediapipe.Gate]: { } }": {"[type.googleapis.com/mediapipe.Gate]": {}},
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), VALUES.items())
def test_a_value(text: str, value: Any) -> None:
    found = parse_text_format(f"field: {text}", "g").plain()
    assert found == {"field": value}
    assert type(found["field"]) is type(value)


def test_nan() -> None:
    assert math.isnan(parse_text_format("field: nan", "g").plain()["field"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("f: 1 f: 2", {"f": [1, 2]}),
        ("f: [1, 2, 3]", {"f": [1, 2, 3]}),
        ("f: [1]", {"f": 1}),
        ("f: [] g: 1", {"g": 1}),
        ("f [{a: 1}, {a: 2}] f {a: 3}", {"f": [{"a": 1}, {"a": 2}, {"a": 3}]}),
        ("# only a comment", {}),
        ("", {}),
    ],
)
def test_repeated_fields(text: str, value: dict[str, Any]) -> None:
    assert parse_text_format(text, "g").plain() == value


def test_every_field_has_its_place() -> None:
    message = parse_text_format('a: 1 # one\n  b {\n    c: "x"\n  }\n', "g.pbtxt")
    places = {entry.name: entry.location for entry in message.fields}
    assert places == {"a": Location("g.pbtxt", 1, 1), "b": Location("g.pbtxt", 2, 3)}
    assert next(message.all("b")).value.fields[0].location == Location("g.pbtxt", 3, 5)


MISTAKES = {
    "field: «": "a value is expected, not 'the end'",
    "field «12": "':' or '{' is expected after 'field'",
    "«: 12": "a field's name is expected, not ':'",
    "field { a: 1«": "the text ends where '}' is missing",
    "field: {\n  a: 1\n«>": "a field's name is expected, not '>'",
    "field: [1 «2]": "',' or ']' is expected",
    "field: [1, «": "a value is expected",
    "field: -«x": "a number is expected after '-'",
    "field: «%": "unexpected: '%'",
    "field: «12abc": "unexpected: '12abc'",
    "[mediapipe.«{": "an extension's name is expected",
    'field: «"open': "a string without its closing quote",
    f"field: «{'9' * 500}": "too many digits",
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.items())
def test_a_mistake(text: str, message: str) -> None:
    before, _, after = text.partition("«")
    place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    with pytest.raises(TextFormatError) as caught:
        parse_text_format(before + after, "g")
    problem = caught.value.problem
    assert (problem.location.line, problem.location.column) == place
    assert message in problem.message


def test_hostile_nesting_is_refused() -> None:
    with pytest.raises(TextFormatError, match="nested too deeply"):
        parse_text_format("a {" * 100_000, "g")
