"""Where heatmaps are highest, and how much finer than a pixel that can be told."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np

from ..lazy import cv2, njit
from ..payloads import FloatArray

QuarterRule: TypeAlias = Literal["mmpose", "alphapose", "higherhrnet"]
"""Whose quarter offset: they differ near borders, and in what they do on a tie."""


def heatmap_maxima(heatmaps: FloatArray, empty: float = -1.0) -> tuple[FloatArray, FloatArray]:
    """The highest pixel of each map, the first one in row-major order where several are.

    Args:
        heatmaps: float32 [K, H, W].
        empty: the coordinates of maps whose maximum is not above 0: -1 as in mmpose, 0 as in AlphaPose.

    Returns:
        (x, y) float32 [K, 2] in heatmap pixels, and the maxima float32 [K].

    Raises:
        ValueError: the maps are not [K, H, W] with at least one pixel.
    """
    maps = _maps(heatmaps)
    locations = np.empty((len(maps), 2), np.float32)
    values = np.empty(len(maps), np.float32)
    _maxima(maps.reshape(len(maps), maps.shape[1] * maps.shape[2]), maps.shape[2], np.float32(empty), locations, values)
    return locations, values


def quarter_offset(heatmaps: FloatArray, locations: FloatArray, rule: QuarterRule = "mmpose") -> FloatArray:
    """Locations moved a quarter of a pixel towards the higher neighbour in each direction.

    Args:
        heatmaps: float32 [K, H, W].
        locations: float32 [..., K, 2] whole heatmap pixels; those outside the map stay.
        rule: "mmpose" moves x where 1 < x < W - 1 and 0 < y < H, and y likewise, and not on a tie; "alphapose" moves
            both only where both are inside; "higherhrnet" moves everywhere, down and left on a tie.

    Returns:
        float32 of the shape of `locations`.

    Source: Newell et al., "Stacked Hourglass Networks", 2016, section 3.2.
    """
    maps = _maps(heatmaps)
    moved = np.array(locations, np.float32)
    rules: dict[str, int] = {"mmpose": 0, "alphapose": 1, "higherhrnet": 2}
    for person in _people(moved, len(maps)):
        _quarter(maps, person, rules[rule])
    return moved


def modulated(heatmaps: FloatArray, kernel_size: int) -> FloatArray:
    """Maps blurred by a Gaussian, outside taken as 0, and scaled back to their old maximum: float32 [K, H, W].

    Args:
        heatmaps: float32 [K, H, W].
        kernel_size: odd; the Gaussian's deviation follows from it as OpenCV has it.

    Raises:
        ValueError: the kernel size is even.

    Source: Zhang et al., "Distribution-Aware Coordinate Representation", 2020, section 3.2 (DARK).
    """
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(f"kernel_size must be odd and positive, not {kernel_size}")
    maps = _maps(heatmaps)
    out = np.empty(maps.shape, np.float32)
    for source, target in zip(maps, out, strict=True):
        target[:] = cv2.GaussianBlur(source, (kernel_size, kernel_size), 0, borderType=cv2.BORDER_CONSTANT)
        highest = target.max()
        if highest != 0:
            target *= source.max() / highest
    return out


def dark_offset(heatmaps: FloatArray, locations: FloatArray, kernel_size: int = 11) -> FloatArray:
    """Locations moved to the top of the Gaussian that the logarithm of the blurred map suggests.

    Differences are over two pixels; locations nearer than two pixels to the border stay.

    Args:
        heatmaps: float32 [K, H, W].
        locations: float32 [..., K, 2] whole heatmap pixels.
        kernel_size: of the blur, odd: 11 for a Gaussian of 2 pixels, 17 for 3.

    Returns:
        float32 of the shape of `locations`.

    Source: Zhang et al., "Distribution-Aware Coordinate Representation", 2020, section 3.2 (DARK).
    """
    logarithms = np.log(np.maximum(modulated(heatmaps, kernel_size), np.float32(1e-10)))
    moved = np.array(locations, np.float32)
    for person in _people(moved, len(logarithms)):
        _dark(logarithms, person)
    return moved


def udp_offset(heatmaps: FloatArray, locations: FloatArray, kernel_size: int = 11) -> FloatArray:
    """The same with differences over one pixel, and up to the border; locations outside the map stay.

    Source: Huang et al., "The Devil is in the Details", 2020 (UDP), which takes DARK's step on its own encoding.
    """
    return udp_offset_of_logarithms(clipped_logarithms(heatmaps, kernel_size), locations)


def clipped_logarithms(heatmaps: FloatArray, kernel_size: int) -> FloatArray:
    """Logarithms of blurred maps clipped to 0.001..50: float32 [K, H, W], what `udp_offset` works on."""
    clipped = np.clip(modulated(heatmaps, kernel_size), np.float32(1e-3), np.float32(50.0))
    logarithms: FloatArray = np.log(clipped)
    return logarithms


def udp_offset_of_logarithms(logarithms: FloatArray, locations: FloatArray) -> FloatArray:
    """`udp_offset` for maps whose `clipped_logarithms` are at hand."""
    moved = np.array(locations, np.float32)
    for person in _people(moved, len(logarithms)):
        _udp(_maps(logarithms), person)
    return moved


def _people(locations: FloatArray, count: int) -> FloatArray:
    """Locations as [people, K, 2], which are views."""
    return locations.reshape(-1, count, 2) if count else locations[:0]


def _maps(heatmaps: FloatArray) -> FloatArray:
    if heatmaps.ndim != 3 or heatmaps.shape[1] * heatmaps.shape[2] == 0:
        raise ValueError(f"heatmaps are [K, H, W] with at least one pixel, not {list(heatmaps.shape)}")
    plain = np.ascontiguousarray(heatmaps, np.float32).view()
    plain.flags.writeable = False
    return plain


@njit(cache=True, nogil=True, error_model="numpy")
def _maxima(maps: FloatArray, width: int, empty: np.float32, locations: FloatArray, values: FloatArray) -> None:
    for k in range(maps.shape[0]):
        flat = maps[k]
        best = 0
        for i in range(1, flat.size):
            if flat[i] > flat[best] or flat[best] != flat[best]:  # anything is higher than NaN
                best = i
        values[k] = flat[best]
        if flat[best] > 0:
            locations[k, 0], locations[k, 1] = best % width, best // width
        else:
            locations[k, 0] = locations[k, 1] = empty


@njit(cache=True, nogil=True, error_model="numpy")
def _sign(value: np.float32, tie: int) -> int:
    return 1 if value > 0 else (-1 if value < 0 else tie)


@njit(cache=True, nogil=True, error_model="numpy")
def _quarter(maps: FloatArray, points: FloatArray, rule: int) -> None:
    height, width = maps.shape[1:]
    for k in range(maps.shape[0]):
        if not (0 <= points[k, 0] < width and 0 <= points[k, 1] < height):
            continue
        x, y = int(points[k, 0]), int(points[k, 1])
        if rule == 2:
            left, right, above, below = max(x - 1, 0), min(x + 1, width - 1), max(y - 1, 0), min(y + 1, height - 1)
            points[k, 0] += np.float32(0.25) * _sign(maps[k, y, right] - maps[k, y, left], -1)
            points[k, 1] += np.float32(0.25) * _sign(maps[k, below, x] - maps[k, above, x], -1)
            continue
        wide, high = 1 < x < width - 1, 1 < y < height - 1
        both = wide and high
        if both or (rule == 0 and wide and y > 0):
            points[k, 0] += np.float32(0.25) * _sign(maps[k, y, x + 1] - maps[k, y, x - 1], 0)
        if both or (rule == 0 and high and x > 0):
            points[k, 1] += np.float32(0.25) * _sign(maps[k, y + 1, x] - maps[k, y - 1, x], 0)


@njit(cache=True, nogil=True, error_model="numpy")
def _dark(maps: FloatArray, points: FloatArray) -> None:
    height, width = maps.shape[1:]
    for k in range(maps.shape[0]):
        if not (1 < points[k, 0] < width - 2 and 1 < points[k, 1] < height - 2):
            continue
        x, y = int(points[k, 0]), int(points[k, 1])
        if not (1 < x < width - 2 and 1 < y < height - 2):
            continue
        m = maps[k]
        here = np.float64(m[y, x])
        dx = 0.5 * (np.float64(m[y, x + 1]) - m[y, x - 1])
        dy = 0.5 * (np.float64(m[y + 1, x]) - m[y - 1, x])
        dxx = 0.25 * (m[y, x + 2] - 2 * here + m[y, x - 2])
        dyy = 0.25 * (m[y + 2, x] - 2 * here + m[y - 2, x])
        dxy = 0.25 * (np.float64(m[y + 1, x + 1]) - m[y - 1, x + 1] - m[y + 1, x - 1] + m[y - 1, x - 1])
        _step(points[k], dx, dy, dxx, dyy, dxy)


@njit(cache=True, nogil=True, error_model="numpy")
def _step(point: FloatArray, dx: float, dy: float, dxx: float, dyy: float, dxy: float) -> None:
    """Newton's step to the top; none where the surface has no curvature."""
    determinant = dxx * dyy - dxy * dxy
    if determinant != 0 and not math.isnan(determinant):
        point[0] -= (dyy * dx - dxy * dy) / determinant
        point[1] -= (dxx * dy - dxy * dx) / determinant


@njit(cache=True, nogil=True, error_model="numpy")
def _udp(maps: FloatArray, points: FloatArray) -> None:
    height, width = maps.shape[1:]
    tiny = np.float64(np.float32(1.1920929e-07))
    for k in range(maps.shape[0]):
        if not (0 <= points[k, 0] < width and 0 <= points[k, 1] < height):
            continue
        x, y = int(points[k, 0]), int(points[k, 1])
        m = maps[k]
        left, right, above, below = max(x - 1, 0), min(x + 1, width - 1), max(y - 1, 0), min(y + 1, height - 1)
        here, east, west = np.float64(m[y, x]), np.float64(m[y, right]), np.float64(m[y, left])
        south, north = np.float64(m[below, x]), np.float64(m[above, x])
        dxx = east - 2 * here + west + tiny
        dyy = south - 2 * here + north + tiny
        dxy = 0.5 * (m[below, right] - east - south + 2 * here - west - north + m[above, left])
        _step(points[k], 0.5 * (east - west), 0.5 * (south - north), dxx, dyy, dxy)
