"""A packet: one immutable value at one timestamp."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from graphflow import timestamp as ts


@dataclasses.dataclass(frozen=True, slots=True)
class Packet:
    """A value at a timestamp (microseconds). A packet without a value is empty and only says how far time is settled.

    >>> Packet(3, 10).at(20)
    Packet(value=3, timestamp=20)
    >>> Packet(None, 10).empty
    True
    """

    value: Any
    timestamp: int = ts.UNSET

    @property
    def empty(self) -> bool:
        return self.value is None

    def at(self, timestamp: int) -> Packet:
        """The same value at another timestamp; the value is shared, not copied."""
        return Packet(self.value, timestamp)


_FIELDS: dict[type, tuple[str, ...]] = {}


def _fields_of(cls: type) -> tuple[str, ...]:
    fields = _FIELDS.get(cls)
    if fields is None:
        names = tuple(field.name for field in dataclasses.fields(cls)) if dataclasses.is_dataclass(cls) else ()
        fields = _FIELDS.setdefault(cls, names)
    return fields


def freeze(value: Any) -> None:
    """Makes the arrays of a value read-only: the value itself, or what a list, tuple or dataclass holds directly.

    Called on every value that enters a stream, so that a consumer that writes into its input fails where it does so
    rather than changing what the others see.
    """
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif isinstance(value, list | tuple):
        for item in value:
            if isinstance(item, np.ndarray):
                item.flags.writeable = False
            elif _fields_of(type(item)):
                freeze(item)
    else:
        for name in _fields_of(type(value)):
            item = getattr(value, name)
            if isinstance(item, np.ndarray):
                item.flags.writeable = False
