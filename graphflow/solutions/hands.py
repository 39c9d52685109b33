"""Hands, as `mp.solutions.hands`."""

from __future__ import annotations

import enum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .detections import ClassificationList
from .hands_connections import HAND_CONNECTIONS
from .landmarks import LandmarkList, NormalizedLandmarkList
from .solution import Solution

__all__ = ["HAND_CONNECTIONS", "HandLandmark", "Hands", "HandsResults"]


class HandLandmark(enum.IntEnum):
    """The 21 landmarks of a hand."""

    WRIST = 0
    THUMB_CMC = 1
    THUMB_MCP = 2
    THUMB_IP = 3
    THUMB_TIP = 4
    INDEX_FINGER_MCP = 5
    INDEX_FINGER_PIP = 6
    INDEX_FINGER_DIP = 7
    INDEX_FINGER_TIP = 8
    MIDDLE_FINGER_MCP = 9
    MIDDLE_FINGER_PIP = 10
    MIDDLE_FINGER_DIP = 11
    MIDDLE_FINGER_TIP = 12
    RING_FINGER_MCP = 13
    RING_FINGER_PIP = 14
    RING_FINGER_DIP = 15
    RING_FINGER_TIP = 16
    PINKY_MCP = 17
    PINKY_PIP = 18
    PINKY_DIP = 19
    PINKY_TIP = 20


class HandsResults(NamedTuple):
    """What `Hands.process` found: a list with one entry for each hand; None without hands.

    Attributes:
        multi_hand_landmarks: 21 points of the image each.
        multi_hand_world_landmarks: the same in metres, from the middle of the hand.
        multi_handedness: "Left" or "Right" with its score, for an image that shows people as a mirror does.
    """

    multi_hand_landmarks: list[NormalizedLandmarkList] | None
    multi_hand_world_landmarks: list[LandmarkList] | None
    multi_handedness: list[ClassificationList] | None


class Hands(Solution):
    """Finds hands, and follows them from image to image.

    Args:
        static_image_mode: the images have nothing to do with each other: each is searched anew.
        max_num_hands: how many hands to look for.
        model_complexity: 0 is faster and less exact than 1.
        min_detection_confidence: score in 0..1 for a hand to be found.
        min_tracking_confidence: score in 0..1 for a hand to be still there.

    Raises:
        ValueError: there is no such model complexity.
        ModelError: a model cannot be had.
    """

    def __init__(
        self,
        static_image_mode: bool = False,
        max_num_hands: int = 2,
        model_complexity: int = 1,
        min_detection_confidence: float = 0.5,
        min_tracking_confidence: float = 0.5,
    ) -> None:
        if model_complexity not in (0, 1):
            raise ValueError(f"model_complexity is 0 (lite) or 1 (full), not {model_complexity!r}")
        super().__init__(
            "hands",
            ("multi_hand_landmarks", "multi_hand_world_landmarks", "multi_handedness"),
            params={
                "num_hands": max_num_hands,
                "model_complexity": model_complexity,
                "use_previous_landmarks": not static_image_mode,
                "min_detection_confidence": min_detection_confidence,
                "min_tracking_confidence": min_tracking_confidence,
            },
            static_image_mode=static_image_mode,
        )

    def process(self, image: npt.NDArray[np.uint8]) -> HandsResults:
        """Looks at an image.

        Args:
            image: uint8 [H, W, 3] RGB.

        Raises:
            ValueError: the image has another shape, or this is closed.
            TypeError: the image is no array of bytes.
            RuntimeError: the graph failed.
        """
        found = self._run(image)
        return HandsResults(
            [NormalizedLandmarkList.of(hand) for hand in found.get("multi_hand_landmarks", ())] or None,
            [LandmarkList.of(hand) for hand in found.get("multi_hand_world_landmarks", ())] or None,
            [ClassificationList(hand) for hand in found.get("multi_handedness", ())] or None,
        )
