"""How near poses are to the truth: PCK, PCP, PDJ, end-point errors and their curves, over arrays of people.

Everywhere N is people and K keypoints; points are [N, K, 2] (or [N, K, 3]) in any unit; `labelled` [N, K] says which
keypoints the truth has. Only those count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Doubles: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Limbs: TypeAlias = Mapping[str, tuple[int, int]]

COCO_LIMBS: Limbs = {
    "left_upper_arm": (5, 7),
    "left_lower_arm": (7, 9),
    "right_upper_arm": (6, 8),
    "right_lower_arm": (8, 10),
    "left_upper_leg": (11, 13),
    "left_lower_leg": (13, 15),
    "right_upper_leg": (12, 14),
    "right_lower_leg": (14, 16),
    "torso": (5, 12),
}
"""The limbs that PCP is counted over, of COCO's 17 keypoints."""


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """How many are right, of how many: int64 [K] each, by keypoint or limb."""

    right: npt.NDArray[np.int64]
    of: npt.NDArray[np.int64]

    @property
    def shares(self) -> Doubles:
        """float64 [K] in 0..1; NaN where there was nothing to find."""
        return np.where(self.of > 0, self.right / np.maximum(self.of, 1), np.nan)

    @property
    def mean(self) -> float:
        """The mean of the shares of those that were there to find: every keypoint counts the same; 0 without any."""
        there = self.shares[self.of > 0]
        return float(there.mean()) if len(there) else 0.0

    @property
    def weighted_mean(self) -> float:
        """The share of all that were there to find: every label counts the same, as in MPII; 0 without any."""
        return float(self.right.sum() / max(self.of.sum(), 1))

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.right + other.right, self.of + other.of)


def normalized_distances(
    predicted: npt.ArrayLike, truth: npt.ArrayLike, labelled: npt.ArrayLike, reference_length: npt.ArrayLike = 1.0
) -> Doubles:
    """Distances to the truth in units of a reference length.

    Args:
        predicted: [N, K, D].
        truth: [N, K, D].
        labelled: bool [N, K].
        reference_length: of each person, [N], or of each axis, [N, D], or one number for all. People with a length of
            0 do not count; a negative one makes any distance vanish (both as in mmpose).

    Returns:
        float64 [N, K]; NaN where nothing is labelled.

    Raises:
        ValueError: the shapes do not go together.
    """
    places, targets = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    known = np.array(labelled, np.bool_)
    if places.ndim != 3 or places.shape != targets.shape or known.shape != places.shape[:2]:
        raise ValueError(
            f"people are [N, K, D] and labels [N, K]; here are {list(places.shape)}, {list(targets.shape)}, "
            f"{list(known.shape)}"
        )
    people, _, axes = places.shape
    lengths = np.asarray(reference_length, np.float64)
    if lengths.ndim == 1:
        lengths = lengths[:, None]
    lengths = np.broadcast_to(lengths, (people, axes))
    known[(lengths == 0).any(axis=1)] = False
    scaled = (places - targets) / np.where(lengths <= 0, 1e6, lengths)[:, None, :]
    return np.where(known, np.sqrt((scaled**2).sum(axis=2)), np.nan)


def pck(
    predicted: npt.ArrayLike,
    truth: npt.ArrayLike,
    labelled: npt.ArrayLike,
    reference_length: npt.ArrayLike,
    threshold: float,
    strict: bool = False,
) -> Counts:
    """Correct keypoints: those within `threshold` reference lengths of the truth.

    Args:
        predicted: [N, K, 2].
        truth: [N, K, 2].
        labelled: bool [N, K].
        reference_length: [N] or [N, 2]: `box_side` for PCK, `torso_diameter` for PCK of the torso and for PDJ,
            `head_length` for PCKh.
        threshold: in reference lengths.
        strict: a distance equal to the threshold is wrong, as mmpose has it; else it is right.

    >>> truth = np.array([[[0.0, 0.0], [10.0, 0.0]]])
    >>> pck(truth + [2.0, 0.0], truth, [[True, True]], [10.0], 0.2).mean
    1.0

    Source: Yang and Ramanan, "Articulated Human Detection with Flexible Mixtures of Parts", 2013, section 6; PDJ:
    Toshev and Szegedy, "DeepPose", 2014, section 4.1; PCKh: Andriluka et al., "2D Human Pose Estimation", 2014.
    """
    distances = normalized_distances(predicted, truth, labelled, reference_length)
    return _within(distances, threshold, strict)


def _within(distances: Doubles, threshold: float, strict: bool) -> Counts:
    right = distances < threshold if strict else distances <= threshold
    return Counts(right.sum(axis=0), (~np.isnan(distances)).sum(axis=0))


def pck_curve(
    predicted: npt.ArrayLike,
    truth: npt.ArrayLike,
    labelled: npt.ArrayLike,
    reference_length: npt.ArrayLike,
    thresholds: Sequence[float],
    strict: bool = False,
) -> list[Counts]:
    """`pck` at several thresholds, for a plot of accuracy over threshold; distances are measured once."""
    distances = normalized_distances(predicted, truth, labelled, reference_length)
    return [_within(distances, threshold, strict) for threshold in thresholds]


def area_under_curve(
    predicted: npt.ArrayLike,
    truth: npt.ArrayLike,
    labelled: npt.ArrayLike,
    reference_length: npt.ArrayLike,
    steps: int = 20,
) -> float:
    """The mean PCK over the thresholds 0, 1 / steps, … (steps - 1) / steps, each below the threshold; 0..1.

    Source: mmpose `keypoint_auc`.
    """
    curve = pck_curve(
        predicted, truth, labelled, reference_length, [step / steps for step in range(steps)], strict=True
    )
    return sum(counts.mean for counts in curve) / steps


def pcp(
    predicted: npt.ArrayLike,
    truth: npt.ArrayLike,
    labelled: npt.ArrayLike,
    limbs: Limbs = COCO_LIMBS,
    threshold: float = 0.5,
    rule: Literal["strict", "loose"] = "strict",
) -> dict[str, Counts]:
    """Correct limbs: both ends (strict), or both in the mean (loose), within `threshold` of the limb's true length.

    A limb counts where both its ends are labelled.

    Returns:
        for each limb, counts of shape [1].

    Source: Ferrari et al., "Progressive Search Space Reduction", 2008; strict as in Pishchulin et al., 2012.
    """
    distances = normalized_distances(predicted, truth, labelled)
    targets = np.asarray(truth, np.float64)
    found: dict[str, Counts] = {}
    for name, (begin, end) in limbs.items():
        ends = distances[:, [begin, end]]
        length = np.linalg.norm(targets[:, begin] - targets[:, end], axis=1)
        off = ends.max(axis=1) if rule == "strict" else ends.mean(axis=1)
        there = ~np.isnan(ends).any(axis=1)
        right = there & (off <= threshold * length)
        found[name] = Counts(np.array([right.sum()]), np.array([there.sum()]))
    return found


def end_point_error(predicted: npt.ArrayLike, truth: npt.ArrayLike, labelled: npt.ArrayLike) -> float:
    """The mean distance to the truth, in its unit (EPE); 0 where nothing is labelled."""
    return normalized_mean_error(predicted, truth, labelled, 1.0)


def normalized_mean_error(
    predicted: npt.ArrayLike, truth: npt.ArrayLike, labelled: npt.ArrayLike, reference_length: npt.ArrayLike
) -> float:
    """The mean distance to the truth in reference lengths (NME); 0 where nothing is labelled."""
    distances = normalized_distances(predicted, truth, labelled, reference_length)
    known = distances[~np.isnan(distances)]
    return float(known.mean()) if len(known) else 0.0


def mean_per_joint_position_error(
    predicted: npt.ArrayLike,
    truth: npt.ArrayLike,
    labelled: npt.ArrayLike,
    alignment: Literal["none", "scale", "procrustes"] = "none",
) -> float:
    """The mean distance to the truth in space, of poses as they are, scaled, or moved, turned and scaled to fit.

    Args:
        predicted: [N, K, 3].
        truth: [N, K, 3].
        labelled: bool [N, K]; all keypoints take part in the alignment.
        alignment: "procrustes" gives P-MPJPE.

    Source: mmpose `keypoint_mpjpe`; Ionescu et al., "Human3.6M", 2014.
    """
    places, targets = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    if alignment == "scale":
        fit = (places * targets).sum(axis=(1, 2)) / (places * places).sum(axis=(1, 2))
        places = places * fit[:, None, None]
    elif alignment == "procrustes":
        pairs = zip(places, targets, strict=True)
        places = np.array([_fitted(pose, target) for pose, target in pairs]).reshape(places.shape)
    return end_point_error(places, targets, labelled)


def _fitted(pose: Doubles, target: Doubles) -> Doubles:
    """A pose moved, turned and scaled onto another, in the least squares; never mirrored."""
    pose_mean, target_mean = pose.mean(axis=0), target.mean(axis=0)
    centred, aim = pose - pose_mean, target - target_mean
    left, _, right = np.linalg.svd(centred.T @ aim)
    upright = np.ones(len(right))
    upright[-1] = np.sign(np.linalg.det(left @ right))
    rotation = right.T @ np.diag(upright) @ left.T
    scale = np.trace(rotation @ centred.T @ aim) / (centred**2).sum()
    fitted: Doubles = scale * centred @ rotation.T + target_mean
    return fitted


def torso_diameter(points: npt.ArrayLike, shoulder: int = 5, hip: int = 12) -> Doubles:
    """The length from left shoulder to right hip: float64 [N] of points [N, K, 2]."""
    places = np.asarray(points, np.float64)
    length: Doubles = np.linalg.norm(places[:, shoulder] - places[:, hip], axis=1)
    return length


def box_side(box: npt.ArrayLike) -> Doubles:
    """The longer side of boxes [N, 4] (x, y, width, height): float64 [N]."""
    longer: Doubles = np.asarray(box, np.float64)[:, 2:4].max(axis=1)
    return longer


def head_length(head_box: npt.ArrayLike) -> Doubles:
    """0.6 of the diagonal of head boxes [N, 2, 2] (two corners), which is MPII's reference length: float64 [N]."""
    corners = np.asarray(head_box, np.float64)
    length: Doubles = 0.6 * np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)
    return length
