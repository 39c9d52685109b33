"""Files that appear whole or not at all, and the lock between processes."""

import subprocess
import sys
from pathlib import Path

import pytest

from graphflow.inference.cache_files import process_lock, sha256_of, written_aside

HOLD = """
import sys
from pathlib import Path
from graphflow.inference.cache_files import process_lock
with process_lock(Path(sys.argv[1]), lambda: None):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "model"
    with written_aside(target) as file:
        file.write(b"old")

    def interrupted() -> None:
        with written_aside(target) as file:
            file.write(b"half of the ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert {path.name: path.read_bytes() for path in target.parent.iterdir()} == {"model": b"old"}


def test_digest_follows_the_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a")
    first = sha256_of(path)
    path.write_bytes(b"bb")
    assert sha256_of(path) != first
    assert first == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"


@pytest.mark.parametrize("end", ["released", "killed"])
def test_lock_waits_for_its_holder(tmp_path: Path, end: str) -> None:
    lock = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        waits = 0

        def waiting() -> None:
            nonlocal waits
            waits += 1
            if waits == 2:
                holder.kill() if end == "killed" else holder.communicate("done\n")

        with process_lock(lock, waiting):
            assert waits >= 2
    finally:
        holder.kill()
        holder.communicate()
