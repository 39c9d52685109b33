"""What problems offer instead of a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MOST_LISTED = 12


def near_matches(name: str, candidates: Iterable[str]) -> list[str]:
    """Up to three names that are written much like a name, the nearest first.

    >>> near_matches("Imag", ["image", "images", "size"])
    ['image', 'images']
    """
    lowered = {entry.lower(): entry for entry in sorted(set(candidates))}
    return [lowered[entry] for entry in difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.6)]


def did_you_mean(name: str, candidates: Iterable[str], kind: str = "") -> str:
    """A hint: the near matches of a name, else the names that exist, as `kind` ("streams"); "" where there is none.

    >>> did_you_mean("imag", ["image", "size"])
    "did you mean 'image'?"
    >>> did_you_mean("x", ["image", "size"], "streams")
    'streams: image, size'
    """
    known = sorted(set(candidates))
    found = near_matches(name, known)
    if found:
        return "did you mean " + " or ".join(f"'{entry}'" for entry in found) + "?"
    if not known or not kind:
        return ""
    listed = ", ".join(known[:_MOST_LISTED])
    return f"{kind}: {listed}" + (f" and {len(known) - _MOST_LISTED} more" if len(known) > _MOST_LISTED else "")
