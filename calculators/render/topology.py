"""Which landmarks are joined, and in what colour; RGB.

Paths are tuples of landmark indices; consecutive ones are joined. Source: MediaPipe `pose_connections`,
`hands_connections`, `face_mesh_connections`, `drawing_styles`.
"""

from __future__ import annotations

from typing import Final, TypeAlias

Path: TypeAlias = tuple[int, ...]
Color: TypeAlias = tuple[int, int, int]

WHITE: Final = (224, 224, 224)
GRAY: Final = (128, 128, 128)
RED: Final = (255, 48, 48)
GREEN: Final = (48, 255, 48)
BLUE: Final = (21, 101, 192)
YELLOW: Final = (255, 204, 0)
PURPLE: Final = (128, 64, 128)
PEACH: Final = (255, 229, 180)
ORANGE: Final = (255, 138, 0)
CYAN: Final = (0, 217, 231)

POSE_PATHS: Final[tuple[Path, ...]] = (
    (8, 6, 5, 4, 0, 1, 2, 3, 7),  # ear to ear over the eyes
    (9, 10),  # mouth
    (11, 12, 24, 23, 11),  # torso
    (11, 13, 15, 17, 19, 15, 21),  # left arm and hand
    (12, 14, 16, 18, 20, 16, 22),  # right arm and hand
    (23, 25, 27, 29, 31, 27),  # left leg and foot
    (24, 26, 28, 30, 32, 28),  # right leg and foot
)

POSE_LANDMARK_COLORS: Final[tuple[tuple[Path, Color], ...]] = (
    ((0,), WHITE),
    ((1, 2, 3, 7, 9, *range(11, 33, 2)), ORANGE),  # the person's left
    ((4, 5, 6, 8, 10, *range(12, 33, 2)), CYAN),  # the person's right
)

HAND_PATHS: Final[tuple[tuple[Path, Color], ...]] = (
    ((1, 0, 5, 9, 13, 17, 0), GRAY),  # palm
    ((1, 2, 3, 4), PEACH),  # thumb
    ((5, 6, 7, 8), PURPLE),  # index finger
    ((9, 10, 11, 12), YELLOW),  # middle finger
    ((13, 14, 15, 16), GREEN),  # ring finger
    ((17, 18, 19, 20), BLUE),  # pinky
)

HAND_LANDMARK_COLORS: Final[tuple[tuple[Path, Color], ...]] = (
    ((0, 1, 5, 9, 13, 17), RED),
    ((2, 3, 4), PEACH),
    ((6, 7, 8), PURPLE),
    ((10, 11, 12), YELLOW),
    ((14, 15, 16), GREEN),
    ((18, 19, 20), BLUE),
)

FACE_CONTOURS: Final[tuple[tuple[tuple[Path, ...], Color], ...]] = (
    (
        (
            # oval
            (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176,
             149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 10),
            # lips, outside and inside
            (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185, 61),
            (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191, 78),
        ),
        WHITE,
    ),
    (
        (
            # left eye and brow
            (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466, 263),
            (276, 283, 282, 295, 285),
            (300, 293, 334, 296, 336),
        ),
        GREEN,
    ),
    (
        (
            # right eye and brow
            (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246, 33),
            (46, 53, 52, 65, 55),
            (70, 63, 105, 66, 107),
        ),
        RED,
    ),
)  # fmt: skip
