"""Values as bytes and back, bit for bit, without pickle: what a recording may hold."""

from __future__ import annotations

import dataclasses
import importlib
import json
import zlib
from typing import Any, Final, TypeVar

import numpy as np

from graphflow.errors import GraphflowError

T = TypeVar("T")

_TRUSTED: Final = "graphflow.calculators."
_COMPRESS_FROM: Final = 4096
_PLAIN_KINDS: Final = "biufcSU"
_KEY: Final = "$"
"""Marks the objects of the JSON text that stand for something else."""

_registered: dict[str, type] = {}


class RecordingError(GraphflowError):
    """A recording cannot be written or read; the message says what is wrong with it."""


def payload_type(cls: type[T]) -> type[T]:
    """Lets recordings hold a dataclass of yours; the shipped ones are known already. Usable as a decorator.

    Reading a recording makes objects of registered types only: a file from elsewhere cannot run anything.

    Raises:
        TypeError: it is no dataclass.
    """
    if not dataclasses.is_dataclass(cls):
        raise TypeError(f"{cls.__name__} is no dataclass: recordings hold dataclasses, arrays, numbers, texts, lists")
    _registered[_name_of(cls)] = cls
    return cls


def encode(value: Any) -> tuple[bytes, bytes]:
    """A value as JSON text, and the bytes of its arrays, to which the text refers.

    Raises:
        RecordingError: the value, or something in it, is of a type that recordings cannot hold.
    """
    chunks: list[bytes] = []
    text = json.dumps(_described(value, chunks), separators=(",", ":"))
    return text.encode(), b"".join(chunks)


def decode(text: bytes, data: bytes) -> Any:
    """The value again: equal in type, and its numbers bit for bit.

    Raises:
        RecordingError: the bytes are damaged, or of a type that this program does not know.
    """
    try:
        return _Reader(data).value(json.loads(text))
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise RecordingError(f"a value is damaged: {error}") from error


def _name_of(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _described(value: Any, chunks: list[bytes]) -> Any:
    if value is None or type(value) in (bool, int, str, float):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return _of_array(value, chunks)
    if type(value) is bytes:
        chunks.append(value)
        return {_KEY: "bytes", "size": len(value)}
    if type(value) is list:
        return [_described(item, chunks) for item in value]
    if type(value) is tuple:
        return {_KEY: "tuple", "items": [_described(item, chunks) for item in value]}
    if type(value) is dict:
        pairs = [[_described(key, chunks), _described(item, chunks)] for key, item in value.items()]
        return {_KEY: "dict", "items": pairs}
    cls = type(value)
    if dataclasses.is_dataclass(cls) and _is_known(cls):
        fields = {field.name: _described(getattr(value, field.name), chunks) for field in dataclasses.fields(cls)}
        return {_KEY: "object", "type": _name_of(cls), "fields": fields}
    raise RecordingError(
        f"a recording cannot hold {cls.__name__}: it holds arrays, numbers, texts, lists, and dataclasses that were "
        f"registered with graphflow.recording.payload_type"
    )


def _of_array(value: np.ndarray[Any, Any] | np.generic, chunks: list[bytes]) -> dict[str, Any]:
    array = np.asarray(value)
    if array.dtype.kind not in _PLAIN_KINDS:
        raise RecordingError(f"a recording cannot hold an array of {array.dtype}")
    data = array.tobytes()
    found: dict[str, Any] = {_KEY: "scalar" if isinstance(value, np.generic) else "array", "dtype": array.dtype.str}
    found["shape"] = list(array.shape)
    if len(data) >= _COMPRESS_FROM and len(packed := zlib.compress(data, 1)) < len(data):
        data, found["packed"] = packed, True
    chunks.append(data)
    return {**found, "size": len(data)}


def _is_known(cls: type) -> bool:
    return cls.__module__.startswith(_TRUSTED) or _registered.get(_name_of(cls)) is cls


def _find_type(name: str) -> type:
    if name in _registered:
        return _registered[name]
    module, _, qualname = name.partition(":")
    if module.startswith(_TRUSTED):
        try:
            found = getattr(importlib.import_module(module), qualname, None)
        except ImportError:
            found = None
        if isinstance(found, type) and dataclasses.is_dataclass(found):
            return found
    raise RecordingError(
        f"the recording holds {name}, which this program does not know: import the module that defines it, and "
        f"register it there with graphflow.recording.payload_type"
    )


class _Reader:
    """Takes the bytes of arrays one after another, as the text names them."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def value(self, described: Any) -> Any:
        if isinstance(described, list):
            return [self.value(item) for item in described]
        if not isinstance(described, dict):
            return described
        match described[_KEY]:
            case "array" | "scalar":
                return self._array(described)
            case "bytes":
                return bytes(self._take(described["size"]))
            case "tuple":
                return tuple(self.value(item) for item in described["items"])
            case "dict":
                return {self.value(key): self.value(item) for key, item in described["items"]}
            case "object":
                cls = _find_type(described["type"])
                return cls(**{name: self.value(item) for name, item in described["fields"].items()})
        raise ValueError(f"unknown kind {described[_KEY]!r}")

    def _array(self, described: dict[str, Any]) -> Any:
        data: Any = self._take(described["size"])
        if described.get("packed"):
            data = zlib.decompress(data)
        dtype = np.dtype(described["dtype"])
        if dtype.kind not in _PLAIN_KINDS:
            raise ValueError(f"an array of {dtype}")
        array = np.frombuffer(data, dtype).reshape(described["shape"])
        return array[()] if described[_KEY] == "scalar" else array

    def _take(self, size: int) -> memoryview:
        if size < 0 or self._at + size > len(self._data):
            raise ValueError("bytes are missing")
        self._at += size
        return self._data[self._at - size : self._at]
