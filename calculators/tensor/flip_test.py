"""Flip test: what a network says about a mirrored image, mirrored back, so that both answers can be averaged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..payloads import FloatArray

FlipMode: TypeAlias = Literal["heatmap", "udp_combined", "offset"]
"""What the channels are: one map for each keypoint; disc, x and y offset; or x and y offset."""


def unflipped_heatmaps(
    heatmaps: FloatArray, partners: Sequence[int], mode: FlipMode = "heatmap", shift: bool = False
) -> FloatArray:
    """Maps of a mirrored image as maps of the image: mirrored, left and right keypoints exchanged.

    Args:
        heatmaps: float32 [..., C, H, W].
        partners: for each keypoint the one on the other side, itself in the middle.
        mode: what the C channels are.
        shift: move them one pixel to the right, column 0 stays: mirrored maps of a strided network are off by that,
            unless the crop is UDP's.

    Raises:
        ValueError: the channels do not go with the partners.

    Source: mmpose `flip_heatmaps`.
    """
    each = {"heatmap": 1, "udp_combined": 3, "offset": 2}[mode]
    *rest, channels, height, width = heatmaps.shape
    if channels != each * len(partners):
        raise ValueError(f"{len(partners)} keypoints have {each * len(partners)} channels of {mode}, not {channels}")
    grouped = heatmaps.reshape(*rest, len(partners), each, height, width)
    mirrored = grouped[..., list(partners), :, :, ::-1].copy()
    if each > 1:
        mirrored[..., each - 2, :, :] *= -1  # offsets along x
    if shift:
        mirrored[..., 1:] = mirrored[..., :-1].copy()
    return mirrored.reshape(heatmaps.shape)


def unflipped_simcc(simcc_x: FloatArray, simcc_y: FloatArray, partners: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    """SimCC vectors [..., K, W] of a mirrored image as vectors of the image.

    Source: mmpose `flip_vectors`.
    """
    order = list(partners)
    return simcc_x[..., order, ::-1].copy(), simcc_y[..., order, :].copy()


def unflipped_coordinates(
    coordinates: FloatArray, partners: Sequence[int], input_width: int, shift: bool = False
) -> FloatArray:
    """Coordinates [..., K, 2] in 0..1 of a mirrored image as coordinates of the image.

    Args:
        coordinates: float32 [..., K, 2].
        partners: for each keypoint the one on the other side, itself in the middle.
        input_width: pixels of the network's input.
        shift: move them one input pixel to the left.

    Source: mmpose `flip_coordinates`.
    """
    mirrored = coordinates[..., list(partners), :].copy()
    mirrored[..., 0] = 1 - mirrored[..., 0]
    if shift:
        mirrored[..., 0] -= 1.0 / input_width
    return mirrored


def average(*answers: npt.NDArray[np.floating]) -> FloatArray:
    """The mean of several answers of the same shape, float32."""
    mean: FloatArray = (sum(answers[1:], answers[0]) * np.float32(1 / len(answers))).astype(np.float32)
    return mean
