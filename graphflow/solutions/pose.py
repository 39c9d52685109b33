"""The body of the most prominent person, as `mp.solutions.pose`."""

from __future__ import annotations

import enum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .landmarks import LandmarkList, NormalizedLandmarkList
from .pose_connections import POSE_CONNECTIONS
from .pose_results import body_landmarks, body_params, mask_params
from .solution import Solution

__all__ = ["POSE_CONNECTIONS", "Pose", "PoseLandmark", "PoseResults"]


class PoseLandmark(enum.IntEnum):
    """The 33 body landmarks; left and right are the person's own."""

    NOSE = 0
    LEFT_EYE_INNER = 1
    LEFT_EYE = 2
    LEFT_EYE_OUTER = 3
    RIGHT_EYE_INNER = 4
    RIGHT_EYE = 5
    RIGHT_EYE_OUTER = 6
    LEFT_EAR = 7
    RIGHT_EAR = 8
    MOUTH_LEFT = 9
    MOUTH_RIGHT = 10
    LEFT_SHOULDER = 11
    RIGHT_SHOULDER = 12
    LEFT_ELBOW = 13
    RIGHT_ELBOW = 14
    LEFT_WRIST = 15
    RIGHT_WRIST = 16
    LEFT_PINKY = 17
    RIGHT_PINKY = 18
    LEFT_INDEX = 19
    RIGHT_INDEX = 20
    LEFT_THUMB = 21
    RIGHT_THUMB = 22
    LEFT_HIP = 23
    RIGHT_HIP = 24
    LEFT_KNEE = 25
    RIGHT_KNEE = 26
    LEFT_ANKLE = 27
    RIGHT_ANKLE = 28
    LEFT_HEEL = 29
    RIGHT_HEEL = 30
    LEFT_FOOT_INDEX = 31
    RIGHT_FOOT_INDEX = 32


class PoseResults(NamedTuple):
    """What `Pose.process` found.

    Attributes:
        pose_landmarks: 33 points of the image, with visibility; None without a person.
        pose_world_landmarks: the same in metres, from the middle of the hips; None without a person.
        segmentation_mask: float32 [H, W], chance in 0..1 that a pixel shows the person; None without a person or where
            it was not asked for.
    """

    pose_landmarks: NormalizedLandmarkList | None
    pose_world_landmarks: LandmarkList | None
    segmentation_mask: npt.NDArray[np.float32] | None


class Pose(Solution):
    """Finds the body of the most prominent person, and follows it from image to image.

    Args:
        static_image_mode: the images have nothing to do with each other: each is searched anew and nothing is smoothed.
        model_complexity: 0 is faster and less exact, 2 slower and more exact; both are fetched when first used.
        smooth_landmarks: whether landmarks are filtered over time.
        enable_segmentation: whether to give a mask of the person.
        smooth_segmentation: whether the mask is filtered over time.
        min_detection_confidence: score in 0..1 for a person to be found.
        min_tracking_confidence: score in 0..1 for the person to be still there.

    Raises:
        ValueError: there is no such model complexity.
        ModelError: a model cannot be had.
    """

    def __init__(
        self,
        static_image_mode: bool = False,
        model_complexity: int = 1,
        smooth_landmarks: bool = True,
        enable_segmentation: bool = False,
        smooth_segmentation: bool = True,
        min_detection_confidence: float = 0.5,
        min_tracking_confidence: float = 0.5,
    ) -> None:
        mask = ("segmentation_mask",) if enable_segmentation else ()
        super().__init__(
            "pose",
            ("pose_landmarks", "pose_world_landmarks", *mask),
            params=mask_params(static_image_mode, enable_segmentation, smooth_segmentation)
            | body_params(
                static_image_mode=static_image_mode,
                model_complexity=model_complexity,
                smooth_landmarks=smooth_landmarks,
                min_detection_confidence=min_detection_confidence,
                min_tracking_confidence=min_tracking_confidence,
            ),
            static_image_mode=static_image_mode,
        )

    def process(self, image: npt.NDArray[np.uint8]) -> PoseResults:
        """Looks at an image.

        Args:
            image: uint8 [H, W, 3] RGB.

        Raises:
            ValueError: the image has another shape, or this is closed.
            TypeError: the image is no array of bytes.
            RuntimeError: the graph failed.
        """
        found = self._run(image)
        return PoseResults(
            body_landmarks(NormalizedLandmarkList, found.get("pose_landmarks")),
            body_landmarks(LandmarkList, found.get("pose_world_landmarks")),
            found.get("segmentation_mask"),
        )
