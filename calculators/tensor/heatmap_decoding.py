"""Keypoints of one person out of heatmaps, as the published networks' own programs find them."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np

from ..lazy import cv2
from ..payloads import FloatArray, ImageSize
from .heatmap_peaks import dark_offset, heatmap_maxima, modulated, quarter_offset, udp_offset

HeatmapDecoder: TypeAlias = Literal["argmax", "quarter_offset", "dark", "udp", "udp_combined", "megvii", "alphapose"]
"""How keypoints are found finer than a heatmap's pixels; which one a network wants is in its model card."""

DECODERS: tuple[HeatmapDecoder, ...] = get_args(HeatmapDecoder)


def decode_heatmaps(
    heatmaps: FloatArray,
    input_size: ImageSize,
    decoder: HeatmapDecoder = "quarter_offset",
    kernel_size: int = 11,
    radius_factor: float = 0.0546875,
    reference: Literal["exact", "mmpose"] = "exact",
) -> tuple[FloatArray, FloatArray]:
    """The keypoints of one person in pixels of the network's input.

    Args:
        heatmaps: float32 [K, H, W]; [3 K, H, W] for "udp_combined": disc, x offset and y offset of each keypoint.
        input_size: width, height of the network's input.
        decoder: "argmax", the highest pixel; "quarter_offset", moved towards the higher neighbours (Stacked Hourglass,
            SimpleBaseline, HRNet); "dark" (DARK); "udp" and "udp_combined" (UDP); "megvii" (CPN, MSPN, whose maps reach
            255); "alphapose", the quarter offset away from all borders only, and 0 for empty maps.
        kernel_size: of the blur of "dark", "udp", "udp_combined" and "megvii"; odd.
        radius_factor: radius of the discs of "udp_combined", in units of the map's longer side.
        reference: for the two UDP decoders, "mmpose" multiplies by input / (heatmap - 1), which is not the inverse of
            how the maps are made and up to one pixel too far; "exact" by (input - 1) / (heatmap - 1).

    Returns:
        (x, y) float64 [K, 2] in input pixels, and scores float32 [K]. Maps without a positive value give (-1, -1) times
        the stride, or (0, 0) for "alphapose".

    Raises:
        ValueError: the maps are not [K, H, W].

    Source: mmpose's codecs; AlphaPose `heatmap_to_coord_simple`.
    """
    height, width = heatmaps.shape[-2:]
    stride = (np.array(input_size) / (width, height)).astype(np.float32)
    if decoder in ("udp", "udp_combined"):
        whole = np.array(input_size) - (1 if reference == "exact" else 0)
        if decoder == "udp":
            peaks, scores = heatmap_maxima(heatmaps)
            points = udp_offset(heatmaps, peaks, kernel_size)
        else:
            points, scores = _combined(heatmaps, kernel_size, radius_factor)
        return points / np.maximum([width - 1, height - 1], 1) * whole, scores
    if decoder == "megvii":
        blurred = modulated(heatmaps, kernel_size)
        peaks, scores = heatmap_maxima(blurred)
        points = quarter_offset(blurred, peaks, "alphapose")
        inside = (peaks > 1).all(axis=1) & (peaks < (width - 1, height - 1)).all(axis=1)
        points[inside] += np.float32(0.5)
        return points * stride, scores / np.float32(255.0) + np.float32(0.5)
    peaks, scores = heatmap_maxima(heatmaps, 0.0 if decoder == "alphapose" else -1.0)
    if decoder == "quarter_offset":
        peaks = quarter_offset(heatmaps, peaks)
    elif decoder == "alphapose":
        peaks = quarter_offset(heatmaps, peaks, "alphapose")
    elif decoder == "dark":
        peaks = dark_offset(heatmaps, peaks, kernel_size)
    return peaks * stride, scores


def _combined(heatmaps: FloatArray, kernel_size: int, radius_factor: float) -> tuple[FloatArray, FloatArray]:
    count, height, width = heatmaps.shape
    if count % 3:
        raise ValueError(f"udp_combined takes three maps for each keypoint; there are {count}")
    side = 2 * kernel_size + 1
    discs = np.stack([cv2.GaussianBlur(disc, (side, side), 0) for disc in np.ascontiguousarray(heatmaps[::3])])
    points, scores = heatmap_maxima(discs)
    found = np.flatnonzero(points[:, 0] >= 0)
    columns, rows = points[found].astype(np.intp).T
    radius = np.float32(radius_factor * max(width, height))
    points[found, 0] += heatmaps[1::3][found, rows, columns] * radius
    points[found, 1] += heatmaps[2::3][found, rows, columns] * radius
    return points, scores
