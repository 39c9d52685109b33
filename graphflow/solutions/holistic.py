"""Body, hands and face of the most prominent person, as `mp.solutions.holistic`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .face_mesh_connections import FACEMESH_CONTOURS, FACEMESH_TESSELATION
from .hands import HandLandmark
from .hands_connections import HAND_CONNECTIONS
from .landmarks import LandmarkList, NormalizedLandmarkList
from .pose import PoseLandmark
from .pose_connections import POSE_CONNECTIONS
from .pose_results import body_landmarks, body_params, mask_params
from .solution import Solution

__all__ = [
    "FACEMESH_CONTOURS",
    "FACEMESH_TESSELATION",
    "HAND_CONNECTIONS",
    "POSE_CONNECTIONS",
    "HandLandmark",
    "Holistic",
    "HolisticResults",
    "PoseLandmark",
]


class HolisticResults(NamedTuple):
    """What `Holistic.process` found; None where something was not.

    Attributes:
        pose_landmarks: 33 points of the image, with visibility.
        pose_world_landmarks: the same in metres, from the middle of the hips.
        left_hand_landmarks: 21 points of the image; the person's own left.
        right_hand_landmarks: 21 points of the image.
        face_landmarks: 468 points of the image, 478 where they are refined.
        segmentation_mask: float32 [H, W], chance in 0..1 that a pixel shows the person; None where it was not asked
            for.
    """

    pose_landmarks: NormalizedLandmarkList | None
    pose_world_landmarks: LandmarkList | None
    left_hand_landmarks: NormalizedLandmarkList | None
    right_hand_landmarks: NormalizedLandmarkList | None
    face_landmarks: NormalizedLandmarkList | None
    segmentation_mask: npt.NDArray[np.float32] | None


class Holistic(Solution):
    """Finds body, both hands and face of the most prominent person, and follows them from image to image.

    Args:
        static_image_mode: the images have nothing to do with each other: each is searched anew and nothing is smoothed.
        model_complexity: of the body's model; 0 is faster and less exact, 2 slower and more exact; both are fetched
            when first used.
        smooth_landmarks: whether body landmarks are filtered over time.
        enable_segmentation: whether to give a mask of the person.
        smooth_segmentation: whether the mask is filtered over time.
        refine_face_landmarks: whether eyes and lips are found more exactly, and irises as well.
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
        refine_face_landmarks: bool = False,
        min_detection_confidence: float = 0.5,
        min_tracking_confidence: float = 0.5,
    ) -> None:
        parts = ("left_hand_landmarks", "right_hand_landmarks", "face_landmarks")
        mask = ("segmentation_mask",) if enable_segmentation else ()
        body = body_params(
            static_image_mode=static_image_mode,
            model_complexity=model_complexity,
            smooth_landmarks=smooth_landmarks,
            min_detection_confidence=min_detection_confidence,
            min_tracking_confidence=min_tracking_confidence,
        )
        masks = mask_params(static_image_mode, enable_segmentation, smooth_segmentation)
        super().__init__(
            "holistic",
            ("pose_landmarks", "pose_world_landmarks", *parts, *mask),
            params={"refine_face_landmarks": refine_face_landmarks, **body, **masks},
            static_image_mode=static_image_mode,
        )

    def process(self, image: npt.NDArray[np.uint8]) -> HolisticResults:
        """Looks at an image.

        Args:
            image: uint8 [H, W, 3] RGB.

        Raises:
            ValueError: the image has another shape, or this is closed.
            TypeError: the image is no array of bytes.
            RuntimeError: the graph failed.
        """
        return holistic_results(self._run(image))


def holistic_results(found: Mapping[str, Any]) -> HolisticResults:
    """What the graph says of one person, by stream, as results."""
    left, right, face = (
        None if points is None else NormalizedLandmarkList.of(points)
        for points in map(found.get, ("left_hand_landmarks", "right_hand_landmarks", "face_landmarks"))
    )
    return HolisticResults(
        body_landmarks(NormalizedLandmarkList, found.get("pose_landmarks")),
        body_landmarks(LandmarkList, found.get("pose_world_landmarks")),
        left,
        right,
        face,
        found.get("segmentation_mask"),
    )
