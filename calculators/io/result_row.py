"""ResultRow: what a graph found at one timestamp, on its way into a file; and what a file format has to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


def of_people(value: Any) -> bool:
    """Whether a value says something of several people, by their numbers."""
    return isinstance(value, Mapping) and all(type(number) is int for number in value)


@dataclass(frozen=True, slots=True)
class ResultRow:
    """What a graph found at one timestamp.

    Attributes:
        timestamp: microseconds.
        frame: number of the frame, from 0.
        values: by key, those that were found; of several people a mapping from their numbers to what was found of each.
        image: the frame itself, uint8 [H, W, 3]; None where the graph has none.
    """

    timestamp: int
    frame: int
    values: Mapping[str, Any]
    image: Any = None

    def merged(self) -> dict[str, Any]:
        """The values, with what was found of several people as a list under `people`: `[{"id": n, key: value, …}]`."""
        by_person: dict[int, dict[str, Any]] = {}
        found: dict[str, Any] = {}
        for key, value in self.values.items():
            if not of_people(value):
                found[key] = value
                continue
            for number, each in value.items():
                by_person.setdefault(number, {"id": number})[key] = each
        if any(of_people(value) for value in self.values.values()):
            found["people"] = [by_person[number] for number in sorted(by_person)]
        return found

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frame in pixels.

        Raises:
            ValueError: there is no frame.
        """
        if getattr(self.image, "ndim", 0) < 2:
            raise ValueError("pixels need the frames: connect the images to TICK")
        return int(self.image.shape[1]), int(self.image.shape[0])


class ResultFile(Protocol):
    """Writes rows in one format, made with the path of the file."""

    def write(self, row: ResultRow) -> None:
        """Adds a row.

        Raises:
            OSError: the file cannot be written; what was there before stays readable.
            TypeError: a value has no form in this format.
        """

    def close(self) -> None:
        """Completes the file; what was written is readable.

        Raises:
            OSError: the file cannot be written.
        """
