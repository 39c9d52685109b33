"""Results as arrays over time, in one `.npz` file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..payloads import Classification, Detection, LandmarkList, NormalizedLandmarkList, NormalizedRect, Rect
from .output_file import partial_path
from .result_json import landmark_rows
from .result_row import ResultRow, of_people


class ArrayArchive:
    """`timestamp` and `frame`, int64 [T], and an array [T, …] for each key, NaN where nothing was found.

    Landmarks are float32 [T, N, 3], or [T, N, 5] with visibility and presence; rectangles [T, 5]: centre, size and
    rotation; detections [T, 5 + 2K]: score, corner, size, keypoints; classes [T, 2]: index, score; numbers [T]. A list
    of things has an axis more, as long as the longest list; so have people, whose numbers are in `KEY_ids`. All is kept
    in memory until the end.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._times: list[tuple[int, int]] = []
        self._found: dict[str, list[tuple[int, npt.NDArray[Any]]]] = {}

    def write(self, row: ResultRow) -> None:
        for key, given in row.values.items():
            value = given
            if of_people(given):
                numbers = sorted(given)
                value = [given[number] for number in numbers]
                self._found.setdefault(f"{key}_ids", []).append((len(self._times), _as_array(numbers)))
            self._found.setdefault(key, []).append((len(self._times), _as_array(value)))
        self._times.append((row.timestamp, row.frame))

    def close(self) -> None:
        times = np.array(self._times, np.int64).reshape(-1, 2)
        arrays: dict[str, Any] = {key: _stacked(found, len(times)) for key, found in self._found.items()}
        partial = partial_path(self._path)
        try:
            np.savez_compressed(partial, timestamp=times[:, 0], frame=times[:, 1], **arrays)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        partial.replace(self._path)


def _stacked(found: list[tuple[int, npt.NDArray[Any]]], length: int) -> npt.NDArray[Any]:
    ranks = {array.ndim for _, array in found}
    rank = max(ranks)
    shape = [max((array.shape[axis] for _, array in found if array.ndim == rank), default=0) for axis in range(rank)]
    kind = np.result_type(*{array.dtype for _, array in found})
    stacked = np.full((length, *shape), np.nan, kind)
    for position, array in found:
        if array.ndim == rank:  # an empty list has no shape, and leaves its row empty
            place: tuple[Any, ...] = (position, *(slice(0, size) for size in array.shape))
            stacked[place] = array
    return stacked


def _as_array(value: Any) -> npt.NDArray[Any]:
    match value:
        case NormalizedLandmarkList() | LandmarkList():
            return landmark_rows(value)
        case NormalizedRect() | Rect():
            return np.array([value.x_center, value.y_center, value.width, value.height, value.rotation], np.float32)
        case Detection():
            box = np.full(4, np.nan, np.float32) if value.box is None else value.box
            score = value.scores[:1] if len(value.scores) else np.full(1, np.nan, np.float32)
            return np.concatenate((score, box, value.keypoints.ravel())).astype(np.float32)
        case Classification():
            return np.array([value.index, value.score], np.float32)
        case bool() | int() | float() | np.number() | np.bool_():
            return np.asarray(value, np.float32 if isinstance(value, np.float32) else np.float64)
        case np.ndarray() if value.dtype.kind in "fiub":
            return value if value.dtype.kind == "f" else value.astype(np.float64)
        case list() | tuple():
            rows = [_as_array(item) for item in value]
            if not rows:
                return np.zeros(0, np.float32)
            return _stacked(list(enumerate(rows)), len(rows))
    raise TypeError(
        f"{type(value).__name__} has no form as an array; results are landmarks, rectangles, detections, numbers: "
        f".jsonl takes others"
    )
