"""Ports and options: what a calculator declares, once, about what goes in and out of it."""

from __future__ import annotations

import re
import types
import typing
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

TAG: Final = re.compile(r"[A-Z_][A-Z0-9_]*\Z")
"""What tags look like."""

ANY_TAG: Final = "*"
"""Tag of a port that takes every tag its calculator declares nowhere else."""


@dataclass(frozen=True, slots=True, eq=False)
class Port:
    """A declared place where a stream or side packet meets a calculator.

    `tag` is upper case, or "" for untagged connections, or "*" for all tags not declared elsewhere. `type` is the
    Python type of the values. A `repeated` port takes several connections under one tag, in order; "*" always does.
    An `optional` port may be left unconnected. `same_as` says that the type is that of another port, connection by
    connection, as in a pass-through.
    """

    tag: str = ""
    type: Any = Any
    doc: str = ""
    optional: bool = False
    repeated: bool = False
    same_as: Port | None = None

    @property
    def many(self) -> bool:
        """Whether reading the port gives a list: it can have several connections."""
        return self.repeated or self.tag == ANY_TAG


class Input(Port):
    """An input stream; `context[port]` is its value, None where no packet arrived at the timestamp."""


class Output(Port):
    """An output stream; `context[port] = value` emits at the input timestamp."""


class SideInput(Port):
    """A side packet the calculator reads: constant for the whole run."""


class SideOutput(Port):
    """A side packet the calculator provides, at the latest when it closes."""


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED: Final = _Required()
"""Default of an option that every graph must set."""


class OptionGroup(BaseModel):
    """Options that belong together, nested in YAML under one name; subclass it and use it as an option's type."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    @model_validator(mode="before")
    @classmethod
    def _repeated_fields_given_once(cls, given: Any) -> Any:
        # MediaPipe's text format does not tell a repeated field with one value from a plain one
        if not isinstance(given, dict):
            return given
        repeated = {
            field.alias or name
            for name, field in cls.model_fields.items()
            if typing.get_origin(field.annotation) is list
        }
        return {
            name: [value] if name in repeated and not isinstance(value, list | tuple) else value
            for name, value in given.items()
        }


@dataclass(frozen=True, slots=True)
class OptionDeclaration:
    """Default and documentation of one option; name and type come from the annotated class attribute."""

    default: Any
    doc: str = ""


def Option(default: Any = REQUIRED, doc: str = "") -> Any:  # noqa: N802 - reads as the declaration it is
    """Declares an option: `threshold: float = Option(0.5, "mean visibility in 0..1 to pass")`.

    The annotation is the type, checked when the graph is read; dataclasses, enums, lists and literals are welcome.
    Without a default the graph must set it. In the calculator `self.threshold` is the value.
    """
    return OptionDeclaration(default, doc)


@cache
def runtime_types(annotation: Any) -> tuple[type, ...] | None:
    """The classes `isinstance` can test a value of the annotated type against; None where anything goes."""
    if annotation is Any or annotation is object or isinstance(annotation, typing.TypeVar):
        return None
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        found: list[type] = []
        for member in typing.get_args(annotation):
            classes = runtime_types(member)
            if classes is None:
                return None
            found.extend(classes)
        return tuple(found)
    if origin is typing.Literal:
        return tuple({type(value) for value in typing.get_args(annotation)})
    if origin is typing.Annotated:
        return runtime_types(typing.get_args(annotation)[0])
    cls = origin or annotation
    if not isinstance(cls, type):
        return None
    if cls is float:
        return (float, np.floating)
    if cls is int:
        return (int, np.integer)
    if cls is bool:
        return (bool, np.bool_)
    return (cls,)


def bind_type(annotation: Any, payload: Any) -> Any:
    """The annotated type with its type variable replaced.

    >>> Item = typing.TypeVar("Item")
    >>> bind_type(list[Item], float), bind_type(Item, float), bind_type(str, float)
    (list[float], <class 'float'>, <class 'str'>)
    """
    if isinstance(annotation, typing.TypeVar):
        return payload
    return annotation[payload] if getattr(annotation, "__parameters__", ()) else annotation


def accepts(classes: tuple[type, ...] | None, value: Any) -> bool:
    """Whether a value is of one of the classes `runtime_types` gave; True is no integer here, though Python says so.

    >>> accepts(runtime_types(int), 1), accepts(runtime_types(int), True), accepts(runtime_types(float), 1)
    (True, False, False)
    """
    if classes is None:
        return True
    return isinstance(value, classes) and (value.__class__ is not bool or bool in classes)


def type_name(annotation: Any) -> str:
    """A type as it is shown to people.

    >>> type_name(float), type_name(list[Port]), type_name(Any)
    ('float', 'list[Port]', 'any')
    """
    if annotation is Any:
        return "any"
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__name__
    return re.sub(r"(?:\w+\.)+(\w+)", r"\1", str(annotation))  # without the modules


def compatible(produced: Any, consumed: Any) -> bool:
    """Whether a value of type `produced` may flow into a port of type `consumed`.

    As MediaPipe does, int and float are different; unlike it, a subclass is welcome where its base is.
    """
    if Any in (produced, consumed) or produced == consumed or object in (produced, consumed):
        return True
    for annotation, other, produced_side in ((produced, consumed, True), (consumed, produced, False)):
        if typing.get_origin(annotation) in (typing.Union, types.UnionType):
            members = typing.get_args(annotation)
            if produced_side:
                return any(compatible(member, other) for member in members)
            return any(compatible(other, member) for member in members)
    first, second = typing.get_origin(produced) or produced, typing.get_origin(consumed) or consumed
    if not (isinstance(first, type) and isinstance(second, type)):
        return True
    if not issubclass(first, second):
        return False
    arguments = typing.get_args(produced), typing.get_args(consumed)
    if first is np.ndarray or not arguments[0] or not arguments[1]:
        return True
    pairs = [pair for pair in zip(*arguments, strict=False) if Ellipsis not in pair]
    return all(compatible(one, other) for one, other in pairs)
