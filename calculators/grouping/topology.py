"""Which keypoints are joined by limbs, and which maps of a network show them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LimbTopology:
    """The limbs of a network with part affinity fields.

    Attributes:
        keypoints: the names of the K keypoints.
        limbs: pairs of keypoints, in the order in which people grow.
        channels: for each limb the maps of its field's x and y.
        redundant: limbs that only fill in keypoints still missing, and start or join nobody: each is between keypoints
            that other limbs reach, too.
    """

    keypoints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    channels: tuple[tuple[int, int], ...]
    redundant: frozenset[int] = frozenset()


OPENPOSE_18 = LimbTopology(
    (
        *("nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
        *("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
        *("right_eye", "left_eye", "right_ear", "left_ear"),
    ),
    (
        *((1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11)),
        *((11, 12), (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17), (2, 16), (5, 17)),
    ),
    (
        *((12, 13), (20, 21), (14, 15), (16, 17), (22, 23), (24, 25), (0, 1), (2, 3), (4, 5), (6, 7)),
        *((8, 9), (10, 11), (28, 29), (30, 31), (34, 35), (32, 33), (36, 37), (18, 19), (26, 27)),
    ),
    frozenset({17, 18}),
)
"""OpenPose's model of COCO with a neck."""

COCO_ORDER: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6, 11, 12, 7, 8, 9, 10, 13, 14, 15, 16)
"""The order in which HigherHRNet groups COCO's 17 keypoints: head and torso first."""

COCO_PARTNERS: tuple[int, ...] = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
"""For each of COCO's 17 keypoints the one on the other side."""
