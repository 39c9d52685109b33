"""The cameras of this machine, by index and by name."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_SYSFS = Path("/sys/class/video4linux")


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera: what `camera:0` and `camera:NAME` mean by it."""

    index: int
    name: str


def list_cameras() -> list[Camera]:
    """The cameras the system names, by index; empty where it names none.

    Windows does not say which name belongs to which index: none is listed there, and `camera:0` still works.
    """
    if sys.platform == "linux":
        return _of_video4linux(_SYSFS)
    if sys.platform == "darwin":
        try:
            done = subprocess.run(
                ["system_profiler", "SPCameraDataType", "-json"], capture_output=True, timeout=20, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return []
        return _of_system_profiler(done.stdout)
    return []


def find_cameras(name: str) -> list[Camera]:
    """The cameras whose name is, or else contains, what a user typed; case does not matter."""
    cameras = list_cameras()
    exact = [camera for camera in cameras if camera.name.lower() == name.lower()]
    return exact or [camera for camera in cameras if name.lower() in camera.name.lower()]


def _of_video4linux(folder: Path) -> list[Camera]:
    """One camera often has several device nodes; only the first of them (`index` 0) gives pictures."""
    found = []
    for entry in folder.glob("video*"):
        number = re.fullmatch(r"video(\d+)", entry.name)
        try:
            name, node = (entry / "name").read_text().strip(), (entry / "index").read_text().strip()
        except OSError:
            continue
        if number and node == "0":
            found.append(Camera(int(number[1]), name))
    return sorted(found, key=lambda camera: camera.index)


def _of_system_profiler(output: bytes) -> list[Camera]:
    try:
        entries = json.loads(output)["SPCameraDataType"]
    except (ValueError, KeyError):
        return []
    return [Camera(index, str(entry.get("_name", ""))) for index, entry in enumerate(entries)]
