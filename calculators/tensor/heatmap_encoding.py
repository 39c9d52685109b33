"""Heatmaps, SimCC vectors and labels of given keypoints: what networks are trained to give, and tests are fed with.

Everywhere `keypoints` are [K, 2], (x, y) in pixels of the network's input, and `visible` [K]; keypoints below 0.5 are
left out. Weights are `visible`, 0 for keypoints that do not reach the map.

Source: mmpose's codecs.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from ..lazy import cv2
from ..payloads import FloatArray, ImageSize

Encoded = tuple[FloatArray, FloatArray]


def encode_gaussian(
    keypoints: npt.ArrayLike,
    visible: npt.ArrayLike,
    input_size: ImageSize,
    heatmap_size: ImageSize,
    sigma: float,
    placed: Literal["rounded", "unbiased", "udp"] = "rounded",
) -> Encoded:
    """A Gaussian of height 1 for each keypoint: float32 [K, H, W] and weights [K].

    Args:
        keypoints: [K, 2].
        visible: [K].
        input_size: width, height of the network's input.
        heatmap_size: width, height.
        sigma: deviation in heatmap pixels.
        placed: "rounded", around the nearest pixel and cut off at 3 sigma (MSRA); "unbiased", around the place itself,
            nowhere cut off (DARK); "udp", around the place in a map whose corner pixels are the input's, cut off.
    """
    points, weights = _in_map(keypoints, visible, input_size, heatmap_size, placed == "udp")
    width, height = heatmap_size
    maps = np.zeros((len(points), height, width), np.float32)
    radius = sigma * 3
    columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    for k, point in enumerate(points):
        if weights[k] < 0.5:
            continue
        middle = point if placed == "unbiased" else (point + np.float32(0.5)).astype(np.int64)
        low, high = middle - radius, middle + radius + 1
        if placed != "unbiased":
            low, high = low.astype(np.int64), high.astype(np.int64)
        if low[0] >= width or low[1] >= height or high[0] < 0 or high[1] < 0:
            weights[k] = 0
            continue
        center = middle if placed == "rounded" else point
        gaussian = np.exp(-((columns - center[0]) ** 2 + (rows - center[1]) ** 2) / (2 * sigma**2))
        if placed == "unbiased":
            maps[k] = gaussian
        else:
            x, y = slice(max(0, low[0]), min(width, high[0])), slice(max(0, low[1]), min(height, high[1]))
            maps[k, y, x] = gaussian[y, x]
    return maps, weights


def encode_people(
    keypoints: npt.ArrayLike,
    visible: npt.ArrayLike,
    input_size: ImageSize,
    heatmap_size: ImageSize,
    sigma: float,
    placed: Literal["rounded", "unbiased", "udp"] = "rounded",
) -> tuple[FloatArray, npt.NDArray[np.int64], FloatArray]:
    """The heatmaps of several people in one, and where each keypoint's tag is read.

    Args:
        keypoints: [N, K, 2].
        visible: [N, K].
        input_size: width, height of the network's input.
        heatmap_size: width, height.
        sigma: deviation in heatmap pixels.
        placed: see `encode_gaussian`.

    Returns:
        heatmaps float32 [K, H, W], the higher where people overlap; int64 [N, K, 2], the flat pixel of each keypoint
        and whether it is visible and inside; weights float32 [N, K].

    Source: mmpose `AssociativeEmbedding.encode`.
    """
    people, seen = np.asarray(keypoints, np.float32), np.asarray(visible, np.float32)
    width, height = heatmap_size
    maps = np.zeros((people.shape[1], height, width), np.float32)
    weights, indices = np.zeros(seen.shape, np.float32), np.zeros((*seen.shape, 2), np.int64)
    for n, (points, known) in enumerate(zip(people, seen, strict=True)):
        own, weights[n] = encode_gaussian(points, known, input_size, heatmap_size, sigma, placed)
        np.maximum(maps, own, out=maps)
        places, _ = _in_map(points, known, input_size, heatmap_size, placed == "udp")
        x, y = (places + np.float32(0.5)).astype(np.int64).T
        indices[n, :, 0] = y * width + x
        indices[n, :, 1] = (known > 0.5) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return maps, indices, weights


def encode_udp_combined(
    keypoints: npt.ArrayLike,
    visible: npt.ArrayLike,
    input_size: ImageSize,
    heatmap_size: ImageSize,
    radius_factor: float = 0.0546875,
) -> Encoded:
    """A disc and the offsets to its middle in radii for each keypoint: float32 [3 K, H, W] and weights [K].

    Source: Huang et al., "The Devil is in the Details", 2020, section 4.
    """
    points, weights = _in_map(keypoints, visible, input_size, heatmap_size, True)
    width, height = heatmap_size
    maps = np.zeros((len(points), 3, height, width), np.float32)
    radius = radius_factor * max(width, height)
    for k in np.flatnonzero(weights >= 0.5):
        across = np.broadcast_to((points[k, 0] - np.arange(width)) / radius, (height, width))
        down = np.broadcast_to(((points[k, 1] - np.arange(height)) / radius)[:, None], (height, width))
        maps[k] = across**2 + down**2 <= 1, across, down
    return maps.reshape(-1, height, width), weights


def encode_megvii(
    keypoints: npt.ArrayLike,
    visible: npt.ArrayLike,
    input_size: ImageSize,
    heatmap_size: ImageSize,
    kernel_size: int = 11,
) -> Encoded:
    """A blurred pixel of height 255 for each keypoint: float32 [K, H, W] and weights [K]."""
    points, weights = _in_map(keypoints, visible, input_size, heatmap_size, False)
    width, height = heatmap_size
    maps = np.zeros((len(points), height, width), np.float32)
    for k in np.flatnonzero(weights >= 0.5):
        x, y = points[k].astype(np.int64)
        if not (0 <= x < width and 0 <= y < height):
            weights[k] = 0
            continue
        maps[k, y, x] = 1
        blurred = cv2.GaussianBlur(maps[k], (kernel_size, kernel_size), 0)
        maps[k] = blurred / blurred[y, x] * np.float32(255.0)
    return maps, weights


def encode_simcc(
    keypoints: npt.ArrayLike,
    visible: npt.ArrayLike,
    input_size: ImageSize,
    split_ratio: float = 2.0,
    sigma: float | tuple[float, float] = 6.0,
    smoothing: Literal["gaussian", "standard"] = "gaussian",
    label_smooth_weight: float = 0.0,
    normalize: bool = True,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Two vectors for each keypoint, one for each axis: float32 [K, Wx], [K, Wy], and weights [K].

    Args:
        keypoints: [K, 2].
        visible: [K].
        input_size: width, height of the network's input.
        split_ratio: bins for each pixel.
        sigma: deviation in bins of "gaussian", one or one for each axis.
        smoothing: "gaussian", or "standard": one bin, `label_smooth_weight` spread over the others.
        label_smooth_weight: 0..1.
        normalize: divide Gaussians by their integral.

    Source: Li et al., "SimCC", 2022, section 3; RTMPose does not normalize.
    """
    points, weights = np.asarray(keypoints), np.array(visible, np.float32)
    bins = np.around(np.array(input_size) * split_ratio).astype(int)
    spread = np.broadcast_to(np.asarray(sigma, np.float64), 2)
    vectors = [np.zeros((len(points), count), np.float32) for count in bins]
    places = np.around(points * split_ratio).astype(np.int64)
    for k in np.flatnonzero(weights >= 0.5):
        place = places[k]
        reach = spread * 3 if smoothing == "gaussian" else np.zeros(2)
        beyond = place + reach + 1 < 0 if smoothing == "gaussian" else place < 0
        if (place - reach >= bins).any() or beyond.any():
            weights[k] = 0
            continue
        for axis, vector in enumerate(vectors):
            if smoothing == "gaussian":
                steps = np.arange(bins[axis], dtype=np.float32) - place[axis]
                vector[k] = np.exp(-(steps**2) / (2 * spread[axis] ** 2))
            else:
                vector[k] = label_smooth_weight / (bins[axis] - 1)
                vector[k, place[axis]] = 1.0 - label_smooth_weight
    if smoothing == "gaussian" and normalize:
        for vector, deviation in zip(vectors, spread, strict=True):
            vector /= deviation * np.sqrt(np.pi * 2)
    return vectors[0], vectors[1], weights


def encode_regression(keypoints: npt.ArrayLike, visible: npt.ArrayLike, input_size: ImageSize) -> Encoded:
    """Coordinates divided by the input's size, float32 [K, 2], and weights [K], 1 for those inside the input."""
    points = np.asarray(keypoints)
    width, height = input_size
    inside = (points >= 0).all(axis=1) & (points <= (width - 1, height - 1)).all(axis=1)
    labels: FloatArray = (points / np.array(input_size)).astype(np.float32)
    return labels, (inside & (np.asarray(visible) > 0.5)).astype(np.float32)


def _in_map(
    keypoints: npt.ArrayLike, visible: npt.ArrayLike, input_size: ImageSize, heatmap_size: ImageSize, corners: bool
) -> Encoded:
    """Keypoints in heatmap pixels; `corners`: the corner pixels of map and input lie on each other."""
    less = 1 if corners else 0
    scale = ((np.array(input_size) - less) / (np.array(heatmap_size) - less)).astype(np.float32)
    return np.asarray(keypoints, np.float32) / scale, np.array(visible, np.float32)
