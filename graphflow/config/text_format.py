"""Protobuf's text format as a tree of fields, without protobuf: every value keeps its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphflow.errors import Location, Problem

_TOKEN = re.compile(
    r"""(?P<space>(?:\s|\#[^\n]*)+)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<number>(?:0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?[fF]?)(?![A-Za-z0-9_.]))
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<mark>[-{}<>\[\]:,;./])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_SIMPLE_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_WORDS: dict[str, Any] = {
    "true": True, "True": True, "false": False, "False": False,
    "inf": float("inf"), "infinity": float("inf"), "nan": float("nan"),
}  # fmt: skip
_DEEPEST = 100
_LONGEST_NUMBER = 400


@dataclass(frozen=True, slots=True)
class Field:
    """One occurrence of a field: a number, text, truth value, enum name (as text) or a nested message."""

    name: str
    value: Any
    location: Location


@dataclass(frozen=True, slots=True)
class Message:
    """The fields of a message in the order written; extensions are named `[mediapipe.Gate.ext]`."""

    fields: tuple[Field, ...] = ()
    location: Location = field(default=Location(), compare=False)

    def all(self, name: str) -> Iterator[Field]:
        """Every occurrence of a field."""
        return (entry for entry in self.fields if entry.name == name)

    def plain(self) -> dict[str, Any]:
        """Nested dicts: a field that occurs once is its value, one that occurs more often a list of them."""
        found: dict[str, list[Any]] = {}
        for entry in self.fields:
            value = entry.value.plain() if isinstance(entry.value, Message) else entry.value
            found.setdefault(entry.name, []).append(value)
        return {name: values[0] if len(values) == 1 else values for name, values in found.items()}

    def locations(self) -> dict[str, Location]:
        """Where each field first occurs."""
        return {entry.name: entry.location for entry in reversed(self.fields)}


class TextFormatError(ValueError):
    """The text is not in protobuf's text format; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


def parse_text_format(text: str, file: str) -> Message:
    """The message of a text.

    Raises:
        TextFormatError: it is not in the text format.
    """
    return _Parser(text, file).message("", 0, Location(file, 1, 1))


_Token: TypeAlias = tuple[str, str, int]


class _Parser:
    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.tokens = list(self._tokenize())
        self.position = 0

    def message(self, closing: str, depth: int, begin: Location) -> Message:
        """The fields up to the closing mark; `begin` is where the message's own field is named."""
        if depth > _DEEPEST:
            raise self._error("nested too deeply")
        fields: list[Field] = []
        while True:
            kind, text, _ = self._peek()
            if kind == "mark" and text == closing:
                self._next()
                return Message(tuple(fields), begin)
            if kind == "end":
                if closing:
                    raise self._error(f"the text ends where '{closing}' is missing")
                return Message(tuple(fields), begin)
            fields.extend(self._field(depth))
            self._accept(",", ";")

    def _field(self, depth: int) -> Iterator[Field]:
        kind, text, offset = self._next()
        location = self._location(offset)
        if kind == "word":
            name = text
        elif text == "[":
            name = f"[{self._extension_name()}]"
        else:
            raise self._error(f"a field's name is expected, not {text or 'the end'!r}", offset)
        colon = self._accept(":")
        kind, text, offset = self._peek()
        if kind == "mark" and text == "[":
            self._next()
            while not self._accept("]"):
                yield Field(name, self._value(depth, location), location)
                if not self._accept(",") and self._peek()[1] != "]":
                    raise self._error("',' or ']' is expected in a list")
            return
        if not colon and text not in ("{", "<"):
            raise self._error(f"':' or '{{' is expected after '{name}'", offset)
        yield Field(name, self._value(depth, location), location)

    def _extension_name(self) -> str:
        parts: list[str] = []
        while not self._accept("]"):
            kind, text, offset = self._next()
            if kind not in ("word", "number") and text not in (".", "/", "-"):
                raise self._error("an extension's name is expected, as in [mediapipe.Name.ext]", offset)
            parts.append(text)
        return "".join(parts)

    def _value(self, depth: int, field_location: Location) -> Any:
        kind, text, offset = self._next()
        if text in ("{", "<") and kind == "mark":
            return self.message("}" if text == "{" else ">", depth + 1, field_location)
        if kind == "string":
            parts = [self._unescape(text[1:-1])]
            while self._peek()[0] == "string":
                parts.append(self._unescape(self._next()[1][1:-1]))
            return "".join(parts)
        negative = kind == "mark" and text == "-"
        if negative:
            kind, text, offset = self._next()
        if kind == "number":
            if len(text) > _LONGEST_NUMBER:
                raise self._error("a number of too many digits", offset)
            number = _number(text)
            return -number if negative else number
        if kind == "word":
            value = _WORDS.get(text, _WORDS.get(text.lower()) if text.lower() in ("inf", "infinity", "nan") else None)
            if negative:
                if isinstance(value, float):
                    return -value
                raise self._error("a number is expected after '-'", offset)
            return text if value is None else value
        raise self._error(f"a value is expected, not {text or 'the end'!r}", offset)

    def _unescape(self, text: str) -> str:
        if "\\" not in text:
            return text
        # Octal and \x escapes are bytes of UTF-8, so several of them may make one character.
        result = bytearray()
        last = 0
        for match in _ESCAPE.finditer(text):
            result += text[last : match.start()].encode()
            octal, hexadecimal, short, long, simple = match.groups()
            if octal or hexadecimal:
                result.append((int(octal, 8) if octal else int(hexadecimal, 16)) & 0xFF)
            elif short or long:
                result += chr(min(int(short or long, 16), 0x10FFFF)).encode("utf-8", "replace")
            else:
                result += _SIMPLE_ESCAPES.get(simple, simple).encode()
            last = match.end()
        result += text[last:].encode()
        return result.decode("utf-8", "replace")

    def _tokenize(self) -> Iterator[_Token]:
        offset = 0
        while offset < len(self.text):
            match = _TOKEN.match(self.text, offset)
            if match is None:
                what = "a string without its closing quote" if self.text[offset] in "\"'" else "unexpected"
                raise self._error(f"{what}: {self.text[offset : offset + 20].splitlines()[0]!r}", offset)
            kind = match.lastgroup or ""
            if kind != "space":
                yield kind, match[0], offset
            offset = match.end()
        yield "end", "", len(self.text)

    def _peek(self) -> _Token:
        return self.tokens[self.position]

    def _next(self) -> _Token:
        token = self.tokens[self.position]
        self.position = min(self.position + 1, len(self.tokens) - 1)
        return token

    def _accept(self, *marks: str) -> bool:
        kind, text, _ = self._peek()
        if kind == "mark" and text in marks:
            self._next()
            return True
        return False

    def _location(self, offset: int) -> Location:
        low, high = 0, len(self.line_starts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.line_starts[middle] <= offset else (low, middle)
        return Location(self.file, low + 1, offset - self.line_starts[low] + 1)

    def _error(self, message: str, offset: int | None = None) -> TextFormatError:
        location = self._location(self._peek()[2] if offset is None else offset)
        return TextFormatError(Problem(location, f"not protobuf text: {message}"))


def _number(text: str) -> int | float:
    if text[:2] in ("0x", "0X"):
        return int(text, 16)
    if text.isdigit():
        # MediaPipe's text format counts a leading zero as octal
        return int(text, 8) if len(text) > 1 and text[0] == "0" and not set(text) & {"8", "9"} else int(text)
    return float(text.rstrip("fF"))
