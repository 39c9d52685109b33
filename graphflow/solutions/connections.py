"""From paths of landmarks to MediaPipe's connections: directed pairs of landmark indices."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TypeAlias

from graphflow.calculators.render.topology import Path

Connection: TypeAlias = tuple[int, int]


def along(paths: Iterable[Path]) -> frozenset[Connection]:
    """The pairs of landmarks that follow each other on the paths.

    >>> sorted(along([(0, 1, 2), (5, 3)]))
    [(0, 1), (1, 2), (5, 3)]
    """
    return frozenset(pair for path in paths for pair in itertools.pairwise(path))
