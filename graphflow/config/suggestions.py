"""What problems offer instead of a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MOST_LISTED = 12


def did_you_mean(name: str, candidates: Iterable[str], kind: str = "") -> str:
    """A hint: the near matches of a name, else the names that exist, as `kind` ("streams"); "" where there is none.

    >>> did_you_mean("imag", ["image", "size"])
    "did you mean 'image'?"
    >>> did_you_mean("x", ["image", "size"], "streams")
    'streams: image, size'
    """
    known = sorted(set(candidates))
    lowered = {entry.lower(): entry for entry in known}
    found = difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.6)
    if found:
        return "did you mean " + " or ".join(f"'{lowered[entry]}'" for entry in found) + "?"
    if not known or not kind:
        return ""
    listed = ", ".join(known[:_MOST_LISTED])
    return f"{kind}: {listed}" + (f" and {len(known) - _MOST_LISTED} more" if len(known) > _MOST_LISTED else "")
