"""What streams, nodes, tags and parameters may be called, and how `TAG:index:name` is read."""

from __future__ import annotations

import re
from typing import Final

NAME: Final = re.compile(r"[a-z_][a-z0-9_]*\Z")
"""Streams, side packets, nodes and parameters."""

# What TAG:index:name means even where its parts are not well formed.
_LOOSE_CONNECTION = re.compile(r"(?:([^:]*):(?:([0-9]{1,6}):)?)?(.*)\Z", re.DOTALL)
_CONNECTION = re.compile(r"(?:([A-Z_][A-Z0-9_]*):(?:(0|[1-9][0-9]*):)?)?([a-z_][a-z0-9_]*)\Z")


def parse_connection(text: str) -> tuple[str, int | None, str] | None:
    """Tag, index and name of `name`, `TAG:name` or `TAG:index:name`; None where the text is none of them.

    The index is None where none is written.

    >>> parse_connection("VIDEO:2:frames"), parse_connection("frames"), parse_connection("Frames")
    (('VIDEO', 2, 'frames'), ('', None, 'frames'), None)
    """
    match = _CONNECTION.match(text)
    if match is None:
        return None
    tag, index, name = match.groups()
    return tag or "", None if index is None else int(index), name


def guess_connection(text: str) -> tuple[str, int | None, str]:
    """As `parse_connection` for a text that it refuses, so that checking can go on after the mistake is reported."""
    match = _LOOSE_CONNECTION.match(text)
    assert match is not None, "the pattern takes any text"
    tag, index, name = match.groups()
    return tag or "", None if index is None else int(index), name
