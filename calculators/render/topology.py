"""Which landmarks are joined, and in what colour; RGB.

Paths are tuples of landmark indices; consecutive ones are joined, in the direction in which MediaPipe names the pair.
Source: MediaPipe `pose_connections`, `hands_connections`, `face_mesh_connections`, `drawing_styles`.
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
    (0, 1, 2, 3, 7),  # nose over the left eye to the left ear
    (0, 4, 5, 6, 8),
    (9, 10),  # mouth
    (11, 12, 24),  # shoulders and right side
    (11, 23, 24),  # left side and hips
    (11, 13, 15, 17, 19),  # left arm and hand
    (15, 19),
    (15, 21),
    (12, 14, 16, 18, 20),  # right arm and hand
    (16, 20),
    (16, 22),
    (23, 25, 27, 29, 31),  # left leg and foot
    (27, 31),
    (24, 26, 28, 30, 32),  # right leg and foot
    (28, 32),
)

POSE_LANDMARK_COLORS: Final[tuple[tuple[Path, Color], ...]] = (
    ((0,), WHITE),
    ((1, 2, 3, 7, 9, *range(11, 33, 2)), ORANGE),  # the person's left
    ((4, 5, 6, 8, 10, *range(12, 33, 2)), CYAN),  # the person's right
)

COCO_PATHS: Final[tuple[Path, ...]] = (
    (0, 1, 3),  # nose over the left eye to the left ear
    (0, 2, 4),
    (5, 6, 12),  # shoulders and right side
    (5, 11, 12),  # left side and hips
    (5, 7, 9),  # left arm
    (6, 8, 10),
    (11, 13, 15),  # left leg
    (12, 14, 16),
)

COCO_LANDMARK_COLORS: Final[tuple[tuple[Path, Color], ...]] = (
    ((0,), WHITE),
    (tuple(range(1, 17, 2)), ORANGE),  # the person's left
    (tuple(range(2, 17, 2)), CYAN),  # the person's right
)

PALM: Final[tuple[Path, ...]] = ((0, 1), (0, 5, 9, 13, 17), (0, 17))
THUMB: Final = (1, 2, 3, 4)
INDEX_FINGER: Final = (5, 6, 7, 8)
MIDDLE_FINGER: Final = (9, 10, 11, 12)
RING_FINGER: Final = (13, 14, 15, 16)
PINKY: Final = (17, 18, 19, 20)

HAND_PATHS: Final[tuple[tuple[Path, Color], ...]] = (
    *((path, GRAY) for path in PALM),
    (THUMB, PEACH),
    (INDEX_FINGER, PURPLE),
    (MIDDLE_FINGER, YELLOW),
    (RING_FINGER, GREEN),
    (PINKY, BLUE),
)

HAND_LANDMARK_COLORS: Final[tuple[tuple[Path, Color], ...]] = (
    ((0, 1, 5, 9, 13, 17), RED),
    ((2, 3, 4), PEACH),
    ((6, 7, 8), PURPLE),
    ((10, 11, 12), YELLOW),
    ((14, 15, 16), GREEN),
    ((18, 19, 20), BLUE),
)

FACE_OVAL: Final[tuple[Path, ...]] = (
    (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
     136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 10),
)  # fmt: skip
OUTER_LIPS: Final[tuple[Path, ...]] = (
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
)
INNER_LIPS: Final[tuple[Path, ...]] = (
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
)
LEFT_EYE: Final[tuple[Path, ...]] = (
    (263, 249, 390, 373, 374, 380, 381, 382, 362),
    (263, 466, 388, 387, 386, 385, 384, 398, 362),
)
LEFT_EYEBROW: Final[tuple[Path, ...]] = ((276, 283, 282, 295, 285), (300, 293, 334, 296, 336))
LEFT_IRIS: Final[tuple[Path, ...]] = ((474, 475, 476, 477, 474),)
RIGHT_EYE: Final[tuple[Path, ...]] = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133),
    (33, 246, 161, 160, 159, 158, 157, 173, 133),
)
RIGHT_EYEBROW: Final[tuple[Path, ...]] = ((46, 53, 52, 65, 55), (70, 63, 105, 66, 107))
RIGHT_IRIS: Final[tuple[Path, ...]] = ((469, 470, 471, 472, 469),)
NOSE: Final[tuple[Path, ...]] = (
    (168, 6, 197, 195, 5, 4, 1, 19, 94, 2),
    (98, 97, 2, 326, 327, 294, 278, 344, 440, 275, 4, 45, 220, 115, 48, 64, 98),
)

FACE_CONTOURS: Final[tuple[tuple[tuple[Path, ...], Color], ...]] = (
    (FACE_OVAL + OUTER_LIPS + INNER_LIPS, WHITE),
    (LEFT_EYE + LEFT_EYEBROW, GREEN),
    (RIGHT_EYE + RIGHT_EYEBROW, RED),
)
