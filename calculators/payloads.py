"""The values that flow between the shipped calculators: landmarks, rectangles, detections, images, tensors.

Numbers are float32 wherever MediaPipe's messages hold float, so that rounding happens at the same places.
Normalized coordinates are divided by image width (x, and z of landmarks) and height (y); angles are radians, clockwise
in image space (y down).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float32]

Image: TypeAlias = np.ndarray
"""uint8 [H, W, 3] RGB, [H, W, 4] RGBA or [H, W] grey; float32 [H, W] for masks in 0..1."""

Tensors: TypeAlias = list[npt.NDArray[np.float32]]
"""Model inputs or outputs in the model's own order; images are [1, H, W, C]."""

ImageSize: TypeAlias = tuple[int, int]
"""Width, height in pixels."""

LetterboxPadding: TypeAlias = np.ndarray
"""float32 [4]: left, top, right, bottom padding as fractions of the padded tensor."""

Matrix4: TypeAlias = np.ndarray
"""float32 [4, 4], row-major: a projective transform of (x, y, z, 1) column vectors."""


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkList:
    """Points in metres, origin at the middle of the hips (pose) or the hand's centre (hands).

    Attributes:
        xyz: float32 [N, 3].
        visibility: float32 [N] in 0..1, chance that the point is not hidden; None where the model does not say.
        presence: float32 [N] in 0..1, chance that the point is inside the image; None where the model does not say.
    """

    xyz: FloatArray
    visibility: FloatArray | None = None
    presence: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.xyz)


@dataclass(frozen=True, slots=True, eq=False)
class NormalizedLandmarkList:
    """Points of an image: x / width, y / height, z on the scale of x, smaller nearer; not clipped to 0..1.

    Attributes as of `LandmarkList`.
    """

    xyz: FloatArray
    visibility: FloatArray | None = None
    presence: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.xyz)


@dataclass(frozen=True, slots=True)
class NormalizedRect:
    """A rotated rectangle, normalized by the image: centre, size, rotation in radians clockwise.

    The numbers are Python floats that hold float32 values.
    """

    x_center: float
    y_center: float
    width: float
    height: float
    rotation: float = 0.0
    rect_id: int = 0

    def __iter__(self) -> Iterator[float]:
        return iter((self.x_center, self.y_center, self.width, self.height, self.rotation))


@dataclass(frozen=True, slots=True)
class Rect:
    """A rotated rectangle in pixels: integer centre and size, rotation in radians clockwise."""

    x_center: int
    y_center: int
    width: int
    height: int
    rotation: float = 0.0
    rect_id: int = 0


def _none() -> FloatArray:
    return np.zeros((0, 2), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """Something found in an image.

    Attributes:
        box: float32 [4]: xmin, ymin, width, height; normalized, or pixels where `box_format` says so; None without one.
        scores: float32 [C], best first where several.
        label_ids: int32 [C], or [0] where the detector has labels or nothing.
        labels: the names of the classes, where known.
        keypoints: float32 [K, 2], normalized.
        detection_id: unique number given by a tracker, 0 where none.
    """

    box: FloatArray | None
    scores: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    label_ids: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    labels: tuple[str, ...] = ()
    keypoints: FloatArray = field(default_factory=_none)
    box_format: Literal["relative", "pixel"] = "relative"
    detection_id: int = 0


@dataclass(frozen=True, slots=True)
class Classification:
    """One class a classifier names: index in the label map, score in 0..1, label ("" where unknown)."""

    index: int
    score: float
    label: str = ""
