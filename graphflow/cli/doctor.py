"""`graphflow doctor`: what this machine has, what it lacks, and what to do about it."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import typer

from graphflow.cli.preview import has_screen
from graphflow.cli.reporting import FAILED, say

_REQUIRED: Final = ("numpy", "onnxruntime", "opencv-python", "numba", "pydantic", "onnx")
_EXTRAS: Final = (
    ("video", "av", "H.264 that browsers play, and the sound of the source"),
    ("demo", "scikit-image", "sample:astronaut"),
    ("parquet", "pyarrow", "--save results.parquet"),
    ("rerun", "rerun-sdk", "--save results.rrd"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what was looked at.
        state: `ok`; `missing` for what is needed only by some; `broken` where graphflow cannot work.
        detail: what was found.
        remedy: what to do, where something is missing.
    """

    name: str
    state: Literal["ok", "missing", "broken"]
    detail: str
    remedy: str = ""


def examine(*, as_json: bool) -> None:
    """Prints what was found.

    Raises:
        typer.Exit: something is broken.
    """
    findings = [finding for look in _LOOKS for finding in _safely(look)]
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            remedy = f" — {finding.remedy}" if finding.remedy else ""
            typer.echo(f"{finding.state:<7}  {finding.name:<{width}}  {finding.detail}{remedy}")
    broken = [finding.name for finding in findings if finding.state == "broken"]
    if broken:
        say(f"error: {', '.join(broken)} must be mended before graphflow works")
        raise typer.Exit(FAILED)


def _safely(look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except Exception as error:  # a library that does not even load is what this command is for
        yield Finding(look.__name__.strip("_"), "broken", f"{type(error).__name__}: {error}")


def _python() -> Iterator[Finding]:
    version = importlib.metadata.version("graphflow")
    yield Finding("graphflow", "ok", f"{version} on {platform.platform()}, {os.cpu_count()} cores")
    state: Literal["ok", "broken"] = "ok" if sys.version_info >= (3, 11) else "broken"
    yield Finding("python", state, platform.python_version(), "" if state == "ok" else "install Python 3.11 or newer")


def _libraries() -> Iterator[Finding]:
    for name in _REQUIRED:
        try:
            yield Finding(name, "ok", importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            headless = name == "opencv-python" and importlib.util.find_spec("cv2") is not None
            if headless:
                yield Finding(name, "ok", "another build of OpenCV")
            else:
                yield Finding(name, "broken", "not installed", f"pip install {name}")
    for extra, name, purpose in _EXTRAS:
        try:
            yield Finding(name, "ok", importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "missing", f"not installed; for {purpose}", f"pip install 'graphflow[{extra}]'")


def _onnxruntime() -> Iterator[Finding]:
    import onnxruntime

    yield Finding("providers", "ok", ", ".join(onnxruntime.get_available_providers()))


def _opencv() -> Iterator[Finding]:
    import cv2

    build = dict(_build_information(cv2.getBuildInformation()))
    ffmpeg = build.get("FFMPEG", "NO").startswith("YES")
    if ffmpeg:
        yield Finding("video files", "ok", "OpenCV reads them with FFmpeg")
    else:
        yield Finding("video files", "broken", "OpenCV lacks FFmpeg", "install opencv-python from PyPI")
    gui = build.get("GUI", "NONE")
    windowless = gui.upper() in ("", "NONE", "NO")
    if windowless:
        yield Finding("windows", "missing", "this OpenCV has none; for --show", "install opencv-python, not -headless")
    elif not has_screen():
        yield Finding("windows", "missing", f"{gui}, but there is no screen; for --show", "set DISPLAY, or use -o")
    else:
        yield Finding("windows", "ok", gui)


def _build_information(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip(), value.strip()


def _pyav() -> Iterator[Finding]:
    if importlib.util.find_spec("av") is None:
        return
    import av

    libraries: dict[str, Any] = av.library_versions
    version = ".".join(str(part) for part in libraries["libavcodec"])
    state: Literal["ok", "missing"] = "ok" if "libx264" in av.codecs_available else "missing"
    remedy = "" if state == "ok" else "install av from PyPI"
    yield Finding("H.264", state, f"libx264 through PyAV, libavcodec {version}", remedy)


def _models() -> Iterator[Finding]:
    from graphflow.inference import ModelStore

    store = ModelStore()
    names = list(store.names())
    cached = [name for name in names if store.info(name).cached]
    place = f"{len(cached)} of {len(names)} in {store.cache_dir}"
    folder = Path(store.cache_dir)
    while not folder.exists():
        folder = folder.parent
    free = f", {shutil.disk_usage(folder).free / 1e9:.0f} GB free"
    if len(cached) == len(names):
        yield Finding("models", "ok", place + free)
    else:
        yield Finding("models", "missing", place + free, "a run fetches what it needs; all: graphflow models fetch")


def _cameras() -> Iterator[Finding]:
    from graphflow.calculators.io.cameras import list_cameras

    found = list_cameras()
    if found:
        yield Finding("cameras", "ok", ", ".join(f"camera:{camera.index} ({camera.name})" for camera in found))
    elif sys.platform == "win32":
        yield Finding("cameras", "ok", "Windows does not list them by number: try camera:0")
    else:
        yield Finding("cameras", "missing", "none was found", "connect one, or let this user read /dev/video*")


_LOOKS: Final = (_python, _libraries, _onnxruntime, _opencv, _pyav, _models, _cameras)
