"""Where a body is and how large, by its torso, which arms and legs do not move."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

_CORNERS: Final = [11, 12, 23, 24]  # shoulders and hips


def torso_place(points: Doubles) -> tuple[float, float]:
    """The middle of a torso, in the unit of the points.

    Args:
        points: float64 [33, 2], in pixels or another space with equal sides.
    """
    x, y = points[_CORNERS].mean(axis=0)
    return float(x), float(y)


def torso_length(points: Doubles) -> float:
    """How long, or across the shoulders how wide, a torso is, in the unit of the points; at least 1.

    Args:
        points: float64 [33, 2], in pixels.
    """
    shoulders, hips = points[_CORNERS[:2]], points[_CORNERS[2:]]
    long = float(np.linalg.norm(shoulders.mean(axis=0) - hips.mean(axis=0)))
    return max(long, float(np.linalg.norm(shoulders[0] - shoulders[1])), 1.0)
