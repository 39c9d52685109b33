"""Pictures in which something moves as told, for the tests of what follows motion."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Corners = npt.NDArray[np.float64]


def texture(height: int, width: int, seed: int, blur: float = 3.0) -> Picture:
    """A picture with corners all over: blurred noise, RGB."""
    noise = np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(np.float32)
    smooth = np.asarray(cv2.GaussianBlur(noise, (0, 0), blur))
    return np.clip((smooth - smooth.mean()) / smooth.std() * 45 + 128, 0, 255).astype(np.uint8)


def rotation_about(x: float, y: float, radians: float, scale: float = 1.0) -> npt.NDArray[np.float64]:
    """A rotation, clockwise in image space, and scaling about a point: [3, 3]."""
    a, b = scale * np.cos(radians), scale * np.sin(radians)
    return np.array([[a, -b, x - a * x + b * y], [b, a, y - b * x - a * y], [0, 0, 1]])


def shift(x: float, y: float) -> npt.NDArray[np.float64]:
    """A shift: [3, 3]."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


class Scene:
    """A square patch that moves in front of a background that moves; pictures are half as large as told.

    Args:
        size: width, height that positions are measured in.
        patch: side of the patch in pixels, in whose coordinates it has its corner at the origin.
    """

    def __init__(self, size: tuple[int, int] = (640, 480), patch: int = 120) -> None:
        self.size = size
        self.patch = patch
        self._background = texture(size[1] * 2, size[0] * 2, 1)
        self._half = np.diag([0.5, 0.5, 1.0])
        self._picture_size = (size[0] // 2, size[1] // 2)
        self._patch = texture(patch, patch, 2)

    def picture(self, camera: Any, patch: Any | None, cover: tuple[int, int, int, int] | None = None) -> Picture:
        """The background under `camera`, [3, 3] from its middle part, the patch put there by `patch`, [3, 3].

        `cover`: left, top, right, bottom of a part of the picture with another texture over all.
        """
        width, height = self.size
        middle = shift(-width / 2, -height / 2)
        picture = np.array(cv2.warpPerspective(self._background, self._half @ camera @ middle, self._picture_size))
        if patch is not None:
            opaque = np.full((self.patch, self.patch), 255, np.uint8)
            mask = np.asarray(cv2.warpPerspective(opaque, self._half @ patch, self._picture_size)) > 127
            picture[mask] = np.asarray(cv2.warpPerspective(self._patch, self._half @ patch, self._picture_size))[mask]
        if cover is not None:
            left, top, right, bottom = (place // 2 for place in cover)
            picture[top:bottom, left:right] = texture(bottom - top, right - left, 3)
        return picture

    def corners(self, patch: Any) -> Corners:
        """Where the patch's corners are, normalized: top left, bottom left, bottom right, top right."""
        square = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 1], [1, 0, 1]]) * np.array([self.patch, self.patch, 1])
        mapped = square @ np.asarray(patch).T
        places: Corners = mapped[:, :2] / mapped[:, 2:] / np.array(self.size)
        return places


def bounds(corners: Corners) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of corners."""
    return (*corners.min(0).tolist(), *corners.max(0).tolist())


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union of two boxes: left, top, right, bottom."""
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (sum(areas) - width * height)
