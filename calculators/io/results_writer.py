"""ResultsWriter: what a graph found, as a file in the format that its name asks for."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Final

from graphflow import Calculator, Context, Input, Option, SideInput

from .output_file import check_folder
from .result_row import ResultFile, ResultRow

_FORMATS: Final = {
    ".jsonl": ("result_json", "JsonLines"),
    ".csv": ("result_tables", "CsvTable"),
    ".parquet": ("result_tables", "ParquetTable"),
    ".npz": ("result_arrays", "ArrayArchive"),
    ".coco.json": ("result_keypoints", "CocoKeypoints"),
    ".openpose": ("result_keypoints", "OpenPoseFolder"),
    ".rrd": ("result_rerun", "RerunRecording"),
}
RESULT_ENDINGS: Final = tuple(_FORMATS)
_EXTRAS: Final = {".parquet": ("pyarrow", "parquet"), ".rrd": ("rerun", "rerun")}


def check_ending(path: Path) -> None:
    """Finds out whether a file of this name can be written: its format exists and its library is installed.

    Raises:
        ValueError: no format goes by this ending.
        ImportError: the library for it is missing; the message says how to get it.
    """
    ending = _ending(path)
    if ending in _EXTRAS:
        module, extra = _EXTRAS[ending]
        try:
            importlib.import_module(module)
        except ImportError:
            raise ImportError(f"{ending} files need {module}: pip install 'graphflow[{extra}]'") from None


def _ending(path: Path) -> str:
    found = [ending for ending in _FORMATS if path.name.lower().endswith(ending)]
    if not found:
        raise ValueError(f"cannot write results to {path}: the name must end in {', '.join(RESULT_ENDINGS)}")
    return found[0]


class ResultsWriter(Calculator):
    """Writes what was found at every timestamp: as `.jsonl`, one object a line, or by another ending.

    `.csv` and `.parquet` are tables of one row a point, rectangle, detection or number; `.npz` arrays over time;
    `.coco.json` COCO keypoints in pixels; `.openpose` a folder with OpenPose's files; `.rrd` a recording for rerun.

    Every input but TICK is written under its tag in lower case, and left out where it had no packet. TICK brings the
    frames themselves, so that one where nothing was found has its row too. Numbers keep float32 precision. What was
    written is readable when a run fails or is interrupted.
    """

    tick = Input("TICK", doc="anything that comes with every frame; formats in pixels need the image", optional=True)
    results = Input("*", doc="landmarks, rectangles, detections, classifications, numbers; lists of them")
    path: str = Option(doc="the file, or folder for .openpose")
    written = SideInput("WRITTEN", dict, "where to count the frames of this file, by its path", optional=True)

    def open(self, context: Context) -> None:
        path = Path(self.path).expanduser()
        module, name = _FORMATS[_ending(path)]
        check_folder(path)
        check_ending(path)
        self._keys = [connection.tag.lower() for connection in context.connections(self.results)]
        self._counts: dict[str, int] = context[self.written] if context[self.written] is not None else {}
        self._frame = 0
        self._failed = False
        make: Any = getattr(importlib.import_module(f".{module}", __package__), name)
        self._file: ResultFile = make(path)

    def process(self, context: Context) -> None:
        found = zip(self._keys, context[self.results], strict=True)
        values = {key: value for key, value in found if value is not None}
        try:
            self._file.write(ResultRow(context.timestamp, self._frame, values, context[self.tick]))
        except OSError as error:
            self._failed = True
            message = f"{self.path} cannot be written after {self._frame} frames: {error.strerror or error}"
            raise OSError(message) from error
        self._frame += 1
        self._counts[self.path] = self._frame

    def close(self, context: Context) -> None:
        try:
            self._file.close()
        except OSError as error:
            if not self._failed:
                raise OSError(f"{self.path} cannot be finished: {error.strerror or error}") from error

    def reset(self, context: Context) -> None:
        self.close(context)
        self.open(context)
