"""RecordingWriter and RecordingSource: streams of a run into a file, and out of it again."""

from __future__ import annotations

from pathlib import Path

from graphflow import Calculator, Context, Input, Option, Output, SideInput, Stop
from graphflow.packet import Packet
from graphflow.recording import Recording, RecordingError, RecordingFile

from .output_file import check_folder
from .sources import SourceError


class RecordingWriter(Calculator):
    """Stores the packets of any streams, bit for bit; see `graphflow.recording` for the format.

    The streams are stored under their names in the graph. What was written is readable when a run fails or is
    interrupted.
    """

    streams = Input("STREAM", repeated=True, doc="what to store")
    path: str = Option(doc="the file; .gfrec")
    graph: str = Option("", "name of the graph, for whoever reads the file")
    written = SideInput("WRITTEN", dict, "where to count the timestamps in this file, by its path", optional=True)

    def open(self, context: Context) -> None:
        path = Path(self.path).expanduser()
        check_folder(path)
        self._names = [connection.name for connection in context.connections(self.streams)]
        self._counts: dict[str, int] = context[self.written] if context[self.written] is not None else {}
        self._count = 0
        self._file = RecordingFile(path, self.graph, self._names)

    def process(self, context: Context) -> None:
        try:
            for name, value in zip(self._names, context[self.streams], strict=True):
                if value is not None:
                    self._file.add(name, Packet(value, context.timestamp))
        except OSError as error:
            message = f"{self.path} cannot be written after {self._count} timestamps: {error.strerror}"
            raise OSError(message) from error
        self._count += 1
        self._counts[self.path] = self._count

    def close(self, context: Context) -> None:
        self._file.close()

    def reset(self, context: Context) -> None:
        self.close(context)
        self.open(context)


class RecordingSource(Calculator):
    """Emits the packets of a recording at their timestamps, those of one timestamp together; never drops one."""

    packets = Output("STREAM", repeated=True, doc="the recorded streams, in the order of the option 'streams'")
    path: str = Option(doc="the file; .gfrec")
    streams: list[str] = Option(doc="the names under which the streams were recorded")
    max_frames: int | None = Option(None, "stop after so many timestamps")

    timestamp_offset = None

    def open(self, context: Context) -> None:
        recording = open_recording(Path(self.path))
        missing = [name for name in self.streams if name not in recording.streams]
        if missing:
            exists = ", ".join(recording.streams)
            raise SourceError(f"{self.path} has no stream '{missing[0]}'; it has: {exists}")
        self._packets = iter(recording)
        self._next = next(self._packets, None)
        self._count = 0

    def process(self, context: Context) -> None:
        if self._next is None or self._count == self.max_frames:
            raise Stop
        timestamp = self._next[1].timestamp
        while self._next is not None and self._next[1].timestamp == timestamp:
            name, packet = self._next
            for index, wanted in enumerate(self.streams):
                if wanted == name:
                    context.emit(self.packets, packet.value, timestamp, index)
            self._next = next(self._packets, None)
        for index in range(len(self.streams)):
            context.set_bound(self.packets, timestamp + 1, index)
        self._count += 1

    def close(self, context: Context) -> None:
        self._packets = iter(())

    def reset(self, context: Context) -> None:
        self.open(context)


def open_recording(path: Path) -> Recording:
    """A recording, for reading.

    Raises:
        SourceError: there is none.
    """
    try:
        return Recording(path.expanduser())
    except (OSError, RecordingError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SourceError(f"{path} cannot be replayed: {reason}") from error
