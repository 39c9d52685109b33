"""What the results of all solutions share: fields that may be unset, and the text they print as."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, TypeAlias

import numpy as np

Fields: TypeAlias = Iterator[tuple[str, Any]]


class Message:
    """A result that reads and prints like the protobuf message MediaPipe gives in its place."""

    __slots__ = ()
    field_names: ClassVar[tuple[str, ...]] = ()

    def fields(self) -> Fields:
        """Name and value of every field that is set, in MediaPipe's order; a field with many values once for each."""
        raise NotImplementedError

    def HasField(self, field_name: str) -> bool:  # noqa: N802 - MediaPipe's users call it so
        """Whether a field is set.

        Raises:
            ValueError: there is no such field.
        """
        self.check_field(field_name)
        return any(name == field_name for name, _ in self.fields())

    def check_field(self, field_name: str) -> None:
        """Raises ValueError where there is no such field."""
        if field_name not in self.field_names:
            exists = ", ".join(self.field_names)
            raise ValueError(f"{type(self).__name__} has no field '{field_name}'; its fields are: {exists}")

    def __repr__(self) -> str:
        return "".join(f"{line}\n" for line in _lines(self))


def _lines(message: Message) -> Iterator[str]:
    for name, value in message.fields():
        if isinstance(value, Message):
            yield f"{name} {{"
            yield from (f"  {line}" for line in _lines(value))
            yield "}"
        else:
            yield f"{name}: {_text(value)}"


def _text(value: Any) -> str:
    """A scalar as protobuf prints it: floats with 6 digits where these give the same float32 back, else with 9."""
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    if isinstance(value, float):
        short = f"{value:.6g}"
        return short if np.float32(short) == np.float32(value) else f"{value:.9g}"
    return str(value)


class Views(Sequence[Any]):
    """A sequence of messages that are made when asked for; a slice is a list, as of protobuf's repeated fields."""

    __slots__ = ()

    def view(self, index: int) -> Any:
        """The message at an index in 0..len-1."""
        raise NotImplementedError

    def __getitem__(self, index: Any) -> Any:
        positions = range(len(self))[index]
        return [self.view(at) for at in positions] if isinstance(positions, range) else self.view(positions)

    def __iter__(self) -> Iterator[Any]:
        return map(self.view, range(len(self)))

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self))}]"
