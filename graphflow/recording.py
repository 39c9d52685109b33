"""Recordings of streams: a file that packets are appended to, and read from again.

The container, version 1: the line `graphflow recording 1`, and then records, each of two unsigned 32-bit little-endian
lengths, that many bytes of JSON, and that many bytes of data. The JSON of the first record is
`{"graph": name, "streams": [names]}`; that of every other `[stream number, timestamp, value]`. A value is plain JSON,
or an object whose `$` says what it stands for: `array` and `scalar` (`dtype`, `shape`, and `size` bytes of the data,
`packed` with zlib or not), `bytes`, `tuple`, `dict`, or `object`, a registered dataclass by its `type` and `fields`.
Data is taken in the order in which the text names it. A record that breaks off at the end of the file is left out.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from graphflow.packet import Packet
from graphflow.recorded_values import RecordingError, decode, encode, payload_type

__all__ = ["ENDING", "Recording", "RecordingError", "RecordingFile", "payload_type"]

ENDING: Final = ".gfrec"
_FIRST_LINE: Final = b"graphflow recording 1\n"
_LENGTHS: Final = struct.Struct("<II")


class RecordingFile:
    """A recording that is being written; what was added is in the file at once, and stays readable.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, path: Path, graph: str, streams: Sequence[str]) -> None:
        self._numbers = {name: number for number, name in enumerate(streams)}
        self._file = path.open("wb", buffering=0)
        head = json.dumps({"graph": graph, "streams": list(streams)}).encode()
        self._write(_FIRST_LINE + _LENGTHS.pack(len(head), 0) + head)

    def add(self, stream: str, packet: Packet) -> None:
        """Appends a packet.

        Raises:
            RecordingError: its value is of a type that recordings cannot hold.
            OSError: the file cannot be written; what came before is.
        """
        try:
            text, data = encode(packet.value)
        except RecordingError as error:
            raise RecordingError(f"stream '{stream}': {error}") from None
        text = b"[%d,%d,%b]" % (self._numbers[stream], packet.timestamp, text)
        self._write(_LENGTHS.pack(len(text), len(data)) + text + data)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:  # a write may come short; the next one then says why
            rest = rest[self._file.write(rest) or 0 :]

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


class Recording:
    """A recording that is read, packet by packet.

    Attributes:
        graph: name of the graph it was made with.
        streams: the names of the streams it may have packets of.

    Raises:
        RecordingError: the file is no recording.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            if file.read(len(_FIRST_LINE)) != _FIRST_LINE:
                raise RecordingError(f"{path} is not a recording of this version of graphflow")
            head = _read_record(file)
        if head is None:
            raise RecordingError(f"{path} breaks off before its first record")
        content = json.loads(head[0])
        self.graph: str = content["graph"]
        self.streams: tuple[str, ...] = tuple(content["streams"])

    def __iter__(self) -> Iterator[tuple[str, Packet]]:
        """The packets with the names of their streams, in the order in which they were added.

        Raises:
            RecordingError: a record is damaged.
        """
        with self._path.open("rb") as file:
            file.seek(len(_FIRST_LINE))
            _read_record(file)
            while (record := _read_record(file)) is not None:
                text, data = record
                number, timestamp, value = _split(text)
                try:
                    yield self.streams[number], Packet(decode(value, data), timestamp)
                except RecordingError as error:
                    raise RecordingError(f"{self._path}: {error}") from error

    def timestamps(self) -> list[int]:
        """The timestamps at which there are packets, in order, without reading their values."""
        found: dict[int, None] = {}
        with self._path.open("rb") as file:
            file.seek(len(_FIRST_LINE))
            _read_record(file)
            while (record := _read_record(file, with_data=False)) is not None:
                found[_split(record[0])[1]] = None
        return list(found)


def _split(text: bytes) -> tuple[int, int, bytes]:
    try:
        number, timestamp, value = text[1:-1].split(b",", 2)
        return int(number), int(timestamp), value
    except ValueError:
        raise RecordingError(f"a record is damaged: {text[:60]!r}") from None


def _read_record(file: BinaryIO, with_data: bool = True) -> tuple[bytes, bytes] | None:
    """The next record; None at the end, or where it breaks off."""
    lengths = file.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    text_size, data_size = _LENGTHS.unpack(lengths)
    text = file.read(text_size)
    if not with_data:
        file.seek(data_size, 1)
        return (text, b"") if len(text) == text_size else None
    data: Any = file.read(data_size)
    return (text, data) if len(text) == text_size and len(data) == data_size else None
