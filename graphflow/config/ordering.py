"""Nodes in the order in which they depend on each other."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def topological_order(
    nodes: Sequence[T], dependencies: Mapping[T, Iterable[T]], key: Callable[[T], Any]
) -> list[T] | None:
    """All nodes, each behind those that it depends on, and of those that are free the one with the smallest key first.

    Args:
        nodes: what is to be ordered; equal keys keep this order.
        dependencies: for each node the nodes it depends on; a node that depends on none may be missing.
        key: decides between nodes that do not depend on each other.

    Returns:
        the nodes in order, None where some depend on themselves by way of others.

    >>> topological_order("abc", {"a": "c"}, str)
    ['b', 'c', 'a']
    >>> topological_order("ab", {"a": "b", "b": "a"}, str) is None
    True
    """
    waiting = {node: set(dependencies.get(node, ())) for node in nodes}
    followers: dict[T, list[T]] = {}
    for node, needed in waiting.items():
        for other in needed:
            followers.setdefault(other, []).append(node)
    place = {node: number for number, node in enumerate(nodes)}
    free = [(key(node), place[node]) for node, needed in waiting.items() if not needed]
    heapq.heapify(free)
    order: list[T] = []
    while free:
        node = nodes[heapq.heappop(free)[1]]
        order.append(node)
        for follower in followers.get(node, ()):
            waiting[follower].discard(node)
            if not waiting[follower]:
                heapq.heappush(free, (key(follower), place[follower]))
    return order if len(order) == len(nodes) else None
