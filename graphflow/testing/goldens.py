"""Compare packets with what is expected: written in the test, or kept in a golden file."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from graphflow import timestamp as ts
from graphflow.packet import Packet
from graphflow.recording import Recording, RecordingFile
from graphflow.testing.calculators import Packets

UPDATE: Final = "GRAPHFLOW_UPDATE_GOLDENS"
"""Environment variable: set to 1 it lets `assert_golden` write the files anew."""


def assert_packets_equal(
    found: Mapping[str, Packets], expected: Mapping[str, Packets], *, rtol: float = 0.0, atol: float = 0.0
) -> None:
    """Compares streams of packets: names, timestamps, types, and values; numbers within a tolerance.

    Lists, tuples, mappings and dataclasses are compared down to their arrays and numbers. NaN equals NaN.

    Raises:
        AssertionError: they differ; the message says in which stream, when, and where in the value.

    >>> assert_packets_equal({"a": [(0, [1.0, 2.5])]}, {"a": [(0, [1.0, 2.0])]}, atol=0.1)
    Traceback (most recent call last):
    AssertionError: stream 'a' at 0: [1] is 2.5, not 2.0
    """
    if set(found) != set(expected):
        raise AssertionError(f"there are the streams {sorted(found)}, not {sorted(expected)}")
    for name, packets in expected.items():
        pairs, wanted = list(found[name]), list(packets)
        times, wanted_times = [timestamp for timestamp, _ in pairs], [timestamp for timestamp, _ in wanted]
        if times != wanted_times:
            raise AssertionError(f"stream '{name}' has packets at {times}, not at {wanted_times}")
        for (timestamp, value), (_, other) in zip(pairs, wanted, strict=True):
            difference = _difference(value, other, "", rtol, atol)
            if difference:
                raise AssertionError(f"stream '{name}' at {ts.describe(timestamp)}: {difference}")


def assert_golden(path: str | Path, found: Mapping[str, Packets], *, rtol: float = 0.0, atol: float = 0.0) -> None:
    """Compares streams of packets with those in a golden file, a recording (`.gfrec`).

    Where the file is missing, or the environment variable GRAPHFLOW_UPDATE_GOLDENS is 1, it is written instead, and the
    test fails to say so, unless the variable is set: look at the packets before they become the truth.

    Raises:
        AssertionError: they differ, or the file was missing.
    """
    file = Path(path)
    update = os.environ.get(UPDATE, "0") not in ("", "0")
    if update or not file.exists():
        target = RecordingFile(file, file.stem, list(found))
        for name, packets in found.items():
            for timestamp, value in packets:
                target.add(name, Packet(value, timestamp))
        target.close()
        if not update:
            raise AssertionError(f"{file} was missing and is written now: look whether it is right, and commit it")
        return
    recording = Recording(file)
    expected: dict[str, list[tuple[int, Any]]] = {name: [] for name in recording.streams}
    for name, packet in recording:
        expected[name].append((packet.timestamp, packet.value))
    try:
        assert_packets_equal(found, expected, rtol=rtol, atol=atol)
    except AssertionError as error:
        raise AssertionError(f"{file}: {error}; where the new values are right, run again with {UPDATE}=1") from None


def _difference(value: Any, expected: Any, place: str, rtol: float, atol: float) -> str:
    """How a value differs from the expected one; "" where it does not."""
    at = f"{place} is " if place else ""
    if isinstance(expected, int | float | np.number) and isinstance(value, int | float | np.number):
        exact = not (rtol or atol)
        equal = _same_number(value, expected) if exact else np.isclose(value, expected, rtol, atol, equal_nan=True)
        return "" if equal else f"{at}{value!r}, not {expected!r}"
    if type(value) is not type(expected):
        return f"{at}{type(value).__name__}, not {type(expected).__name__}"
    if isinstance(expected, np.ndarray):
        return _array_difference(value, expected, at, rtol, atol)
    if isinstance(expected, list | tuple | dict):
        if len(value) != len(expected) or (isinstance(expected, dict) and set(value) != set(expected)):
            return f"{at}{value!r}, not {expected!r}"
        keys = expected if isinstance(expected, dict) else range(len(expected))
        parts = [_difference(value[key], expected[key], f"{place}[{key!r}]", rtol, atol) for key in keys]
    elif dataclasses.is_dataclass(expected):
        parts = [
            _difference(getattr(value, field.name), getattr(expected, field.name), f"{place}.{field.name}", rtol, atol)
            for field in dataclasses.fields(expected)
        ]
    else:
        return "" if value == expected else f"{at}{value!r}, not {expected!r}"
    return next((part for part in parts if part), "")


def _same_number(value: Any, expected: Any) -> bool:
    return bool(value == expected or (value != value and expected != expected))


def _array_difference(value: Any, expected: Any, at: str, rtol: float, atol: float) -> str:
    if value.shape != expected.shape or value.dtype != expected.dtype:
        return f"{at}{value.dtype} {list(value.shape)}, not {expected.dtype} {list(expected.shape)}"
    if expected.dtype.kind not in "fc":
        wrong = value != expected
    else:
        wrong = ~np.isclose(value, expected, rtol, atol, equal_nan=True)
    if not wrong.any():
        return ""
    first = tuple(int(index) for index in np.argwhere(wrong)[0])
    return (
        f"{at or 'the array is '}different in {int(wrong.sum())} of {wrong.size} numbers; the first, at {list(first)}, "
        f"is {value[first]!r}, not {expected[first]!r}"
    )
