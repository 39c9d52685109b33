"""Which classes of a classifier or detector count."""

from __future__ import annotations

from collections.abc import Iterable


class ClassFilter:
    """Allows only what is on its first list, or, where that is empty, all but what is on the second.

    >>> ClassFilter([], [2]).allows(2), ClassFilter([2], []).allows(2), ClassFilter([], []).allows(-1)
    (False, True, True)
    """

    def __init__(self, allowed: Iterable[int], ignored: Iterable[int]) -> None:
        self._allowed = frozenset(allowed)
        self._ignored = frozenset(ignored)

    def allows(self, index: int) -> bool:
        """Whether the class counts."""
        return index in self._allowed if self._allowed else index not in self._ignored
