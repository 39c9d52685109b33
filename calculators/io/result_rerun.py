"""Results as a recording for the rerun viewer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..payloads import Detection, LandmarkList, NormalizedLandmarkList
from .result_row import ResultRow


class RerunRecording:
    """A `.rrd` file: frames, landmarks over them in pixels, world landmarks in metres, boxes, and numbers as plots.

    Times are on the timelines `time` (seconds) and `frame`.
    """

    def __init__(self, path: Path) -> None:
        import rerun

        self._rerun: Any = rerun
        self._recording: Any = rerun.RecordingStream("graphflow")
        self._recording.save(str(path))

    def write(self, row: ResultRow) -> None:
        rerun, recording = self._rerun, self._recording
        recording.set_time("time", duration=row.timestamp / 1e6)
        recording.set_time("frame", sequence=row.frame)
        if getattr(row.image, "ndim", 0) == 3:
            recording.log("image", rerun.Image(row.image).compress(jpeg_quality=85))
        for key, value in row.values.items():
            for path, entity in self._entities(key, value, row):
                recording.log(path, entity)

    def _entities(self, key: str, value: Any, row: ResultRow) -> list[tuple[str, Any]]:
        rerun = self._rerun
        match value:
            case NormalizedLandmarkList():
                points = value.xyz[:, :2] * np.array(row.size, np.float32)
                return [(f"image/{key}", rerun.Points2D(points, radii=2.0))]
            case LandmarkList():
                return [(f"world/{key}", rerun.Points3D(value.xyz, radii=0.01))]
            case Detection() if value.box is not None and value.box_format == "relative":
                scale = np.array(row.size, np.float32)
                box = {"mins": [value.box[:2] * scale], "sizes": [value.box[2:] * scale]}
                return [(f"image/{key}", rerun.Boxes2D(**box))]
            case bool() | int() | float() | np.number():
                return [(f"plot/{key}", rerun.Scalars(float(value)))]
            case list() | tuple():
                parts = [self._entities(f"{key}/{number}", each, row) for number, each in enumerate(value)]
                return [entry for part in parts for entry in part]
        return []

    def close(self) -> None:
        self._recording.flush()
        self._recording.disconnect()
