"""AudioTrack: the sound of a source file, kept beside the frames that were made of it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

_COPIED: Final = ("aac", "ac3", "alac", "eac3", "flac", "mp3", "opus")
"""Encodings that MP4 and Matroska hold as they are; others become AAC."""


class AudioTrack:
    """The first audio stream of a file on its way into a container that is being written.

    Args:
        container: an `av` output container nothing was written to yet.
        path: the file; without sound in it nothing is done.
    """

    def __init__(self, container: Any, path: str) -> None:
        import av

        self._container = container
        self._source: Any = av.open(path)
        self._packets: Iterator[Any] = iter(())
        self._next: Any = None
        self._zero = Fraction(0)
        if not self._source.streams.audio:
            return
        sound = self._source.streams.audio[0]
        video = self._source.streams.video[0]
        # frames are counted from the first one of the file's video
        self._zero = (video.start_time or 0) * (video.time_base or Fraction(0))
        self._packets = self._encoded(sound)
        self._next = next(self._packets, None)

    def _encoded(self, sound: Any) -> Iterator[Any]:
        """Packets of the output's stream, their time as the source has it."""
        import av

        if sound.codec_context.name in _COPIED:
            add = getattr(self._container, "add_stream_from_template", None)
            target = add(sound) if add else self._container.add_stream(template=sound)
            return self._copies(sound, target)
        target = self._container.add_stream("aac", rate=sound.codec_context.sample_rate)
        target.layout = "mono" if sound.codec_context.channels == 1 else "stereo"
        resampler = av.AudioResampler("fltp", target.layout, target.rate)
        return self._transcoded(sound, target, resampler)

    def _copies(self, sound: Any, target: Any) -> Iterator[Any]:
        for packet in self._source.demux(sound):
            if packet.pts is not None:
                packet.stream = target
                yield packet

    def _transcoded(self, sound: Any, target: Any, resampler: Any) -> Iterator[Any]:
        for frame in self._source.decode(sound):
            for resampled in resampler.resample(frame):
                yield from target.encode(resampled)
        yield from target.encode(None)

    def copy_until(self, begin_us: int, end_us: int) -> None:
        """Writes what sounds before a time and was not written yet.

        Args:
            begin_us: time in the source at which the written video begins, in microseconds.
            end_us: time in the source.

        Raises:
            OSError: the file cannot be written.
        """
        begin = self._seconds(begin_us)
        while self._next is not None:
            packet = self._next
            time = packet.pts * packet.time_base
            if time >= self._seconds(end_us):
                return
            if time >= begin:
                shift = round(begin / packet.time_base)
                packet.pts -= shift
                if packet.dts is not None:
                    packet.dts -= shift
                self._container.mux(packet)
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Closes the source."""
        self._source.close()

    def _seconds(self, microseconds: int) -> Fraction:
        return Fraction(microseconds, 1_000_000) + self._zero
