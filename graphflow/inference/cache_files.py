"""Safe files in a cache that several processes share: digests, write-aside-and-rename, and a lock between processes."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

_POLL_SECONDS = 0.1

# Hashing a model takes as long as loading it, so an unchanged file is hashed once per process.
_known_digests: dict[tuple[str, int, int], str] = {}


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits; computed again only where size or time of change differ."""
    status = path.stat()
    key = (os.path.abspath(path), status.st_mtime_ns, status.st_size)
    if key not in _known_digests:
        with path.open("rb") as file:
            _known_digests[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _known_digests[key]


@contextlib.contextmanager
def written_aside(target: Path) -> Iterator[IO[bytes]]:
    """Open a file beside `target` for writing and rename it into place at the end; on an error nothing remains.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with written_aside(Path(folder, "model.onnx")) as file:
    ...         _ = file.write(b"bytes")
    ...     os.listdir(folder)
    ['model.onnx']
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, aside = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            # Without this, a power cut after the rename can leave a file of the right name with no bytes in it.
            os.fsync(file.fileno())
        _replace(aside, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(aside)
        raise


def _replace(source: str, target: Path) -> None:
    try:
        os.replace(source, target)
    except PermissionError:
        # Windows refuses while another process has the target open: that process put the same verified bytes there.
        if not (sys.platform == "win32" and target.exists()):
            raise
        os.unlink(source)


@contextlib.contextmanager
def process_lock(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file `path` against other processes and threads; `waiting` is called over and over until it is had.

    The operating system frees the lock when its holder dies. On a file system without locks it is no lock at all:
    callers must stay correct, and only lose time, when two of them are inside.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        while not _try_lock(file.fileno()):
            waiting()
            time.sleep(_POLL_SECONDS)
        yield


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        except OSError as error:
            return error.errno not in (errno.EACCES, errno.EDEADLOCK)
        return True
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                raise
        return True
