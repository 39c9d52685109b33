"""Keypoints out of one vector for each axis (SimCC), and out of plain coordinates."""

from __future__ import annotations

import numpy as np

from ..lazy import cv2
from ..payloads import FloatArray, ImageSize


def decode_simcc(
    simcc_x: FloatArray,
    simcc_y: FloatArray,
    split_ratio: float = 2.0,
    dark_sigma: tuple[float, float] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """The keypoints of one person in pixels of the network's input.

    Args:
        simcc_x: float32 [K, Wx], Wx = width x split_ratio.
        simcc_y: float32 [K, Wy].
        split_ratio: bins for each pixel.
        dark_sigma: deviations in bins of the Gaussians the network was trained with, to refine by DARK; None does not.

    Returns:
        (x, y) float32 [K, 2], and scores float32 [K], the smaller of both maxima. A score not above 0 gives (-1, -1) /
        split_ratio.

    Raises:
        ValueError: the vectors are not [K, W] for the same keypoints.

    Source: Li et al., "SimCC", 2022; mmpose `SimCCLabel`.
    """
    if simcc_x.ndim != 2 or simcc_y.ndim != 2 or len(simcc_x) != len(simcc_y) or 0 in (*simcc_x.shape, *simcc_y.shape):
        raise ValueError(f"SimCC vectors are [K, Wx] and [K, Wy], not {list(simcc_x.shape)} and {list(simcc_y.shape)}")
    points = np.stack([simcc_x.argmax(axis=1), simcc_y.argmax(axis=1)], axis=1).astype(np.float32)
    scores: FloatArray = np.minimum(simcc_x.max(axis=1), simcc_y.max(axis=1)).astype(np.float32)
    points[~(scores > 0)] = -1
    if dark_sigma is not None:
        for axis, (vectors, sigma) in enumerate(zip((simcc_x, simcc_y), dark_sigma, strict=True)):
            kernel_size = int((sigma * 20 - 7) // 3)
            points[:, axis] = _dark_step(points[:, axis], vectors, max(kernel_size - (kernel_size % 2 == 0), 1))
    return points / np.float32(split_ratio), scores


def decode_regression(prediction: FloatArray, input_size: ImageSize) -> tuple[FloatArray, FloatArray]:
    """The keypoints of one person in pixels of the network's input, of coordinates in 0..1.

    Args:
        prediction: float32 [K, 2], x and y; or [K, 4] with the deviations in x and y after them.
        input_size: width, height of the network's input.

    Returns:
        (x, y) float64 [K, 2], and scores float32 [K]: 1 without deviations, else 1 minus their mean.

    Raises:
        ValueError: the numbers of a keypoint are neither 2 nor 4.

    Source: DeepPose; with deviations Li et al., "Residual Log-likelihood Estimation", 2021.
    """
    if prediction.ndim != 2 or prediction.shape[1] not in (2, 4):
        raise ValueError(f"coordinates are [K, 2], or [K, 4] with deviations, not {list(prediction.shape)}")
    scores = np.ones(len(prediction), np.float32)
    if prediction.shape[1] == 4:
        scores = (1 - prediction[:, 2:]).mean(axis=1)
    return prediction[:, :2] * np.array(input_size), scores


def _dark_step(places: FloatArray, vectors: FloatArray, kernel_size: int) -> FloatArray:
    """Newton's step on the logarithm of blurred vectors, differences over two bins; not limited in length."""
    blurred = np.empty(vectors.shape, np.float32)
    for source, target in zip(np.ascontiguousarray(vectors, np.float32), blurred, strict=True):
        target[:] = cv2.GaussianBlur(source[None], (kernel_size, 1), 0, borderType=cv2.BORDER_CONSTANT)[0]
        highest = target.max()
        if highest != 0:
            target *= source.max() / highest
    logarithms = np.pad(np.log(np.clip(blurred, np.float32(1e-3), np.float32(50.0))), ((0, 0), (2, 2)), "edge")
    rows = np.arange(len(places))
    at = (places + 2.5).astype(np.int64)
    here, one, other = logarithms[rows, at], logarithms[rows, at + 1], logarithms[rows, at - 1]
    second = 1e-9 + 0.25 * (logarithms[rows, at + 2] - 2 * here + logarithms[rows, at - 2])
    stepped: FloatArray = (places - 0.5 * (one - other) / second).astype(np.float32)
    return stepped
