"""Which of the 21 landmarks of a hand are joined."""

from __future__ import annotations

from typing import Final

from graphflow.calculators.render import topology

from .connections import along

HAND_PALM_CONNECTIONS: Final = tuple(sorted(along(topology.PALM)))
HAND_THUMB_CONNECTIONS: Final = tuple(sorted(along([topology.THUMB])))
HAND_INDEX_FINGER_CONNECTIONS: Final = tuple(sorted(along([topology.INDEX_FINGER])))
HAND_MIDDLE_FINGER_CONNECTIONS: Final = tuple(sorted(along([topology.MIDDLE_FINGER])))
HAND_RING_FINGER_CONNECTIONS: Final = tuple(sorted(along([topology.RING_FINGER])))
HAND_PINKY_FINGER_CONNECTIONS: Final = tuple(sorted(along([topology.PINKY])))

HAND_CONNECTIONS: Final = frozenset(
    HAND_PALM_CONNECTIONS
    + HAND_THUMB_CONNECTIONS
    + HAND_INDEX_FINGER_CONNECTIONS
    + HAND_MIDDLE_FINGER_CONNECTIONS
    + HAND_RING_FINGER_CONNECTIONS
    + HAND_PINKY_FINGER_CONNECTIONS
)
