"""Resources: the files that graphs name by a path inside the project they were written in."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from graphflow.services import Service


class Resources:
    """Finds files by the relative paths that graphs name, such as `mediapipe/modules/hand_landmark/handedness.txt`.

    Args:
        folders: where paths may start, or below where they start, in this order; the working directory comes first.

    >>> Resources().find("no/such/file.txt")
    Traceback (most recent call last):
    FileNotFoundError: no file 'no/such/file.txt' in the working directory, nor in a folder of --graph-path
    """

    def __init__(self, folders: Iterable[str | os.PathLike[str]] = ()) -> None:
        self._folders = tuple(Path(folder).expanduser().absolute() for folder in folders)

    def find(self, path: str) -> Path:
        """The file that a path means.

        Raises:
            FileNotFoundError: there is none.
        """
        found = self.find_if_any(path)
        if found is None:
            where = f"in the working directory, nor {self._searched()}"
            raise FileNotFoundError(f"no file '{path}' {where}")
        return found

    def find_if_any(self, path: str) -> Path | None:
        """The file that a path means; None where there is none."""
        written = Path(path).expanduser()
        if written.is_file():
            return written
        if written.is_absolute():
            return None
        for folder in self._folders:
            for start in (folder, *folder.parents):
                if (start / written).is_file():
                    return start / written
        return None

    def _searched(self) -> str:
        return f"from {', '.join(map(str, self._folders))} upwards" if self._folders else "in a folder of --graph-path"


RESOURCES: Final = Service("graphflow.resources", create=Resources)
"""How nodes find the files that their options and side packets name."""
