"""A box that is followed through time: where it is at one moment."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..payloads import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class TimedBox:
    """A rotated box at a moment.

    The numbers are Python floats that hold float32 values.

    Attributes:
        left, top, right, bottom: normalized by the image, before the rotation about the middle.
        rotation: radians, clockwise.
        time_ms: milliseconds.
        box_id: the same number for a box at all times; -1 none.
        confidence: in 0..1.
        quad: float32 [4, 2], the corners top left, bottom left, bottom right, top right, normalized, where the box is
            followed as the picture of a plane.
        aspect_ratio: width / height of the rectangle in space that the quad shows, where known.
        reacquisition: carried along with the box.

    Source: MediaPipe TimedBoxProto.
    """

    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    rotation: float = 0.0
    time_ms: int = 0
    box_id: int = -1
    confidence: float = 0.0
    quad: FloatArray | None = None
    aspect_ratio: float | None = None
    reacquisition: bool = False


def mix(first: TimedBox, second: TimedBox, first_share: float, second_share: float) -> TimedBox:
    """The sum of two boxes, each multiplied; its quad where both have one. Source: MediaPipe TimedBox::Blend."""

    def mixed(one: float, other: float) -> float:
        return float(np.float32(one * first_share + other * second_share))

    quad, aspect_ratio = None, None
    if first.quad is not None and second.quad is not None:
        quad = (first.quad * first_share + second.quad * second_share).astype(np.float32)
        if first.aspect_ratio is not None and second.aspect_ratio is not None:
            aspect_ratio = (first.aspect_ratio + second.aspect_ratio) / 2
    return TimedBox(
        mixed(first.left, second.left),
        mixed(first.top, second.top),
        mixed(first.right, second.right),
        mixed(first.bottom, second.bottom),
        mixed(first.rotation, second.rotation),
        math.floor(first.time_ms * first_share + second.time_ms * second_share + 0.5),
        second.box_id,
        mixed(first.confidence, second.confidence),
        quad,
        aspect_ratio,
        second.reacquisition,
    )
