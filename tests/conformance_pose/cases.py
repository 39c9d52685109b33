"""The recorded cases: one folder for each topic, as the README beside them describes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass
class Topic:
    """One folder: its description and its cases by id."""

    folder: Path
    document: Mapping[str, Any]
    cases: dict[str, Case] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def archives(self) -> dict[str, Any]:
        return {}

    def archive(self, name: str) -> Any:
        """The arrays of one `.npz`, which stays open: many cases share it."""
        if name not in self.archives:
            self.archives[name] = np.load(self.folder / name)
        return self.archives[name]


@dataclass
class Case:
    """One recorded call of a reference."""

    topic: Topic
    document: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.document["id"])

    @property
    def kind(self) -> str:
        return str(self.document["kind"])

    @property
    def params(self) -> Mapping[str, Any]:
        params: Mapping[str, Any] = self.document["params"]
        return params

    @property
    def normative(self) -> bool:
        return bool(self.document.get("normative", True))

    @property
    def inputs(self) -> list[str]:
        return list(self.document["inputs"])

    @property
    def outputs(self) -> list[str]:
        return list(self.document["outputs"])

    def input(self, name: str) -> Any:
        return self._value("inputs", "in", name)

    def output(self, name: str) -> Any:
        return self._value("outputs", "out", name)

    def other(self, name: str) -> Case:
        """The case that a parameter names."""
        return self.topic.cases[self.params[name]]

    def _value(self, side: str, folder: str, name: str) -> Any:
        entry = self.document[side][name]
        if "value" in entry:
            return entry["value"]
        return self.topic.archive(self.document["npz"])[f"{self.id}/{folder}/{name}"]


def topics(folder: Path, group: str = "") -> Iterator[Topic]:
    """The topics of a folder, or the one named."""
    found = sorted(path.parent for path in folder.glob("*/cases.json") if group in ("", path.parent.name))
    if not found:
        raise FileNotFoundError(f"no cases.json in {folder / (group or '*')}")
    for path in found:
        topic = Topic(path, json.loads((path / "cases.json").read_text()))
        topic.cases = {entry["id"]: Case(topic, entry) for entry in topic.document["cases"]}
        yield topic


def differences(name: str, got: Any, want: Any, atol: float = 0.0, rtol: float = 0.0) -> Iterator[str]:
    """What is wrong with a result; NaN equals NaN. At most one line."""
    actual, expected = np.asarray(got), np.asarray(want)
    if expected.dtype == object:  # JSON's null stands for NaN
        expected = expected.astype(float)
    if actual.shape != expected.shape:
        yield f"{name}: shape {list(actual.shape)}, not {list(expected.shape)}"
        return
    if not actual.size:
        return
    if expected.dtype.kind in "USb" or (expected.dtype.kind in "iu" and not atol):
        wrong = actual != expected
    else:
        wrong = ~np.isclose(actual.astype(float), expected.astype(float), rtol, atol, equal_nan=True)
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        where = f" at {list(place)}" if place else ""
        yield (f"{name}{where}: {actual[place]!r}, not {expected[place]!r} ({int(wrong.sum())} of {wrong.size} differ)")
