"""Which of the 33 body landmarks are joined."""

from __future__ import annotations

from typing import Final

from graphflow.calculators.render.topology import POSE_PATHS

from .connections import along

POSE_CONNECTIONS: Final = along(POSE_PATHS)
