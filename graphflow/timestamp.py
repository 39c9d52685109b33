"""Timestamps: plain integers, microseconds by convention, with MediaPipe's special values around them.

Order: UNSET < UNSTARTED < PRESTREAM < MIN … MAX < POSTSTREAM < ONE_OVER_POSTSTREAM < DONE. A stream carries packets at
PRESTREAM, at MIN … MAX, or at POSTSTREAM; the others mark states. Source: MediaPipe `framework/timestamp.h`.
"""

from __future__ import annotations

from typing import Final

UNSET: Final = -(2**63)
UNSTARTED: Final = UNSET + 1
PRESTREAM: Final = UNSET + 2
MIN: Final = UNSET + 3
MAX: Final = 2**63 - 4
POSTSTREAM: Final = MAX + 1
ONE_OVER_POSTSTREAM: Final = MAX + 2
DONE: Final = 2**63 - 1

NAMES: Final[dict[int, str]] = {
    UNSET: "UNSET",
    UNSTARTED: "UNSTARTED",
    PRESTREAM: "PRESTREAM",
    MIN: "MIN",
    MAX: "MAX",
    POSTSTREAM: "POSTSTREAM",
    ONE_OVER_POSTSTREAM: "ONE_OVER_POSTSTREAM",
    DONE: "DONE",
}


def describe(timestamp: int) -> str:
    """The timestamp as people read it.

    >>> describe(33333), describe(MAX)
    ('33333', 'MAX')
    """
    return NAMES.get(timestamp, str(timestamp))


def is_range_value(timestamp: int) -> bool:
    """Whether the timestamp is an ordinary one, MIN … MAX."""
    return MIN <= timestamp <= MAX


def is_allowed_in_stream(timestamp: int) -> bool:
    """Whether a packet may carry this timestamp."""
    return PRESTREAM <= timestamp <= POSTSTREAM


def next_allowed_in_stream(timestamp: int) -> int:
    """The smallest timestamp a packet behind one at `timestamp` may have: the bound a packet leaves.

    PRESTREAM and POSTSTREAM packets are alone in their stream, and nothing follows MAX.
    """
    if MIN <= timestamp < MAX:
        return timestamp + 1
    return MIN if timestamp < PRESTREAM else ONE_OVER_POSTSTREAM


def previous_allowed_in_stream(bound: int) -> int:
    """The last timestamp that is settled when a stream's bound is `bound`; inverse of `next_allowed_in_stream`."""
    if bound <= MIN or bound == POSTSTREAM:
        return UNSTARTED
    return min(bound - 1, MAX)
