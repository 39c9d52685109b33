"""Pose-guided proposals: boxes as a detector would give them around a known one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..payloads import ImageSize

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ProposalDistribution:
    """How detectors' boxes are off: means and deviations of the four sides, in units of the box's width or height.

    Sides are x_min, y_min, x_max, y_max. With probability `patch_probability` a patch of 85 to 100 percent of the box
    is taken instead.

    Source: AlphaPose `addDPG`, whose numbers the defaults are.
    """

    mean: tuple[float, float, float, float] = (-0.0142, 0.0043, 0.0154, -0.0013)
    deviation: tuple[float, float, float, float] = (0.1158, 0.068, 0.1337, 0.0711)
    patch_probability: float = 0.15


def propose(
    boxes_xyxy: npt.ArrayLike,
    image_size: ImageSize,
    uniforms: npt.ArrayLike,
    normals: npt.ArrayLike,
    distribution: ProposalDistribution = ProposalDistribution(),
) -> Doubles:
    """One proposal for each box, from random numbers that are given.

    Args:
        boxes_xyxy: [N, 4], px.
        image_size: width, height in pixels; proposals stay a pixel inside.
        uniforms: [N, 3] in 0..1: the patch's size, and where it lies across and down.
        normals: [N, 4], standard normal, for the four sides.
        distribution: of the sides.

    Returns:
        float64 [N, 4].

    Source: Fang et al., "RMPE", 2017, section 3.4; AlphaPose `addDPG`.
    """
    boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
    draws, sides = np.asarray(uniforms, np.float64), np.asarray(normals, np.float64)
    extent = boxes[:, 2:] - boxes[:, :2]
    moved = boxes + (distribution.mean + np.asarray(distribution.deviation) * sides) * np.tile(extent, 2)
    last = np.array(image_size, np.float64) - 3
    low = np.clip(moved[:, :2], 1, last)
    high = np.minimum(np.maximum(moved[:, 2:], low + 2), last)
    offset = np.concatenate([low, high], axis=1)
    patch = _patch(boxes, extent, draws)
    taken = draws[:, 0] > 1 - distribution.patch_probability
    return np.where(taken[:, None], patch, offset)


def _patch(boxes: Doubles, extent: Doubles, draws: Doubles) -> Doubles:
    """A part of each box with its aspect ratio, one pixel larger than drawn."""
    size = extent * draws[:, :1]
    low = boxes[:, :2] + (extent - size) * draws[:, 1:]
    return np.concatenate([low, low + size + 1], axis=1)


def sample_proposals(
    boxes_xyxy: npt.ArrayLike,
    image_size: ImageSize,
    seed: int = 0,
    distribution: ProposalDistribution = ProposalDistribution(),
) -> Doubles:
    """One proposal for each box, the same for the same seed; see `propose`."""
    count = len(np.asarray(boxes_xyxy, np.float64).reshape(-1, 4))
    random = np.random.default_rng(seed)
    return propose(boxes_xyxy, image_size, random.random((count, 3)), random.normal(size=(count, 4)), distribution)
