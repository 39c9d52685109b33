"""Atomic poses: what detectors' boxes are off by depends on how somebody stands, so it is learned pose by pose.

Source: Fang et al., "RMPE", ICCV 2017, section 3.4, pose-guided proposals generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

TORSO = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
"""The keypoints by which poses are laid over each other."""


@dataclass(frozen=True, slots=True, eq=False)
class AtomicPoses:
    """Poses that stand for all others, and how boxes of people in them are off.

    Attributes:
        keypoints: names of the K keypoints.
        poses: float64 [A, K, 2], in torso lengths from the middle of the torso.
        mean: float64 [A, 4], of the offsets of x_min, y_min, x_max, y_max, in units of the box's width and height.
        deviation: float64 [A, 4].
        count: int64 [A], people that each was learned from.
    """

    keypoints: tuple[str, ...]
    poses: Doubles
    mean: Doubles
    deviation: Doubles
    count: npt.NDArray[np.int64]

    def nearest(self, points: npt.ArrayLike, known: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Which atom each person is nearest to: int64 [N]; the commonest where the torso is not known.

        Args:
            points: [N, K, 2], px.
            known: bool [N, K]; only known keypoints are compared.
        """
        labelled = np.asarray(known, np.bool_)
        aligned, usable = torso_aligned(points, labelled, self.keypoints)
        apart = ((aligned[:, None] - self.poses[None]) ** 2).sum(axis=3)
        distance = np.where(labelled[:, None], apart, 0.0).sum(axis=2)
        found: npt.NDArray[np.int64] = np.where(usable, distance.argmin(axis=1), self.count.argmax())
        return found


def torso_aligned(points: npt.ArrayLike, known: npt.ArrayLike, keypoints: tuple[str, ...]) -> tuple[Doubles, Flags]:
    """Poses with their torsos laid over each other: of length 1, their middles at 0.

    Args:
        points: [N, K, 2], px.
        known: bool [N, K].
        keypoints: their names; `TORSO` must be among them.

    Returns:
        float64 [N, K, 2], and bool [N], whether all of the torso is known and it has a length; zeros where not.

    Raises:
        ValueError: the names lack a keypoint of the torso, or are not K.
    """
    places, labelled = np.asarray(points, np.float64), np.asarray(known, np.bool_)
    missing = [name for name in TORSO if name not in keypoints]
    if missing or places.shape[1:] != (len(keypoints), 2):
        raise ValueError(
            f"poses are aligned by their torso: of {len(keypoints)} keypoints {', '.join(missing) or 'none'} is "
            f"missing, and the poses are {list(places.shape)}"
        )
    torso = [keypoints.index(name) for name in TORSO]
    shoulders, hips = places[:, torso[:2]].mean(axis=1), places[:, torso[2:]].mean(axis=1)
    length = np.linalg.norm(shoulders - hips, axis=1)
    usable: Flags = labelled[:, torso].all(axis=1) & (length > 0) & np.isfinite(length)
    middle = (shoulders + hips) / 2
    aligned = (places - middle[:, None]) / np.where(usable, length, 1.0)[:, None, None]
    aligned[~usable] = 0.0
    return aligned, usable


def sample_variants(
    boxes_xyxy: npt.ArrayLike, atoms: npt.ArrayLike, learned: AtomicPoses, count: int, random: np.random.Generator
) -> Doubles:
    """Boxes as a detector might have given them around known ones: float64 [N, count, 4], px.

    Args:
        boxes_xyxy: [N, 4].
        atoms: int [N], of each person; see `AtomicPoses.nearest`.
        learned: the distributions.
        count: variants of each.
        random: where the numbers come from.
    """
    boxes, rows = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4), np.asarray(atoms, np.int64)
    normals = random.normal(size=(len(boxes), count, 4))
    offsets = learned.mean[rows][:, None] + learned.deviation[rows][:, None] * normals
    extent = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    moved = boxes[:, None] + offsets * extent[:, None]
    # sides that passed each other still make a box
    variants: Doubles = np.concatenate(
        [np.minimum(moved[..., :2], moved[..., 2:]), np.maximum(moved[..., :2], moved[..., 2:])], axis=2
    )
    return variants


def atomic_poses_text(learned: AtomicPoses) -> str:
    """As YAML, as `read_atomic_poses` reads it."""
    atoms = [
        {
            "count": int(learned.count[a]),
            "mean": _rounded(learned.mean[a]),
            "deviation": _rounded(learned.deviation[a]),
            "pose": _rounded(learned.poses[a]),
        }
        for a in range(len(learned.poses))
    ]
    values = {"keypoints": list(learned.keypoints), "atoms": atoms}
    return yaml.safe_dump(values, sort_keys=False, default_flow_style=None, width=120)


def read_atomic_poses(path: str | Path) -> AtomicPoses:
    """What `graphflow fit proposals` wrote.

    Raises:
        ValueError: it cannot be read, or holds something else.
    """
    try:
        values = yaml.safe_load(Path(path).expanduser().read_text("utf-8"))
        names, atoms = tuple(str(name) for name in values["keypoints"]), values["atoms"]
        poses = np.array([atom["pose"] for atom in atoms], np.float64).reshape(len(atoms), len(names), 2)
        mean, deviation = (
            np.array([atom[key] for atom in atoms], np.float64).reshape(-1, 4) for key in ("mean", "deviation")
        )
        if not len(atoms):
            raise ValueError("there is no atom")
        return AtomicPoses(names, poses, mean, deviation, np.array([atom["count"] for atom in atoms], np.int64))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} does not hold what `graphflow fit proposals` writes: {type(error).__name__}: {error}"
        ) from error


def _rounded(values: Doubles) -> Any:
    return np.round(values, 4).tolist()
