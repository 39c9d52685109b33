"""Names of classes, as graphs and files give them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphflow import OptionGroup


class LabelItem(OptionGroup):
    """The name of a class."""

    name: str = ""
    display_name: str = ""


def as_mapping(value: Any) -> Any:
    """A map as options have it: MediaPipe's text format writes a map as entries of `key` and `value`."""
    entries = [value] if isinstance(value, Mapping) and set(value) == {"key", "value"} else value
    return {entry["key"]: entry["value"] for entry in entries} if isinstance(entries, list) else entries


def read_labels(path: Path) -> dict[int, str]:
    """The names in a text file with one on each line, by class."""
    return dict(enumerate(path.read_text("utf-8").splitlines()))
