"""TextLines: a file of lines, each of them complete as soon as it is written."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


class TextLines:
    """Appends lines to a new file, unbuffered: an interrupted run keeps them."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._complete = 0

    def write(self, text: str) -> None:
        """Writes whole lines.

        Raises:
            OSError: they did not fit; the file then ends with the last line before them.
        """
        data = text.encode()
        written = 0
        try:
            while written < len(data):
                written += self._file.write(data[written:]) or 0  # where it came short, the next write says why
        except OSError:
            with contextlib.suppress(OSError):  # a device cannot be shortened
                os.ftruncate(self._file.fileno(), self._complete)
            raise
        self._complete += written

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
