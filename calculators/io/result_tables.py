"""Results as tables: one row for each point, rectangle, detection, class or number, as CSV or Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..payloads import Classification, Detection, LandmarkList, NormalizedLandmarkList, NormalizedRect, Rect
from .output_file import partial_path
from .result_row import ResultRow, of_people
from .text_lines import TextLines

COLUMNS: Final = (
    "timestamp", "frame", "key", "item", "point", "x", "y", "z", "visibility", "presence",
    "width", "height", "rotation", "score", "label", "value",
)  # fmt: skip
"""What a row may have, in order; empty where it does not apply.

`key` is the name of the stream, `item` the place in a list of several or the number of a person, `point` the number of
a landmark or keypoint. `x`, `y` of a rectangle are its centre, of a detection its upper left corner. `value` is a plain
number, or the index of a class, whose name is `label`.
"""

_INTEGERS: Final = ("timestamp", "frame", "item", "point")
_TEXTS: Final = ("key", "label")
_ROWS_AT_ONCE: Final = 50_000


def table_rows(row: ResultRow) -> Iterator[dict[str, Any]]:
    """The rows of the table for one timestamp, each with the columns that apply; where nothing was found one of them.

    Raises:
        TypeError: a value has no form in a table.
    """
    base = {"timestamp": row.timestamp, "frame": row.frame}
    empty = True
    for key, value in row.values.items():
        for item, each in _items(value):
            place = {**base, "key": key, **({"item": item} if item is not None else {})}
            for columns in _columns_of(each):
                empty = False
                yield place | columns
    if empty:
        yield base


def _items(value: Any) -> list[tuple[int | None, Any]]:
    """The things of a list with their places, those of people with their numbers, or the one thing without any."""
    if of_people(value):
        return sorted(value.items())
    return list(enumerate(value)) if isinstance(value, list | tuple) else [(None, value)]


def _columns_of(value: Any) -> Iterator[dict[str, Any]]:
    match value:
        case NormalizedLandmarkList() | LandmarkList():
            for point, (x, y, z) in enumerate(value.xyz):
                found = {"point": point, "x": x, "y": y, "z": z}
                if value.visibility is not None:
                    found["visibility"] = value.visibility[point]
                if value.presence is not None:
                    found["presence"] = value.presence[point]
                yield found
        case NormalizedRect() | Rect():
            sides = {"width": np.float32(value.width), "height": np.float32(value.height)}
            centre = {"x": np.float32(value.x_center), "y": np.float32(value.y_center)}
            yield centre | sides | {"rotation": np.float32(value.rotation)}
        case Detection():
            columns: dict[str, Any] = {}
            if value.box is not None:
                columns = dict(zip(("x", "y", "width", "height"), value.box, strict=True))
            if len(value.scores):
                columns["score"] = value.scores[0]
            if len(value.label_ids):
                columns["value"] = int(value.label_ids[0])
            if value.labels:
                columns["label"] = value.labels[0]
            yield columns
            for point, (x, y) in enumerate(value.keypoints):
                yield {"point": point, "x": x, "y": y}
        case Classification():
            label = {"label": value.label} if value.label else {}
            yield {"value": value.index, "score": np.float32(value.score), **label}
        case bool() | int() | float() | np.number() | np.bool_():
            yield {"value": value}
        case str():
            yield {"label": value}
        case np.ndarray() if value.ndim == 1:
            for point, each in enumerate(value):
                yield {"point": point, "value": each}
        case _:
            raise TypeError(
                f"{type(value).__name__} has no form in a table; results are landmarks, rectangles, detections, "
                f"numbers: .jsonl takes nested ones"
            )


class CsvTable:
    """A CSV file with the columns `COLUMNS`; numbers are the shortest that read back as the same float32."""

    def __init__(self, path: Path) -> None:
        self._lines = TextLines(path)
        self._lines.write(",".join(COLUMNS) + "\n")

    def write(self, row: ResultRow) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        for columns in table_rows(row):
            writer.writerow({name: _plain(value) for name, value in columns.items()})
        self._lines.write(text.getvalue())

    def close(self) -> None:
        self._lines.close()


def _plain(value: Any) -> Any:
    if isinstance(value, bool | np.bool_):
        return int(value)
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else str(value)
    return value


class ParquetTable:
    """A Parquet file with the columns `COLUMNS`, null where they do not apply; it gets its name when it is complete."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._pa: Any = pa
        types = dict.fromkeys(_INTEGERS, pa.int64()) | dict.fromkeys(_TEXTS, pa.string()) | {"value": pa.float64()}
        self._schema = pa.schema([(name, types.get(name, pa.float32())) for name in COLUMNS])
        self._path, self._partial = path, partial_path(path)
        self._writer: Any = pq.ParquetWriter(str(self._partial), self._schema)
        self._rows: list[dict[str, Any]] = []

    def write(self, row: ResultRow) -> None:
        self._rows += table_rows(row)
        if len(self._rows) >= _ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        columns = {name: [row.get(name) for row in rows] for name in COLUMNS}
        self._writer.write_table(self._pa.table(columns, schema=self._schema))

    def close(self) -> None:
        try:
            if self._rows:
                self._flush()
        finally:
            self._writer.close()
            self._partial.replace(self._path)
