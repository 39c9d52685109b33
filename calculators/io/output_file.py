"""Where results go: checks before a long run, and names for what is not complete yet."""

from __future__ import annotations

import os
from pathlib import Path


def check_folder(path: Path) -> None:
    """Finds out before the work, not after it, that a file cannot be written.

    Raises:
        OSError: its folder is missing or not writable, or the path is a folder.
    """
    folder = path.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"cannot write {path}: there is no folder {folder}")
    if path.is_dir():
        raise IsADirectoryError(f"cannot write {path}: it is a folder")
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise PermissionError(f"cannot write {path}: permission denied")


def partial_path(path: Path) -> Path:
    """What a file is called while it is written: in the same folder, so that renaming it is one step.

    >>> partial_path(Path("out/overlay.mp4")).name
    'overlay.part.mp4'
    """
    return path.with_name(f"{path.stem}.part{path.suffix}")
